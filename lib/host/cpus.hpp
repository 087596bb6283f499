// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ctflow::host {

// One more than the highest number in a list of CPUs as the kernel writes them, "0,2-3" say
// (cpumask_print_to_pagebuf()); nothing if it is none.
std::optional<std::size_t> end_of_cpu_list(std::string_view list) noexcept;

// One more than the highest number that a CPU of this machine can ever have. Not how many there can
// be: numbers may be left out.
std::size_t end_of_cpus();

} // namespace ctflow::host
