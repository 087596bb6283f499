// SPDX-License-Identifier: Apache-2.0
#include "transport/keep_map.hpp"

#include <boost/asio/error.hpp>

#include <cerrno>
#include <cstdint>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

namespace ctflow::transport {

host::unique_fd keep_map(int map_fd, bpf_map_type type, std::size_t& entries, error_code& ec,
                         diagnostics& diag) {
    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(map_fd, &info, &length) != 0) {
        // bpf(2) says EBADFD where other system calls say EBADF.
        ec.assign(errno == EBADFD ? EBADF : errno, boost::system::system_category());
        diag = "is it the descriptor of a BPF map?";
        return {};
    }
    if (info.type != type) {
        ec = boost::asio::error::invalid_argument;
        diag = "it is not the descriptor of a map of type " +
               std::string(libbpf_bpf_map_type_str(type));
        return {};
    }
    entries = info.max_entries;
    host::unique_fd kept(::fcntl(map_fd, F_DUPFD_CLOEXEC, 0));
    if (!kept) {
        ec.assign(errno, boost::system::system_category());
    }
    return kept;
}

} // namespace ctflow::transport
