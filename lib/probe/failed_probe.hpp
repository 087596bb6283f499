// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/probe_core.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace ctflow::detail {

// Stands in for a probe that could not be made: answers every call with the reason.
class failed_probe final : public probe_core {
public:
    failed_probe(boost::asio::any_io_executor executor, error_code reason)
        : executor_(std::move(executor)), reason_(reason) {}

    const ctflow::kernel& kernel() const noexcept override { return kernel_; }
    probe_stats stats() const override { return {}; }
    void register_consumer(const std::shared_ptr<consumer_core>&, error_code& ec) override {
        ec = reason_;
    }
    void remove_consumer(std::string_view, error_code& ec) override { ec = reason_; }
    void remove_consumer(const consumer_core&, error_code& ec) override { ec = reason_; }
    std::shared_ptr<const consumer_core> get_consumer(std::string_view) const override {
        return nullptr;
    }
    void set_filter(const filter&, error_code& ec, diagnostics&) override { ec = reason_; }
    void start(error_code& ec, diagnostics&) override { ec = reason_; }
    void stop(error_code& ec) override { ec = reason_; }
    void run(run_handler handler) override;
    void abandon() noexcept override {}

private:
    boost::asio::any_io_executor executor_;
    error_code reason_;
    ctflow::kernel kernel_;
};

} // namespace ctflow::detail
