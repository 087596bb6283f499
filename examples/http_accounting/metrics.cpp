// SPDX-License-Identifier: Apache-2.0
#include "metrics.hpp"

#include <ctflow/config.hpp>
#include <ctflow/version.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace http_accounting {
namespace {

// Writes the text format, family by family: # HELP, # TYPE, and then its samples. Nothing that it
// is given needs escaping.
class exposition {
public:
    exposition& counter(std::string_view name, std::string_view help) {
        return family(name, help, "counter");
    }
    exposition& gauge(std::string_view name, std::string_view help) {
        return family(name, help, "gauge");
    }

    // @param labels  such as kind="update", or none
    exposition& sample(std::uint64_t value, std::string_view labels = {}) {
        text_ += name_;
        if (!labels.empty()) {
            ((text_ += '{') += labels) += '}';
        }
        (text_ += ' ') += std::to_string(value) + '\n';
        return *this;
    }

    std::string finish() { return std::move(text_); }

private:
    exposition& family(std::string_view name, std::string_view help, std::string_view type) {
        name_ = name;
        (((text_ += "# HELP ") += name) += ' ') += help;
        ((((text_ += "\n# TYPE ") += name) += ' ') += type) += '\n';
        return *this;
    }

    std::string text_;
    std::string_view name_;
};

std::string label(std::string_view name, std::string_view value) {
    return std::string(name) + "=\"" + std::string(value) + '"';
}

void add_flows(exposition& out, const accounting& books) {
    const auto each_way = [&](auto orig, auto ret) {
        for (const auto t : transports) {
            const auto of = label("transport", to_string(t)) + ",";
            out.sample(books.of(t).*orig, of + label("direction", "original"));
            out.sample(books.of(t).*ret, of + label("direction", "reply"));
        }
    };
    out.counter("ctflow_flow_bytes_total", "Bytes that flows have moved, with IP headers.");
    each_way(&totals::bytes_orig, &totals::bytes_ret);
    out.counter("ctflow_flow_packets_total", "Packets that flows have moved.");
    each_way(&totals::packets_orig, &totals::packets_ret);
    out.counter("ctflow_flows_ended_total", "Flows that have ended.");
    for (const auto t : transports) {
        out.sample(books.of(t).ended, label("transport", to_string(t)));
    }
    const auto& flows = books.flows();
    out.gauge("ctflow_live_flows", "Flows that are followed now.").sample(flows.live());
    out.gauge("ctflow_live_flows_limit", "Flows that can be followed at a time.")
        .sample(flows.limit());
    out.counter("ctflow_updates_not_followed_total",
                "Updates of flows beyond that limit, which are counted when they end.")
        .sample(flows.refused());
}

void add_events(exposition& out, const ctflow::probe_stats& p, const ctflow::consumer_stats& c) {
    out.counter("ctflow_events_total", "Events received from the kernel.")
        .sample(p.perf_events_update, label("kind", "update"))
        .sample(p.perf_events_destroy, label("kind", "destroy"));
    out.counter("ctflow_event_bytes_total", "Length of the events received from the kernel.")
        .sample(p.perf_bytes_total);
    out.counter("ctflow_events_lost_total", "Events that were sent and not accounted for.")
        .sample(p.perf_events_update_lost, label("cause", "update_ring_full"))
        .sample(p.perf_events_destroy_lost, label("cause", "destroy_ring_full"))
        .sample(p.updates_without_ring, label("cause", "cpu_without_ring"))
        .sample(p.perf_records_malformed, label("cause", "malformed"))
        .sample(c.events_lost, label("cause", "queue_full"));
    out.gauge("ctflow_queued_events", "Events that wait to be accounted for.")
        .sample(c.event_queue_length);
}

void add_kernel_side(exposition& out, const ctflow::probe_stats& p) {
    out.counter("ctflow_destroys_in_reserve_total", "Destroy events that found room in reserve.")
        .sample(p.destroys_in_reserve);
    out.counter("ctflow_destroys_reconstructed_total",
                "Destroy events of flows that were found gone.")
        .sample(p.destroys_reconstructed);
    out.counter("ctflow_flows_untracked_total", "Flows that found the kernel's flow table full.")
        .sample(p.flows_untracked);
    out.counter("ctflow_packets_untracked_total", "Packets for which no update was considered.")
        .sample(p.packets_untracked);
    out.counter("ctflow_events_unaccounted_total",
                "Events not sent since nf_conntrack_acct was 0 when their flow began.")
        .sample(p.events_unaccounted);
    out.counter("ctflow_program_misses_total", "Runs of BPF programs that the kernel skipped.")
        .sample(p.program_misses);
    out.counter("ctflow_netlink_overruns_total",
                "Times that the kernel found no room to tell of flows' ends.")
        .sample(p.netlink_overruns);
    out.counter("ctflow_netlink_messages_lost_total", "Messages dropped at these times.")
        .sample(p.netlink_messages_lost);
}

} // namespace

std::string metrics(const accounting& books, const ctflow::probe_stats& probe,
                    const ctflow::consumer_stats& consumer, const ctflow::kernel& kernel) {
    exposition out;
    add_flows(out, books);
    add_events(out, probe, consumer);
    add_kernel_side(out, probe);
    out.gauge("ctflow_build_info", "Version of ctflow, and how it is attached.")
        .sample(1, label("version", CTFLOW_VERSION_STRING) + ',' +
                       label("attach", to_string(kernel.attach)));
    return out.finish();
}

} // namespace http_accounting
