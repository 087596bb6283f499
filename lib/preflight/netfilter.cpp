// SPDX-License-Identifier: Apache-2.0
#include "preflight/netfilter.hpp"

#include "host/netlink.hpp"

#include <array>
#include <cerrno>
#include <functional>
#include <string_view>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace ctflow::checks {
namespace {

using attributes = std::array<const nlattr*, 32>;
using item_handler = std::function<void(const nfgenmsg&, const attributes&)>;

int on_attribute(const nlattr* attribute, void* out) {
    auto& all = *static_cast<attributes*>(out);
    if (const auto type = mnl_attr_get_type(attribute); type < all.size()) {
        all[type] = attribute;
    }
    return MNL_CB_OK;
}

attributes nested(const nlattr* outer) {
    attributes found{};
    if (outer != nullptr) {
        (void)mnl_attr_parse_nested(outer, on_attribute, &found);
    }
    return found;
}

// 0 if it is not there.
std::uint32_t number(const nlattr* attribute) {
    const bool there = attribute != nullptr && mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0;
    return there ? ntohl(mnl_attr_get_u32(attribute)) : 0;
}

std::string_view text(const nlattr* attribute) {
    if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0) {
        return {};
    }
    return mnl_attr_get_str(attribute);
}

// A connection to nfnetlink, for one question at a time.
class nfnetlink {
public:
    nfnetlink() : socket_(host::connect_nfnetlink()) {
        if (socket_) {
            const timeval patience{2, 0};
            (void)::setsockopt(mnl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_RCVTIMEO, &patience,
                               sizeof(patience));
        }
    }

    // Has a list sent, filtered by an attribute if its number is not 0. @return 0 or an errno.
    int list(int type, std::uint8_t family, std::uint16_t attribute, std::uint32_t value,
             const item_handler& each) {
        if (!socket_) {
            return EPROTONOSUPPORT;
        }
        std::array<char, 256> question{};
        auto* const header = mnl_nlmsg_put_header(question.data());
        header->nlmsg_type = static_cast<std::uint16_t>(type);
        header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        header->nlmsg_seq = ++sequence_;
        auto* const about =
            static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
        about->nfgen_family = family;
        if (attribute != 0) {
            mnl_attr_put_u32(header, attribute, htonl(value));
        }
        if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0) {
            return errno;
        }
        return receive(each);
    }

private:
    int receive(const item_handler& each) {
        std::array<char, 32768> buffer{}; // MNL_SOCKET_DUMP_SIZE.
        for (;;) {
            const auto n = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
            if (n < 0) {
                return errno;
            }
            const int more =
                mnl_cb_run(buffer.data(), static_cast<std::size_t>(n), sequence_,
                           mnl_socket_get_portid(socket_.get()), on_message,
                           const_cast<item_handler*>(&each)); // libmnl passes it on as void*.
            if (more < 0) {
                return errno;
            }
            if (more == 0) {
                return 0;
            }
        }
    }

    static int on_message(const nlmsghdr* header, void* each) {
        attributes found{};
        if (mnl_nlmsg_get_payload_len(header) < sizeof(nfgenmsg) ||
            mnl_attr_parse(header, sizeof(nfgenmsg), on_attribute, &found) < 0) {
            return MNL_CB_OK;
        }
        const auto* about = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(header));
        (*static_cast<const item_handler*>(each))(*about, found);
        return MNL_CB_OK;
    }

    host::netlink_socket socket_;
    unsigned sequence_ = 0;
};

// Whether a list changed while it was sent: then another try is due.
constexpr bool changed(int error) noexcept {
    return error == EINTR || error == EAGAIN;
}

const char* family_name(std::uint8_t family) noexcept {
    switch (family) {
    case NFPROTO_INET:
        return "inet";
    case NFPROTO_IPV4:
        return "ip";
    case NFPROTO_IPV6:
        return "ip6";
    default:
        return "";
    }
}

} // namespace

std::optional<tracked_families> list_conntrack_hooks() {
    nfnetlink kernel;
    tracked_families found;
    // Not ipv4_conntrack_defrag, which others use too.
    const auto look = [&](std::uint8_t family, std::string_view function, bool& there) {
        constexpr int type = NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET;
        const auto compare = [&](const nfgenmsg&, const attributes& a) {
            there = there || text(a[NFNLA_HOOK_FUNCTION_NAME]) == function;
        };
        int error = EINTR;
        for (int i = 0; i < 3 && changed(error); ++i) {
            error = kernel.list(type, family, NFNLA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING, compare);
        }
        return error;
    };
    if (look(NFPROTO_IPV4, "ipv4_conntrack_in", found.ipv4) != 0) {
        return std::nullopt;
    }
    // A kernel may well be without these.
    (void)look(NFPROTO_IPV6, "ipv6_conntrack_in", found.ipv6);
    (void)look(NFPROTO_BRIDGE, "nf_ct_bridge_pre", found.bridge);
    return found;
}

std::optional<std::vector<flow_table>> list_flow_tables() {
    nfnetlink kernel;
    constexpr int type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETFLOWTABLE;
    std::vector<flow_table> found;
    const auto take = [&](const nfgenmsg& about, const attributes& a) {
        const auto hook = nested(a[NFTA_FLOWTABLE_HOOK]);
        const auto priority = number(hook[NFTA_FLOWTABLE_HOOK_PRIORITY]);
        found.push_back({family_name(about.nfgen_family),
                         std::string(text(a[NFTA_FLOWTABLE_TABLE])),
                         std::string(text(a[NFTA_FLOWTABLE_NAME])),
                         static_cast<std::int32_t>(priority), number(a[NFTA_FLOWTABLE_FLAGS])});
    };
    int error = EINTR;
    for (int i = 0; i < 3 && changed(error); ++i) {
        found.clear();
        error = kernel.list(type, NFPROTO_UNSPEC, 0, 0, take);
    }
    if (error == EINVAL || error == EPROTONOSUPPORT) {
        return std::vector<flow_table>(); // nf_tables is not in this kernel.
    }
    return error == 0 ? std::optional(std::move(found)) : std::nullopt;
}

} // namespace ctflow::checks
