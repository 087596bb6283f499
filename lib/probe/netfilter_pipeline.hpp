// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/netfilter_object.hpp"
#include "ctnetlink/end_source.hpp"
#include "ctnetlink/flow_book.hpp"
#include "event/trailer_pool.hpp"
#include "host/kernel_events.hpp"
#include "host/module_watch.hpp"
#include "probe/pipeline.hpp"
#include "transport/ring_states.hpp"
#include "transport/shared_ring.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <span>

namespace ctflow::detail {

// Of programs at netfilter's hooks: updates come by a ring, ends by netlink, and the flow book
// tells which belong together. Of one network namespace: that of the thread that calls start().
class netfilter_pipeline final : public pipeline,
                                 private transport::event_sink,
                                 private transport::ring_changes {
public:
    netfilter_pipeline(std::unique_ptr<bpf::netfilter_object> programs, const config& c,
                       error_code& ec);

    bpf::programs& programs() noexcept override { return *object_; }
    std::vector<transport::ring_source> rings() const override;
    transport::event_sink& entrance() noexcept override { return *this; }
    transport::wakeups wakeups() const noexcept override;
    transport::side_source* side() noexcept override { return &ends_; }
    transport::ring_changes* changes() noexcept override { return this; }
    void start(bool again, error_code& ec, diagnostics& diag) override;
    void set_filter(const filter& f, error_code& ec, diagnostics& diag) override;
    void read(probe_stats& stats) override;

private:
    void on_events(event_kind kind, std::span<const event> batch) override;
    void on_tagged(std::span<event> batch, std::span<const transport::record_tag> tags) override;
    void on_malformed(std::uint64_t records) override { sink.on_malformed(records); }
    void flush() override { sink.flush(); }
    void close() override;

    int fd() const noexcept override { return events_.fd(); }
    error_code take(const replace& with) override;

    void on_ends(std::span<const ctnetlink::ended> all);

    host::kernel_events events_;
    host::module_watch ctnetlink_{"nf_conntrack_netlink"};
    const std::unique_ptr<bpf::netfilter_object> object_;
    const transport::ring_states states_;
    const std::chrono::nanoseconds flush_interval_;
    transport::shared_ring updates_;
    ctnetlink::flow_book book_;
    ctnetlink::end_source ends_;
    trailer_pool trailers_; // Of the ends.
    std::mutex filter_mutex_;
    std::shared_ptr<const filter> filter_; // Of the ends, which come without the kernel's programs.
    std::shared_ptr<const filter> next_filter_; // While it is being replaced.
};

} // namespace ctflow::detail
