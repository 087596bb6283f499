// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/record_source.hpp>
#include <ctflow/detail/unique_fd.hpp>
#include <ctflow/error.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION >= 108200
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/dispatch.hpp>
#endif

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

namespace ctflow::detail {

// A record source in a reactor: what perf_buffer and ring_buffer share with their outstanding
// receive, which lives on when the object is moved or destroyed.
template <class Record, class Executor>
class record_stream {
public:
    using source_pointer = std::unique_ptr<record_source<Record>>;

    // With ec set: a stream without a source, each receive of which fails.
    record_stream(const Executor& executor, source_pointer source, error_code& ec,
                  diagnostics& diag)
        : descriptor_(executor), source_(std::move(source)) {
        if (!ec) {
            assign(ec);
        }
        if (!ec) {
            source_->start(ec, diag);
        }
        if (ec) {
            source_.reset();
        }
    }

    // Takes over what another has, whose outstanding receive ends.
    template <class OtherExecutor>
    explicit record_stream(record_stream<Record, OtherExecutor>& from)
        : descriptor_(Executor(from.get_executor())) {
        const std::lock_guard lock(from.mutex_);
        if (from.open()) {
            unique_fd descriptor(from.descriptor_.release());
            from.closed_ = true;
            source_ = std::move(from.source_);
            handed_out_ = from.handed_out_;
            flushing_ = from.flushing_;
            ended_ = from.ended_;
            descriptor_.assign(descriptor.get());
            descriptor.release();
        }
    }

    Executor get_executor() noexcept { return descriptor_.get_executor(); }

    bool is_open() const {
        const std::lock_guard lock(mutex_);
        return open();
    }

    std::size_t try_receive(std::span<Record> out) {
        const std::lock_guard lock(mutex_);
        if (receiving_ || !renew()) {
            return 0;
        }
        const auto count = source_->take(out);
        handed_out_ = count != 0;
        return count;
    }

    void flush() {
        const std::lock_guard lock(mutex_);
        if (open()) {
            flushing_ = true;
            source_->mark();
            wake();
        }
    }

    void cancel() {
        const std::lock_guard lock(mutex_);
        cancelled_ = receiving_;
        wake();
    }

    // What was handed out stays, since whoever calls this need not be its reader: until the next
    // receive. The descriptor stays until an outstanding receive has ended: its cancellation slot
    // may lead to the reactor's registration, past our mutex.
    void close() {
        const std::lock_guard lock(mutex_);
        if (!open()) {
            return;
        }
        closed_ = true;
        if (handed_out_) {
            source_->stop();
        } else {
            source_.reset();
        }
        if (receiving_) {
            wake();
        } else {
            close_descriptor();
        }
    }

    // f(source), unless it is closed.
    template <class Function>
    void with_source(Function&& f) {
        const std::lock_guard lock(mutex_);
        if (open()) {
            std::forward<Function>(f)(*source_);
        }
    }

    // The steps of a receive. First: an error, or that it begins.
    error_code begin(std::span<Record> out) {
        const std::lock_guard lock(mutex_);
        if (out.empty()) {
            return boost::asio::error::invalid_argument;
        }
        if (receiving_) {
            return errc::receive_outstanding;
        }
        if (!renew()) {
            return boost::asio::error::bad_descriptor;
        }
        receiving_ = true;
        cancelled_ = false;
        return {};
    }

    // Last, also of one that is thrown away unfinished.
    void finish() {
        const std::lock_guard lock(mutex_);
        receiving_ = false;
        if (!open()) {
            close_descriptor();
        }
    }

    bool ready() const {
        const std::lock_guard lock(mutex_);
        return !open() || flushing_ || ended_ || source_->ready();
    }

    // First the wait, then a look at the rings: perf_poll() in the kernel's kernel/events/core.c
    // forgets what it has told, so that a wait for what is there already would never end.
    template <class Self>
    void wait(Self&& self) {
        std::unique_lock lock(mutex_);
        if (open()) {
            descriptor_.async_wait(descriptor_type::wait_read, std::forward<Self>(self));
            if (flushing_ || cancelled_ || source_->ready()) {
                wake();
            }
            return;
        }
        lock.unlock();
        boost::asio::post(descriptor_.get_executor(), std::forward<Self>(self));
    }

    // Right before the handler: what it gets. Nothing if it has to wait.
    struct outcome {
        error_code ec;
        std::size_t count = 0;

