// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/run_handler.hpp>
#include <ctflow/error.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace ctflow::transport {

// Calls the handler of a run on its executor, never before this has returned. By way of io, since
// the executor behind a type-erased handler can dispatch but not post.
void complete(const boost::asio::any_io_executor& io, detail::run_handler handler, error_code ec);

// The same of a run that ends in its initiating function: by way of the handler's immediate
// executor, where Boost has those (1.82). Only if that runs it in place is it called before this
// has returned: hold no lock.
void complete_at_once(const boost::asio::any_io_executor& io, detail::run_handler handler,
                      error_code ec);

} // namespace ctflow::transport
