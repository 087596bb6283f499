// SPDX-License-Identifier: Apache-2.0
#pragma once

// What libFuzzer's targets share. Each file here is a program that libFuzzer feeds.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace ctflow::fuzz {

// Takes an input apart.
class input {
public:
    input(const std::uint8_t* data, std::size_t size) noexcept : rest_(data, size) {}

    // Zero when there is nothing left.
    template <class T>
    T take() noexcept {
        T value{};
        const auto n = rest_.size() < sizeof(T) ? rest_.size() : sizeof(T);
        if (n != 0) {
            std::memcpy(&value, rest_.data(), n);
        }
        rest_ = rest_.subspan(n);
        return value;
    }

    std::span<const std::uint8_t> rest() const noexcept { return rest_; }
    std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(rest_.data()), rest_.size()};
    }

private:
    std::span<const std::uint8_t> rest_;
};

// What must hold, whatever the input.
inline void require(bool holds) noexcept {
    if (!holds) {
        std::abort();
    }
}

// Memory of just that size, so that a byte beyond is noticed, and aligned for whatever is read.
class exact_copy {
public:
    exact_copy(std::span<const std::uint8_t> from, std::size_t size)
        : bytes_(new std::byte[size]{}), size_(size) {
        if (const auto n = from.size() < size ? from.size() : size; n != 0) {
            std::memcpy(bytes_.get(), from.data(), n);
        }
    }
    std::span<const std::byte> bytes() const noexcept { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_;
};

} // namespace ctflow::fuzz
