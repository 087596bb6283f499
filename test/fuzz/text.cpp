// SPDX-License-Identifier: Apache-2.0
//
// What is read from the kernel's texts: a release, lists of CPUs, messages for device managers,
// /proc/kallsyms and available_filter_functions, /proc/meminfo. The first byte says which.
#include "fuzz.hpp"
#include "host/cpus.hpp"
#include "host/kernel_events.hpp"
#include "host/memory.hpp"
#include "host/release.hpp"
#include "host/symbols.hpp"

#include <array>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    static constexpr std::array<std::string_view, 3> names{"nf_ct_destroy", "nf_ct_delete", "a"};
    fuzz::input in(data, size);
    const auto which = in.take<std::uint8_t>();
    const auto copy = std::string(in.text());
    std::istringstream lines(copy);
    switch (which % 6) {
    case 0:
        (void)host::parse_release(copy);
        break;
    case 1:
        fuzz::require(host::end_of_cpu_list(copy).value_or(1) > 0);
        break;
    case 2:
        (void)host::cpu_come_online(copy);
        break;
    case 3:
        fuzz::require(host::find_functions(lines, names).size() <= names.size());
        break;
    case 4:
        fuzz::require(host::find_traceable_functions(lines, names).size() <= names.size());
        break;
    default:
        (void)host::parse_available_memory(copy);
    }
    return 0;
}
