// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/default_token.hpp>
#include <ctflow/detail/record_stream.hpp>
#include <ctflow/detail/ring_source.hpp>
#include <ctflow/error.hpp>
#include <ctflow/ring_record.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace ctflow {

/// Receives what any BPF program sends through a ring buffer (BPF_MAP_TYPE_RINGBUF, Linux 5.8): one
/// ring for all CPUs, whose records come in the order in which they were reserved.
///
/// Has nothing to do with conntrack: see perf_buffer for the kernel's older kind, and probe for
/// flows. The map comes from libbpf or any other loader. A ring has one reader: nobody else, in
/// whatever process, may consume its records.
///
/// @par Thread-safety
/// Distinct objects: safe. Shared objects: flush(), cancel(), close(), is_open() and stats() may be
/// called from any thread; the rest from one at a time. A receive takes its records on the
/// handler's associated executor: where several threads run the context, keep that executor and
/// what cancels the receive (the other side of an awaitable `||`) on one strand.
///
/// @par Fork
/// A child process shares the ring, which has one reader: it leaves this alone, and ends by exec or
/// _exit().
///
/// @par Object lifetimes
/// It keeps the map, and can outlive the one that loaded it. Destroying it closes it. A moved-from
/// ring_buffer can be assigned to or destroyed, nothing else; an outstanding receive goes on in the
/// new one.
template <class Executor = boost::asio::any_io_executor>
class basic_ring_buffer {
public:
    /// The type of its executor.
    using executor_type = Executor;

    /// The same with another type of executor.
    template <class OtherExecutor>
    struct rebind_executor {
        /// That type.
        using other = basic_ring_buffer<OtherExecutor>;
    };

    /// Maps the ring.
    ///
    /// Errors: invalid_argument if the descriptor is not that of a ring buffer; or the errno of a
    /// system call. If it fails each receive fails with bad_descriptor.
    basic_ring_buffer(const executor_type& executor, int map_fd, error_code& ec, diagnostics& diag)
        : stream_(make(executor, map_fd, ec, diag)) {}

    /// The same, throwing system_error.
    basic_ring_buffer(const executor_type& executor, int map_fd)
        : stream_(make(executor, map_fd)) {}

    /// The same on the executor of a context, an io_context say.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    basic_ring_buffer(ExecutionContext& context, int map_fd, error_code& ec, diagnostics& diag)
        : basic_ring_buffer(executor_type(context.get_executor()), map_fd, ec, diag) {}

    /// The same on the executor of a context, an io_context say.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    basic_ring_buffer(ExecutionContext& context, int map_fd)
        : basic_ring_buffer(executor_type(context.get_executor()), map_fd) {}

    /// Takes over the other's rings, and an outstanding receive.
    basic_ring_buffer(basic_ring_buffer&&) noexcept = default;

    /// The same from one with another type of executor, whose outstanding receive completes with
    /// operation_aborted. Throws system_error, and then both are closed.
    template <class OtherExecutor>
    requires(!std::same_as<OtherExecutor, Executor> && std::convertible_to<OtherExecutor, Executor>)
        basic_ring_buffer(basic_ring_buffer<OtherExecutor>&& other)
        : stream_(std::make_shared<stream>(*std::exchange(other.stream_, nullptr))) {}

    /// Closes its own rings first.
    basic_ring_buffer& operator=(basic_ring_buffer&& other) noexcept {
        if (this != &other) {
            abandon();
            stream_ = std::move(other.stream_);
        }
        return *this;
    }

    /// An outstanding receive completes with operation_aborted.
    ~basic_ring_buffer() { abandon(); }

    /// Whether it was opened, and not closed. From any thread.
    bool is_open() const { return stream_->is_open(); }

    /// The default executor of its completion handlers.
    executor_type get_executor() const noexcept { return stream_->get_executor(); }

    /// Receives as many records as there are, one at least, out.size() at most: that is how much
    /// is done in one turn of the execution context.
    ///
    /// Their data lies in the ring, and what has been received is room that the kernel lacks until
    /// the next receive is started.
    ///
    /// @par Completion signature
    /// @code void(ctflow::error_code, std::size_t) @endcode
    /// With the number of records written to the front of @p out. Their data is valid until the
    /// next call of async_receive() or try_receive(), and not beyond the object's life.
    ///
    /// @par Errors
    /// errc::flushed, once, when all that was there at flush() has been received;
    /// errc::receive_outstanding beside another receive; operation_aborted; invalid_argument when
    /// @p out is empty; bad_descriptor when it is closed.
    ///
    /// @par Per-operation cancellation
    /// terminal, partial, total. A cancelled receive has taken no record.
    template <boost::asio::completion_token_for<void(error_code, std::size_t)> Token =
                  detail::default_token_t<Executor>>
    auto async_receive(std::span<ring_record> out, Token&& token = Token()) {
        return detail::async_receive_records(stream_, out, std::forward<Token>(token));
    }

    /// Receives what is there without waiting; beside an outstanding receive, nothing.
    std::size_t try_receive(std::span<ring_record> out) { return stream_->try_receive(out); }

    /// Has receives complete with what is there, though it has woken nobody (BPF_RB_NO_WAKEUP), and
    /// then one, when all that was there at the call has been received, with errc::flushed.
    ///
    /// The kernel wakes for a record only who has received all before it: after one that woke
    /// nobody, others do not either, but for those with BPF_RB_FORCE_WAKEUP, until this is called.
    void flush() { stream_->flush(); }

    /// Completes an outstanding receive with operation_aborted.
    void cancel() { stream_->cancel(); }

    /// Ends it. An outstanding receive completes with operation_aborted. What has been handed out
    /// can still be read: its memory goes, and its room is given back, with the next receive, or
    /// with the object. Programs send on, to whoever opens the map next.
    void close() { stream_->close(); }

    /// What it has counted until now.
    ring_buffer_stats stats() const {
        ring_buffer_stats result;
        stream_->with_source(
            [&](auto& source) { result = static_cast<detail::ring_source&>(source).stats(); });
        return result;
    }

private:
    template <class>
    friend class basic_ring_buffer;

    using stream = detail::record_stream<ring_record, Executor>;

    static std::shared_ptr<stream> make(const executor_type& executor, int map_fd, error_code& ec,
                                        diagnostics& diag) {
        ec.clear();
        diag.clear();
        auto source = detail::ring_source::open(map_fd, ec, diag);
        return std::make_shared<stream>(executor, std::move(source), ec, diag);
    }

    static std::shared_ptr<stream> make(const executor_type& executor, int map_fd) {
        error_code ec;
        diagnostics diag;
        auto made = make(executor, map_fd, ec, diag);
        if (ec) {
            throw system_error(ec, diag);
        }
        return made;
    }

    void abandon() noexcept {
        if (stream_) {
            stream_->close();
        }
    }

    std::shared_ptr<stream> stream_;
};

/// The one for any executor.
using ring_buffer = basic_ring_buffer<>;

} // namespace ctflow
