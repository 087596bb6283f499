#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What flowdump says and where, and how it exits, without a kernel that lets it in.
# usage: cli.sh FLOWDUMP
set -u

flowdump=$1
failures=0
out=$(mktemp)
err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT

fail() {
    printf 'FAILED: flowdump %s: %s\n' "$arguments" "$1"
    sed 's/^/  stdout: /' "$out"
    sed 's/^/  stderr: /' "$err"
    failures=$((failures + 1))
}

run() {
    arguments=$*
    status=0
    timeout 20 "$flowdump" "$@" >"$out" 2>"$err" || status=$?
}

# good PATTERN ARGUMENT...: all on stdout, nothing on stderr.
good() {
    local pattern=$1
    shift
    run "$@"
    ((status == 0)) || fail "exit status $status, not 0"
    grep -qE -- "$pattern" "$out" || fail "stdout lacks $pattern"
    [[ ! -s $err ]] || fail "something on stderr"
}

# bad OPTION ARGUMENT...: two lines on stderr, the first naming the option; nothing on stdout.
bad() {
    local named=$1
    shift
    run "$@"
    ((status == 2)) || fail "exit status $status, not 2"
    [[ ! -s $out ]] || fail "something on stdout"
    [[ $(sed -n 1p "$err") == "flowdump: "*"$named"* ]] || fail "does not name $named"
    [[ $(sed -n 2p "$err") == "Try 'flowdump --help'." ]] || fail "does not point to --help"
    [[ $(wc -l <"$err") == 2 ]] || fail "not two lines on stderr"
}

good '^usage: flowdump ' --help
for option in json filter mode count duration curve attach transport buffer-pages flush-interval netlink-buffer \
    audit-interval queue max-flows no-sysctl tcp-sides processes stats check version help; do
    good "^  --$option( |\$)" --help
done
good '^flowdump [0-9]+\.[0-9]+\.[0-9]+$' --version
good '^usage: ' --json --count 1 --help

for option in --mode --count --duration --curve --attach --transport --buffer-pages \
    --reserve-pages --flush-interval --netlink-buffer --audit-interval --queue --max-flows; do
    bad "$option" "$option"
    for value in '' rubbish -1 '1 2' 99999999999999999999999; do
        bad "$option" "$option" "$value"
        bad "$option" "$option=$value"
    done
done
for option in --count --buffer-pages --reserve-pages --netlink-buffer --queue --max-flows; do
    bad "$option" "$option" 0
done
bad --buffer-pages --buffer-pages 3
bad --reserve-pages --reserve-pages 32768
bad --netlink-buffer --netlink-buffer 4095
bad --flush-interval --flush-interval 2s
bad --audit-interval --audit-interval 25h
bad --curve --curve 0s:20s,1m:1m
bad --curve --curve 0s:20s,1m:1m,5m:5m,6m:6m
bad --curve --curve 0s:20s,5m:1m,1m:5m
for option in --json --no-sysctl --stats --check --version --help; do
    bad "$option" "$option=yes"
done
bad --bogus --bogus
bad -x -x
bad eth0 eth0
bad eth0 --json eth0

# On a kernel that lets it in, a line says so, which others may precede; else the first says why.
run --no-sysctl --duration 0s
if ((status == 0)); then
    grep -q '^flowdump: ready (' "$err" || fail "not ready"
else
    ((status == 1)) || fail "exit status $status, not 1"
    [[ $(sed -n 1p "$err") == "flowdump: "* ]] || fail "does not say why"
    [[ $(tail -n 1 "$err") == "flowdump: 'flowdump --check' "* ]] || fail "no hint at --check"
fi

# Whether it can be let in is said without trying, too; FAIL is why not.
run --check
[[ $status == "$(grep -q '^FAIL  ' "$out" && echo 1 || echo 0)" ]] || fail "exit status $status"
grep -q '^ok    kernel ' "$out" || fail "says nothing of the kernel"
[[ ! -s $err ]] || fail "something on stderr"
run --check --json
[[ $(grep -cvE '^\{"name":"[a-z]+","verdict":"(good|warning|bad)",.*\}$' "$out") == 0 ]] ||
    fail "something else than objects"
run --check --btf /nowhere
((status == 1)) || fail "exit status $status, not 1"
grep -q '^FAIL  btf .*/nowhere' "$out" || fail "does not name the file"

((failures == 0)) || exit 1
echo "all as it should be"
