# SPDX-License-Identifier: Apache-2.0
# Loaded by the others, which are given: data (a file), out (a file), heading, machine.
ink = "#24292f"
faint = "#57606a"
set encoding utf8
set datafile separator "\t"
set border 0
set tics scale 0 textcolor rgb ink
set grid xtics lc rgb "#e1e4e8" lw 1 lt 1
set style fill solid 1.0 noborder
unset key
colour(kind) = kind == 0 ? 0x1a66c8 : kind == 1 ? 0x9cc3f0 : kind == 2 ? 0x8a8f98 : 0xd0d4da
short(x) = x >= 999500 ? sprintf("%.2f M", x / 1e6) : x >= 99950 ? sprintf("%.0f k", x / 1e3) : \
    x >= 9995 ? sprintf("%.1f k", x / 1e3) : x >= 999.5 ? sprintf("%.0f", x) : \
    x >= 9.95 ? sprintf("%.0f", x) : sprintf("%.1f", x)
