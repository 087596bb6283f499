// SPDX-License-Identifier: Apache-2.0
#include "event/flow_id.hpp"

#include "event/blake3.hpp"
#include "event/ends.hpp"

#include <ctflow/event.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include <sys/socket.h>

namespace ctflow {
namespace {

// What is hashed, put together piece by piece.
class message {
public:
    // All addresses are of IPv6: IPv4 is mapped into it, ::ffff:a.b.c.d.
    void append_address(std::span<const unsigned char, 16> address, bool v4) noexcept {
        if (v4) {
            append_all(std::array<unsigned char, 12>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
            append_all(address.first<4>());
        } else {
            append_all(address);
        }
    }

    void append_big_endian(std::uint16_t v) noexcept {
        append(static_cast<unsigned char>(v >> 8));
        append(static_cast<unsigned char>(v & 0xff));
    }

    void append_little_endian(std::uint64_t v) noexcept {
        for (int shift = 0; shift < 64; shift += 8) {
            append(static_cast<unsigned char>((v >> shift) & 0xff));
        }
    }

    void append(unsigned char c) noexcept { bytes_[size_++] = static_cast<std::byte>(c); }

    std::span<const std::byte> bytes() const noexcept { return {bytes_.data(), size_}; }

private:
    void append_all(std::span<const unsigned char> bytes) noexcept {
        for (const unsigned char c : bytes) {
            append(c);
        }
    }

    std::array<std::byte, 16 + 16 + 2 + 2 + 1 + 8> bytes_{};
    std::size_t size_ = 0;
};

} // namespace

std::uint32_t flow_id_of(const ctflow_ends& ends, std::uint8_t family, std::uint8_t proto,
                         std::uint64_t conntrack) noexcept {
    message m;
    const bool v4 = family == AF_INET;
    m.append_address(ends.src_addr, v4);
    m.append_address(ends.dst_addr, v4);
    m.append_big_endian(to_port(ends.src_port, proto));
    m.append_big_endian(to_port(ends.dst_port, proto));
    m.append(proto);
    m.append_little_endian(conntrack);
    // One bit less, so that it fits the signed integers of the stores it goes to.
    return blake3_first_word(m.bytes()) >> 1;
}

std::uint32_t event::flow_id() const noexcept {
    ctflow_ends ends;
    std::ranges::copy(record_.src_addr, ends.src_addr);
    std::ranges::copy(record_.dst_addr, ends.dst_addr);
    ends.src_port = record_.src_port;
    ends.dst_port = record_.dst_port;
    return flow_id_of(ends, record_.family, record_.proto, record_.conntrack);
}

} // namespace ctflow
