// SPDX-License-Identifier: Apache-2.0
//
// What differs between the ways that events travel, and what must not.
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <bpf/bpf.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;

namespace {

// The sizes of all maps of a type that are in the kernel.
std::vector<std::uint32_t> sizes_of_maps(bpf_map_type type) {
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;) {
        const int fd = bpf_map_get_fd_by_id(id);
        bpf_map_info info{};
        std::uint32_t length = sizeof(info);
        if (fd < 0) {
            continue; // Gone meanwhile.
        }
        BOOST_REQUIRE(bpf_obj_get_info_by_fd(fd, &info, &length) == 0);
        if (info.type == type) {
            sizes.push_back(info.max_entries);
        }
        ::close(fd);
    }
    return sizes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(transport)

BOOST_AUTO_TEST_CASE(the_other_transport_takes_no_memory) {
    const bool by_ring_buffer = transport_under_test() == transport_kind::ring_buffer;
    config c = config_under_test();
    c.buffer_pages = 8;
    asio::io_context context;
    const probe p(context, c);
    const auto rings = sizes_of_maps(BPF_MAP_TYPE_RINGBUF);
    const auto arrays = sizes_of_maps(BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    BOOST_TEST(arrays.size() == (by_ring_buffer ? 0U : 2U));
    BOOST_TEST(rings.size() == (by_ring_buffer ? 3U : 1U)); // The reserve, by either.
    const auto pages = std::bit_ceil(8 * static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
    const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    BOOST_TEST(std::ranges::count(rings, 1024 * page_size) == 1);
    BOOST_TEST(std::ranges::count(rings, pages * page_size) == (by_ring_buffer ? 2 : 0));
}

BOOST_FIXTURE_TEST_CASE(what_finds_no_room_is_counted_and_no_more_than_that, world) {
    config c = every_packet();
    c.buffer_pages = 1;
    watch w(c);
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    constexpr unsigned packets = 500;
    for (unsigned i = 0; i < packets; ++i) { // While nobody reads.
        send(a, b, 10);
        receive(b);
    }
    BOOST_TEST(w.stats().perf_events_update_lost > 0U);

    // The full ring is read, and the next event comes by itself.
    w.until("what the ring held", [&] { return !w.events.empty(); });
    w.poll();
    send(a, b, 10);
    for (const netns* ns : {&net.a, &net.b}) {
        w.until("the event after", [&] {
            return w.count(in_netns(ns->inode()) && from_port(1001) &&
                           [&](const event& e) { return e.packets_orig() == packets + 1; }) == 1;
        });
    }
    w.stop();
    const auto s = w.stats();
    BOOST_TEST(s.perf_events_update + s.perf_events_update_lost == 2U * (packets + 1));
    BOOST_TEST(s.perf_events_update == w.count(of_kind(event_kind::update)));
    BOOST_TEST(s.perf_events_total == s.perf_events_update + s.perf_events_destroy);
    BOOST_TEST(s.perf_bytes_total == s.perf_events_total * event_length);
    BOOST_TEST(s.perf_records_malformed == 0U);
}

// With the default configuration.
BOOST_FIXTURE_TEST_CASE(a_flood_of_ends_while_the_reader_is_stalled_loses_none, world) {
    constexpr std::size_t flows = 10'000; // In either namespace.
    const scoped_sysctl room("netfilter/nf_conntrack_max", "65536");
    watch w(config_under_test(), 65536);
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    const auto to = boost::asio::ip::make_address("192.0.2.2");
    for (std::size_t i = 0; i < flows; ++i) {
        const auto port = static_cast<std::uint16_t>(10'000 + i);
        boost::system::error_code refused; // Nobody listens, and ICMP says so.
        a.send_to(boost::asio::buffer("x", 1), {to, port}, 0, refused);
        if (i % 100 == 0) {
            w.poll();
        }
    }
    const auto mine = from_port(1001) && of_kind(event_kind::destroy);
    w.until("the beginnings",
            [&] { return w.count(from_port(1001) && of_kind(event_kind::update)) >= 2 * flows; });
    net.a.run("conntrack -F");
    net.b.run("conntrack -F");
    ::sleep(1);
    w.until("the ends", [&] { return w.count(mine) >= 2 * flows; });
    BOOST_TEST(w.count(mine) == 2 * flows);
    BOOST_TEST(w.stats().perf_events_destroy_lost == 0U);
    BOOST_TEST(w.received().events_lost == 0U);
    BOOST_TEST_MESSAGE(w.stats().destroys_in_reserve << " of them in reserve");
}

BOOST_AUTO_TEST_SUITE_END()
