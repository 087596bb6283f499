// SPDX-License-Identifier: Apache-2.0
//
// The kernel's choice is that of user space, of many flows by many filters, and while filters
// change. It takes a while.
#include "filter/evaluate.hpp"
#include "support/conntrack_insert.hpp"
#include "support/random_filters.hpp"
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <netinet/in.h>
#include <time.h>

using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

// Flows of random addresses and so on, in one namespace.
class crowd {
public:
    crowd(random_filters& random, std::uint32_t netns, std::size_t size) {
        while (all_.size() < size) {
            auto s = random.subject();
            if (!fits(s)) {
                continue;
            }
            s.netns = netns;
            s.bytes = s.packets = s.age = 0;
            if (place_.try_emplace(key_of(s), all_.size()).second) {
                all_.push_back(s);
            }
        }
    }

    const std::vector<ctflow_filter_subject>& all() const noexcept { return all_; }

    // Which of them an event is of.
    std::optional<std::size_t> find(const event& e) const {
        const auto found = place_.find(key_of(filtering::subject_of(e, 0)));
        return found == place_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    // Newer kernels do not know DCCP and UDP-Lite. A tuple that is its own reply is none, and one
    // whose reply is another's belongs to both.
    static bool fits(ctflow_filter_subject& s) {
        const bool icmp = s.proto == IPPROTO_ICMP || s.proto == IPPROTO_ICMPV6;
        if (!icmp && s.proto != IPPROTO_TCP && s.proto != IPPROTO_UDP && s.proto != IPPROTO_SCTP) {
            return false;
        }
        if (icmp) {
            s.dst_port = s.src_port;
        }
        return (s.proto != IPPROTO_ICMP || s.family == CTFLOW_FAMILY_IPV4) &&
               (s.proto != IPPROTO_ICMPV6 || s.family == CTFLOW_FAMILY_IPV6) &&
               std::memcmp(s.src_addr, s.dst_addr, sizeof(s.src_addr)) < 0 &&
               (s.src_addr[0] | s.src_addr[1]) != 0;
    }

    using key = std::tuple<std::array<unsigned long long, 4>, std::uint16_t, std::uint16_t,
                           std::uint16_t, std::uint8_t>;
    static key key_of(const ctflow_filter_subject& s) {
        const bool icmp = s.proto == IPPROTO_ICMP || s.proto == IPPROTO_ICMPV6;
        return {{s.src_addr[0], s.src_addr[1], s.dst_addr[0], s.dst_addr[1]},
                s.src_port,
                icmp ? std::uint16_t{0} : s.dst_port,
                s.zone,
                s.proto};
    }

    std::vector<ctflow_filter_subject> all_;
    std::map<key, std::size_t> place_;
};

// What a filter lets through of a crowd. Whether it does at the end of a flow may depend on how old
// it is by then, which is not known: it is sure if it is so for the ages between all that filters
// are made of.
class choice {
public:
    choice(const ctflow::filter& f, const crowd& of) : of_(of) {
        for (auto s : of.all()) {
            const bool young = filtering::evaluate(f, s);
            bool sure = true;
            for (const auto age : {999'999'999ULL, 1'000'000'000ULL, 60'000'000'000ULL}) {
                s.age = age;
                sure = sure && filtering::evaluate(f, s) == young;
            }
            flows_.push_back({young ? 1U : 0U, young ? 1U : 0U, sure});
            missing_ += young ? 1 : 0;
            missing_ += young && sure ? 1 : 0;
            accepted_ += young ? 1 : 0;
        }
    }

    // Crosses out what these tell.
    void take(std::vector<event>& events) {
        for (const auto& e : events) {
            if (e.kind() == event_kind::destroy && e.record().timestamp < began_) {
                continue; // An end of the round before, of which it was not sure that it comes.
            }
            BOOST_REQUIRE_MESSAGE(e.record().timestamp >= began_, to_string(e));
            const auto i = of_.find(e);
            BOOST_REQUIRE_MESSAGE(i.has_value(), to_string(e));
            auto& flow = flows_[*i];
            if (e.kind() == event_kind::update) {
                BOOST_REQUIRE_MESSAGE(flow.updates-- == 1, to_string(e));
                --missing_;
            } else if (flow.sure) {
                BOOST_REQUIRE_MESSAGE(flow.ends-- == 1, to_string(e));
                --missing_;
            }
        }
        events.clear();
    }

    std::size_t missing() const noexcept { return missing_; }
    std::size_t accepted() const noexcept { return accepted_; }

private:
    struct expected {
        unsigned updates;
        unsigned ends;
        bool sure; // Of its end.
    };
    static std::uint64_t boot_time() {
        timespec t{};
        ::clock_gettime(CLOCK_BOOTTIME, &t);
        return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(t.tv_nsec);
    }

