# shellcheck shell=bash
# Sourced by the tests of the examples. They run in a network namespace of their own.
set -eu
cd "${work:?set by run}"
end_jobs() {
    local jobs
    mapfile -t jobs < <(jobs -p)
    ((!${#jobs[@]})) || kill "${jobs[@]}" 2>/dev/null || true
}
trap end_jobs EXIT

fail() {
    echo "FAILED: $*"
    tail -n 100 out err 2>/dev/null || true
    exit 1
}

# wait_until COMMAND...: for 20 seconds.
wait_until() {
    local deadline=$((SECONDS + 20))
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

# begin COMMAND...: in the background, its output to out and err.
begin() {
    : >out
    : >err
    "$@" >out 2>err &
    pid=$!
}

# ends STATUS: that it does so by itself, and with this status.
ends() {
    # shellcheck disable=SC2317 # called by wait_until
    gone() { ! kill -0 "$pid" 2>/dev/null; }
    wait_until gone || fail "it does not end"
    status=0
    wait "$pid" || status=$?
    [[ $status == "$1" ]] || fail "exit status $status, not $1"
}

# udp PORT [FROM [TO]]: a datagram of 100 bytes, a flow of its own as a rule. Nobody is there.
udp() {
    ctflow_traffic udp-client "${3-127.0.0.1}" "$1" 1 0 100 ${2+"$2"}
}


# Where it may not attach, it says so and fails.
refuses() { # COMMAND...
    local status=0
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@" >out 2>err || status=$?
    [[ $status == 1 ]] || fail "without rights: exit status $status"
    [[ $(wc -l <err) == 1 ]] || fail "without rights: not one line"
    grep -qE "^$1: .*(CAP_|root)" err || fail "without rights: no clear message"
}
