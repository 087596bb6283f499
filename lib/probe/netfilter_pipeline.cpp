// SPDX-License-Identifier: Apache-2.0
#include "probe/netfilter_pipeline.hpp"

#include "host/netns.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace ctflow::detail {

netfilter_pipeline::netfilter_pipeline(std::unique_ptr<bpf::netfilter_object> programs,
                                       const config& c, error_code& ec)
    : events_(ec), object_(std::move(programs)), states_(object_->ring_states_fd(), 1, ec),
      flush_interval_(c.flush_interval),
      updates_(object_->updates_fd(), transport::shared_ring::content::tagged, states_.of(0), ec),
      book_([this](const ctnetlink::flow_key& key) {
          return object_->unreported_birth(std::bit_cast<ctflow_unreported_key>(key));
      }),
      ends_(book_, c.netlink_buffer, c.audit_interval, [this](auto all) { on_ends(all); }) {}

std::vector<transport::ring_source> netfilter_pipeline::rings() const {
    return {{event_kind::update, updates_.rings().front()}};
}

transport::wakeups netfilter_pipeline::wakeups() const noexcept {
    return {states_.awake(), flush_interval_};
}

void netfilter_pipeline::start(bool again, error_code& ec, diagnostics& diag) {
    book_.clear(host::current_netns(ec));
    if (ec) {
        diag = "/proc is needed to tell network namespaces apart";
        return;
    }
    // Before the programs: what begins while nobody listens may never be told to end
    // (nf_conntrack_events = 2).
    ends_.open(ec, diag);
    if (ec) {
        return;
    }
    try {
        ctnetlink_.begin(ec); // Now that it is loaded: the kernel does that for who asks for it.
        if (!ec) {
            pipeline::start(again, ec, diag);
        }
    } catch (...) {
        ends_.close();
        throw;
    }
    if (ec) {
        ends_.close();
    }
}

void netfilter_pipeline::set_filter(const filter& f, error_code& ec, diagnostics& diag) {
    const auto set = [this](std::shared_ptr<const filter> now, std::shared_ptr<const filter> next) {
        const std::lock_guard lock(filter_mutex_);
        filter_ = std::move(now);
        next_filter_ = std::move(next);
    };
    const auto former = filter_; // Nobody else sets it meanwhile: probe_core.
    const auto next = std::make_shared<const filter>(f);
    // The kernel changes in between. Who had an update by the new one has its end.
    set(former, next);
    try {
        pipeline::set_filter(f, ec, diag);
    } catch (...) {
        set(former, nullptr);
        throw;
    }
    set(ec ? former : next, nullptr);
}

void netfilter_pipeline::read(probe_stats& stats) {
    pipeline::read(stats);
    const auto ends = ends_.stats();
    stats.netlink_overruns = ends.overruns;
    stats.netlink_messages_lost = ends.messages_lost;
    stats.destroys_reconstructed = ends.reconstructed;
    stats.events_unaccounted += ends.unaccounted;
}

void netfilter_pipeline::on_events(event_kind kind, std::span<const event> batch) {
    sink.on_events(kind, batch);
}

void netfilter_pipeline::on_tagged(std::span<event> batch,
                                   std::span<const transport::record_tag> tags) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        auto record = batch[i].record();
        book_.on_update(record, batch[i].trailer(), tags[i]);
        batch[i] = event(record, batch[i].shared_trailer());
    }
    sink.on_events(event_kind::update, batch);
}

void netfilter_pipeline::on_ends(std::span<const ctnetlink::ended> all) {
    std::array<event, 64> batch;
    std::size_t filled = 0;
    const auto hand_on = [&] {
        if (filled != 0) {
            sink.on_events(event_kind::destroy, std::span(batch).first(std::exchange(filled, 0)));
        }
    };
    const auto filters = [&] {
        const std::lock_guard lock(filter_mutex_);
        return std::pair(filter_, next_filter_);
    }();
    const auto wanted = [&](const event& e) {
        const auto& [now, next] = filters;
        return !now || now->matches(e) || (next && next->matches(e));
    };
    for (const auto& each : all) {
        auto trailer = each.trailer;
        if (each.conntrack != 0) {
            object_->release(each.conntrack, each.origin);
        } else if (const auto birth = object_->release_unreported(
                       {each.record, ctnetlink::original_zone(trailer.zone, trailer.zone_dir),
                        each.stop, each.caught_up});
                   birth != 0 && trailer.duration == 0) {
            trailer.duration = each.record.timestamp - birth;
        }
        if (each.told) {
            batch[filled] = trailers_.make(each.record, trailer);
            filled += wanted(batch[filled]) ? 1 : 0;
        }
        if (filled == batch.size()) {
            hand_on();
        }
    }
    hand_on();
    sink.flush();
}

// Without ctnetlink, which goes before conntrack can, nobody tells of ends. There is one ring, and
// so nothing to replace.
error_code netfilter_pipeline::take(const replace&) {
    (void)events_.take(); // Whatever it was:
    return ctnetlink_.gone() ? make_error_code(errc::conntrack_unloaded) : error_code();
}

void netfilter_pipeline::close() {
    ends_.settle();
    sink.close();
    ends_.close();
}

} // namespace ctflow::detail
