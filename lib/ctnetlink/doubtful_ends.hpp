// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctnetlink/message.hpp"

#include <ctflow/detail/record.h>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace ctflow::ctnetlink {

constexpr std::uint64_t distance(std::uint64_t a, std::uint64_t b) noexcept {
    return a < b ? b - a : a - b;
}

// When an end is read, by the clock of records.
struct reading {
    std::uint64_t now;
    std::uint64_t caught_up; // All ends from before that have been read before.
};

// A look through conntrack's table.
struct resync {
    std::uint32_t number;
    std::uint64_t began; // By the clock of records.
};

// Ends of which nobody knows whose they are: of a flow, or of one that had its key before and no
// records. They wait, one for each flow, until that turns out to be alive after all, or gone.
class doubtful_ends {
public:
    // A flow this young, in ns, may be missing in a list of the table without being gone: its first
    // packet is still under way to its entry there, if not for long, since nothing but conntrack
    // comes after the program.
    static constexpr std::uint64_t confirmation_time = 100'000'000;

    // When the last flow of a key that has no records was born, by the clock of records; 0 if there
    // is none since the last one that has, or its birth was not seen.
    using unrecorded = std::function<std::uint64_t(const flow_key&)>;

    struct end {
        message about;
        reading at;
        std::uint32_t undecided; // By that resync.
    };

    explicit doubtful_ends(unrecorded ask) : ask_(std::move(ask)) {}

    bool empty() const noexcept { return ends_.empty(); }
    void clear() noexcept { ends_.clear(); }

    // `last`: the number of the resync that began last. It may have found either.
    void add(std::uint32_t flow, const message& m, const reading& at, std::uint32_t last);

    // A flow for which one waits.
    std::optional<std::uint32_t> any() const noexcept;

    // The one that waits, if any, waits no more.
    std::optional<end> take(std::uint32_t flow);

    // Whether one waits that is not the flow's, of which that is heard.
    bool is_refuted_by(std::uint32_t flow, const ctflow_record& r) const noexcept;

    // Whether one waits that is the flow's own, since the end that is read now is of another, that
    // came after. `start`: the flow's, as estimated, if it is not 0. `next`: when a later one of
    // its key was born, 0 if none is known.
    bool is_own(std::uint32_t flow, std::uint64_t start, std::uint64_t next, const message& m,
                const reading& at) const;

    // One of the flow's key is listed. False if that is another, or may be. `last`: no other flow
    // of that key has begun since.
    bool is_listed(std::uint32_t flow, bool last, const message& m, const resync& by);

    // Whether one waits of which that resync does not tell. Another may.
    bool is_undecided_by(std::uint32_t flow, std::uint32_t number) const noexcept;

private:
    std::uint64_t unrecorded_birth(const flow_key& key) const;
    const end* find(std::uint32_t flow) const noexcept;

    unrecorded ask_;
    boost::unordered_flat_map<std::uint32_t, end> ends_;
};

} // namespace ctflow::ctnetlink
