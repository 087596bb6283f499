# shellcheck shell=bash
# Sourced after common.sh and kernel.sh. The table of kernels and ways to attach.
# shellcheck disable=SC2154 # common.sh sets cache

# print_matrix FULL LOG KERNEL...: what ctest's LastTest.log says of the tests
# vm.KERNEL.ATTACH.*. Fails if one failed, or if a combination was not run: with FULL 0, where each
# kernel has a part of the tests, its flows; with 1, the load too.
print_matrix() {
    local full=$1 log=$2 kernel kernels=()
    shift 2
    for kernel; do
        kernels+=("$kernel=$(cat "$cache/kernels/$kernel/release" 2>/dev/null || true)")
    done
    awk -v kernels="${kernels[*]}" -v full="$full" '
        / Testing: vm\.[^ ]+$/ {
            test = $NF
            name = substr(test, 4)
            # Kernels have dots in their names.
            combination = match(name, /\.(fentry|kprobe|netfilter)\./) ? substr(name, 1, RSTART - 1) \
                " " substr(name, RSTART + 1, RLENGTH - 2) : ""
        }
        combination == "" { next }
        /^not possible: / && test ~ /\.impossible$/ { why[combination] = $0 }
        /^Test Passed\.$/ { passed[test]; ran[combination]++; combination = "" }
        /^Test (Failed|Timeout)/ || /^Test time exceeded/ || /^Unable to find/ {
            ran[combination]++
            failed[combination] = failed[combination] " " test
            combination = ""
        }
        # What every combination has, and not just something.
        function complete(kernel, attach,    prefix) {
            prefix = "vm." kernel "." attach "."
            return ((prefix "flows") in passed && \
                (!full || attach == "netfilter" || (prefix "load") in passed)) || \
                (prefix "impossible") in passed
        }
        END {
            format = "%-8s %-32s %-9s %s\n"
            ways = split("fentry kprobe netfilter", way, " ")
            printf format, "kernel", "release", "attach", "result"
            n = split(kernels, list, " ")
            for (i = 1; i <= n; i++) {
                at = index(list[i], "=")
                kernel = substr(list[i], 1, at - 1)
                for (j = 1; j <= ways; j++) {
                    c = kernel " " way[j]
                    all = complete(kernel, way[j])
                    result = failed[c] ? "FAILED:" failed[c] : !all ? "NOT RUN" : c in why ? \
                        why[c] : "passed (" ran[c] (ran[c] == 1 ? " test)" : " tests)")
                    bad += failed[c] || !all
                    printf format, kernel, substr(list[i], at + 1), way[j], result
                }
            }
            exit bad != 0
        }' "$log"
}
