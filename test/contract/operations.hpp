// SPDX-License-Identifier: Apache-2.0
#pragma once

// ctflow's asynchronous operations, each as something that takes a completion token, and completes
// with a result that is known.
#include "support/events.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <cstddef>
#include <utility>

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
    static error_code expected() { return {}; }
    bool right(std::size_t n) const { return n == 2 && out[1].conntrack() == 8; }

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
    static error_code expected() { return {}; }
    static bool right(const event& e) { return e.conntrack() == 7; }

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
    static error_code expected() { return errc::buffer_pages; }
    static bool right() { return true; }

    explicit run_probe(boost::asio::io_context& ctx) : failed(ctx, impossible(), ignored) {}
    static config impossible() {
        config c;
        c.buffer_pages = 3;
        return c;
    }
    error_code ignored;
    probe failed;
};

using operations = boost::mp11::mp_list<receive_batch, receive_one, run_probe>;

} // namespace ctflow::test
