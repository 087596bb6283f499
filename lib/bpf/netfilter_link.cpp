// SPDX-License-Identifier: Apache-2.0
#include "bpf/netfilter_link.hpp"

#include "bpf/netfilter_abi.h"

#include <cerrno>
#include <climits>
#include <utility>

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ctflow::bpf {
namespace {

// bpf(BPF_LINK_CREATE), for libbpf 1.1 and the headers of its time do not know this kind of link.
struct link_create {
    std::uint32_t prog_fd;
    std::uint32_t target_fd;
    std::uint32_t attach_type;
    std::uint32_t flags;
    std::uint32_t pf;
    std::uint32_t hooknum;
    std::int32_t priority;
    std::uint32_t netfilter_flags;
};

int create(const link_create& attr) noexcept {
    return static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)));
}

} // namespace

netfilter_link::netfilter_link(int program_fd, std::uint32_t family, std::uint32_t hook,
                               error_code& ec) {
    // Conntrack's confirm is at INT_MAX (NF_IP_PRI_CONNTRACK_CONFIRM), which programs may not have.
    // Of these there can be but one at a priority (nf_hook_entries_grow() in net/netfilter/core.c).
    constexpr int latest = INT_MAX - 1;
    constexpr int most = 100; // More than this many at a hook are not there by mistake.
    link_create attr{
        .prog_fd = static_cast<std::uint32_t>(program_fd),
        .target_fd = 0,
        .attach_type = CTFLOW_ATTACH_TYPE_NETFILTER,
        .flags = 0,
        .pf = family,
        .hooknum = hook,
        .priority = latest,
        .netfilter_flags = 0,
    };
    for (fd_ = create(attr); fd_ < 0 && errno == EBUSY && attr.priority > latest - most;
         fd_ = create(attr)) {
        --attr.priority;
    }
    if (fd_ < 0) {
        ec.assign(errno, boost::system::system_category());
    }
}

netfilter_link::netfilter_link(netfilter_link&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

netfilter_link::~netfilter_link() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

} // namespace ctflow::bpf
