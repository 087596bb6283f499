// SPDX-License-Identifier: Apache-2.0
#include "event/blake3.hpp"

#include <ctflow/event.hpp>

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace ctflow {
namespace {

namespace ip = boost::asio::ip;

// What is hashed, put together piece by piece.
class message {
public:
    void append(const ip::address& a) noexcept {
        const auto v6 = a.is_v6() ? a.to_v6() : ip::make_address_v6(ip::v4_mapped, a.to_v4());
        for (const unsigned char c : v6.to_bytes()) {
            append(c);
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
    std::array<std::byte, 16 + 16 + 2 + 2 + 1 + 8> bytes_{};
    std::size_t size_ = 0;
};

} // namespace

std::uint32_t event::flow_id() const noexcept {
    message m;
    m.append(src_addr());
    m.append(dst_addr());
    m.append_big_endian(src_port());
    m.append_big_endian(dst_port());
    m.append(proto());
    m.append_little_endian(conntrack());
    // One bit less, so that it fits the signed integers of the stores it goes to.
    return blake3_first_word(m.bytes()) >> 1;
}

} // namespace ctflow
