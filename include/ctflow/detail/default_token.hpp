// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <type_traits>

namespace ctflow::detail {

// Until Boost 1.86 an executor without a default token has void for one; deferred is what newer
// Boost takes, and what co_await wants.
template <class Executor, class Token = boost::asio::default_completion_token_t<Executor>>
using default_token_t = std::conditional_t<std::is_void_v<Token>, boost::asio::deferred_t, Token>;

} // namespace ctflow::detail
