#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/tokens.md tells of the tests that there are: by its rows of this Boost, each operation with
# each token that the test program has, and no other; and of no failure.
# usage: page.sh TEST_PROGRAM PAGE BOOST_VERSION
set -euo pipefail
export LC_ALL=C

program=$1
page=$2
boost=${3%.0}
again="run scripts/compilers --page, and commit what it writes"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

letter=$(awk -F ' *[|] *' -v boost="$boost" '$4 == boost { print $2; exit }' "$page")
[[ -n $letter ]] || { echo "FAILED: ${page##*/} has no row of Boost $boost: $again" && exit 1; }

"$program" --list_content 2>&1 |
    sed -nE '/^tokens/,/^[a-z]/s/^ +([a-z_]+)<ctflow__test__([a-z_]+)>.*/\1 \2/p' | sort >"$work/tests"
awk -F ' *[|] *' -v letter="$letter" '
    $2 ~ /^`/ && NF == 9 {
        gsub(/`/, "", $2)
        split("receive_batch receive_one run_probe receive_perf receive_ring receive_records", operation, " ")
        for (i = 1; i <= 6; i++)
            if (index($(i + 2), letter)) print $2, operation[i]
    }' "$page" | sort >"$work/page"
(($(wc -l <"$work/tests") > 40)) || { echo "the program has too few tests" >&2 && exit 1; }
diff -u --label tests --label "${page##*/}" "$work/tests" "$work/page" || {
    echo "FAILED: the page tells of other tests: $again"
    exit 1
}
if grep failed "$page"; then exit 1; fi
echo "$(wc -l <"$work/tests") spot-checks, as in row $letter"
