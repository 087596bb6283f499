# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# first_flow prints one event, and exits; a signal ends it before.
# shellcheck source-path=SCRIPTDIR
# shellcheck source=common.sh
. "${BASH_SOURCE%/*}/common.sh"

# shellcheck disable=SC2317 # called by wait_until
flow_printed() { udp 9 && [[ -s out ]]; }

begin first_flow
wait_until flow_printed || fail "no flow"
ends 0
[[ $(wc -l <out) == 1 && ! -s err ]] || fail "not one line"
grep -qE '^update udp 127\.0\.0\.1:[0-9]+ > 127\.0\.0\.1:9 orig 1 packets 128 bytes' out || fail "another flow"
[[ $(cat /proc/sys/net/netfilter/nf_conntrack_acct) == 1 ]] || fail "conntrack does not count"

begin first_flow
sleep 1
kill -TERM "$pid"
ends 143

refuses first_flow
