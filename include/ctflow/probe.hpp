// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/consumer.hpp>
#include <ctflow/detail/default_token.hpp>
#include <ctflow/detail/probe_core.hpp>
#include <ctflow/error.hpp>
#include <ctflow/filter.hpp>
#include <ctflow/kernel.hpp>
#include <ctflow/stats.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace ctflow {

/// Accounts the flows that this host's conntrack follows, in all network namespaces, and sends
/// their events to the consumers registered with it.
///
/// A constructed probe has its BPF program in the kernel, not attached yet. start() attaches it;
/// async_run() reads its events while it is outstanding, on the probe's executor, without a thread
/// of its own; stop() detaches it.
///
/// Needs root (or, for kprobes, CAP_BPF and CAP_PERFMON: see the README), a kernel with BTF, and
/// the nf_conntrack module loaded.
/// Flows have counters only while net.netfilter.nf_conntrack_acct is 1 (apply_sysctls()).
/// preflight() finds out which of all that is amiss.
///
/// @par Thread-safety
/// Every member function but assignment and destruction may be called from any thread. Events are
/// read and passed on inside a strand of the probe's executor: any number of threads may run it.
///
/// @par Processes
/// A process that is forked and executes a program leaves all of a probe behind. One that goes on
/// without must not use the probe, nor destroy it: the memory of perf buffers is not inherited
/// (perf_mmap() in the kernel), but descriptors are, and what is attached stays
/// attached until both processes have closed them; by kprobes, until the one stops it or both end.
///
/// @par Memory
/// Making and starting throws std::bad_alloc where there is none, and leaves nothing behind.
/// What Asio allocates for a run or a stop ends the program then, as Asio does.
///
/// @par Object lifetimes
/// A probe must not outlive the execution context of its executor. Destroying it detaches its
/// programs, closes its consumers, and completes an outstanding async_run with operation_aborted.
/// A moved-from probe can be assigned to or destroyed, nothing else.
template <class Executor = boost::asio::any_io_executor>
class basic_probe {
public:
    /// Of the executor that it reads on.
    using executor_type = Executor;

    /// The probe type for another type of executor.
    template <class OtherExecutor>
    struct rebind_executor {
        /// That type.
        using other = basic_probe<OtherExecutor>;
    };

    /// Selects, opens, configures and loads the BPF program. Attaches none of it, but for fentry a
    /// program that does nothing, for a moment: to see whether it can be attached.
    ///
    /// Blocks while the kernel checks the programs, some tenths of a second.
    ///
    /// @param executor  what it reads on, and the default of its completion handlers
    /// @param c         its settings
    /// @param ec        what went wrong, or success
    /// @param diag      more about that; empty on success
    ///
    /// @par Errors
    /// Those of validate(); errc::kernel_release, kernel_too_old, no_btf, btf_file,
    /// conntrack_missing, ctnetlink_missing, no_symbols, hook_missing, fentry_unavailable,
    /// netfilter_unavailable, missing_capabilities, locked_memory, no_memory, lockdown, forbidden,
    /// load_failed, attach_failed; or the errno of a system call. A probe whose construction failed
    /// answers every call with that error.
    basic_probe(const executor_type& executor, const config& c, error_code& ec, diagnostics& diag)
        : executor_(executor), core_(detail::probe_core::make(executor, c, ec, diag)) {}

    /// The same, without diagnostics.
    basic_probe(const executor_type& executor, const config& c, error_code& ec)
        : executor_(executor) {
        diagnostics diag;
        core_ = detail::probe_core::make(executor, c, ec, diag);
    }

    /// The same, throwing system_error.
    explicit basic_probe(const executor_type& executor, const config& c = {})
        : executor_(executor) {
        error_code ec;
        diagnostics diag;
        core_ = detail::probe_core::make(executor, c, ec, diag);
        throw_if(ec, diag);
    }

    /// The same with the executor of an execution context, an io_context say, and throwing.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    explicit basic_probe(ExecutionContext& context, const config& c = {})
        : basic_probe(executor_type(context.get_executor()), c) {}