        bool over() const noexcept { return ec || count != 0; }
    };
    outcome look(std::span<Record> out, const error_code& waited, bool cancelled) {
        const std::lock_guard lock(mutex_);
        if (cancelled || cancelled_ || !open()) {
            return {boost::asio::error::operation_aborted};
        }
        const bool flushed = flushing_ && source_->reached_mark();
        const auto count = flushed ? 0 : source_->take(out);
        if (count != 0) {
            handed_out_ = true;
            return {{}, count};
        }
        if (std::exchange(flushing_, false)) { // Or what is left is not there yet.
            return {errc::flushed};
        }
        if (waited == boost::asio::error::operation_aborted) {
            return {}; // By wake(), for what somebody else has taken.
        }
        if (!waited && !ended_) {
            ended_ = source_->look_why();
        }
        return {waited ? waited : ended_};
    }

private:
    template <class, class>
    friend class record_stream;

    using descriptor_type = boost::asio::posix::basic_stream_descriptor<Executor>;

    void assign(error_code& ec) {
        unique_fd opened(source_->descriptor(ec));
        if (!ec) {
            descriptor_.assign(opened.get(), ec);
        }
        if (!ec) {
            opened.release();
        }
    }

    bool open() const noexcept { return source_ && !closed_; }

    // Before more is taken. Whether it is open.
    bool renew() {
        handed_out_ = false;
        if (open()) {
            source_->release();
            return true;
        }
        source_.reset();
        return false;
    }

    void wake() {
        error_code ignored;
        descriptor_.cancel(ignored);
    }

    void close_descriptor() {
        error_code ignored;
        descriptor_.close(ignored);
    }

    // Once a receive, not once a record. Recursive, since a handler that cannot be stored is
    // destroyed within wait(), and may take the object with it.
    mutable std::recursive_mutex mutex_;
    descriptor_type descriptor_;
    source_pointer source_;
    bool closed_ = false;     // With a source: for what was handed out.
    bool handed_out_ = false; // By the last receive.
    bool receiving_ = false;
    bool flushing_ = false;
    bool cancelled_ = false;
    error_code ended_; // Why there never will be records again.
};

// The records are taken in the last step, on the handler's executor, right before the handler runs:
// a receive that is cancelled before has taken nothing.
template <class Record, class Executor>
class receive_records {
public:
    using stream = record_stream<Record, Executor>;

    receive_records(std::shared_ptr<stream> s, std::span<Record> out)
        : stream_(std::move(s)), out_(out) {}

    template <class Self>
    void operator()(Self& self, error_code ec = {}) {
        const auto kept = stream_; // We may be moved on, and over, before we return.
        if (!std::exchange(begun_, true)) {
            self.reset_cancellation_state(boost::asio::enable_total_cancellation());
            failure_ = kept->begin(out_);
            if (!failure_) {
                turn_.reset(kept.get());
            }
            if (failure_ || kept->ready()) {
                at_once(kept->get_executor(), std::move(self));
            } else {
                kept->wait(std::move(self));
            }
            return;
        }
        if (failure_) {
            self.complete(failure_, 0);
            return;
        }
        const bool cancelled = self.cancelled() != boost::asio::cancellation_type::none;
        const auto result = kept->look(out_, ec, cancelled);
        if (result.over()) {
            turn_.reset(); // The handler may start another.
            self.complete(result.ec, result.count);
        } else {
            kept->wait(std::move(self));
        }
    }

private:
    // Not inside of the initiating function, unless the handler wants that.
    template <class Self>
    static void at_once(const Executor& executor, Self&& self) {
#if BOOST_VERSION >= 108200
        const auto immediate = boost::asio::get_associated_immediate_executor(self, executor);
        boost::asio::dispatch(immediate, std::forward<Self>(self));
#else
        boost::asio::post(executor, std::forward<Self>(self));
#endif
    }

    struct finish {
        void operator()(stream* s) const { s->finish(); }
    };

    std::shared_ptr<stream> stream_;
    std::unique_ptr<stream, finish> turn_;
    std::span<Record> out_;
    error_code failure_;
    bool begun_ = false;
};

template <class Record, class Executor, class Token>
auto async_receive_records(std::shared_ptr<record_stream<Record, Executor>> stream,
                           std::span<Record> out, Token&& token) {
    auto executor = stream->get_executor();
    return boost::asio::async_compose<Token, void(error_code, std::size_t)>(
        receive_records<Record, Executor>(std::move(stream), out), token, executor);
}

} // namespace ctflow::detail