    const crowd& of_;
    const std::uint64_t began_ = boot_time(); // By the clock of records.
    std::vector<expected> flows_;
    std::size_t missing_ = 0;
    std::size_t accepted_ = 0;
};

// CTFLOW_FILTERS, or 200.
std::size_t filters_under_test() {
    const char* value = std::getenv("CTFLOW_FILTERS");
    return value != nullptr && *value != 0 ? std::stoul(value) : 200;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(filter_choice, world)

// All of 2,000 flows come and go once for each of 200 filters: 400,000 that are let through as soon
// as they are there or not, and 400,000 ends. In CI once for each of 50.
BOOST_AUTO_TEST_CASE(the_kernel_chooses_as_user_space_does,
                     *boost::unit_test::precondition(by_tracing)) {
    const std::size_t rounds = filters_under_test();
    constexpr std::size_t flows = 2000;
    random_filters random(20261126, net.a.inode());
    const crowd all(random, net.a.inode(), flows);
    config c = every_packet("all");
    c.buffer_pages = 1024; // For the ends of all flows at once.
    watch w(c, 4 * flows);
    conntrack_insert insert(net.a);
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        const auto f = random.make();
        w.set_filter(f);
        choice chosen(f, all);
        BOOST_TEST_CONTEXT("filter " << i << ": " << f) {
            for (std::size_t n = 0; n < flows; ++n) {
                insert(all.all()[n]);
                if (n % 64 == 0) {
                    w.poll();
                }
            }
            net.a.run("conntrack -F");
            w.until("all that it lets through", [&] {
                chosen.take(w.events);
                return chosen.missing() == 0;
            });
        }
        accepted += chosen.accepted();
    }
    w.idle(300ms);
    BOOST_TEST(w.count(of_kind(event_kind::update)) == 0U);
    BOOST_TEST_MESSAGE(accepted << " of " << rounds * flows << " are let through");
    BOOST_TEST(accepted > rounds * flows / 4);
    BOOST_TEST(accepted < rounds * flows * 3 / 4);
    w.stop();
    check_nothing_lost(w);
}

// Each packet to 4242 has its event, and each flow there its end, whatever becomes of the others.
BOOST_AUTO_TEST_CASE(what_both_filters_let_through_loses_no_event) {
    constexpr std::size_t changes = 1000;
    // None is to end before its last packet: by itself, or for the next.
    const scoped_sysctl room("netfilter/nf_conntrack_max", "300000");
    for (const netns* ns : {&net.a, &net.b}) {
        ns->sysctl("netfilter/nf_conntrack_udp_timeout", "3600");
    }
    const auto one = ctflow::filter::parse("dst port 4242 or dst port 7");
    const auto other = ctflow::filter::parse("dst port 4242 or (dst port 5353 and packets >= 2)");
    config c = every_packet("dst port 4242 or dst port 7");
    c.buffer_pages = 1024;
    watch w(c, 1 << 17);
    auto wanted = bind_udp(net.b, "192.0.2.2", 4242);
    auto sometimes = bind_udp(net.b, "192.0.2.2", 5353);
    std::atomic<bool> over = false;
    std::uint64_t packets = 0;
    std::uint64_t flows = 0;
    std::thread sending([&] {
        for (std::uint16_t port = 10000; !over && port < 60000; ++port, ++flows) {
            auto client = bind_udp(net.a, "192.0.2.1", port);
            for (int i = 0; i < 4; ++i, ++packets) {
                send(client, sometimes, 10);
                send(client, wanted, 100);
            }
            // Not more than the machine bears, and a new flow for each few changes.
            std::this_thread::sleep_for(5ms);
        }
    });
    std::thread changing([&] {
        for (std::size_t i = 0; i < changes; ++i) {
            w.set_filter(i % 2 == 0 ? other : one);
        }
        over = true;
    });
    const auto mine = [&](event_kind kind) {
        return in_netns(net.a.inode()) && of_kind(kind) && to_port(4242);
    };
    while (!over) {
        w.idle(20ms);
    }
    sending.join();
    changing.join();
    net.a.run("conntrack -F");
    w.until("the last event", [&] {
        return w.count(mine(event_kind::update)) >= packets &&
               w.count(mine(event_kind::destroy)) >= flows;
    });
    w.idle(300ms);
    BOOST_TEST_MESSAGE(changes << " changes, " << flows << " flows, " << packets << " packets");
    BOOST_TEST(w.count(mine(event_kind::update)) == packets);
    BOOST_TEST(w.count(mine(event_kind::destroy)) == flows);
    BOOST_TEST(flows > 100U);
    w.stop();
    check_nothing_lost(w);
}

BOOST_AUTO_TEST_SUITE_END()
