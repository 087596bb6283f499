// SPDX-License-Identifier: Apache-2.0
#include "probe/failed_probe.hpp"

#include "transport/complete.hpp"

#include <utility>

namespace ctflow::detail {

void failed_probe::run(run_handler handler) {
    transport::complete_at_once(executor_, std::move(handler), reason_);
}

} // namespace ctflow::detail
