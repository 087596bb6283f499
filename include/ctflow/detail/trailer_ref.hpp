// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/trailer.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <utility>

namespace ctflow::detail {

// A trailer that events share. Whoever made it says how it is given back.
struct shared_trailer {
    std::atomic<std::uint32_t> owners{1};
    void (*give_back)(shared_trailer*) noexcept = nullptr;
    ctflow_trailer trailer{};
};

// What an event has behind its record: as a rule nothing but, in an end, a duration; or a trailer.
// One word, since copying events is most of what there is to do with them: a pointer, or, odd,
// twice the duration and one.
class trailer_ref {
public:
    explicit trailer_ref(std::uint64_t duration = 0) noexcept : word_(duration << 1 | 1) {}
    explicit trailer_ref(shared_trailer* owned) noexcept
        : word_(std::bit_cast<std::uint64_t>(owned)) {}

    trailer_ref(const trailer_ref& other) noexcept : word_(other.word_) {
        if (!is_duration()) [[unlikely]] {
            shared()->owners.fetch_add(1, std::memory_order_relaxed);
        }
    }
    trailer_ref(trailer_ref&& other) noexcept : word_(std::exchange(other.word_, nothing)) {}
    trailer_ref& operator=(const trailer_ref& other) noexcept {
        if (is_duration() && other.is_duration()) [[likely]] {
            word_ = other.word_;
        } else {
            *this = trailer_ref(other);
        }
        return *this;
    }
    trailer_ref& operator=(trailer_ref&& other) noexcept {
        std::swap(word_, other.word_);
        return *this;
    }
    ~trailer_ref() {
        if (!is_duration()) [[unlikely]] {
            release();
        }
    }

    // Goes without giving its trailer back: somebody has its bytes, and is its owner now.
    void let_go() && noexcept { word_ = nothing; }

    const ctflow_trailer* get() const noexcept {
        return is_duration() ? nullptr : &shared()->trailer;
    }
    std::uint64_t duration() const noexcept {
        return is_duration() ? word_ >> 1 : shared()->trailer.duration;
    }

private:
    static constexpr std::uint64_t nothing = 1;

    bool is_duration() const noexcept { return (word_ & 1) != 0; }
    shared_trailer* shared() const noexcept { return std::bit_cast<shared_trailer*>(word_); }
    void release() noexcept {
        if (shared()->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            shared()->give_back(shared());
        }
    }

    std::uint64_t word_;
};

} // namespace ctflow::detail
