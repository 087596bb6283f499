// SPDX-License-Identifier: Apache-2.0
#include "subjects/ctflow_subject.hpp"

#include "support/pipeline.hpp"
#include "support/worker.hpp"

#include <ctflow/consumer.hpp>
#include <ctflow/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <exception>
#include <optional>
#include <span>
#include <string>

namespace ctflow::bench {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> receive_batches(consumer& from, receiver& to) {
    std::array<event, 256> batch;
    for (;;) {
        const std::size_t n = co_await from.async_receive(batch);
        to.woke();
        to.take(std::span(batch).first(n));
    }
}

asio::awaitable<void> receive_one_by_one(consumer& from, receiver& to) {
    for (;;) {
        const event e = co_await from.async_receive();
        to.woke();
        to.take({&e, 1});
    }
}

// The stream's end is how these coroutines end.
void on_end(std::exception_ptr failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
        if (e.code() != errc::consumer_closed) {
            throw;
        }
    }
}

class ctflow_subject final : public subject {
public:
    ctflow_subject(transport_kind kind, const usage& u)
        : subject(make_source(kind), u.consumers), usage_(u),
          pipeline_(context_.get_executor(), *source_, kind, fan_.sink()) {
        auto& context = u.another_context ? other_context_ : context_;
        for (std::size_t i = 0; i < u.consumers; ++i) {
            fan_.add(consumers_.emplace_back(context, std::to_string(i)));
        }
    }

    ~ctflow_subject() override {
        context_.stop(); // In case of an exception between start and finish.
        other_context_.stop();
    }

    void start() override {
        for (std::size_t i = 0; i < consumers_.size(); ++i) {
            auto& c = consumers_[i];
            asio::co_spawn(c.get_executor(),
                           usage_.one_by_one ? receive_one_by_one(c, receivers_[i])
                                             : receive_batches(c, receivers_[i]),
                           on_end);
        }
        pipeline_.run();
        thread_.emplace(consumer_cpu, [this] { context_.run(); });
        if (usage_.another_context) {
            other_thread_.emplace(consumer_cpu, [this] { other_context_.run(); });
        }
    }

    void finish() override {
        pipeline_.stop();
        for (auto* each : {&thread_, &other_thread_}) {
            cpu_ns_ += *each ? (*each)->join() : 0;
        }
        for (std::size_t i = 0; i < consumers_.size(); ++i) {
            lost_[i] = consumers_[i].stats().events_lost;
        }
        if (pipeline_.failure()) {
            complaint_ = "the reader failed: " + pipeline_.failure().message();
        } else if (fan_.malformed() != 0) {
            complaint_ = std::to_string(fan_.malformed()) + " malformed records";
        }
    }

private:
    const usage usage_;
    consumers fan_; // Outlives the contexts, and with them the reader.
    asio::io_context context_;
    asio::io_context other_context_;
    std::deque<consumer> consumers_;
    pipeline pipeline_;
    std::optional<worker> thread_;
    std::optional<worker> other_thread_;
};

} // namespace

std::unique_ptr<subject> make_ctflow(transport_kind kind, const usage& u) {
    return std::make_unique<ctflow_subject>(kind, u);
}

} // namespace ctflow::bench
