# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# http_accounting serves its page, metrics that promtool accepts, and the flows that there are.
# shellcheck source-path=SCRIPTDIR
# shellcheck source=common.sh
. "${BASH_SOURCE%/*}/common.sh"

# get PATH [METHOD]: what comes, head and all. By bash alone, so that it needs no client.
get() {
    exec {http}<>"/dev/tcp/127.0.0.1/$port"
    printf '%s %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n' "${2-GET}" "$1" >&"$http"
    cat <&"$http"
    exec {http}>&-
}

body() {
    get "$1" | sed '1,/^\r$/d'
}

# metric NAME VALUE
# shellcheck disable=SC2317 # called by wait_until
metric() {
    body /metrics >series
    grep -qxF "$1 $2" series
}

begin http_accounting --port 0
wait_until grep -q '^listening at ' out || fail "does not listen"
port=$(sed -nE 's,^listening at http://127\.0\.0\.1:([0-9]+)/$,\1,p' out)
[[ -n $port ]] || fail "where does it listen?"

get / | grep -q '^<h1>' || fail "no page"
get / | grep -q $'^HTTP/1.1 200 OK\r$' || fail "not OK"
get /nowhere | grep -q '^HTTP/1.1 404 ' || fail "not 404"
get /flows POST | grep -q '^HTTP/1.1 405 ' || fail "not 405"
[[ $(get /metrics HEAD | tail -c 4 | od -An -tx1 | tr -d ' ') == 0d0a0d0a ]] || fail "HEAD has a body"

# Three datagrams of one flow, which then ends.
for _ in 1 2 3; do udp 7 40007 2001:db8:1111:2222:3333:4444:5555:6666; done
listed='"ip":"2001:db8:1111:2222:3333:4444:5555:6666".*"port":40007'
wait_until eval "body /flows?limit=1000 | grep -q '$listed'" || fail "the flow is not listed"
metric 'ctflow_flows_ended_total{transport="udp"}' 0 || fail "it has not ended"
conntrack -D -p udp --sport 40007 >/dev/null 2>&1 || fail "conntrack knows no such flow"
wait_until metric 'ctflow_flows_ended_total{transport="udp"}' 1 || fail "its end is not counted"
metric 'ctflow_flow_packets_total{transport="udp",direction="original"}' 3 || fail "not 3 packets"
metric 'ctflow_flow_bytes_total{transport="udp",direction="original"}' $((3 * 148)) || fail "bytes"
for cause in update_ring_full destroy_ring_full cpu_without_ring malformed queue_full; do
    metric "ctflow_events_lost_total{cause=\"$cause\"}" 0 || fail "losses: $cause"
done

# By Prometheus' own tool, which is larger than a guest.
if [[ -n ${CTFLOW_VM-} ]]; then
    echo "promtool is not asked here: it is by the test examples.http_accounting"
else
    promtool check metrics <series || fail "promtool does not accept them"
fi

# A connection that waits is closed, and what is in use is said.
exec {idle}<>"/dev/tcp/127.0.0.1/$port"
status=0
http_accounting --port "$port" >second 2>&1 || status=$?
((status == 1)) || fail "a second server: exit status $status"
grep -qE "^http_accounting: .*in use.*port $port" second || fail "a second server: $(cat second)"
kill -TERM "$pid"
ends 0
exec {idle}>&-
[[ ! -s err ]] || fail "something on stderr"

refuses http_accounting --port 0
