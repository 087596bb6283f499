// SPDX-License-Identifier: Apache-2.0
#include "bpf/counters.hpp"
#include "bpf/load.hpp"
#include "bpf/object.hpp"
#include "host/release.hpp"
#include "probe/failed_probe.hpp"
#include "probe/fanout.hpp"
#include "probe/registry.hpp"
#include "transport/buffer.hpp"
#include "transport/complete.hpp"
#include "transport/reader.hpp"

#include <ctflow/detail/probe_core.hpp>

#include <boost/asio/error.hpp>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace ctflow::detail {
namespace {

namespace asio = boost::asio;

// What the reader works on: it holds this as long as a run is outstanding, even if the probe is
// destroyed meanwhile.
struct pipeline {
    pipeline(std::unique_ptr<bpf::object> o, const config& c, error_code& ec, diagnostics& diag)
        : object(std::move(o)), updates(transport::open_buffer(c.transport, object->updates_fd(),
                                                               c.buffer_pages, ec, diag)) {
        if (!ec) {
            destroys = transport::open_buffer(c.transport, object->destroys_fd(), c.buffer_pages,
                                              ec, diag);
        }
    }

    std::vector<transport::ring_source> sources() const {
        std::vector<transport::ring_source> all;
        // Destroys first: they are rarer, and final.
        for (const auto& ring : destroys->rings()) {
            all.push_back({event_kind::destroy, ring});
        }
        for (const auto& ring : updates->rings()) {
            all.push_back({event_kind::update, ring});
        }
        return all;
    }

    registry consumers;
    fanout sink{consumers};
    // Before the rings: libbpf takes them out of their maps when it frees them, by descriptor.
    const std::unique_ptr<bpf::object> object;
    const std::unique_ptr<transport::buffer> updates;
    std::unique_ptr<transport::buffer> destroys;
};

class live_probe final : public probe_core {
public:
    live_probe(asio::any_io_executor executor, ctflow::kernel kernel, std::shared_ptr<pipeline> p)
        : executor_(std::move(executor)), kernel_(std::move(kernel)), pipeline_(std::move(p)),
          object_(*pipeline_->object),
          reader_(std::make_shared<transport::reader>(
              executor_, pipeline_->sources(),
              std::shared_ptr<transport::event_sink>(pipeline_, &pipeline_->sink))) {}

    const ctflow::kernel& kernel() const noexcept override { return kernel_; }

    probe_stats stats() const override {
        probe_stats s;
        pipeline_->sink.read(s);
        bpf::read_counters(object_.counters_fd(), object_.program_fds(), s);
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
        if (std::exchange(used_, true)) {
            object_.clear(ec);
        }
        if (!ec) {
            object_.attach(ec, diag);
        }
        started_ = !ec;
    }

    void stop(error_code& ec) override {
        ec.clear();
        if (!stop_with({})) {
            ec = errc::not_started;
        }
    }

    void run(run_handler handler) override {
        {
            const std::lock_guard lock(mutex_);
            if (started_) {
                reader_->run(std::move(handler));
                return;
            }
        }
        transport::complete(executor_, std::move(handler), errc::not_started);
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
        object_.detach();
        reader_->stop(result);
        return true;
    }

    const asio::any_io_executor executor_;
    const ctflow::kernel kernel_;
    const std::shared_ptr<pipeline> pipeline_;
    bpf::object& object_;
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
    const config complete = with_defaults(c);
    auto object = bpf::load(complete, kernel, ec, diag);
    if (ec) {
        return nullptr;
    }
    auto p = std::make_shared<pipeline>(std::move(object), complete, ec, diag);
    if (ec) {
        return nullptr;
    }
    return std::make_shared<live_probe>(executor, std::move(kernel), std::move(p));
}

} // namespace

std::shared_ptr<probe_core> probe_core::make(const asio::any_io_executor& executor, const config& c,
                                             error_code& ec, diagnostics& diag) {
    ec.clear();
    diag.clear();
    auto live = make_live(executor, c, ec, diag);
    return live ? live : std::make_shared<failed_probe>(executor, ec);
}

} // namespace ctflow::detail
