// SPDX-License-Identifier: Apache-2.0
#include "host/netns.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace ctflow::host {

std::uint32_t current_netns(error_code& ec) noexcept {
    struct stat s {};
    if (::stat("/proc/thread-self/ns/net", &s) != 0) {
        ec.assign(errno, boost::system::system_category());
    }
    return static_cast<std::uint32_t>(s.st_ino);
}

} // namespace ctflow::host
