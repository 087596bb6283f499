// SPDX-License-Identifier: Apache-2.0
#include "support/conntrack_listing.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace ctflow::test {
namespace {

// The text behind the first `key` from `at` on, where it goes on from then.
std::string value_of(const std::string& text, const std::string& key, std::size_t& at) {
    const auto found = text.find(key, at);
    if (found == std::string::npos) {
        throw std::runtime_error("no " + key + " in " + text);
    }
    at = found + key.size();
    return text.substr(at, text.find(' ', at) - at);
}

flow_tuple tuple_of(const std::string& text, std::size_t& at) {
    using boost::asio::ip::make_address;
    flow_tuple t;
    t.src_addr = make_address(value_of(text, " src=", at));
    t.dst_addr = make_address(value_of(text, " dst=", at));
    t.src_port = static_cast<std::uint16_t>(std::stoul(value_of(text, " sport=", at)));
    t.dst_port = static_cast<std::uint16_t>(std::stoul(value_of(text, " dport=", at)));
    return t;
}

std::uint32_t number_of(const std::string& text, const std::string& key) {
    std::size_t at = text.find(key);
    return at == std::string::npos
               ? 0
               : static_cast<std::uint32_t>(std::stoul(text.substr(at + key.size())));
}

struct socket_closer {
    void operator()(mnl_socket* s) const noexcept { ::mnl_socket_close(s); }
};

// By their type.
using attributes = std::array<const nlattr*, CTA_LABELS + 1>;

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
        mnl_attr_parse_nested(outer, on_attribute, &found);
    }
    return found;
}

std::uint16_t port(const attributes& proto, int type) {
    const auto* a = proto.at(static_cast<std::size_t>(type));
    return a == nullptr ? std::uint16_t{0} : ntohs(mnl_attr_get_u16(a));
}

} // namespace

conntrack_listing::conntrack_listing(const netns& ns, const std::string& arguments)
    : text(ns.run("sh -c 'conntrack -L " + arguments + " 2>/dev/null'")) {
    if (text.find('\n') + 1 != text.size()) {
        throw std::runtime_error("not one flow: " + arguments + ": " + text);
    }
    std::size_t at = 0;
    original = tuple_of(text, at);
    reply = tuple_of(text, at);
    mark = number_of(text, " mark=");
    zone = static_cast<std::uint16_t>(number_of(text, " zone="));
}

conntrack_raw::conntrack_raw(const netns& ns, std::uint8_t family, std::uint16_t src_port,
                             std::uint16_t dst_port) {
    const netns::inside in(ns);
    const std::unique_ptr<mnl_socket, socket_closer> s(mnl_socket_open(NETLINK_NETFILTER));
    alignas(nlmsghdr) std::array<char, 65536> buffer{};
    auto* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    auto* about = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
    about->nfgen_family = family;
    if (!s || mnl_socket_bind(s.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_sendto(s.get(), request, request->nlmsg_len) < 0) {
        throw std::runtime_error("ctnetlink");
    }
    struct query {
        conntrack_raw& out;
        std::uint16_t src_port;
        std::uint16_t dst_port;
        int found = 0;
    } q{*this, src_port, dst_port};
    const auto look = [](const nlmsghdr* header, void* data) {
        auto& wanted = *static_cast<query*>(data);
        attributes all{};
        mnl_attr_parse(header, sizeof(nfgenmsg), on_attribute, &all);
        const auto proto = nested(nested(all[CTA_TUPLE_ORIG])[CTA_TUPLE_PROTO]);
        if (port(proto, CTA_PROTO_SRC_PORT) == wanted.src_port &&
            port(proto, CTA_PROTO_DST_PORT) == wanted.dst_port) {
            ++wanted.found;
            wanted.out.status = static_cast<flow_status>(ntohl(mnl_attr_get_u32(all[CTA_STATUS])));
            if (const auto* bits = all[CTA_LABELS]; bits != nullptr) {
                std::array<std::uint64_t, 2> words{};
                std::memcpy(words.data(), mnl_attr_get_payload(bits), sizeof(words));
                wanted.out.labels = std::bitset<128>(words[1]) << 64 | std::bitset<128>(words[0]);
            }
        }
        return MNL_CB_OK;
    };
    for (int result = MNL_CB_OK; result > MNL_CB_STOP;) {
        const auto n = mnl_socket_recvfrom(s.get(), buffer.data(), buffer.size());
        if (n < 0) {
            throw std::runtime_error("ctnetlink");
        }
        result = mnl_cb_run(buffer.data(), static_cast<std::size_t>(n), 0,
                            mnl_socket_get_portid(s.get()), look, &q);
    }
    if (q.found != 1) {
        throw std::runtime_error("not one flow");
    }
}

} // namespace ctflow::test
