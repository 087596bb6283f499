// SPDX-License-Identifier: Apache-2.0
#include "support/pipeline.hpp"

#include "host/locked_memory.hpp"

#include <bit>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace ctflow::bench {

std::unique_ptr<test::emitter> make_source(transport_kind kind) {
    const auto cpus = static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN));
    return std::make_unique<test::emitter>(kind, std::bit_ceil(perf_buffer_pages() * cpus));
}

std::size_t perf_buffer_pages() {
    return host::with_sizes({}).buffer_pages;
}

std::shared_ptr<transport::reader> make_reader(const boost::asio::any_io_executor& executor,
                                               const std::vector<transport::ring>& rings,
                                               std::shared_ptr<transport::event_sink> sink) {
    std::vector<transport::ring_source> sources;
    for (const auto& each : rings) {
        sources.push_back({event_kind::update, each});
    }
    return std::make_shared<transport::reader>(executor, sources, std::move(sink));
}

pipeline::pipeline(const boost::asio::any_io_executor& executor, const test::emitter& source,
                   transport_kind kind, std::shared_ptr<transport::event_sink> sink) {
    error_code ec;
    diagnostics diag;
    config c = host::with_sizes({});
    c.transport = kind;
    rings_ = std::make_unique<transport::record_rings>(source.maps(), c, ec, diag);
    if (ec) {
        throw std::runtime_error("opening the rings: " + ec.message() + ": " + diag);
    }
    reader_ = std::make_shared<transport::reader>(executor, rings_->sources(), std::move(sink),
                                                  nullptr, rings_->told());
}

void pipeline::run() {
    reader_->run([this](error_code ec) { failure_ = ec; });
}

void consumers::add(const consumer& c) {
    error_code ec;
    registry_.add(c.core(), ec);
    if (ec) {
        throw std::runtime_error("registering a consumer: " + ec.message());
    }
}

std::uint64_t consumers::malformed() const {
    probe_stats s;
    fanout_->read(s);
    return s.perf_records_malformed;
}

} // namespace ctflow::bench
