#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# flowdump --check on a host where each condition is broken in turn: it names that one and no other,
# and the command that it prints mends it.
# usage: check.sh [lockdown]
set -eu
[[ -n ${CTFLOW_VM-} ]] || { echo "for the guest of scripts/vm alone" >&2; exit 2; }
cd /tmp

fail() {
    echo "FAILED: $*"
    cat out
    exit 1
}

# check [COMMAND...] flowdump [ARGUMENT...]: what it says goes to out.
check() {
    status=0
    "$@" --check >out 2>&1 || status=$?
}

all_good() {
    check "${@:-flowdump}"
    [[ $status == 0 && $(tail -n 1 out) == "flowdump works here." ]] || fail "not good: $*"
    ! grep -qE '^(FAIL|WARN)' out || fail "not all good: $*"
}

# names VERDICT NAME [PATTERN]: out names this condition, and no other.
names() {
    [[ $(grep -cE '^(FAIL|WARN) ' out) == 1 ]] || fail "not $2 alone"
    grep -qE "^$1  $2 .*${3-}" out || fail "not $1 $2 ${3-}"
    [[ $status == $([[ $1 == WARN ]] && echo 0 || echo 1) ]] || fail "$2: exit status $status"
}

# Runs the command that out tells for a condition.
mend() {
    local remedy
    remedy=$(sed -nE "s/^(FAIL|WARN)  $1 .* -> //p" out)
    [[ -n $remedy ]] || fail "$1: no remedy"
    echo "$1: $remedy"
    sh -c "$remedy" >/dev/null || fail "$1: the remedy fails"
}

# broken VERDICT NAME [PATTERN]: flowdump --check names it, and its command mends it.
broken() {
    check flowdump
    names "$@"
    mend "$2"
    all_good
}

# as_nobody CAPABILITIES COMMAND...: such as +bpf,+perfmon.
as_nobody() {
    local capabilities=-all$1
    shift
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$capabilities" \
        --ambient-caps="$capabilities" "$@"
}

# --- a kernel as it boots: no module, then one with its defaults ---------------

if [[ ${1-} == lockdown ]]; then
    modprobe nf_conntrack
    sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    nft 'table inet t { chain c { type filter hook prerouting priority 0; ct state new; }; }'
    check flowdump
    names FAIL lockdown "-> boot without lockdown=confidentiality"
    umount /sys/kernel/security
    check flowdump
    names FAIL lockdown "-> boot without lockdown=confidentiality"
    echo "all as it should be"
    exit
fi

check flowdump
names FAIL module
mend module
check flowdump
grep -q '^ok    module ' out || fail "module: not mended"
for condition in acct timestamp tracking; do
    grep -qE "^(FAIL|WARN)  $condition " out || fail "$condition is not named"
    mend "$condition"
done
all_good
cat out

ulimit -l unlimited # Maps are locked memory on 5.10, and those who are not root are held to it.

# --- conntrack in this namespace -----------------------------------------------

sysctl -qw net.netfilter.nf_conntrack_acct=0
broken WARN acct "will be set"
sysctl -qw net.netfilter.nf_conntrack_timestamp=0
broken WARN timestamp "will be set"
sysctl -qw net.netfilter.nf_conntrack_acct=0
check flowdump --no-sysctl
names FAIL acct
tail -n 1 out | grep -q '^No events of this network namespace' || fail "others have theirs"
mend acct
sysctl -qw net.netfilter.nf_conntrack_timestamp=0
check flowdump --no-sysctl
names WARN timestamp
mend timestamp

