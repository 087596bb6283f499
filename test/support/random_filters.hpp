// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter_subject.h"

#include <ctflow/filter.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

namespace ctflow::test {

// Filters and what they are asked about, from the same few addresses, ports and so on, so that they
// meet. The same ones for a seed.
class random_filters {
public:
    explicit random_filters(unsigned seed) : random_(seed) {}
    // One of the namespaces is that one.
    random_filters(unsigned seed, std::uint32_t netns) : random_(seed) { namespaces_[0] = netns; }

    // Of so many tests.
    filter make(std::size_t tests);

    // Of 1 to 20 tests, or, one in eight, of as many as the kernel takes.
    filter make();

    ctflow_filter_subject subject();
    std::vector<ctflow_filter_subject> subjects(std::size_t n);

private:
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <class Pool>
    auto one_of(const Pool& pool) {
        return pool[below(std::size(pool))];
    }
    flow_end end();
    filter address_test();
    filter port_test();
    filter mark_test();
    filter test();

    std::mt19937_64 random_;
    std::array<std::uint32_t, 3> namespaces_ = {4026531840, 4026532000, 4026532001};
};

} // namespace ctflow::test
