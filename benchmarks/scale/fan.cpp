// SPDX-License-Identifier: Apache-2.0
#include "fan.hpp"

#include "support/cpu.hpp"
#include "support/pipeline.hpp"
#include "support/receiver.hpp"
#include "support/statistics.hpp"

#include <ctflow/consumer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace ctflow::bench {
namespace {

namespace asio = boost::asio;

constexpr std::size_t batch_size = 256;

asio::awaitable<void> receive(consumer& from, std::uint64_t& count) {
    std::array<event, batch_size> batch;
    for (;;) {
        count += co_await from.async_receive(batch);
    }
}

std::vector<event> sample_batch() {
    ctflow_record record{};
    record.kind = CTFLOW_RECORD_UPDATE;
    record.family = AF_INET;
    return std::vector<event>(batch_size, event(record));
}

} // namespace

double measure_fanout(std::size_t count, double seconds) {
    asio::io_context context;
    consumers fan;
    std::deque<consumer> all;
    std::uint64_t received = 0;
    for (std::size_t i = 0; i < count; ++i) {
        auto& c = all.emplace_back(context, std::to_string(i));
        fan.add(c);
        asio::co_spawn(context, receive(c, received), asio::detached);
    }
    context.poll();

    const auto batch = sample_batch();
    const auto sink = fan.sink();
    constexpr int turns = 20;
    std::vector<double> tries;
    std::uint64_t sent = 0;
    const auto end = steady_ns() + static_cast<std::int64_t>(seconds * 1e9);
    do {
        const auto begin = steady_ns();
        for (int i = 0; i < turns; ++i) {
            sink->on_events(event_kind::update, batch);
            sink->flush();
            context.poll();
        }
        tries.push_back(static_cast<double>(steady_ns() - begin) / (turns * batch_size));
        sent += turns * batch_size * count;
    } while (steady_ns() < end);
    if (received != sent) {
        throw std::runtime_error("of " + std::to_string(sent) + " events " +
                                 std::to_string(received) + " were received");
    }
    return spread_of(std::move(tries)).median;
}

} // namespace ctflow::bench
