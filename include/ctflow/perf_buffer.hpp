// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/default_token.hpp>
#include <ctflow/detail/export.hpp>
#include <ctflow/detail/perf_source.hpp>
#include <ctflow/detail/record_stream.hpp>
#include <ctflow/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace ctflow {

/// Receives what any BPF program sends through a perf event array (BPF_MAP_TYPE_PERF_EVENT_ARRAY,
/// bpf_perf_event_output()): a ring for each CPU, all of them waited for as one.
///
/// Has nothing to do with conntrack: see ring_buffer for the kernel's newer kind, and probe for
/// flows. The map comes from libbpf or any other loader; CPUs that come online later get their
/// ring then.
///
/// @par Thread-safety
/// Distinct objects: safe. Shared objects: flush(), cancel(), close(), pause(), resume(), is_open()
/// and stats() may be called from any thread; the rest from one at a time. A receive takes its
/// records on the handler's associated executor: where several threads run the context, keep that
/// executor and what cancels the receive (the other side of an awaitable `||`) on one strand.
///
/// @par Fork
/// A child process has none of the rings: it leaves this alone, and opens its own.
///
/// @par Object lifetimes
/// It keeps the map, and can outlive the one that loaded it. Destroying it closes it. A map sends
/// to one: whoever opens it last takes it from the one before, which hears no more. A moved-from
/// perf_buffer can be assigned to or destroyed, nothing else; an outstanding receive goes on in
/// the new one.
template <class Executor = boost::asio::any_io_executor>
class basic_perf_buffer {
public:
    /// The type of its executor.
    using executor_type = Executor;

    /// The same with another type of executor.
    template <class OtherExecutor>
    struct rebind_executor {
        /// That type.
        using other = basic_perf_buffer<OtherExecutor>;
    };

    /// Opens a ring for each CPU that is online, and puts it into the map.
    ///
    /// Errors: invalid_argument if the descriptor is not that of a perf event array, or an option
    /// is out of its range; errc::locked_memory, no_memory, missing_capabilities (perf events need
    /// CAP_PERFMON or, where kernel.perf_event_paranoid is above 2, root), forbidden; or the errno
    /// of a system call. If it fails each receive fails with bad_descriptor.
    basic_perf_buffer(const executor_type& executor, int map_fd, const perf_buffer_options& options,
                      error_code& ec, diagnostics& diag)
        : stream_(make(executor, map_fd, options, ec, diag)) {}

    /// The same, throwing system_error.
    basic_perf_buffer(const executor_type& executor, int map_fd,
                      const perf_buffer_options& options = {})
        : stream_(make(executor, map_fd, options)) {}

