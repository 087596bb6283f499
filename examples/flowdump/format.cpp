// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include "quoted.hpp"

#include <ctflow/community_id.hpp>

#include <algorithm>
#include <bitset>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace flowdump {

namespace {

// Builds an object key by key. Nothing that it is given needs escaping.
class object {
public:
    object& add(std::string_view key, std::integral auto value) {
        return add_raw(key, std::to_string(value));
    }

    object& add(std::string_view key, std::string_view value) {
        return add_raw(key, '"' + std::string(value) + '"');
    }

    object& add_raw(std::string_view key, std::string_view json) {
        ((text_ += text_.empty() ? "{\"" : ",\"") += key) += "\":";
        text_ += json;
        return *this;
    }

    std::string finish() { return std::move(text_ += '}'); }

private:
    std::string text_;
};

// [A,B,...] of texts that are JSON already.
std::string list(const std::vector<std::string>& elements) {
    std::string text = "[";
    for (const auto& each : elements) {
        (text += text.size() == 1 ? "" : ",") += each;
    }
    return text + ']';
}

// The names between commas, as JSON.
std::string list_names(std::string_view names) {
    std::vector<std::string> all;
    while (!names.empty()) {
        const auto name = names.substr(0, names.find(','));
        all.push_back('"' + std::string(name) + '"');
        names.remove_prefix(std::min(name.size() + 1, names.size()));
    }
    return list(all);
}

std::string list_bits(const std::bitset<128>& bits) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (bits[i]) {
            all.push_back(std::to_string(i));
        }
    }
    return list(all);
}

std::string side(const ctflow::tcp_side& s) {
    return object().add("flags", s.flags).add("window_scale", s.window_scale).finish();
}

void add_details(object& o, const ctflow::event& e) {
    if (e.has_nat()) {
        const auto reply = e.reply();
        o.add("reply_src_addr", reply.src_addr.to_string())
            .add("reply_dst_addr", reply.dst_addr.to_string())
            .add("reply_src_port", reply.src_port)
            .add("reply_dst_port", reply.dst_port);
    }
    if (e.zone() != 0) {
        o.add("zone", e.zone()).add("zone_direction", to_string(e.zone_direction()));
    }
    if (e.labels().any()) {
        o.add_raw("labels", list_bits(e.labels()));
    }
    if (e.offload() != ctflow::flow_offload::none) {
        o.add("offload", to_string(e.offload()));
    }
    if (const auto m = e.master()) {
        o.add_raw("master", object()
                                .add("flow_id", m->flow_id)
                                .add("src_addr", m->original.src_addr.to_string())
                                .add("dst_addr", m->original.dst_addr.to_string())
                                .add("src_port", m->original.src_port)
                                .add("dst_port", m->original.dst_port)
                                .add("proto", m->proto)
                                .finish());
    }
    if (const auto sides = e.tcp_sides()) {
        o.add_raw("tcp_orig", side(sides->orig)).add_raw("tcp_ret", side(sides->ret));
    }
    if (const auto process = e.process()) {
        o.add_raw("process", object()
                                 .add("pid", process->pid)
                                 .add_raw("comm", quoted(process->comm))
                                 .add("cgroup", process->cgroup)
                                 .finish());
    }
}

void add_end(object& o, const ctflow::event& e) {
    o.add("end_reason", to_string(e.end_reason()));
    if (const auto lived = e.duration()) {
        o.add("duration", lived->count());
    }
}

} // namespace

