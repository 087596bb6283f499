#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo proper, the same on the host and in a virtual machine: makes traffic
# of known size between two network namespaces, and compares what flowdump says
# of each flow with conntrack's own last word. Needs root, flowdump and
# ctflow_traffic in the PATH. Exits with 0 if all is the same.

# shellcheck source=lib/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"

client=ctflow-client-$$
server=ctflow-server-$$
work=$(mktemp -d)
flowdumps=() # Their process ids.

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local ns
    ((!${#flowdumps[@]})) || kill "${flowdumps[@]}" 2>/dev/null || true
    # Servers that wait for a client end by themselves, after 20 seconds.
    for ns in "$client" "$server"; do ip netns del "$ns" 2>/dev/null || true; done
    rm -rf -- "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_until SECONDS COMMAND...: until the command succeeds.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# --- two namespaces, where conntrack follows and counts what it sees ---------

# What is built in, or loads by itself, modprobe need not find.
for module in nf_conntrack nf_conntrack_netlink nf_tables nft_ct veth; do
    modprobe -q "$module" 2>/dev/null || true
done
for ns in "$client" "$server"; do
    ip netns add "$ns" || die "cannot make network namespaces"
    ip -n "$ns" link set lo up
done
ip -n "$client" link add veth0 type veth peer name veth0 netns "$server"
ip -n "$client" address add 192.0.2.1/24 dev veth0
ip -n "$server" address add 192.0.2.2/24 dev veth0
ip -n "$client" address add 2001:db8::1/64 dev veth0 nodad
ip -n "$server" address add 2001:db8::2/64 dev veth0 nodad
for ns in "$client" "$server"; do
    ip -n "$ns" link set veth0 up
    # Conntrack works in a namespace once a rule there asks for it.
    ip netns exec "$ns" nft -f - <<'NFT'
table inet ctflow_demo {
    chain watch {
        type filter hook prerouting priority 0;
        ct state invalid drop
    }
}
NFT
    # A new namespace starts with both off.
    for name in acct timestamp; do
        ip netns exec "$ns" bash -c "echo 1 >/proc/sys/net/netfilter/nf_conntrack_$name"
    done
done

# --- flowdump and traffic ----------------------------------------------------

# start_flowdump WHERE COMMAND...: starts one, by this command, and returns when it is ready.
start_flowdump() {
    local log=$work/log.$1 events=$work/events.$1
    shift
    : >"$log" # Looked into at once.
    "$@" >"$events" 2>"$log" &
    flowdumps+=($!)
    # shellcheck disable=SC2317 # called by wait_until
    settled() { grep -q ready "$log" || ! kill -0 "${flowdumps[-1]}" 2>/dev/null; }
    wait_until 60 settled || die "flowdump is not ready after 60 seconds"
    cat "$log" >&2
    grep -q ready "$log" || exit 1
}

# shellcheck disable=SC2317 # called by wait_until
ended() { ! kill -0 "${flowdumps[@]}" 2>/dev/null; }
end_flowdumps() {
    local pid
    kill -INT "${flowdumps[@]}"
    wait_until 20 ended || die "flowdump does not end"
    for pid in "${flowdumps[@]}"; do
        wait "$pid" || die "flowdump failed: $(tail -qn 1 "$work"/log.*)"
    done
    flowdumps=()
}

# The namespaces above are set up already, and the host's own sysctls are not the demo's business.
arguments=(--json --no-sysctl)
start_flowdump host flowdump "${arguments[@]}"
if grep -q 'ready (.*, netfilter: ' "$work/log.host"; then
    say "by netfilter's hooks it sees one network namespace: one flowdump in each"
    end_flowdumps
    for ns in client server; do
        start_flowdump "$ns" ip netns exec "${!ns}" flowdump "${arguments[@]}" --attach netfilter
    done
fi

# exchange KIND ADDRESS PORT SERVER_ARGUMENTS CLIENT_ARGUMENTS
exchange() {
    local pid server_arguments client_arguments
    read -ra server_arguments <<<"$4"
    read -ra client_arguments <<<"$5"
    : >"$work/server"
    ip netns exec "$server" ctflow_traffic "$1-server" "$2" "$3" "${server_arguments[@]}" \
        >"$work/server" &
    pid=$!
    wait_until 20 grep -q ready "$work/server" || die "the $1 server did not start"
    ip netns exec "$client" ctflow_traffic "$1-client" "$2" "$3" "${client_arguments[@]}" ||
        die "the $1 client failed"
    wait "$pid" || die "the $1 server failed"
}
say "UDP: 3 datagrams of 100 bytes there, 2 of 200 bytes back"
exchange udp 192.0.2.2 7001 "3 2 200" "3 2 100"
say "TCP: 100,000 bytes there"
exchange tcp 192.0.2.2 7002 100000 100000
say "UDP over IPv6: 5 datagrams of 1,000 bytes there, 1 of 10 bytes back"
exchange udp 2001:db8::2 7003 "5 1 10" "5 1 1000"

# --- conntrack's last word ---------------------------------------------------

# Lines of SIDE PROTOCOL SOURCE PORT DESTINATION PORT PACKETS BYTES PACKETS BYTES, the last two of
# the reply direction.
conntrack_says() {
    local side family
    for side in client server; do
        for family in ipv4 ipv6; do
            ip netns exec "${!side}" conntrack -L -f "$family" -o extended 2>/dev/null
        done | awk -v side="$side" '{
            split("", seen)
            for (i = 4; i <= NF; i++) {
                at = index($i, "=")
                key = substr($i, 1, at - 1)
                seen[key, ++seen[key]] = substr($i, at + 1)
            }
            print side, $3, seen["src", 1], seen["sport", 1], seen["dst", 1], seen["dport", 1],
                seen["packets", 1], seen["bytes", 1], seen["packets", 2], seen["bytes", 2]
        }'
    done | sort
}

# shellcheck disable=SC2317 # called by wait_until
quiet() { # The last acknowledgements are on their way when the programs have ended.
    conntrack_says >"$work/before"
    sleep 0.3
    conntrack_says >"$work/conntrack"
    cmp -s "$work/before" "$work/conntrack"
}
wait_until 10 quiet || die "the flows do not come to rest"
flows=$(wc -l <"$work/conntrack")
((flows == 6)) || die "conntrack lists $flows flows, not 3 in each namespace"

say "ending the flows"
for ns in "$client" "$server"; do
    ip netns exec "$ns" conntrack -F 2>/dev/null
done
# Each kind of line once more, from the events of our namespaces.
flowdump_says() { # KIND
    awk -v kind="$1" -v client="$(stat -L -c %i "/run/netns/$client")" \
        -v server="$(stat -L -c %i "/run/netns/$server")" '{
        gsub(/[{}"]/, "")
        n = split($0, members, ",")
        for (i = 1; i <= n; i++) {
            at = index(members[i], ":") # The first: IPv6 addresses have more.
            e[substr(members[i], 1, at - 1)] = substr(members[i], at + 1)
        }
        side = e["netns"] == client ? "client" : e["netns"] == server ? "server" : ""
        proto = e["proto"] == 6 ? "tcp" : e["proto"] == 17 ? "udp" : e["proto"]
        if (side != "" && e["event"] == kind)
            print side, proto, e["src_addr"], e["src_port"], e["dst_addr"], e["dst_port"],
                e["packets_orig"], e["bytes_orig"], e["packets_ret"], e["bytes_ret"]
    }' "$work"/events.*
}
# shellcheck disable=SC2317 # called by wait_until
all_destroyed() { (($(flowdump_says destroy | wc -l) >= flows)); }
wait_until 5 all_destroyed || true # The table tells which is missing.
end_flowdumps
grep -h '^flowdump: events lost' "$work"/log.* >&2 || true

# --- both side by side -------------------------------------------------------

flowdump_says destroy >"$work/flowdump"
updates=$(flowdump_says update | wc -l)
awk -v updates="$updates" '
    function flow() {
        v6 = index($3, ":")
        return $2 " " (v6 ? "[" $3 "]" : $3) ":" $4 " -> " (v6 ? "[" $5 "]" : $5) ":" $6
    }
    function row(a, b, c, d, e, f) {
        line = sprintf("%-47s| %10s  %10s | %10s  %10s | %s", a, b, c, d, e, f)
        sub(/[| ]+$/, "", line)
        print line
    }
    { key = $1 " " flow(); sent = $7 "/" $8; returned = $9 "/" $10 }
    FNR == NR { order[++rows] = key; s[key] = sent; r[key] = returned; next }
    !(key in s) { order[++rows] = key; s[key] = r[key] = "-" }
    { count[key]++; fs[key] = sent; fr[key] = returned; destroys++ }
    END {
        for (i = 1; i <= rows; i++) {
            key = order[i]
            side = substr(key, 1, 6)
            if (side != last) {
                print ""
                row("as the " side " sees them", "conntrack:", "", "flowdump:", "", "same?")
                row("(packets/bytes)", "sent", "returned", "sent", "returned", "")
                last = side
            }
            verdict = !count[key] ? "MISSING" : count[key] > 1 ? count[key] " TIMES" : \
                s[key] == fs[key] && r[key] == fr[key] ? "yes" : "NO"
            bad += verdict != "yes"
            row(substr(key, 8), s[key], r[key], fs[key], fr[key], verdict)
        }
        printf "\n%d flows, %d update and %d destroy events: ", rows, updates, destroys
        print bad ? bad " flows DIFFER" : "all counts are the same"
        exit bad != 0
    }' "$work/conntrack" "$work/flowdump"
