# shellcheck shell=bash
# Sourced after common.sh. Plots of what the benchmarks write as JSON; each takes the path without
# .json and .png.
# shellcheck disable=SC2154 # common.sh sets top

# draw PATH PLOT HEADING VARIABLE...: by plots/PLOT.gp, of the data in PATH.tsv.
draw() {
    local path=$1 plot=$2 heading=$3 machine
    shift 3
    machine=$(jq -r '.machine | "\(.cpu), \(.cores) cores · Linux \(.kernel) · \(.compiler), \(
        .build) · libbpf \(.libbpf), Boost \(.boost) · \(.date)"' "$path.json")
    # Within the double quotes of gnuplot these two mean something.
    machine=${machine//[\"\\]/}
    printf '%s\n' "common = \"$top/scripts/lib/plots/common.gp\"" "data = \"$path.tsv\"" \
        "out = \"$path.png\"" "heading = \"$heading\"" "machine = \"$machine\"" "$@" \
        "load \"$top/scripts/lib/plots/$plot.gp\"" | gnuplot
}

# bar_rows JSON ORDER: a line a variant, the best last, since that comes out on top.
bar_rows() {
    jq -r --arg order "$2" '
        def triple: .median, .min, .max;
        def percent: if . < 0.1 then (. * 1000 | round / 10) else (. * 100 | round) end;
        def thousands: . / 1000 | if . < 100 then (. * 10 | round / 10) else round end;
        .rate as $rate | (.variants | if $order == "rate" then sort_by(.events_per_second.median)
            else sort_by(-.consumer_ns_per_event.median) end) | to_entries[] |
        .key as $place | .value |
        ((.lost_in_ring + .lost_after_ring) / .produced) as $lost |
        ([(if .sent_per_second.median < 0.99 * $rate
                then "only \(.sent_per_second.median | thousands) k/s" else empty end),
            (if $lost >= 0.001 and $order != "rate" then "\($lost | percent) % lost"
                else empty end)] |
            if length > 0 then " (" + join(", ") + ")" else "" end) as $but |
        [$place, .title + $but,
         (if .id | startswith("ctflow") then 0 elif .id | startswith("drain") then 1
            elif .id | endswith("count") then 3 else 2 end),
         (.events_per_second, .consumer_ns_per_event, .producer_ns_per_event | triple)] | @tsv' "$1"
}

# bars PATH ORDER HEADING LEFT_COLUMN LEFT_TITLE RIGHT_COLUMN RIGHT_TITLE
bars() {
    bar_rows "$1.json" "$2" >"$1.tsv"
    draw "$1" bars "$3" "rows = $(wc -l <"$1.tsv")" "left_column = $4" "left_title = \"$5\"" \
        "right_column = $6" "right_title = \"$7\""
}

plot_throughput() {
    bars "$1" rate "Events a second, as many as go, and what each costs" \
        4 "events a second" 7 "CPU, receiving: ns an event"
}

plot_paced() {
    local rate
    rate=$(jq -r '.rate / 1000' "$1.json")
    bars "$1" cost "What an event costs at ${rate},000 events a second" \
        7 "CPU, receiving: ns an event" 10 "CPU, sending, wake-ups included: ns an event"
}

plot_latency() {
    jq -r 'def grouped: tostring | gsub("(?<a>[0-9]+)(?<b>[0-9]{3})$"; "\(.a),\(.b)");
        .latencies | reverse | to_entries[] | .key as $place | .value |
        [$place, "\(.title) · \(.rate | grouped)/s", (if .id | startswith("ctflow") then 0 else 2 end),
         (.median_us, .p99_us, .p999_us, .max_us | . // "NaN")] | @tsv' "$1.json" >"$1.tsv"
    draw "$1" latency "Latency: from the BPF program to the code that waited for the event" \
        "rows = $(wc -l <"$1.tsv")"
}

plot_scale() {
    jq -r '.rings[] | [.rings, .wakeup_ns, .event_ns] | @tsv' "$1.json" >"$1.tsv"
    jq -r '.consumers[] | [.consumers, .event_ns / .consumers] | @tsv' "$1.json" >"$1-fan.tsv"
    draw "$1" scale "Many CPUs, many consumers: what they cost in user space" \
        "fan_data = \"$1-fan.tsv\""
}
