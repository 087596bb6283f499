#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The example that gives up its rights: they are gone, events come all the same, and nothing stays
# in the kernel when it ends. And what other users can do about it meanwhile: nothing.
set -eu
[[ -n ${CTFLOW_VM-} ]] || { echo "for the guest of scripts/vm alone" >&2; exit 2; }

for module in nf_conntrack nf_conntrack_netlink nft_ct; do
    modprobe "$module"
done
nft 'table inet t { chain output { type filter hook output priority 0; ct state new,established accept; }; }'
cd /tmp
uid=12345

fail() {
    echo "FAILED: $*"
    cat err out seen 2>/dev/null || true
    exit 1
}

# as_another CAPABILITIES COMMAND...: such as +bpf,+perfmon, by another user.
as_another() {
    local capabilities=-all$1
    shift
    setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps="$capabilities" \
        --ambient-caps="$capabilities" "$@" >seen 2>&1
}

in_the_kernel() {
    bpftool prog show | wc -l
    bpftool map show | wc -l
    bpftool link show | wc -l
    grep -c . /sys/kernel/debug/kprobes/list || true
}

set_online() {
    echo "$1" >/sys/devices/system/cpu/cpu1/online
}

# prints KIND: a flow's event comes.
prints() {
    for _ in $(seq 100); do
        ! grep -q "^$1 icmp 127.0.0.1 > 127.0.0.1 " out || return 0
        sleep 0.05
    done
    fail "no $1"
}

# drops HOW CAPABILITIES: it is attached with these, and gives them up.
drops() {
    local how=$1 capabilities=$2 before thread line fd flags id each status=0

    before=$(in_the_kernel)
    set_online 0
    : >out
    : >err
    # The inheritable ones are those that setresuid() does not take away.
    setpriv --bounding-set="$capabilities" --inh-caps="$capabilities" --groups=0,1,2 \
        ctflow_drop_privileges "$uid" >>out 2>err &
    pid=$!
    for _ in $(seq 200); do
        ! grep -q '^unprivileged' err || break
        sleep 0.05
    done
    grep -q "^unprivileged from here on, uid $uid$" err || fail "$how: never ready"
    [[ $(in_the_kernel) != "$before" ]] || fail "$how: nothing in the kernel"
    [[ $how == fentry ]] || grep -q . /sys/kernel/debug/kprobes/list || fail "not by kprobes"

    for thread in "/proc/$pid/task"/*; do
        for line in "Uid: $uid $uid $uid $uid" "Gid: $uid $uid $uid $uid" "Groups:" \
            "NoNewPrivs: 1" "CapInh: 0000000000000000" "CapPrm: 0000000000000000" \
            "CapEff: 0000000000000000" "CapBnd: 0000000000000000" "CapAmb: 0000000000000000"; do
            sed 's/[[:space:]]\+/ /g; s/ $//' "$thread/status" | grep -qxF "$line" ||
                fail "not $line: $(grep "^${line%%:*}" "$thread/status")"
        done
    done

    # What a program that it executed would inherit: the three that it was given.
    for fd in "/proc/$pid/fdinfo"/*; do
        flags=$(sed -n 's/^flags:[[:space:]]*//p' "$fd")
        [[ ${fd##*/} -le 2 ]] || ((8#$flags & 8#2000000)) || fail "${fd##*/} outlives an exec"
    done

    # Its maps have no name in the file system, and their ids are of use to CAP_SYS_ADMIN alone.
    [[ -z $(find /sys/fs/bpf -mindepth 1) ]] || fail "something is pinned"
    id=$(bpftool map show | sed -n 's/^\([0-9]*\): hash  name flows .*/\1/p')
    [[ -n $id ]] || fail "no map of flows"
    as_another ",+sys_admin" bpftool map dump id "$id" || fail "not the right map"
    as_another ",+sys_ptrace,+dac_read_search" ls "/proc/$pid/fd/" || fail "not the right process"
    for each in "" ",+bpf,+perfmon,+net_admin"; do
        as_another "$each" bpftool map dump id "$id" && fail "others see flows"
        as_another "$each" bpftool prog dump xlated name fentry_insert && fail "others see programs"
        as_another "$each" ls "/proc/$pid/fd/" && fail "others see its descriptors"
        as_another "$each" ls "/proc/$pid/map_files/" && fail "others see its memory"
    done
    # Nor may another process of its own user.
    setpriv --reuid="$uid" --regid="$uid" --clear-groups ls "/proc/$pid/fd/" >seen 2>&1 &&
        fail "its user sees its descriptors"

    # Flows that begin and end after that.
    ping -c 3 -i 0.1 127.0.0.1 >/dev/null
    prints update
    conntrack -F 2>/dev/null
    prints destroy
    # Of a CPU for which it can open no buffer any more: updates are lost, ends are in the reserve.
    : >out
    set_online 1
    taskset 2 ping -c 3 -i 0.1 127.0.0.1 >/dev/null
    taskset 2 conntrack -F 2>/dev/null
    prints destroy

    kill -TERM "$pid"
    wait "$pid" || status=$?
    [[ $status == 0 ]] || fail "SIGTERM: status $status"
    grep -q '^[1-9][0-9]* updates lost' err || fail "losses are not counted"
    for _ in $(seq 100); do # Some of it the kernel takes apart a little later.
        [[ $(in_the_kernel) != "$before" ]] || break
        sleep 0.1
    done
    [[ $(in_the_kernel) == "$before" ]] || fail "$how: it has left something in the kernel"
}

drops fentry +all
sysctl -qw kernel.perf_event_paranoid=2
drops kprobe -sys_admin

# Who is not root has nothing to give up.
: >out
as_another "" ctflow_drop_privileges && fail "it may run"
grep -q '^drop_privileges: ' seen || fail "it does not say why"

echo "all as it should be"
