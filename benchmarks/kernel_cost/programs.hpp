// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ctflow::kernel_cost {

// What the kernel tells of a BPF program.
struct program {
    std::string name; // its first 15 characters
    std::uint32_t id = 0;
    std::uint32_t xlated_bytes = 0; // as BPF, 8 bytes an instruction
    std::uint32_t jited_bytes = 0;  // as machine code
    std::uint32_t verified_insns = 0;
    std::uint64_t run_time = 0; // these two only while run_stats lives
    std::uint64_t runs = 0;
};

// Whether it runs for each packet, and not for the begin and end of flows.
bool on_every_packet(const program& p) noexcept;

// All programs that are in the kernel, with rising ids. Later ones have higher ids.
std::vector<program> programs_after(std::uint32_t id);

program read_program(std::uint32_t id);

// The kernel measures how long programs run while one lives, and they run longer for it.
class run_stats {
public:
    run_stats();
    ~run_stats();
    run_stats(const run_stats&) = delete;
    run_stats& operator=(const run_stats&) = delete;

private:
    int fd_;
};

} // namespace ctflow::kernel_cost