# Where /proc/sys is read-only, root cannot either.
sealed=(unshare -m sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys &&
    exec "$@"' -)
all_good "${sealed[@]}" flowdump
sysctl -qw net.netfilter.nf_conntrack_acct=0
check "${sealed[@]}" flowdump
names FAIL acct "-> on the host, .* nsenter -t PID -n sysctl -w .*--sysctl net.netfilter"
sysctl -qw net.netfilter.nf_conntrack_acct=1

# flow N: puts one into the table.
flow() {
    conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport "$1" --dport 9 --timeout 600 2>/dev/null \
        >&2 || fail "conntrack -I"
}

forget_flows() {
    conntrack -F 2>/dev/null
}

nft delete table inet ctflow
forget_flows
broken FAIL tracking "those of other namespaces may"
nft delete table inet ctflow
forget_flows
flow 1
broken WARN tracking "1 flow "

# One family alone is told from both, by the kernel's list and over loopback.
for each in "ip|WARN|only IPv4 is followed.*: IPv6 flows" \
    "ip6|FAIL|only IPv6 is followed.*: IPv4 flows"; do
    IFS='|' read -r family verdict finding <<<"$each"
    nft delete table inet ctflow
    nft "table $family some { chain c { type filter hook output priority 0; ct state new; }; }"
    forget_flows
    check as_nobody ",+bpf,+perfmon,+sys_admin" flowdump
    names "$verdict" tracking "$finding"
    forget_flows
    broken "$verdict" tracking "$finding"
    nft delete table "$family" some
done
nft delete table inet ctflow
nft 'table ip some { chain c { type filter hook output priority 0; ct state new; }; }'
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
all_good
sysctl -qw net.ipv6.conf.all.disable_ipv6=0
nft delete table ip some
nft 'table inet ctflow { chain c { type filter hook output priority 0; ct state new; }; }'
nft 'table ip exempt { chain c { type filter hook output priority -300; oif lo notrack; }; }'
check flowdump # The kernel tells its hooks, or the table is not empty.
[[ $status == 0 ]] || fail "loopback is exempt"
nft delete table ip exempt

forget_flows
for port in $(seq 95); do flow "$port"; done
sysctl -qw net.netfilter.nf_conntrack_max=100
broken WARN table "95 flows of 100"
sysctl -qw net.netfilter.nf_conntrack_max=95
broken FAIL table "is full"
forget_flows

modprobe nf_flow_table_inet || modprobe nf_flow_table
nft 'table inet ft { flowtable f { hook ingress priority 0; devices = { lo }; }; }'
nft 'table ip ft4 { flowtable g-1 { hook ingress priority 1; devices = { lo }; }; }'
broken WARN offload "[(](f, g-1|g-1, f)[)]"
nft 'table inet hw { flowtable h { hook ingress priority 0; flags offload; }; }'
broken WARN offload "[(]h[)].* flags offload; counter;"
nft delete table inet hw
nft delete table inet ft
nft delete table ip ft4
check as_nobody ",+bpf,+perfmon,+sys_admin" flowdump
names WARN offload "only CAP_NET_ADMIN .* -> setcap "
for _ in $(seq 100); do # Some need others gone, and RCU some time.
    mapfile -t loaded < <(grep -o '^nf_flow_table[^ ]*' /proc/modules)
    ((${#loaded[@]})) || break
    rmmod "${loaded[@]}" 2>/dev/null || sleep 0.1
done
all_good as_nobody ",+bpf,+perfmon,+sys_admin" flowdump # There can be none, then.

# Another namespace, where the limit is not to be written.
ip netns add other
inside=(ip netns exec other)
"${inside[@]}" ip link set lo up
check "${inside[@]}" flowdump
for condition in acct timestamp tracking; do
    grep -qE "^(FAIL|WARN)  $condition " out || fail "$condition is not named, in the namespace"
    remedy=$(sed -nE "s/^(FAIL|WARN)  $condition .* -> //p" out)
    "${inside[@]}" sh -c "$remedy" >/dev/null
done
all_good "${inside[@]}" flowdump
sysctl -qw net.netfilter.nf_conntrack_max=10
"${inside[@]}" sysctl -qw net.netfilter.nf_conntrack_max=10 2>/dev/null || true # Has it its own?
for port in $(seq 10); do
    "${inside[@]}" conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport "$port" --dport 9 \
        --timeout 600 2>/dev/null >&2 || break # Full already: what --check did counts too.
done
check "${inside[@]}" flowdump
names FAIL table "is full"
"${inside[@]}" sh -c "$(sed -nE 's/^FAIL  table .* -> //p' out)" >/dev/null
all_good "${inside[@]}" flowdump
sysctl -qw net.netfilter.nf_conntrack_max=10000
ip netns del other

# --- the kernel ----------------------------------------------------------------

cp /sys/kernel/btf/vmlinux btf
mount -t tmpfs none /sys/kernel/btf
check flowdump
names FAIL btf "flowdump --btf FILE"
all_good flowdump --btf btf
umount /sys/kernel/btf
check flowdump --btf /etc/passwd
names FAIL btf /etc/passwd

umount /sys/kernel/security
all_good
grep '^ok    lockdown .*not confidentiality' out || fail "lockdown: how is that known?"
mount -t securityfs securityfs /sys/kernel/security

# Kprobes need the symbols; that they are hidden is not that the module is missing.
mount --bind /dev/null /proc/kallsyms
check flowdump --attach kprobe
names FAIL hooks "/proc/kallsyms cannot be read"
umount /proc/kallsyms

check flowdump --attach kprobe --avoid __nf_ct_refresh_acct
names FAIL hooks __nf_ct_refresh_acct
check flowdump --attach fentry
if grep -q '^ok    btf .*fentry' out; then
    all_good flowdump --attach fentry
    grep -q '^ok    hooks .*(fexit)' out || fail "not by fentry"
else
    names FAIL hooks "flowdump --attach auto"
fi
if sysctl -qw kernel.ftrace_enabled=0 2>/dev/null; then # The newest kernels refuse that.
    broken FAIL hooks "ftrace_enabled is 0"
fi
echo 0 >/sys/kernel/debug/kprobes/enabled
check flowdump --attach kprobe
names FAIL hooks "switched off"
mend hooks
all_good flowdump --attach kprobe
grep -q '^ok    hooks .*(kprobe)' out || fail "not by kprobe"

# --- rights --------------------------------------------------------------------

sysctl -qw kernel.perf_event_paranoid=2
cp "$(type -P flowdump)" own
for each in "|CAP_BPF, CAP_PERFMON" ",+bpf|CAP_PERFMON" ",+perfmon|CAP_BPF"; do
    check as_nobody "${each%|*}" ./own
    names FAIL capabilities "refused: ${each#*|} -> setcap .* /tmp/own$"
    as_nobody "${each%|*}" ./own --no-sysctl --duration 0s >err 2>&1 && fail "it may run"
    grep -q "(missing: ${each#*|})$" err || fail "the error does not name what is missing: $(cat err)"
    tail -n 1 err | grep -q "'flowdump --check'" || fail "no hint at --check"
done
mend capabilities
all_good as_nobody "" ./own
setcap -r own

tracer=(as_nobody ",+bpf,+perfmon")
all_good "${tracer[@]}" ./own
sysctl -qw net.netfilter.nf_conntrack_timestamp=0
check "${tracer[@]}" ./own
grep -q '^WARN  capabilities .*CAP_NET_ADMIN' out || fail "CAP_NET_ADMIN is not named"
grep -q '^FAIL  timestamp .*--no-sysctl' out || fail "timestamp cannot be set"
"${tracer[@]}" ./own --duration 0s 2>err && fail "it may run"
check "${tracer[@]}" ./own --no-sysctl
names WARN timestamp
"${tracer[@]}" ./own --no-sysctl --duration 0s 2>err || fail "it may not run: $(cat err)"
sysctl -qw net.netfilter.nf_conntrack_timestamp=1

sysctl -qw kernel.perf_event_paranoid=3
check "${tracer[@]}" ./own
names FAIL capabilities "perf_event_paranoid is 3"
mend capabilities
all_good "${tracer[@]}" ./own

check unshare -U -r flowdump
names FAIL capabilities "user namespace"

# With these two alone, events really come.
"${tracer[@]}" ./own --no-sysctl --json --count 2 --duration 20s >events 2>err &
for _ in $(seq 200); do
    ! grep -q 'ready (.*kprobe' err || break
    sleep 0.05
done
ping -c 1 127.0.0.1 >/dev/null
forget_flows
wait $! || fail "with two capabilities: $(cat err)"
for kind in update destroy; do
    grep -q "\"event\":\"$kind\"" events || fail "with two capabilities: no $kind"
done

# Memory that may be locked, when it does not suffice.
(
    ulimit -l 64
    check "${tracer[@]}" ./own --buffer-pages 1024
    names FAIL hooks "ulimit -l is 64"
    mend hooks
    all_good as_nobody "" ./own --buffer-pages 1024
)

# Memory that is not there is not taken.
check flowdump --buffer-pages 65536
names FAIL memory "65536 pages need 1025 MiB .*--buffer-pages"
grep -q '^ok    hooks ' out || fail "nothing was tried"
check flowdump --max-flows 67108864
names FAIL memory "67108864 flows needs about 6720 MiB .*--max-flows"

# --- for programs --------------------------------------------------------------

check flowdump --json
[[ $status == 0 && $(grep -cE '^\{"name":"[a-z]+","verdict":"good","finding":".*"\}$' out) == 12 &&
    $(wc -l <out) == 12 ]] || fail "JSON"

echo "all as it should be"