    /// The same without diagnostics, with an execution context.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    basic_probe(ExecutionContext& context, const config& c, error_code& ec)
        : basic_probe(executor_type(context.get_executor()), c, ec) {}

    /// The same with an execution context.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    basic_probe(ExecutionContext& context, const config& c, error_code& ec, diagnostics& diag)
        : basic_probe(executor_type(context.get_executor()), c, ec, diag) {}

    /// It goes on in the new one, started or not, with its consumers and an outstanding async_run.
    basic_probe(basic_probe&&) noexcept = default;

    /// The same from one with another type of executor.
    template <class OtherExecutor>
    requires(!std::same_as<OtherExecutor, Executor> && std::convertible_to<OtherExecutor, Executor>)
        basic_probe(basic_probe<OtherExecutor>&& other)
        : executor_(other.executor_), core_(std::move(other.core_)) {}

    /// Ends the one that was here, as the destructor does, before that.
    basic_probe& operator=(basic_probe&& other) noexcept {
        if (this != &other) {
            abandon();
            executor_ = other.executor_;
            core_ = std::move(other.core_);
        }
        return *this;
    }

    /// Detaches its programs and closes its consumers; an outstanding async_run completes with
    /// operation_aborted. Blocks for the kernel as stop() does.
    ~basic_probe() { abandon(); }

    /// What it reads on.
    executor_type get_executor() const noexcept { return executor_; }

    /// The kernel it was made for, and how each hook is attached.
    const ctflow::kernel& kernel() const noexcept { return core_->kernel(); }

    /// A copy of its counters. Asks the kernel for those that the BPF program keeps: a few system
    /// calls, not for every event.
    probe_stats stats() const { return core_->stats(); }

    /// Sends events to this consumer from now on. Before start() or while running.
    ///
    /// @par Errors
    /// errc::duplicate_consumer, errc::consumer_registered (here or with another probe),
    /// errc::consumer_closed, errc::stopping.
    template <class E>
    void register_consumer(basic_consumer<E>& c, error_code& ec) {
        core_->register_consumer(c.core(), ec);
    }

    /// The same, throwing system_error.
    template <class E>
    void register_consumer(basic_consumer<E>& c) {
        error_code ec;
        register_consumer(c, ec);
        throw_if(ec, c.name());
    }

    /// Sends it no more and closes it: what is buffered can still be received, then
    /// errc::consumer_closed.
    ///
    /// @par Errors
    /// errc::unknown_consumer.
    void remove_consumer(std::string_view name, error_code& ec) {
        core_->remove_consumer(name, ec);
    }

    /// The same, of the consumer itself.
    template <class E>
    void remove_consumer(basic_consumer<E>& c, error_code& ec) {
        core_->remove_consumer(*c.core(), ec);
    }

    /// The same by its name, throwing system_error.
    void remove_consumer(std::string_view name) {
        error_code ec;
        remove_consumer(name, ec);
        throw_if(ec, diagnostics(name));
    }

    /// The same of the consumer itself, throwing system_error.
    template <class E>
    void remove_consumer(basic_consumer<E>& c) {
        error_code ec;
        remove_consumer(c, ec);
        throw_if(ec, c.name());
    }

    /// The registered consumer of that name, to look at; nothing if there is none.
    std::optional<consumer_view> get_consumer(std::string_view name) const {
        auto c = core_->get_consumer(name);
        return c ? std::optional<consumer_view>(std::in_place, std::move(c)) : std::nullopt;
    }

    /// Replaces config::filter, before start() or while running. From when this returns the kernel
    /// goes by the new one. Flows that both let through lose no event; one that the former refused,
    /// when it was asked, and the new one does not has an update with its next packet. A filter is
    /// asked at each event that a flow would have, its end too, and not while it is in cooldown
    /// after one. docs/filters.md says when a refused flow is asked about again, and what differs
    /// by netfilter's hooks.
    ///
    /// Blocks until the kernel has done with the former, some hundredths of a second. Makes a map,
    /// which takes CAP_BPF.
    ///
    /// @par Errors
    /// errc::no_filter if the probe was made without one; errc::filter_too_long; or the errno of a
    /// system call. After an error the former one holds.
    void set_filter(const filter& f, error_code& ec, diagnostics& diag) {
        core_->set_filter(f, ec, diag);
    }

