#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# packaging/systemd/flowdump.service as systemd itself starts it, in a process namespace of its own:
# it works in its sandbox, with two capabilities, and when a CPU comes online too.
set -eu
[[ -n ${CTFLOW_VM-} ]] || { echo "for the guest of scripts/vm alone" >&2; exit 2; }

for module in nf_conntrack nf_conntrack_netlink nft_ct; do
    modprobe "$module"
done
nft 'table inet t { chain output { type filter hook output priority 0; ct state new,established accept; }; }'
units=/etc/systemd/system
mkdir -p "$units"/{flowdump.service.d,default.target.wants}
cp /ctflow/packaging/systemd/flowdump.service "$units"
cp "$(type -P flowdump)" /usr/bin/flowdump
sysctl -q -p /ctflow/packaging/systemd/flowdump.conf
# There is no journal here, nor most of what is in a system.
cat >"$units/flowdump.service.d/test.conf" <<'EOF'
[Service]
StandardOutput=append:/run/out
StandardError=append:/run/err
ExecStopPost=+/bin/sh -c 'echo "$SERVICE_RESULT" >/run/result'
EOF
for target in default basic sysinit multi-user shutdown; do
    printf '%s\n' '[Unit]' "Description=$target" >"$units/$target.target"
done
ln -s ../flowdump.service "$units/default.target.wants"
cd /run

fail() {
    echo "FAILED: $*"
    cat err out 2>/dev/null || true
    exit 1
}

# wait_for COMMAND...
wait_for() {
    local _
    for _ in $(seq 300); do
        ! "$@" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

set_online() {
    echo "$1" >/sys/devices/system/cpu/cpu1/online
}

# Makes a flow on a CPU, and ends it. Both are told.
flow_on() {
    local kind
    : >out
    taskset "$1" ping -c 2 -i 0.1 127.0.0.1 >/dev/null
    conntrack -F 2>/dev/null
    for kind in update destroy; do
        wait_for grep -q "\"event\":\"$kind\".*\"src_addr\":\"127.0.0.1\"" out || fail "no $kind"
    done
}

set_online 0
unshare --fork --pid --mount-proc --cgroup env container=test /usr/lib/systemd/systemd --system \
    --log-target=null &
wait_for grep -qs '^flowdump: ready (.*, kprobe: ' err || fail "never ready"
pid=$(pidof flowdump)
flow_on 1
set_online 1
sleep 1 # Within half a second it has its buffers.
flow_on 2

# CAP_PERFMON is 38, CAP_BPF 39.
for line in "CapInh: 000000c000000000" "CapPrm: 000000c000000000" "CapEff: 000000c000000000" \
    "CapBnd: 000000c000000000" "CapAmb: 000000c000000000" "NoNewPrivs: 1" "Seccomp: 2"; do
    sed 's/[[:space:]]\+/ /g' "/proc/$pid/status" | grep -qxF "$line" ||
        fail "not $line: $(grep "^${line%%:*}" "/proc/$pid/status")"
done
[[ $(stat -c %u "/proc/$pid") != 0 ]] || fail "it is root"
nsenter -t "$pid" -m true || fail "cannot look into its namespace"
nsenter -t "$pid" -m touch /etc/x 2>/dev/null && fail "it may write files"
[[ $(stat -L -c %i "/proc/$pid/ns/net") != $(stat -L -c %i /proc/1/ns/net) ]] || fail "it has a net"

kill -TERM "$pid"
wait_for grep -qx success result || fail "it does not end well: $(cat result)"
echo "all as it should be"
