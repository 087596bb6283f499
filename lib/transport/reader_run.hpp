// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/reader.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <memory>
#include <utility>

namespace ctflow::transport {

// Owned by the waits and posted functions of a run, not by the reader: if the execution context
// is destroyed under it, it goes with them, and the handler with it.
struct reader::run_state {
    using executor =
        boost::asio::associated_executor_t<detail::run_handler, boost::asio::any_io_executor>;

    run_state(std::shared_ptr<reader> s, detail::run_handler h)
        : self(std::move(s)), handler(std::move(h)),
          work(boost::asio::get_associated_executor(handler, self->strand_.get_inner_executor())) {}
    ~run_state() {
        if (!done) {
            self->forsake();
        }
    }
    run_state(const run_state&) = delete;
    run_state& operator=(const run_state&) = delete;

    std::shared_ptr<reader> self;
    detail::run_handler handler;
    boost::asio::executor_work_guard<executor> work;
    bool done = false;
};

} // namespace ctflow::transport
