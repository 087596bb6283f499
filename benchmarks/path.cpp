// SPDX-License-Identifier: Apache-2.0
//
// What the steps of an event's path in user space cost, without a kernel: from the ring's memory
// into a batch, from the batch to the consumers, and what people do with an event after.
#include "probe/fanout.hpp"
#include "probe/registry.hpp"
#include "transport/ring.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/io_context.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <linux/perf_event.h>
#include <sys/socket.h>

namespace {

constexpr std::size_t batch_size = 256;

ctflow_record sample() {
    ctflow_record r{};
    r.kind = CTFLOW_RECORD_UPDATE;
    r.family = AF_INET;
    r.proto = 17;
    r.packets_orig = 12345;
    r.conntrack = 0xffff888012345678;
    std::memcpy(r.src_addr, "\xc0\x00\x02\x01", 4);
    std::memcpy(r.dst_addr, "\xc0\x00\x02\x02", 4);
    return r;
}

// A ring of 256 KiB, full of records as the kernel writes them: 120 bytes each.
std::vector<std::byte> full_ring(std::uint64_t& head) {
    std::vector<std::byte> data(std::size_t{256} * 1024);
    const perf_event_header header{PERF_RECORD_SAMPLE, 0, 120};
    const std::uint32_t raw_size = 108;
    const auto record = sample();
    for (head = 0; head + header.size <= data.size(); head += header.size) {
        std::memcpy(&data[head], &header, sizeof(header));
        std::memcpy(&data[head + 8], &raw_size, sizeof(raw_size));
        std::memcpy(&data[head + 12], &record, sizeof(record));
    }
    return data;
}

void per_event(benchmark::State& state, std::size_t events) {
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
    state.counters["per_event"] = benchmark::Counter(
        static_cast<double>(events), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void read_ring(benchmark::State& state) {
    std::uint64_t head = 0;
    const auto data = full_ring(head);
    ctflow::trailer_pool trailers;
    std::array<ctflow::event, batch_size> out;
    std::size_t events = 0;
    for (auto _ : state) {
        for (std::uint64_t tail = 0; tail != head;) {
            const auto pass = ctflow::transport::read_ring(
                data, head, tail, ctflow::event_kind::update, trailers, out);
            tail = pass.tail;
            events += pass.events;
            benchmark::DoNotOptimize(out);
        }
    }
    per_event(state, events);
}
BENCHMARK(read_ring);

// From a batch to some consumers, which take it out again.
void fan_out(benchmark::State& state) {
    boost::asio::io_context context;
    ctflow::detail::registry registry;
    ctflow::detail::fanout fanout(registry);
    std::vector<ctflow::consumer> consumers;
    for (int i = 0; i < state.range(0); ++i) {
        consumers.emplace_back(context, std::to_string(i));
        ctflow::error_code ec;
        registry.add(consumers.back().core(), ec);
    }
    const std::vector<ctflow::event> batch(batch_size, ctflow::event(sample()));
    std::array<ctflow::event, batch_size> out;
    std::size_t events = 0;
    for (auto _ : state) {
        fanout.on_events(ctflow::event_kind::update, batch);
        fanout.flush();
        for (auto& c : consumers) {
            benchmark::DoNotOptimize(c.try_receive(out));
        }
        events += batch.size();
    }
    per_event(state, events);
}
BENCHMARK(fan_out)->Arg(1)->Arg(4)->Arg(16);

void flow_id(benchmark::State& state) {
    ctflow::event e(sample());
    for (auto _ : state) {
        benchmark::DoNotOptimize(e);
        benchmark::DoNotOptimize(e.flow_id());
    }
}
BENCHMARK(flow_id);

void format(benchmark::State& state) {
    const ctflow::event e(sample());
    for (auto _ : state) {
        benchmark::DoNotOptimize(to_string(e));
    }
}
BENCHMARK(format);

} // namespace

BENCHMARK_MAIN();
