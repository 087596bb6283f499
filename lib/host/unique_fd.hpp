// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/unique_fd.hpp>

namespace ctflow::host {

using detail::unique_fd;

} // namespace ctflow::host
