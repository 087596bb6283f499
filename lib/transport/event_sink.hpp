// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/record_tag.hpp"

#include <ctflow/event.hpp>

#include <cstdint>
#include <span>

namespace ctflow::transport {

// Where a transport puts what it has read. Called from one thread at a time.
class event_sink {
public:
    // Some events of one kind, in the order of their ring.
    virtual void on_events(event_kind kind, std::span<const event> batch) = 0;

    // Some updates of a ring whose records have tags, one for each. The sink may change them.
    virtual void on_tagged(std::span<event> batch, std::span<const record_tag> tags) {
        (void)tags;
        on_events(event_kind::update, batch);
    }

    virtual void on_malformed(std::uint64_t records) = 0;

    // The end of a batch: whoever waits may be told.
    virtual void flush() = 0;

    // There will be no more.
    virtual void close() = 0;

protected:
    ~event_sink() = default;
};

} // namespace ctflow::transport
