// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/detail/consumer_core.hpp>
#include <ctflow/detail/export.hpp>
#include <ctflow/detail/run_handler.hpp>
#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>
#include <ctflow/stats.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace ctflow::detail {

// The compiled half of basic_probe, behind one type of executor and handler. Shared with the
// operations that are under way, which outlive a probe that is destroyed.
class CTFLOW_DECL probe_core {
public:
    static std::shared_ptr<probe_core> make(const boost::asio::any_io_executor& executor,
                                            const config& c, error_code& ec, diagnostics& diag);
    virtual ~probe_core() = default;

    virtual const ctflow::kernel& kernel() const noexcept = 0;
    virtual probe_stats stats() const = 0;

    virtual void register_consumer(const std::shared_ptr<consumer_core>& c, error_code& ec) = 0;
    virtual void remove_consumer(std::string_view name, error_code& ec) = 0;
    virtual void remove_consumer(const consumer_core& c, error_code& ec) = 0;
    virtual std::shared_ptr<const consumer_core> get_consumer(std::string_view name) const = 0;

    virtual void set_filter(const filter& f, error_code& ec, diagnostics& diag) = 0;

    virtual void start(error_code& ec, diagnostics& diag) = 0;
    virtual void stop(error_code& ec) = 0;
    virtual void run(run_handler handler) = 0;

    // The probe object is gone.
    virtual void abandon() noexcept = 0;
};

class initiate_run {
public:
    using executor_type = boost::asio::any_io_executor;

    initiate_run(std::shared_ptr<probe_core> core, executor_type executor)
        : core_(std::move(core)), executor_(std::move(executor)) {}

    executor_type get_executor() const noexcept { return executor_; }

    template <class Handler>
    void operator()(Handler&& handler) const {
        core_->run(run_handler(std::forward<Handler>(handler)));
    }

private:
    std::shared_ptr<probe_core> core_;
    executor_type executor_;
};

} // namespace ctflow::detail
