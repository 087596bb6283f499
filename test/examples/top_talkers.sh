# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# top_talkers as a person sees it: in a terminal of tmux, of 80x24 and of 200x60, and what it leaves
# behind. CTFLOW_CAPTURES names a directory to keep the screens in.
# shellcheck source-path=SCRIPTDIR
# shellcheck source=common.sh
. "${BASH_SOURCE%/*}/common.sh"

export LC_ALL=C.UTF-8 TERM=screen
t() { tmux -S "$work/tmux" -f /dev/null "$@"; }
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    t kill-server 2>/dev/null || true
    end_jobs
}
trap clean_up EXIT

screen() { t capture-pane -p >screen; }
# shellcheck disable=SC2317 # called by wait_until
shows() { screen && grep -qE -- "$1" screen; }
# fills ROWS: from the first to the last.
# shellcheck disable=SC2317 # called by wait_until
fills() { screen && sed -n 1p screen | grep -q ' flows, ' && sed -n "$1p" screen | grep -q '^q quits'; }
keys() { t send-keys "$@"; }

# check WIDTH HEIGHT: what holds for all screens.
check() {
    screen
    [[ -z ${CTFLOW_CAPTURES-} ]] || cp screen "$CTFLOW_CAPTURES/$1x$2"
    cp screen out # For fail.
    [[ $(wc -l <screen) == "$2" ]] || fail "not $2 lines"
    [[ $(wc -L <screen) -le "$1" ]] || fail "a line of more than $1 columns"
    sed -n 1p screen | grep -qE '^[0-9]+ flows?, [0-9.]+ [kMG]?B/s sent, [0-9.]+ [kMG]?B/s back$' ||
        fail "the first line"
    sed -n 2p screen | grep -qE '^PROTO SOURCE +DESTINATION +SENT/s +BACK/s +TOTAL' || fail "heads"
    sed -n "$2p" screen | grep -q '^q quits' || fail "the last line"
    # Sorted by what they move now, which the units must not hide: rates of the lines that have
    # them, in bytes, none greater than the one before.
    sed -n '3,$p' screen | awk '
        function bytes(n, unit) {
            return n * (unit ~ /^k/ ? 1e3 : unit ~ /^M/ ? 1e6 : unit ~ /^G/ ? 1e9 : 1)
        }
        match($0, / [0-9.]+ [kMG]?B +[0-9.]+ [kMG]?B +[0-9.]+ [kMG]?B/) {
            split(substr($0, RSTART, RLENGTH), f, " ")
            rate = bytes(f[1], f[2]) + bytes(f[3], f[4])
            # Rounded to three digits, each of the two.
            if (flows++ && rate > last * 1.02 + 1) { print "not sorted: " $0; bad = 1 }
            last = rate
        }
        END { if (flows < 3) { print flows " flows"; bad = 1 } exit bad }' || fail "the flows"
}

# Three flows of different rates, one of the longest IPv6 addresses that there are.
a=2001:db8:1111:2222:3333:4444:5555:6666
# shellcheck disable=SC2317 # runs in the background
talk() {
    while :; do
        udp 7001 40001 127.0.0.1
        ctflow_traffic udp-client $a 65535 20 0 1200 65534
        ctflow_traffic udp-client 127.0.0.1 7003 5 0 1000 40003
        sleep 0.2
    done
}

t new-session -d -x 80 -y 24 "PS1='$ ' exec bash --norc --noprofile"
keys 'stty -a >before; echo it was here' Enter
wait_until shows '^it was here' || fail "no shell"

# Without a terminal it says what to do instead.
status=0
top_talkers >out 2>err </dev/null || status=$?
((status == 1)) || fail "without a terminal: exit status $status"
grep -q 'not a terminal; flowdump' err || fail "it does not miss a terminal"

for end in q INT TERM; do
    keys "sh -c 'echo \$\$ >pid; exec top_talkers --interval 0.5'; echo status \$?" Enter
    wait_until shows '^PROTO SOURCE' || fail "no screen"
    if [[ $end == q ]]; then
        talk 2>/dev/null &
        talker=$!
        both=$a']:65534'
        wait_until shows "\[$both" || fail "no flow"
        wait_until shows '^udp +127\.0\.0\.1:40001 ' || fail "not all flows"
        wait_until shows '^udp +127\.0\.0\.1:40003 ' || fail "not all flows"
        sleep 2 # Until it knows rates of all.
        check 80 24
        shows "^   -> \[$a\]:65535" || fail "the destination is shortened"
        t resize-window -x 200 -y 60
        wait_until shows 'SENT/s.*NETNS$' || fail "it does not use the width"
        wait_until fills 60 || fail "nor the height"
        check 200 60
        shows "\[$both +\[$a\]:65535" || fail "not in one line"
        t resize-window -x 60 -y 12
        wait_until fills 12 || fail "60x12"
        [[ $(wc -L <screen) -le 60 ]] || fail "a line of more than 60 columns"
        grep -q '~\]:65534 ' screen || fail "no address is shortened, or its port is"
        [[ -z ${CTFLOW_CAPTURES-} ]] || cp screen "$CTFLOW_CAPTURES/60x12"
        t resize-window -x 80 -y 24
        wait_until fills 24 || fail "80x24 again"
        keys x # Not a key of its.
        check 80 24
        keys q
        kill "$talker"
    else
        kill -"$end" "$(<pid)"
    fi
    wait_until shows '^status 0' || fail "$end: it does not end, or fails"
    [[ $(t display-message -p '#{alternate_on} #{cursor_flag} #{wrap_flag}') == "0 1 1" ]] ||
        fail "$end: the terminal is not as it was"
    shows '^it was here' || fail "$end: what was on the terminal is gone"
    keys 'clear; echo it was here; stty -a >after; cmp before after && echo same' Enter
    wait_until shows '^same' || fail "$end: the terminal's settings are not as they were"
done
