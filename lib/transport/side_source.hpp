// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace ctflow::transport {

// Something besides the rings that a reader reads, and that tells of what comes after what the
// rings hold: flows' ends, of which the rings have the beginnings. Called in the reader's strand.
class side_source {
public:
    // What to wait for.
    virtual int fd() const noexcept = 0;

    // Takes what is there, but no more than is good for others' turn, and without waiting. False if
    // there may be more.
    virtual bool take() = 0;

    // Hands on what was taken. Before, the rings are drained. False if it asks for another turn.
    virtual bool tell() = 0;

    // How often tick() is to be called, and then the two above, though there may be nothing to
    // read; never if zero.
    virtual std::chrono::nanoseconds interval() const noexcept { return {}; }
    virtual void tick() {}

protected:
    ~side_source() = default;
};

} // namespace ctflow::transport
