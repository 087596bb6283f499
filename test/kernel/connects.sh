#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Has the example `connects` watch connections in a network namespace of its own.
#
# usage: connects.sh CONNECTS
set -euo pipefail

if [[ ${2-} != inside ]]; then
    exec unshare --net -- "$0" "$1" inside
fi
PATH=$PATH:/usr/sbin:/sbin
connects=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
ip link set lo up

fail() {
    printf 'connects.sh: %s\n' "$1" >&2
    cat "$out"/* >&2
    exit 1
}

# expect FILE TEXT: waits for it.
expect() {
    for ((i = 0; i < 100; ++i)); do
        grep -qF -- "$2" "$out/$1" && return
        sleep 0.1
    done
    fail "no '$2' in $1"
}

"$connects" lo >"$out/stdout" 2>"$out/stderr" &
expect stderr 'connections that begin through lo:'
# Nobody listens: an attempt it is all the same.
(: >/dev/tcp/127.0.0.1/4321) 2>/dev/null || :
expect stdout '-> 127.0.0.1:4321'
(: >/dev/tcp/::1/4321) 2>/dev/null || :
expect stdout '-> [::1]:4321'
kill -INT $!
wait $! || fail "it exits with $?"
[[ $(wc -l <"$out/stdout") == 2 ]] || fail 'two lines were expected'
[[ -z $(tc filter show dev lo egress) ]] || fail 'it leaves its program behind'

# Its reader goes after a line, and it with the next.
"$connects" lo 2>"$out/stderr" | head -n 1 >"$out/stdout" &
expect stderr 'connections that begin through lo:'
for ((i = 0; i < 100; ++i)); do
    [[ -n $(jobs -r) ]] || break
    (: >/dev/tcp/127.0.0.1/4321) 2>/dev/null || :
    sleep 0.1
done
expect stdout '-> 127.0.0.1:4321'
[[ -z $(jobs -r) ]] || fail 'it goes on without a reader'
[[ -z $(tc filter show dev lo egress) ]] || fail 'it leaves its program behind when its reader goes'

"$connects" nosuch >"$out/stdout" 2>"$out/stderr" && fail 'it watches an interface that is none'
expect stderr 'connects: nosuch: No such device'
"$connects" >"$out/stdout" 2>"$out/stderr" && fail 'it runs without an interface'
expect stderr 'usage: connects INTERFACE'
