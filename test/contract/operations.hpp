// SPDX-License-Identifier: Apache-2.0
#pragma once

// ctflow's asynchronous operations, each as something that takes a completion token, and completes
// with a result that is known.
#include "support/events.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/mp11/list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include <sys/eventfd.h>

namespace ctflow::test {

struct receive_batch {
    template <class Token>
    auto operator()(Token&& token) {
        return flows.async_receive(out, std::forward<Token>(token));
    }
    void feed() {
        flows.core()->push(numbered_from(7, 2));
        flows.core()->flush();
    }
    static constexpr bool waits = true;
    static error_code expected() { return {}; }
    bool right(std::size_t n) const { return n == 2 && out[1].conntrack() == 8; }

    auto by_default() { return flows.async_receive(out); }

    explicit receive_batch(boost::asio::io_context& ctx) : flows(ctx, "batch") {}
    consumer flows;
    std::array<event, 4> out;
};

struct receive_one {
    template <class Token>
    auto operator()(Token&& token) {
        return flows.async_receive(std::forward<Token>(token));
    }
    void feed() {
        flows.core()->push(numbered_from(7, 1));
        flows.core()->flush();
    }
    static constexpr bool waits = true;
    static error_code expected() { return {}; }
    static bool right(const event& e) { return e.conntrack() == 7; }

    auto by_default() { return flows.async_receive(); }

    explicit receive_one(boost::asio::io_context& ctx) : flows(ctx, "one") {}
    consumer flows;
};

// Of a probe that could not be made, which needs no right: it completes with the reason.
struct run_probe {
    template <class Token>
    auto operator()(Token&& token) {
        return failed.async_run(std::forward<Token>(token));
    }
    void feed() {}
    static constexpr bool waits = false;
    static error_code expected() { return errc::buffer_pages; }
    static bool right() { return true; }

    auto by_default() { return failed.async_run(); }

    explicit run_probe(boost::asio::io_context& ctx) : failed(ctx, impossible(), ignored) {}
    static config impossible() {
        config c;
        c.buffer_pages = 3;
        return c;
    }
    error_code ignored;
    probe failed;
};

// Of a buffer that was never opened, which needs no right either.
template <class Buffer, class Record, class... Options>
struct receive_of_none {
    template <class Token>
    auto operator()(Token&& token) {
        return closed.async_receive(out, std::forward<Token>(token));
    }
    void feed() {}
    static constexpr bool waits = false;
    static error_code expected() { return boost::asio::error::bad_descriptor; }
    static bool right(std::size_t n) { return n == 0; }
    auto by_default() { return closed.async_receive(out); }

    explicit receive_of_none(boost::asio::io_context& ctx)
        : closed(ctx, -1, Options()..., ignored, text) {}
    error_code ignored;
    diagnostics text;
    Buffer closed;
    std::array<Record, 4> out;
};
struct receive_perf : receive_of_none<perf_buffer, perf_record, perf_buffer_options> {
    using receive_of_none::receive_of_none;
};
struct receive_ring : receive_of_none<ring_buffer, ring_record> {
    using receive_of_none::receive_of_none;
};

// Of either buffer, with a ring that is none, and so has something to wait for.
struct receive_records {
    template <class Token>
    auto operator()(Token&& token) {
        return detail::async_receive_records(stream, std::span<ring_record>(out),
                                             std::forward<Token>(token));
    }
    void feed() { (void)!::eventfd_write(ring->fd, ring->records = 2); }
    static constexpr bool waits = true;
    static error_code expected() { return {}; }
    bool right(std::size_t n) const { return n == 2 && out[1].data.size() == 1; }
    auto by_default() { return (*this)(detail::default_token_t<boost::asio::any_io_executor>()); }

    explicit receive_records(boost::asio::io_context& ctx)
        : ring(new source),
          stream(std::make_shared<stream_type>(ctx.get_executor(), std::unique_ptr<source>(ring),
                                               ignored, text)) {}

    struct source final : detail::record_source<ring_record> {
        int descriptor(error_code&) override { return fd = ::eventfd(0, 0); }
        void start(error_code&, diagnostics&) override {}
        void stop() noexcept override {}
        void mark() noexcept override {}
        bool reached_mark() const noexcept override { return !ready(); }
        void release() noexcept override {}
        bool ready() const noexcept override { return records != 0; }
        std::size_t take(std::span<ring_record> to) override {
            const auto n = std::min(to.size(), std::exchange(records, 0));
            std::ranges::fill(to.first(n), ring_record{{data.data() + n - 1, 1}});
            return n;
        }
        error_code look_why() override { return {}; }

        std::array<std::byte, 2> data{};
        std::size_t records = 0;
        int fd = -1;
    };
    using stream_type = detail::record_stream<ring_record, boost::asio::any_io_executor>;
    error_code ignored;
    diagnostics text;
    source* ring; // The stream's.
    std::shared_ptr<stream_type> stream;
    std::array<ring_record, 4> out;
};

using operations = boost::mp11::mp_list<receive_batch, receive_one, run_probe, receive_perf,
                                        receive_ring, receive_records>;

} // namespace ctflow::test
