// SPDX-License-Identifier: Apache-2.0
#include "support/run_once.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <bpf/bpf.h>

namespace ctflow::test {

void run_once(int program_fd) {
    std::array<unsigned char, 64> packet{};
    bpf_test_run_opts options;
    std::memset(&options, 0, sizeof(options)); // libbpf wants zeros between the members too.
    options.sz = sizeof(options);
    options.data_in = packet.data();
    options.data_size_in = packet.size();
    options.repeat = 1;
    if (bpf_prog_test_run_opts(program_fd, &options) != 0) {
        throw std::system_error(errno, std::generic_category(), "bpf_prog_test_run_opts");
    }
}

} // namespace ctflow::test
