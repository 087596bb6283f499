// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <functional>

namespace ctflow::transport {

// Tells of rings that are to be read in the place of others, those of CPUs that come online, and of
// that nothing will come any more. Called in the reader's strand.
class ring_changes {
public:
    // Of a ring that is new, by its place among the sources. The one that was there, if any, must
    // not be read any more when this returns.
    using replace = std::function<void(std::size_t place, const ring& fresh)>;

    // What to wait for.
    virtual int fd() const noexcept = 0;

    // Takes what is there, without waiting. An error ends the run.
    virtual error_code take(const replace& with) = 0;

protected:
    ~ring_changes() = default;
};

} // namespace ctflow::transport
