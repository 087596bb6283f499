# SPDX-License-Identifier: Apache-2.0
# From the median to the longest, a variant at a rate each. Given besides: rows. Columns of the
# data: place, label, kind, median, p99, p99.9, longest; NaN where there are too few events.
load common
height = 190 + 40 * rows
set terminal pngcairo noenhanced size 1560, height font "DejaVu Sans,11" background rgb "white"
set output out
set label 1 heading at screen 0.012, screen 1 - 32.0 / height font "DejaVu Sans Bold,17" tc rgb ink
set label 2 machine at screen 0.012, screen 1 - 62.0 / height font "DejaVu Sans,10.5" tc rgb faint
set tmargin at screen 1 - 130.0 / height
set bmargin at screen 56.0 / height
set lmargin at screen 0.325
set rmargin at screen 0.975
set yrange [-0.6 : rows - 0.4]
set logscale x 10
set xtics textcolor rgb faint
set xlabel "microseconds" tc rgb faint
set ytics font "DejaVu Sans,11"
set key at screen 0.975, screen 1 - 92.0 / height right center horizontal samplen 1 width 2 \
    font "DejaVu Sans,10.5" tc rgb ink
plot data using 4:1:4:7:(colour($3)):ytic(2) with xerrorbars pt -1 lw 3 lc rgb variable notitle, \
    data using 4:1:(colour($3)) with points pt 7 ps 2.4 lc rgb variable notitle, \
    data using 5:1:(colour($3)) with points pt 5 ps 1.5 lc rgb variable notitle, \
    data using 6:1:(colour($3)) with points pt 9 ps 1.8 lc rgb variable notitle, \
    data using 4:1:(short($4)) with labels offset 0, 1.15 font "DejaVu Sans Bold,10.5" tc rgb ink \
        notitle, \
    NaN with points pt 7 ps 2 lc rgb ink title "median", \
    NaN with points pt 5 ps 1.3 lc rgb ink title "p99", \
    NaN with points pt 9 ps 1.5 lc rgb ink title "p99.9", \
    NaN with lines lw 3 lc rgb ink title "to the longest"