std::string to_json(const ctflow::event& e, std::optional<std::uint16_t> community_seed) {
    object o;
    o.add("event", to_string(e.kind()))
        .add("start", e.start().time_since_epoch().count())
        .add("timestamp", e.timestamp().time_since_epoch().count())
        .add("flow_id", e.flow_id())
        .add("connmark", e.connmark())
        .add("src_addr", e.src_addr().to_string())
        .add("dst_addr", e.dst_addr().to_string())
        .add("packets_orig", e.packets_orig())
        .add("bytes_orig", e.bytes_orig())
        .add("packets_ret", e.packets_ret())
        .add("bytes_ret", e.bytes_ret())
        .add("src_port", e.src_port())
        .add("dst_port", e.dst_port())
        .add("netns", e.netns())
        .add("proto", e.proto())
        .add_raw("status", list_names(to_string(e.status())));
    if (e.tcp_state() != ctflow::tcp_state::none) {
        o.add("tcp_state", to_string(e.tcp_state()));
    }
    add_details(o, e);
    if (e.kind() == ctflow::event_kind::destroy) {
        add_end(o, e);
    }
    if (community_seed) {
        o.add("community_id", community_id(e, *community_seed));
        if (e.has_nat()) {
            o.add("translated_community_id", translated_community_id(e, *community_seed));
        }
    }
    return o.finish();
}

std::string to_text(const ctflow::event& e, std::optional<std::uint16_t> community_seed) {
    std::string text = to_string(e);
    if (community_seed) {
        text += ' ' + community_id(e, *community_seed);
        if (e.has_nat()) {
            text += " nat " + translated_community_id(e, *community_seed);
        }
    }
    return text;
}

std::string stats_json(const ctflow::probe_stats& probe, const ctflow::consumer_stats& consumer) {
    const auto of_probe = object()
                              .add("perf_events_total", probe.perf_events_total)
                              .add("perf_bytes_total", probe.perf_bytes_total)
                              .add("perf_events_update", probe.perf_events_update)
                              .add("perf_events_update_lost", probe.perf_events_update_lost)
                              .add("perf_events_destroy", probe.perf_events_destroy)
                              .add("perf_events_destroy_lost", probe.perf_events_destroy_lost)
                              .add("updates_without_ring", probe.updates_without_ring)
                              .add("destroys_in_reserve", probe.destroys_in_reserve)
                              .add("perf_records_malformed", probe.perf_records_malformed)
                              .add("flows_untracked", probe.flows_untracked)
                              .add("packets_untracked", probe.packets_untracked)
                              .add("events_unaccounted", probe.events_unaccounted)
                              .add("program_misses", probe.program_misses)
                              .add("netlink_overruns", probe.netlink_overruns)
                              .add("netlink_messages_lost", probe.netlink_messages_lost)
                              .add("destroys_reconstructed", probe.destroys_reconstructed)
                              .finish();
    const auto of_consumer = object()
                                 .add("events_received", consumer.events_received)
                                 .add("events_lost", consumer.events_lost)
                                 .add("event_queue_length", consumer.event_queue_length)
                                 .finish();
    return object().add_raw("probe", of_probe).add_raw("consumer", of_consumer).finish();
}

std::string describe_losses(const ctflow::probe_stats& probe,
                            const ctflow::consumer_stats& consumer) {
    const auto updates = probe.perf_events_update_lost + probe.updates_without_ring;
    const auto destroys = probe.perf_events_destroy_lost;
    const auto queued = consumer.events_lost;
    if (updates + destroys + queued == 0) {
        return {};
    }
    return "events lost: " + std::to_string(updates) + " updates and " + std::to_string(destroys) +
           " destroys in the kernel (see --buffer-pages), " + std::to_string(queued) +
           " waiting to be printed (see --queue)";
}

std::string describe(const ctflow::kernel& k) {
    std::vector<std::string_view> names; // Each once: netfilter's hooks have several roles.
    for (const auto& hook : k.hooks) {
        if (std::ranges::find(names, hook.function) == names.end()) {
            names.emplace_back(hook.function);
        }
    }
    std::string text = k.release + ", " + to_string(k.attach);
    std::string_view separator = ": ";
    for (const auto name : names) {
        (text += separator) += name;
        separator = ", ";
    }
    return text;
}

std::string describe(const ctflow::refused_attach& r) {
    std::string why = ctflow::system_error(r.error, r.diag).what();
    if (const auto end = why.find('\n'); end != why.npos) {
        why.resize(end); // A log follows, and the colon announced it.
        why.erase(why.find_last_not_of(": ") + 1);
    }
    return std::string("no ") + to_string(r.attach) + ": " + why;
}

} // namespace flowdump
