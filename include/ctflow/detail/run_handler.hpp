// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <boost/asio/any_completion_handler.hpp>

namespace ctflow::detail {

// Any handler of async_run: the compiled half is not a template.
using run_handler = boost::asio::any_completion_handler<void(error_code)>;

} // namespace ctflow::detail
