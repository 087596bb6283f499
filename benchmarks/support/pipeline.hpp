// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/fanout.hpp"
#include "probe/registry.hpp"
#include "support/emitter.hpp"
#include "transport/buffer.hpp"
#include "transport/event_sink.hpp"
#include "transport/reader.hpp"
#include "transport/record_rings.hpp"

#include <ctflow/config.hpp>
#include <ctflow/consumer.hpp>
#include <ctflow/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ctflow::bench {

// The insides of a probe, put together as a probe does, but behind another source of events. All
// that knows how stands in this file.

// Writes into a buffer of the kernel that has the size which a probe gives it by default.
std::unique_ptr<test::emitter> make_source(transport_kind kind);

// The size of each perf buffer.
std::size_t perf_buffer_pages();

// Of simulated rings.
std::shared_ptr<transport::reader> make_reader(const boost::asio::any_io_executor& executor,
                                               const std::vector<transport::ring>& rings,
                                               std::shared_ptr<transport::event_sink> sink);

// Our reader on the rings that a source writes.
class pipeline {
public:
    pipeline(const boost::asio::any_io_executor& executor, const test::emitter& source,
             transport_kind kind, std::shared_ptr<transport::event_sink> sink);

    void run();
    void stop() { reader_->stop({}); } // Drains first.

    // Why the reader has given up.
    error_code failure() const noexcept { return failure_; }

private:
    std::unique_ptr<transport::record_rings> rings_;
    std::shared_ptr<transport::reader> reader_;
    error_code failure_;
};

// A sink with consumers.
class consumers {
public:
    void add(const consumer& c);
    std::shared_ptr<transport::event_sink> sink() const { return fanout_; }
    std::uint64_t malformed() const;

private:
    detail::registry registry_;
    std::shared_ptr<detail::fanout> fanout_ = std::make_shared<detail::fanout>(registry_);
};

} // namespace ctflow::bench
