# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# two_contexts prints events by the one consumer and counts by the other, and ends cleanly.
# shellcheck source-path=SCRIPTDIR
# shellcheck source=common.sh
. "${BASH_SOURCE%/*}/common.sh"

# shellcheck disable=SC2317 # called by wait_until
printed() { udp 9 && grep -q '^update udp ' out; }
# shellcheck disable=SC2317 # called by wait_until
ended() { grep -q "^destroy udp .*127\.0\.0\.1:$1 " out; }

for signal in INT TERM; do
    begin two_contexts
    wait_until printed || fail "no flow"
    [[ $(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l) -ge 3 ]] || fail "not three threads"
    udp 10
    wait_until eval "grep -q ':10 ' out" || fail "no second flow"
    conntrack -F 2>/dev/null
    wait_until ended 10 || fail "no end"
    kill -"$signal" "$pid"
    ends 0
    # What the printer has printed the counter has counted.
    flows=$(grep -c '^destroy ' out)
    grep -qE "^$flows flows have ended, after [1-9][0-9]* bytes; 0 events were not printed" err ||
        fail "not $flows flows"
done

refuses two_contexts
