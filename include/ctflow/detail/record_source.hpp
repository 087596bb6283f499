// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <cstddef>
#include <span>

namespace ctflow::detail {

// The rings of one map, behind perf_buffer and ring_buffer: what is not a template of them. Called
// by one thread at a time.
template <class Record>
class record_source {
public:
    virtual ~record_source() = default;
    record_source(const record_source&) = delete;
    record_source& operator=(const record_source&) = delete;

    // A descriptor for the caller to own, once: readable when there may be records.
    virtual int descriptor(error_code& ec) = 0;

    // Has the kernel send to the rings: the last that is done before they are read, so that nobody
    // else is disturbed by what fails.
    virtual void start(error_code& ec, diagnostics& diag) = 0;

    // Has the kernel send no more, while what was handed out is still being read.
    virtual void stop() noexcept = 0;

    // Remembers how far the kernel is.
    virtual void mark() noexcept = 0;

    // Whether all before the mark has been taken.
    virtual bool reached_mark() const noexcept = 0;

    // Gives the room of what was handed out back to the kernel.
    virtual void release() noexcept = 0;

    // Whether there is something to take.
    virtual bool ready() const noexcept = 0;

    // Hands out as many records as there are, and out has room for. They stay until release().
    virtual std::size_t take(std::span<Record> out) = 0;

    // The descriptor was readable, and there was nothing to take. An error: there never will be.
    virtual error_code look_why() = 0;

protected:
    record_source() = default;
};

} // namespace ctflow::detail
