// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <istream>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace ctflow::host {

// Which of the names are functions in a listing in the form of /proc/kallsyms:
// "ffffffffc0a01234 t nf_ct_destroy\t[nf_conntrack]".
std::set<std::string, std::less<>> find_functions(std::istream& kallsyms,
                                                  std::span<const std::string_view> names);

// The same in /proc/kallsyms, whose names, unlike its addresses, everybody may read. Nothing if it
// is hidden: not there, or empty.
std::optional<std::set<std::string, std::less<>>>
find_functions(std::span<const std::string_view> names);

// Which of the names are in a listing in the form of tracefs' available_filter_functions,
// "nf_ct_destroy [nf_conntrack]": those that have a place for a tracer, which fentry needs.
std::set<std::string, std::less<>>
find_traceable_functions(std::istream& available, std::span<const std::string_view> names);

// The same in available_filter_functions; none where tracefs is not mounted or may not be read.
std::set<std::string, std::less<>>
find_traceable_functions(std::span<const std::string_view> names);

// Whether libbpf can make kprobes here, by perf_event_open(2) or, on old kernels, by tracefs.
// Programs for them load on a kernel without, too.
bool kprobes_possible();

} // namespace ctflow::host
