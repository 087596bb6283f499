// SPDX-License-Identifier: Apache-2.0
#include "event/ends.hpp"
#include "event/protocols.hpp"

#include <ctflow/event.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>

#include <netinet/in.h>

namespace ctflow {
namespace {

std::string protocol(std::uint8_t proto) {
    const auto name = protocol_name(proto);
    return name.empty() ? "proto " + std::to_string(proto) : std::string(name);
}

void append_end(std::string& out, const boost::asio::ip::address& address, std::uint16_t port,
                bool has_ports) {
    if (!has_ports) {
        out += address.to_string();
        return;
    }
    const bool brackets = address.is_v6();
    out += brackets ? "[" : "";
    out += address.to_string();
    out += brackets ? "]:" : ":";
    out += std::to_string(port);
}

void append_tuple(std::string& out, const flow_tuple& t, bool has_ports) {
    append_end(out, t.src_addr, t.src_port, has_ports);
    out += " > ";
    append_end(out, t.dst_addr, t.dst_port, has_ports);
}

// The numbers of the labels that are set.
std::string list(const std::bitset<128>& labels) {
    std::string out;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i]) {
            out += (out.empty() ? "" : ",") + std::to_string(i);
        }
    }
    return out;
}

constexpr const char* hex_digits = "0123456789abcdef";

// Flags as 0x23.
std::string hexadecimal(std::uint8_t byte) {
    return {'0', 'x', hex_digits[byte >> 4], hex_digits[byte & 0xf]};
}

// Those bytes that are not plain as \x1b: a process may choose any.
std::string printable(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\') {
            out += c;
        } else {
            ((out += "\\x") += hex_digits[byte >> 4]) += hex_digits[byte & 0xf];
        }
    }
    return out;
}

void append_details(std::string& out, const event& e) {
    if (const auto sides = e.tcp_sides()) {
        out += " flags " + hexadecimal(sides->orig.flags) + ',' + hexadecimal(sides->ret.flags) +
               " window scales " + std::to_string(sides->orig.window_scale) + ',' +
               std::to_string(sides->ret.window_scale);
    }
    if (e.zone() != 0) {
        out += " zone " + std::to_string(e.zone());
        if (e.zone_direction() != zone_direction::both) {
            (out += ' ') += to_string(e.zone_direction());
        }
    }
    if (const auto labels = e.labels(); labels.any()) {
        out += " labels " + list(labels);
    }
    if (e.offload() != flow_offload::none) {
        out += std::string(" offload ") + to_string(e.offload());
    }
    if (const auto master = e.master()) {
        out += " master " + protocol(master->proto) + ' ';
        append_tuple(out, master->original, has_ports(master->proto));
    }
    if (const auto process = e.process()) {
        out += " pid " + std::to_string(process->pid) + " (" + printable(process->comm) +
               ") cgroup " + std::to_string(process->cgroup);
    }
}

void append_end_of_life(std::string& out, const event& e) {
    if (e.end_reason() != end_reason::unknown) {
        (out += ' ') += to_string(e.end_reason());
    }
    if (const auto lived = e.duration()) {
        using namespace std::chrono;
        const auto ms = duration_cast<milliseconds>(*lived).count();
        const auto fraction = std::to_string(1000 + ms % 1000);
        out += " after " + std::to_string(ms / 1000) + '.' + fraction.substr(1) + " s";
    }
}

} // namespace

const char* to_string(event_kind kind) noexcept {
    switch (kind) {
    case event_kind::update:
        return "update";
    case event_kind::destroy:
        return "destroy";
    }
    return "unknown";
}

const char* to_string(tcp_state state) noexcept {
    static constexpr std::array names = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                         "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                         "CLOSE",    "SYN_SENT2"};
    const auto index = static_cast<std::size_t>(state);
    return index < names.size() ? names[index] : "UNKNOWN";
}

std::string to_string(const event& e) {
    std::string out;
    out.reserve(512);
    out += to_string(e.kind());
    out += ' ';
    out += protocol(e.proto());
    out += ' ';
    append_tuple(out, e.original(), e.has_ports());
    if (e.has_nat()) {
        out += " (nat ";
        append_tuple(out, e.reply().mirrored(), e.has_ports());
        out += ')';
    }
    out += " orig " + std::to_string(e.packets_orig()) + " packets " +
           std::to_string(e.bytes_orig()) + " bytes, reply " + std::to_string(e.packets_ret()) +
           " packets " + std::to_string(e.bytes_ret()) + " bytes";
    if (e.proto() == IPPROTO_TCP) {
        out += ' ';
        out += to_string(e.tcp_state());
    }
    if (e.connmark() != 0) {
        out += " mark " + std::to_string(e.connmark());
    }
    append_details(out, e);
    append_end_of_life(out, e);
    out += " netns " + std::to_string(e.netns()) + " id " + std::to_string(e.flow_id());
    return out;
}

std::ostream& operator<<(std::ostream& os, const event& e) {
    return os << to_string(e);
}

} // namespace ctflow
