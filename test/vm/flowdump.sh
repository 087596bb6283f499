#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# flowdump as its user handles it: told to stop, told when to stop, with a reader that stalls.
set -eu
[[ -n ${CTFLOW_VM-} ]] || { echo "for the guest of scripts/vm alone" >&2; exit 2; }

modprobe nf_conntrack
modprobe nft_ct
nft 'table inet t { chain output { type filter hook output priority 0; ct state new,established accept; }; }'
cd /tmp
every_packet=0s:1ns,1h:1ns,2h:1ns

fail() {
    echo "FAILED: $*"
    cat err
    exit 1
}

# begin OUTPUT ARGUMENT...: starts flowdump, and returns when it is ready.
begin() {
    local output=$1
    shift
    : >err
    flowdump --json "$@" >"$output" 2>err &
    pid=$!
    for _ in $(seq 200); do
        ! grep -q '^flowdump: ready (' err || return 0
        sleep 0.05
    done
    fail "never ready"
}

end() {
    status=0
    wait "$pid" || status=$?
}

begin out --count 3 --curve "$every_packet"
ping -c 5 -i 0.1 127.0.0.1 >/dev/null
end
[[ $status == 0 && $(wc -l <out) == 3 ]] || fail "--count 3: status $status, $(wc -l <out) events"

begin out --duration 1s
end
[[ $status == 0 ]] || fail "--duration: status $status"

for signal in INT TERM; do
    begin out --mode destroy
    ping -c 1 127.0.0.1 >/dev/null
    conntrack -F 2>/dev/null
    kill -"$signal" "$pid" # With the events perhaps still on their way.
    end
    [[ $status == 0 ]] || fail "SIG$signal: status $status"
    grep -q '"event":"destroy"' out || fail "SIG$signal: what was in flight is not printed"
done

# A reader that goes away ends it quietly.
mkfifo gone
head -n 1 <gone >/dev/null &
begin gone --curve "$every_packet"
ping -c 5 -i 0.1 127.0.0.1 >/dev/null
end
[[ $status == 0 ]] || fail "closed pipe: status $status"

# A reader that stalls: the first signal is heard, and waits for it; the second does not.
mkfifo stalled
# shellcheck disable=SC2217
sleep 60 <stalled &
sleeper=$!
begin stalled --curve "$every_packet" --stats
ping -c 400 -i 0.005 127.0.0.1 >/dev/null
kill -INT "$pid"
sleep 1
kill -0 "$pid" 2>/dev/null || fail "it did not wait for its reader"
kill -INT "$pid"
end
[[ $status == 130 ]] || fail "second signal: status $status"
kill "$sleeper"

echo "all as it should be"
