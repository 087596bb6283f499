// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "deltas/progress.hpp"

#include <ctflow/event.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ctflow::deltas {

// What flows are told apart by. No padding: it is hashed as words.
struct flow_name {
    std::uint64_t conntrack;
    std::uint64_t start;
    std::array<unsigned char, 16> src_addr;
    std::array<unsigned char, 16> dst_addr;
    std::uint16_t src_port; // As in the record: ICMP's id, say.
    std::uint16_t dst_port;
    std::uint16_t proto;
    std::uint16_t family;

    friend bool operator==(const flow_name&, const flow_name&) = default;
};
static_assert(sizeof(flow_name) == 7 * sizeof(std::uint64_t));

flow_name name_of(const event& e) noexcept;

// The flows that are remembered, live and ended ones, each kind in the order in which they were
// heard of. Its memory is allocated by the constructor, and touched when it is first needed.
class flow_table {
    using unchecked = boost::intrusive::link_mode<boost::intrusive::normal_link>;
    using age_hook = boost::intrusive::list_base_hook<unchecked>;
    using name_hook = boost::intrusive::unordered_set_base_hook<unchecked>;

public:
    struct entry : age_hook, name_hook {
        flow_name name{};
        deltas::progress progress;
    };

    // Throws std::bad_alloc, std::length_error.
    explicit flow_table(std::size_t capacity);
    flow_table(const flow_table&) = delete;
    flow_table& operator=(const flow_table&) = delete;

    // Null if it is not there.
    entry* find(const flow_name& name) noexcept;

    // What has to go before there is room for another: null, or the one that was heard of least
    // recently among those that have ended, or if there are none, among all.
    entry* in_the_way() noexcept;
    void forget(entry& e) noexcept;

    // There must be room.
    entry& add(const flow_name& name) noexcept;

    // It has just been heard of, and may have ended or begun anew. `was_over`: before that.
    void touch(entry& e, bool was_over) noexcept;

    std::size_t live() const noexcept { return live_.size(); }

private:
    struct hash {
        std::uint64_t seed;
        std::size_t operator()(const flow_name& name) const noexcept;
    };
    struct name_of_entry {
        using type = flow_name;
        const flow_name& operator()(const entry& e) const noexcept { return e.name; }
    };
    // Neither allocates. What is in the lists is also in the set, but for those that are free.
    using by_age = boost::intrusive::list<entry, boost::intrusive::base_hook<age_hook>>;
    using by_name = boost::intrusive::unordered_set<entry, boost::intrusive::base_hook<name_hook>,
                                                    boost::intrusive::key_of_value<name_of_entry>,
                                                    boost::intrusive::hash<hash>,
                                                    boost::intrusive::power_2_buckets<true>>;

    by_age& list_of(bool ended) noexcept { return ended ? ended_ : live_; }

    std::size_t capacity_;
    std::vector<entry> entries_; // Never moves them: there is room for all.
    std::vector<by_name::bucket_type> buckets_;
    by_name names_;
    by_age live_;
    by_age ended_;
    by_age free_;
};

} // namespace ctflow::deltas
