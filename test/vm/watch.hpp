// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/ctflow.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ctflow::test {

// How the probes of a run are attached: CTFLOW_ATTACH, fentry, kprobe or netfilter.
attach_mode attach_under_test();

// How their events travel: CTFLOW_TRANSPORT, ring_buffer or perf_buffer, which is the default.
transport_kind transport_under_test();

// A precondition of what netfilter's programs cannot see.
boost::test_tools::assertion_result by_tracing(boost::unit_test::test_unit_id);

// The default configuration with these.
config config_under_test();

// That, but every packet of a flow with a place in the table is reported.
config every_packet();

// That, but of the flows that a filter lets through.
config every_packet(const std::string& filter);

// A probe that runs, and a consumer that keeps all that it receives.
//
// Where probes see but one network namespace (netfilter), there is one for each of those that the
// test has made up to here, and a consumer for each.
class watch {
public:
    explicit watch(const config& c = config_under_test(),
                   std::size_t capacity = ctflow::consumer::default_capacity);
    ~watch();

    // Runs the reactor until it has seen what it is waiting for. Fails the test if that does not
    // come in a time that is far longer than it can take.
    void until(const std::string& what, const std::function<bool()>& seen);

    // Runs what is ready, without waiting.
    void poll();

    // Runs the reactor for a while.
    void idle(std::chrono::milliseconds duration);

    void stop();

    // Of all probes.
    void set_filter(const ctflow::filter& f);

    std::size_t probes() const noexcept { return 1 + others_.size(); }

    // Of all probes, added up, and of all consumers.
    probe_stats stats() const;
    consumer_stats received() const;

    using filter = std::function<bool(const event&)>;
    std::vector<event> select(const filter& f) const;
    std::size_t count(const filter& f) const { return select(f).size(); }

    boost::asio::io_context ctx;
    ctflow::probe probe;
    ctflow::consumer consumer;
    std::vector<event> events;
    std::optional<error_code> run_result;

private:
    struct further {
        further(boost::asio::io_context& ctx, const config& c, std::size_t capacity);

        ctflow::probe probe;
        ctflow::consumer consumer;
    };
    std::vector<std::unique_ptr<further>> others_;
};

inline watch::filter operator&&(watch::filter a, watch::filter b) {
    return [a = std::move(a), b = std::move(b)](const event& e) {
        return a(e) && b(e);
    };
}
inline watch::filter of_kind(event_kind kind) {
    return [kind](const event& e) {
        return e.kind() == kind;
    };
}
inline watch::filter in_netns(std::uint32_t inode) {
    return [inode](const event& e) {
        return e.netns() == inode;
    };
}
inline watch::filter of_proto(std::uint8_t proto) {
    return [proto](const event& e) {
        return e.proto() == proto;
    };
}
inline watch::filter from_port(std::uint16_t port) {
    return [port](const event& e) {
        return e.src_port() == port;
    };
}
inline watch::filter to_port(std::uint16_t port) {
    return [port](const event& e) {
        return e.dst_port() == port;
    };
}

} // namespace ctflow::test
