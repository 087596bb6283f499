# SPDX-License-Identifier: Apache-2.0
# Given besides: fan_data. Columns: rings, ns a wake-up, ns an event; consumers, ns an event and
# consumer.
load common
set terminal pngcairo noenhanced size 1560, 520 font "DejaVu Sans,11" background rgb "white"
set output out
set label 1 heading at screen 0.012, screen 0.94 font "DejaVu Sans Bold,17" tc rgb ink
set label 2 machine at screen 0.012, screen 0.88 font "DejaVu Sans,10.5" tc rgb faint
set grid xtics ytics lc rgb "#e1e4e8" lw 1 lt 1
set offsets 0, 0, graph 0.18, 0
set logscale x 2
set tmargin at screen 0.74
set bmargin at screen 0.14
set tics textcolor rgb faint
# Before there are ranges.
stats data using 1 nooutput
most_rings = STATS_max
stats fan_data using 1 nooutput
most_consumers = STATS_max
set yrange [0 : *]
set multiplot
array title_of[3] = ["a wake-up for one event (ns)", "an event, all rings full (ns)", \
    "an event, to each consumer (ns)"]
array left_of[3] = [0.045, 0.375, 0.705]
do for [i = 1 : 3] {
    set lmargin at screen left_of[i]
    set rmargin at screen left_of[i] + 0.275
    set title title_of[i] font "DejaVu Sans Bold,12" tc rgb ink offset 0, -0.3
    set xlabel (i < 3 ? "rings" : "consumers") tc rgb faint
    file = i < 3 ? data : fan_data
    c = i < 3 ? i + 1 : 2
    set xrange [0.7 : (i < 3 ? most_rings : most_consumers) * 1.4]
    plot file using 1:(column(c)):xtic(1) with linespoints pt 7 ps 1.6 lw 2.5 lc rgb colour(0), \
        file using 1:(column(c)):(short(column(c))) with labels offset 0, 1 \
            font "DejaVu Sans Bold,10.5" tc rgb ink
    unset label 1; unset label 2
}
unset multiplot
