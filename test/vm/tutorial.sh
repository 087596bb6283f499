#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The agent of docs/tutorial.md counts traffic of known size, and ends well. In a network namespace
# of its own, so that it runs on a host, too; if that does not let it in it says so, and exits with
# 77. Needs root, and ctflow_traffic in the PATH.
#
# usage: tutorial.sh AGENT
set -euo pipefail

agent=$1
ns=ctflow-tutorial-$$
work=$(mktemp -d)
pid=
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
    ip netns del "$ns" 2>/dev/null || true
    rm -rf -- "$work"
}
trap clean_up EXIT

fail() {
    printf 'FAILED: %s\n' "$*"
    sed 's/^/  the agent: /' "$work"/said "$work"/report 2>/dev/null || true
    exit 1
}

# refused WHY: in the guest that is a failure.
refused() {
    [[ -z ${CTFLOW_VM-} ]] || fail "$1"
    printf 'skipped: not on this kernel: %s; it runs in the VM as vm.*.tutorial\n' "$1"
    exit 77
}

# wait_for PATTERN FILE: until the file has it.
wait_for() {
    local deadline=$((SECONDS + 60))
    until grep -q -- "$1" "$2"; do
        ((SECONDS < deadline)) || fail "no '$1' within a minute"
        [[ -z $pid ]] || kill -0 "$pid" 2>/dev/null || refused "$(tail -n 1 "$work/said")"
        sleep 0.1
    done
}

for module in nf_conntrack nf_conntrack_netlink nf_tables nft_ct; do
    modprobe -q "$module" 2>/dev/null || true # It may be built in.
done
ip netns add "$ns" || refused "no network namespaces can be made"
ip -n "$ns" link set lo up
ip netns exec "$ns" nft \
    'table inet ctflow { chain watch { type filter hook prerouting priority 0; ct state new; }; }'

ip netns exec "$ns" "$agent" >"$work/report" 2>"$work/said" &
pid=$!
wait_for '^agent: ready, by ' "$work/said"
cat "$work/said"

: >"$work/server" # Looked into at once.
# 3 datagrams of 100 bytes there, 2 of 200 back; each has 28 bytes of headers.
ip netns exec "$ns" ctflow_traffic udp-server 127.0.0.2 7001 3 2 200 >"$work/server" &
server=$!
wait_for ready "$work/server"
ip netns exec "$ns" ctflow_traffic udp-client 127.0.0.2 7001 3 2 100
wait "$server"
ip netns exec "$ns" conntrack -F 2>/dev/null # Ends the flow.

kill -INT "$pid"
status=0
wait "$pid" || status=$?
pid=
((status == 0)) || fail "it ends with $status"
for line in '127.0.0.1 sent 384 received 456' '127.0.0.2 sent 456 received 384' \
    'lost 0 updates, 0 ends, 0 in the queue'; do
    grep -qxF -- "$line" "$work/report" || fail "it does not say '$line'"
done
cat "$work/report"
