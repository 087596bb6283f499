// SPDX-License-Identifier: Apache-2.0
#include "bpf/unreported_end.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

using ctflow::bpf::is_its;
using ctflow::bpf::longest_turn;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t read_at = 100 * second;
constexpr std::uint64_t unit = CTFLOW_FLOW_BITS + 1; // Of births.
constexpr std::uint64_t boot_to_real = 5000 * second;

ctflow_flow_state born_at(std::uint64_t time, bool follows = false) {
    return {(time & ~CTFLOW_FLOW_BITS) | (follows ? CTFLOW_FLOW_FOLLOWS : 0), 0};
}

// Without the kernel's times.
bool asked(const ctflow_flow_state& flow, std::uint64_t caught_up) {
    ctflow_record record{};
    record.timestamp = read_at;
    return is_its({record, 0, 0, caught_up}, flow, boot_to_real);
}

bool asked_with_stop(const ctflow_flow_state& flow, std::uint64_t stop) {
    ctflow_record record{};
    record.timestamp = read_at;
    return is_its({record, 0, stop, 0}, flow, boot_to_real);
}

} // namespace

BOOST_AUTO_TEST_SUITE(unreported_end)

BOOST_AUTO_TEST_CASE(what_had_begun_when_all_ends_were_read_has_not_ended_before) {
    for (const bool follows : {false, true}) {
        BOOST_TEST(asked(born_at(98 * second, follows), 99 * second));
        BOOST_TEST(
            asked(born_at(99 * second + second / 2, follows), 99 * second + second / 2 + unit));
    }
}

BOOST_AUTO_TEST_CASE(what_has_begun_since_may_follow_the_one_that_ended) {
    BOOST_TEST(!asked(born_at(98 * second, true), 97 * second));
    BOOST_TEST(!asked(born_at(read_at - second / 2), 97 * second)); // One that nobody knew.
    BOOST_TEST(asked(born_at(read_at - longest_turn), 97 * second));
    BOOST_TEST(!asked(born_at(read_at - longest_turn + unit), 97 * second));
}

BOOST_AUTO_TEST_CASE(nobody_ends_before_he_begins) {
    BOOST_TEST(!asked(born_at(read_at + unit), 0));
    BOOST_TEST(!asked(born_at(read_at + unit), read_at + second)); // Of which there is none.
}

BOOST_AUTO_TEST_CASE(flows_may_be_older_than_the_clock) {
    BOOST_TEST(asked(born_at(std::uint64_t{0} - 60 * second), second));
    BOOST_TEST(asked_with_stop(born_at(std::uint64_t{0} - 60 * second), boot_to_real));
}

BOOST_AUTO_TEST_CASE(the_kernels_time_of_the_end_says_more) {
    for (const bool follows : {false, true}) {
        const auto flow = born_at(98 * second, follows);
        BOOST_TEST(asked_with_stop(flow, boot_to_real + 98 * second));
        BOOST_TEST(!asked_with_stop(flow, boot_to_real + 98 * second - unit));
    }
}

BOOST_AUTO_TEST_SUITE_END()
