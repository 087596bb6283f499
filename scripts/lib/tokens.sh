# shellcheck shell=bash
# Sourced after common.sh. docs/tokens.md: every operation with every completion token.
# shellcheck disable=SC2154 # common.sh sets top

# tokens_of_report: what Boost.Test's detailed report says of cases that are templates of an
# operation, as lines TOKEN OPERATION passed|failed.
tokens_of_report() {
    sed -nE 's/^ *Test case "tokens\/(.*)<ctflow__test__(.*)>" has (passed|failed|been aborted).*/\1 \2 \3/p' |
        sed 's/ been aborted$/ failed/'
}

# tokens_page: the page, of rows ROW|COMPILER|BOOST|LIBBPF|ASIO on stdin and what each has in
# build/compilers/ROW/tokens.
tokens_page() {
    local row compiler boost libbpf asio rows=() files=()
    cat <<'PAGE'
# Completion tokens

Each asynchronous operation of ctflow with each of Asio's completion tokens and adapters, compiled
with warnings as errors and run, without rights. The tests are `test/contract/tokens_test.cpp`, a
case for each line below; `scripts/compilers --page` runs them with each of these and writes this
page:

| | compiler | Boost | libbpf | `BOOST_ASIO_`... |
|---|---|---|---|---|
PAGE
    while IFS='|' read -r row compiler boost libbpf asio; do
        printf '| %s | %s | %s | %s | %s |\n' "$row" "$compiler" "$boost" "$libbpf" "$asio"
        rows+=("$row")
        files+=("$top/build/compilers/$row/tokens")
    done
    cat <<'PAGE'

A letter: it passed there. A dash: that Boost has no such token (`bind_immediate_executor` came with
1.82, `cancel_after` with 1.86).

| | `consumer` `async_receive(span)` | `consumer` `async_receive()` | `probe` `async_run()` | `perf_buffer` `async_receive(span)`, closed | `ring_buffer` `async_receive(span)`, closed | the same of both, waiting |
|---|---|---|---|---|---|---|
PAGE
    awk -v names="${rows[*]}" '
        FNR == 1 { n = split(names, name, " "); row = name[++file] }
        !($1 in seen) { seen[$1]; order[++tokens] = $1 }
        { result[$1, $2, row] = $3 == "passed" ? row : "**" row " failed**" }
        END {
            split("receive_batch receive_one run_probe receive_perf receive_ring receive_records", operation, " ")
            for (i = 1; i <= tokens; i++) {
                line = "| `" order[i] "` |"
                for (j = 1; j <= 6; j++) {
                    for (k = 1; k <= n; k++) {
                        at = order[i] SUBSEP operation[j] SUBSEP name[k]
                        line = line " " (at in result ? result[at] : "–")
                    }
                    line = line " |"
                }
                print line
            }
        }' "${files[@]}"
}