    /// The same, without diagnostics.
    void set_filter(const filter& f, error_code& ec) {
        diagnostics diag;
        core_->set_filter(f, ec, diag);
    }

    /// The same, throwing system_error.
    void set_filter(const filter& f) {
        error_code ec;
        diagnostics diag;
        core_->set_filter(f, ec, diag);
        throw_if(ec, diag);
    }

    /// Attaches the programs: the kernel side sends events from here on, and buffers them until
    /// async_run() reads. Can be started again after stop(), with consumers registered anew.
    ///
    /// Blocks while the kernel attaches, some tenths of a second; by kprobes on Linux 5.10, a
    /// second or two.
    ///
    /// @par Errors
    /// errc::already_started; errc::stopping after a stop() whose async_run has not completed yet;
    /// errc::attach_failed, conntrack_missing (unloaded since), ctnetlink_missing, lockdown,
    /// missing_capabilities; or the errno of a system call. After an error nothing is attached.
    void start(error_code& ec, diagnostics& diag) { core_->start(ec, diag); }

    /// The same, without diagnostics.
    void start(error_code& ec) {
        diagnostics diag;
        core_->start(ec, diag);
    }

    /// The same, throwing system_error.
    void start() {
        error_code ec;
        diagnostics diag;
        core_->start(ec, diag);
        throw_if(ec, diag);
    }

    /// Detaches the programs, passes on what the kernel has sent up to here, closes and forgets
    /// the consumers, and completes an outstanding async_run with success.
    ///
    /// When this returns, the programs are detached. With an async_run outstanding, the rest is
    /// done by the probe's executor, before that completes; otherwise it is done here. Detaching
    /// waits for the kernel, some tenths of a second, as attaching and destruction do.
    ///
    /// @par Errors
    /// errc::not_started.
    void stop(error_code& ec) { core_->stop(ec); }

    /// The same, throwing system_error.
    void stop() {
        error_code ec;
        core_->stop(ec);
        throw_if(ec, {});
    }

    /// Reads events and passes them on until stop() (success), cancellation, or the first failure.
    /// After cancellation the programs stay attached, and it can be called again.
    ///
    /// @par Completion signature
    /// @code void(ctflow::error_code) @endcode
    ///
    /// @par Errors
    /// errc::not_started; errc::already_running beside another; operation_aborted;
    /// not_enough_memory for what events have behind their records, which stay in the kernel for
    /// the next run; errc::conntrack_unloaded: the module of what the probe is attached to by
    /// kprobes, or of ctnetlink for netfilter's hooks, was unloaded, and stop() and start() are
    /// needed for the next one (fentry holds its module; in network namespaces of another user
    /// namespace nobody is told, but when a run begins); or what the reactor reported.
    ///
    /// @par Per-operation cancellation
    /// terminal, partial, total.
    ///
    /// @par Immediate completion
    /// A run that cannot begin completes by the handler's immediate executor (Boost 1.82 and
    /// newer). Without one the handler is never called in here.
    template <boost::asio::completion_token_for<void(error_code)> Token =
                  detail::default_token_t<Executor>>
    auto async_run(Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code)>(
            detail::initiate_run(core_, executor_), token);
    }

private:
    template <class>
    friend class basic_probe;

    static void throw_if(const error_code& ec, const diagnostics& diag) {
        if (ec) {
            throw system_error(ec, diag);
        }
    }

    void abandon() noexcept {
        if (core_) {
            core_->abandon();
        }
    }

    executor_type executor_;
    std::shared_ptr<detail::probe_core> core_;
};

/// A probe for executors of any type.
using probe = basic_probe<>;

} // namespace ctflow
