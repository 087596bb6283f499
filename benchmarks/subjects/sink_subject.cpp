// SPDX-License-Identifier: Apache-2.0
#include "subjects/sink_subject.hpp"

#include "support/pipeline.hpp"
#include "support/worker.hpp"

#include <ctflow/consumer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>

namespace ctflow::bench {
namespace {

namespace asio = boost::asio;

class sink_subject : public subject {
public:
    explicit sink_subject(transport_kind kind) : subject(make_source(kind), 1), kind_(kind) {}
    ~sink_subject() override { context_.stop(); }

    void start() override {
        pipeline_.emplace(context_.get_executor(), *source_, kind_, make_sink());
        pipeline_->run();
        thread_.emplace(consumer_cpu, [this] { context_.run(); });
    }

    void finish() override {
        pipeline_->stop();
        cpu_ns_ = thread_->join();
        if (pipeline_->failure()) {
            complaint_ = "the reader failed: " + pipeline_->failure().message();
        }
    }

protected:
    virtual std::shared_ptr<transport::event_sink> make_sink() = 0;

    asio::io_context context_;

private:
    const transport_kind kind_;
    std::optional<pipeline> pipeline_;
    std::optional<worker> thread_;
};

class bare_drain final : public sink_subject {
public:
    using sink_subject::sink_subject;

private:
    struct counter final : transport::event_sink {
        explicit counter(receiver& r) : to(r) {}
        void on_events(event_kind, std::span<const event> batch) override {
            to.count(batch.size());
        }
        void on_malformed(std::uint64_t) override {} // The books will not balance.
        void flush() override {}
        void close() override {}
        receiver& to;
    };

    std::shared_ptr<transport::event_sink> make_sink() override {
        return std::make_shared<counter>(receivers_.front());
    }
};

class channel_subject final : public sink_subject {
public:
    explicit channel_subject(transport_kind kind)
        : sink_subject(kind), channel_(context_, consumer::default_capacity) {}

private:
    using channel = asio::experimental::concurrent_channel<void(error_code, event)>;

    struct sender final : transport::event_sink {
        sender(channel& c, std::uint64_t& l) : to(c), lost(l) {}
        void on_events(event_kind, std::span<const event> batch) override {
            for (const auto& e : batch) {
                lost += to.try_send(error_code{}, e) ? 0 : 1;
            }
        }
        void on_malformed(std::uint64_t) override {} // The books will not balance.
        void flush() override {}
        // Not to.close(): in Boost 1.81 that throws away what is buffered.
        void close() override {
            to.async_send(asio::error::make_error_code(asio::error::eof), event{}, asio::detached);
        }
        channel& to;
        std::uint64_t& lost;
    };

    std::shared_ptr<transport::event_sink> make_sink() override {
        asio::co_spawn(context_, receive(), [](std::exception_ptr failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const boost::system::system_error& e) {
                if (e.code() != asio::error::eof) {
                    throw;
                }
            }
        });
        return std::make_shared<sender>(channel_, lost_.front());
    }

    asio::awaitable<void> receive() {
        auto& to = receivers_.front();
        for (;;) {
            const event e = co_await channel_.async_receive(asio::use_awaitable);
            to.woke();
            to.take({&e, 1});
        }
    }

    channel channel_;
};

} // namespace

std::unique_ptr<subject> make_bare_drain(transport_kind kind) {
    return std::make_unique<bare_drain>(kind);
}

std::unique_ptr<subject> make_channel(transport_kind kind) {
    return std::make_unique<channel_subject>(kind);
}

} // namespace ctflow::bench
