#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The manual page has each option of --help with the same argument, and no other; its defaults; and is
# well formed.
# usage: man.sh FLOWDUMP PAGE
set -euo pipefail
export LC_ALL=C.UTF-8

flowdump=$1
page=$2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

"$flowdump" --help | sed -nE 's/^  (--[a-z-]+)( ([A-Z]+))?( .*)?$/\1 \3/p' | tr '[:upper:]' '[:lower:]' |
    sed 's/ $//' | sort >"$work/help"
sed -nE 's/^\.It Fl -([a-z-]+)( Ar ([a-z]+))?$/--\1 \3/p' "$page" | sed 's/ $//' | sort >"$work/page"
(($(wc -l <"$work/help") > 10))
diff -u --label "--help" --label "${page##*/}" "$work/help" "$work/page" || {
    echo "FAILED: the manual page and --help differ in their options"
    exit 1
}
# The synopsis has them, too.
while read -r option _; do
    grep -qE "^\.(Op )?Fl -${option#--}( |\$)|\| Fl -${option#--}\$" "$page" || {
        echo "FAILED: the synopsis lacks $option"
        exit 1
    }
done <"$work/help"
# Defaults, which --help has in brackets.
"$flowdump" --help | grep -oE '\([a-z0-9_:,]+[);]' | tr -d '();' | sort -u >"$work/defaults"
(($(wc -l <"$work/defaults") > 5))
mandoc -T utf8 "$page" | col -bx >"$work/text"
while read -r default; do
    grep -qwF -- "$default" "$work/text" || {
        echo "FAILED: the manual page does not say $default, a default of --help's"
        exit 1
    }
done <"$work/defaults"

mandoc -T lint -W warning "$page"
man --warnings --local-file -Tutf8 -Z "$page" >/dev/null 2>"$work/warnings"
[[ ! -s $work/warnings ]] || { cat "$work/warnings" && exit 1; }
echo "$(wc -l <"$work/help") options"
