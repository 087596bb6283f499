# SPDX-License-Identifier: Apache-2.0
# Two panels of horizontal bars, a variant each. Given besides: rows (how many), and of either
# panel left_title, left_column, right_title, right_column. Columns of the data: place, label,
# kind, and then three each of figures: median, least, most.
load common
height = 176 + 40 * rows
set terminal pngcairo noenhanced size 1560, height font "DejaVu Sans,11" background rgb "white"
set output out

set label 1 heading at screen 0.012, screen 1 - 32.0 / height font "DejaVu Sans Bold,17" tc rgb ink
set label 2 machine at screen 0.012, screen 1 - 62.0 / height font "DejaVu Sans,10.5" tc rgb faint

# What the colours mean.
array name[4] = ["ctflow", "ctflow's reader, only counted", "others", "others, only counted"]
array place[4] = [0.017, 0.077, 0.236, 0.298]
do for [i = 1 : 4] {
    set object 10 + i rectangle at screen place[i], screen 1 - 92.0 / height \
        size screen 0.009, screen 14.0 / height fc rgb colour(i - 1) fs solid noborder
    set label 10 + i name[i] at screen place[i] + 0.009, screen 1 - 92.0 / height \
        font "DejaVu Sans,10.5" tc rgb ink
}

# Before there are ranges, which would leave out what is beyond.
stats data using (column(left_column + 2)) nooutput
left_max = STATS_max
stats data using (column(right_column + 2)) nooutput
right_max = STATS_max

set tmargin at screen 1 - 152.0 / height
set bmargin at screen 20.0 / height
set yrange [-0.6 : rows - 0.4]
set format x "" # The values stand at the bars.

set multiplot
do for [side = 0 : 1] {
    c = side == 0 ? left_column : right_column
    set xrange [0 : (side == 0 ? left_max : right_max) * 1.17]
    set title (side == 0 ? left_title : right_title) font "DejaVu Sans Bold,12" tc rgb ink \
        offset 0, -0.4
    if (side == 0) {
        set lmargin at screen 0.352; set rmargin at screen 0.664
        set ytics font "DejaVu Sans,11"
        plot data using (0):1:(0):(column(c)):($1 - 0.33):($1 + 0.33):(colour($3)):ytic(2) \
                with boxxyerror lc rgb variable, \
            data using (column(c)):1:(column(c + 1)):(column(c + 2)) with xerrorbars \
                pt -1 lw 1.2 lc rgb ink, \
            data using (column(c + 2)):1:(short(column(c))) with labels left offset 0.8, 0 \
                font "DejaVu Sans Bold,11" tc rgb ink
        do for [i = 1 : 4] { unset object 10 + i; unset label 10 + i }
        unset label 1; unset label 2
    } else {
        set lmargin at screen 0.688; set rmargin at screen 0.990
        set format y ""
        plot data using (0):1:(0):(column(c)):($1 - 0.33):($1 + 0.33):(colour($3)) \
                with boxxyerror lc rgb variable, \
            data using (column(c)):1:(column(c + 1)):(column(c + 2)) with xerrorbars \
                pt -1 lw 1.2 lc rgb ink, \
            data using (column(c + 2)):1:(short(column(c))) with labels left offset 0.8, 0 \
                font "DejaVu Sans Bold,11" tc rgb ink
    }
}
unset multiplot