    /// The same on the executor of a context, an io_context say.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    basic_perf_buffer(ExecutionContext& context, int map_fd, const perf_buffer_options& options,
                      error_code& ec, diagnostics& diag)
        : basic_perf_buffer(executor_type(context.get_executor()), map_fd, options, ec, diag) {}

    /// The same on the executor of a context, an io_context say.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    basic_perf_buffer(ExecutionContext& context, int map_fd,
                      const perf_buffer_options& options = {})
        : basic_perf_buffer(executor_type(context.get_executor()), map_fd, options) {}

    /// Takes over the other's rings, and an outstanding receive.
    basic_perf_buffer(basic_perf_buffer&&) noexcept = default;

    /// The same from one with another type of executor, whose outstanding receive completes with
    /// operation_aborted. Throws system_error, and then both are closed.
    template <class OtherExecutor>
    requires(!std::same_as<OtherExecutor, Executor> && std::convertible_to<OtherExecutor, Executor>)
        basic_perf_buffer(basic_perf_buffer<OtherExecutor>&& other)
        : stream_(std::make_shared<stream>(*std::exchange(other.stream_, nullptr))) {}

    /// Closes its own rings first.
    basic_perf_buffer& operator=(basic_perf_buffer&& other) noexcept {
        if (this != &other) {
            abandon();
            stream_ = std::move(other.stream_);
        }
        return *this;
    }

    /// An outstanding receive completes with operation_aborted.
    ~basic_perf_buffer() { abandon(); }

    /// Whether it was opened, and not closed. From any thread.
    bool is_open() const { return stream_->is_open(); }

    /// The default executor of its completion handlers.
    executor_type get_executor() const noexcept { return stream_->get_executor(); }

    /// Receives as many records as there are, one at least, out.size() at most: that is how much
    /// is done in one turn of the execution context.
    ///
    /// Records of one CPU come in the order in which they were sent. Their data lies in the rings,
    /// and what has been received is room that the kernel lacks until the next receive is started.
    ///
    /// @par Completion signature
    /// @code void(ctflow::error_code, std::size_t) @endcode
    /// With the number of records written to the front of @p out. Their data is valid until the
    /// next call of async_receive() or try_receive(), and not beyond the object's life.
    ///
    /// @par Errors
    /// errc::flushed, once, when all that was there at flush() has been received;
    /// errc::receive_outstanding beside another receive; operation_aborted; invalid_argument when
    /// @p out is empty; bad_descriptor when it is closed; eof, from then on, when each CPU that had
    /// a ring is offline, and the kernel's messages of CPUs that come online cannot be heard.
    ///
    /// @par Per-operation cancellation
    /// terminal, partial, total. A cancelled receive has taken no record.
    template <boost::asio::completion_token_for<void(error_code, std::size_t)> Token =
                  detail::default_token_t<Executor>>
    auto async_receive(std::span<perf_record> out, Token&& token = Token()) {
        return detail::async_receive_records(stream_, out, std::forward<Token>(token));
    }

    /// Receives what is there without waiting; beside an outstanding receive, nothing.
    std::size_t try_receive(std::span<perf_record> out) { return stream_->try_receive(out); }

    /// Has receives complete with what is there, though it may be too little to wake anyone
    /// (perf_buffer_options::wakeup_records), and then one, when all that was there at the call has
    /// been received, with errc::flushed.
    void flush() { stream_->flush(); }

    /// Completes an outstanding receive with operation_aborted.
    void cancel() { stream_->cancel(); }

    /// Ends it: bpf_perf_event_output() says -ENOSPC from then on. An outstanding receive completes
    /// with operation_aborted. What has been handed out can still be read: its memory goes with the
    /// next receive, or with the object.
    void close() { stream_->close(); }

    /// Has the kernel refuse records (bpf_perf_event_output() says -ENOSPC) until resume(). Those
    /// are counted as lost. What is in the rings already can be received.
    void pause(error_code& ec) { set_paused(true, ec); }
    /// The same, throwing system_error.
    void pause() { set_paused(true); }
    /// Has the kernel take records again.
    void resume(error_code& ec) { set_paused(false, ec); }
    /// The same, throwing system_error.
    void resume() { set_paused(false); }

    /// What it has counted until now.
    perf_buffer_stats stats() const {
        perf_buffer_stats result;
        stream_->with_source([&](auto& source) { result = rings(source).stats(); });
        return result;
    }

private:
    template <class>
    friend class basic_perf_buffer;

    using stream = detail::record_stream<perf_record, Executor>;

    static std::shared_ptr<stream> make(const executor_type& executor, int map_fd,
                                        const perf_buffer_options& options, error_code& ec,
                                        diagnostics& diag) {
        ec.clear();
        diag.clear();
        auto source = detail::perf_source::open(map_fd, options, ec, diag);
        return std::make_shared<stream>(executor, std::move(source), ec, diag);
    }

    static std::shared_ptr<stream> make(const executor_type& executor, int map_fd,
                                        const perf_buffer_options& options) {
        error_code ec;
        diagnostics diag;
        auto made = make(executor, map_fd, options, ec, diag);
        if (ec) {
            throw system_error(ec, diag);
        }
        return made;
    }

    static detail::perf_source& rings(detail::record_source<perf_record>& source) noexcept {
        return static_cast<detail::perf_source&>(source);
    }

    void set_paused(bool paused, error_code& ec) {
        ec = boost::asio::error::bad_descriptor;
        stream_->with_source([&](auto& source) { ec = rings(source).pause(paused); });
    }

    void set_paused(bool paused) {
        error_code ec;
        set_paused(paused, ec);
        if (ec) {
            throw system_error(ec, {});
        }
    }

    void abandon() noexcept {
        if (stream_) {
            stream_->close();
        }
    }

    std::shared_ptr<stream> stream_;
};

/// The one for any executor.
using perf_buffer = basic_perf_buffer<>;

} // namespace ctflow
