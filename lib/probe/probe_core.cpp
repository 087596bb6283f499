// SPDX-License-Identifier: Apache-2.0
#include "bpf/load.hpp"
#include "host/locked_memory.hpp"
#include "host/release.hpp"
#include "probe/failed_probe.hpp"
#include "probe/pipeline.hpp"
#include "transport/complete.hpp"
#include "transport/reader.hpp"

#include <ctflow/detail/probe_core.hpp>

#include <boost/asio/error.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace ctflow::detail {
namespace {

namespace asio = boost::asio;

// For what has only an errno to say.
void add_remedy(const error_code& ec, diagnostics& diag) {
    if (!diag.empty()) {
        return;
    }
    if (ec == boost::system::errc::too_many_files_open) {
        diag = "raise ulimit -n";
    } else if (ec == boost::system::errc::too_many_files_open_in_system) {
        diag = "raise fs.file-max";
    }
}

class live_probe final : public probe_core {
public:
    live_probe(asio::any_io_executor executor, ctflow::kernel kernel, std::shared_ptr<pipeline> p,
               bool filters)
        : executor_(std::move(executor)), kernel_(std::move(kernel)), pipeline_(std::move(p)),
          filters_(filters),
          reader_(std::make_shared<transport::reader>(
              executor_, pipeline_->rings(),
              std::shared_ptr<transport::event_sink>(pipeline_, &pipeline_->entrance()),
              pipeline_->side(), pipeline_->wakeups(), pipeline_->changes())) {}

    const ctflow::kernel& kernel() const noexcept override { return kernel_; }

    probe_stats stats() const override {
        probe_stats s;
        pipeline_->read(s);
        return s;
    }

    void register_consumer(const std::shared_ptr<consumer_core>& c, error_code& ec) override {
        ec.clear();
        if (reader_->stopping()) { // Which will close all that are registered.
            ec = errc::stopping;
            return;
        }
        pipeline_->consumers.add(c, ec);
    }

    void remove_consumer(std::string_view name, error_code& ec) override {
        ec.clear();
        pipeline_->consumers.remove(name, ec);
    }

    void remove_consumer(const consumer_core& c, error_code& ec) override {
        ec.clear();
        pipeline_->consumers.remove(c, ec);
    }

    std::shared_ptr<const consumer_core> get_consumer(std::string_view name) const override {
        return pipeline_->consumers.find(name);
    }

    void set_filter(const filter& f, error_code& ec, diagnostics& diag) override {
        ec.clear();
        diag.clear();
        const std::lock_guard lock(filter_mutex_);
        if (filters_) {
            pipeline_->set_filter(f, ec, diag);
            if (ec == boost::system::errc::operation_not_permitted) {
                diag = "to replace a filter takes CAP_BPF: keep it";
            }
            add_remedy(ec, diag);
        } else {
            ec = errc::no_filter;
        }
    }

    void start(error_code& ec, diagnostics& diag) override {
        ec.clear();
        diag.clear();
        const std::lock_guard lock(mutex_);
        if (started_) {
            ec = errc::already_started;
            return;
        }
        if (reader_->stopping()) {
            ec = errc::stopping;
            return;
        }
        pipeline_->start(std::exchange(used_, true), ec, diag);
        add_remedy(ec, diag);
        started_ = !ec;
    }

    void stop(error_code& ec) override {
        ec.clear();
        if (!stop_with({})) {
            ec = errc::not_started;
        }
    }

    void run(run_handler handler) override {
        errc reason = errc::not_started;
        {
            const std::lock_guard lock(mutex_);
            if (started_) {
                if (reader_->run(std::move(handler))) {
                    return;
                }
                reason = errc::already_running;
            }
        }
        // NOLINTNEXTLINE(bugprone-use-after-move): what refuses it has left it alone.
        transport::complete_at_once(executor_, std::move(handler), reason);
    }

    void abandon() noexcept override {
        if (!stop_with(asio::error::operation_aborted) && !reader_->stopping()) {
            pipeline_->consumers.close(); // Registered, and never started.
        }
    }

private:
    // Whether it was started. Gives an outstanding run its result.
    bool stop_with(error_code result) {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(started_, false)) {
            return false;
        }
        pipeline_->programs().detach();
        reader_->stop(result);
        return true;
    }

    const asio::any_io_executor executor_;
    const ctflow::kernel kernel_;
    const std::shared_ptr<pipeline> pipeline_;
    const bool filters_;
    std::mutex filter_mutex_; // Of setting it: the kernel takes a while.
    const std::shared_ptr<transport::reader> reader_;

    std::mutex mutex_; // Of the rest, and of attaching and detaching.
    bool started_ = false;
    bool used_ = false;
};

std::shared_ptr<probe_core> make_live(const asio::any_io_executor& executor, const config& c,
                                      error_code& ec, diagnostics& diag) {
    ec = validate(c);
    if (ec) {
        return nullptr;
    }
    auto kernel = select(host::running_release(), ec).kernel;
    if (ec) {
        diag = host::running_release();
        return nullptr;
    }
    const config complete = host::with_sizes(with_defaults(c));
    auto programs = bpf::load(complete, kernel, ec, diag);
    if (ec) {
        return nullptr;
    }
    auto p = make_pipeline(std::move(programs), complete, ec, diag);
    if (ec) {
        return nullptr;
    }
    if (complete.filter) {
        p->set_filter(*complete.filter, ec, diag);
        if (ec) {
            return nullptr;
        }
    }
    return std::make_shared<live_probe>(executor, std::move(kernel), std::move(p),
                                        complete.filter.has_value());
}

} // namespace

std::shared_ptr<probe_core> probe_core::make(const asio::any_io_executor& executor, const config& c,
                                             error_code& ec, diagnostics& diag) {
    ec.clear();
    diag.clear();
    auto live = make_live(executor, c, ec, diag);
    add_remedy(ec, diag);
    return live ? live : std::make_shared<failed_probe>(executor, ec);
}

} // namespace ctflow::detail
