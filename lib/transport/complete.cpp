// SPDX-License-Identifier: Apache-2.0
#include "transport/complete.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION >= 108200
#include <boost/asio/associated_immediate_executor.hpp>
#endif

#include <utility>

namespace ctflow::transport {

namespace asio = boost::asio;

namespace {

// What calls the handler on its executor, to be run on another. The guard keeps the handler's
// context running meanwhile.
auto last_step(const asio::any_io_executor& io, detail::run_handler handler, error_code ec) {
    const auto target = asio::get_associated_executor(handler, io);
    auto call = [handler = std::move(handler), ec]() mutable {
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.clear();
        }
        std::move(handler)(ec);
    };
    return [call = std::move(call), work = asio::make_work_guard(target)]() mutable {
        asio::dispatch(work.get_executor(), std::move(call));
    };
}

} // namespace

void complete(const asio::any_io_executor& io, detail::run_handler handler, error_code ec) {
    asio::post(io, last_step(io, std::move(handler), ec));
}

void complete_at_once(const asio::any_io_executor& io, detail::run_handler handler, error_code ec) {
#if BOOST_VERSION >= 108200
    const auto immediate = asio::get_associated_immediate_executor(handler, io);
    asio::dispatch(immediate, last_step(io, std::move(handler), ec));
#else
    complete(io, std::move(handler), ec);
#endif
}

} // namespace ctflow::transport
