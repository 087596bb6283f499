// SPDX-License-Identifier: Apache-2.0
#include "subjects/buffer_subject.hpp"

#include "support/pipeline.hpp"
#include "support/worker.hpp"

#include <ctflow/perf_buffer.hpp>
#include <ctflow/ring_buffer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <exception>
#include <optional>
#include <utility>

namespace ctflow::bench {
namespace {

namespace asio = boost::asio;

template <class Buffer, class Record>
class buffer_subject final : public subject {
public:
    template <class... Options>
    explicit buffer_subject(transport_kind kind, const Options&... options)
        : subject(make_source(kind), 1), buffer_(context_, source_->maps().updates, options...) {}
    ~buffer_subject() override { context_.stop(); }

    void start() override {
        asio::co_spawn(context_, receive(), [](std::exception_ptr failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
        thread_.emplace(consumer_cpu, [this] { context_.run(); });
    }

    void finish() override {
        buffer_.flush();
        cpu_ns_ = thread_->join();
    }

private:
    asio::awaitable<void> receive() try {
        auto& to = receivers_.front();
        std::array<Record, 256> records;
        for (;;) {
            to.count(co_await buffer_.async_receive(records, asio::use_awaitable));
        }
    } catch (const boost::system::system_error& e) {
        if (e.code() != errc::flushed) {
            throw;
        }
    }

    asio::io_context context_;
    Buffer buffer_;
    std::optional<worker> thread_;
};

} // namespace

std::unique_ptr<subject> make_buffer(transport_kind kind) {
    if (kind == transport_kind::ring_buffer) {
        return std::make_unique<buffer_subject<ctflow::ring_buffer, ring_record>>(kind);
    }
    return std::make_unique<buffer_subject<ctflow::perf_buffer, perf_record>>(
        kind, perf_buffer_options{.pages = perf_buffer_pages()});
}

} // namespace ctflow::bench
