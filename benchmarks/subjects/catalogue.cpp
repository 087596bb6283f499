// SPDX-License-Identifier: Apache-2.0
#include "subjects/catalogue.hpp"

#include "subjects/buffer_subject.hpp"
#include "subjects/ctflow_subject.hpp"
#include "subjects/libbpf_subject.hpp"
#include "subjects/sink_subject.hpp"

#include <algorithm>
#include <array>

namespace ctflow::bench {
namespace {

constexpr auto perf = transport_kind::perf_buffer;
constexpr auto ring = transport_kind::ring_buffer;

auto ctflow(transport_kind kind, const usage& u = {}) {
    return [kind, u] {
        return make_ctflow(kind, u);
    };
}

auto libbpf(transport_kind kind, in_callback what) {
    return [kind, what] {
        return make_libbpf(kind, what);
    };
}

const std::array variants{
    variant{"ctflow-perf", "ctflow, perf buffer", true, ctflow(perf)},
    variant{"ctflow-perf-4", "ctflow, perf buffer, 4 consumers", true,
            ctflow(perf, {.consumers = 4})},
    variant{"ctflow-perf-single", "ctflow, perf buffer, received one by one", true,
            ctflow(perf, {.one_by_one = true})},
    variant{"ctflow-perf-other", "ctflow, perf buffer, consumer on another io_context", true,
            ctflow(perf, {.another_context = true})},
    variant{"ctflow-ring", "ctflow, ring buffer", true, ctflow(ring)},
    variant{"ctflow-ring-4", "ctflow, ring buffer, 4 consumers", true,
            ctflow(ring, {.consumers = 4})},
    variant{"drain-perf", "ctflow's reader alone, perf buffer", false,
            [] {
                return make_bare_drain(perf);
            }},
    variant{"drain-ring", "ctflow's reader alone, ring buffer", false,
            [] {
                return make_bare_drain(ring);
            }},
    variant{"buffer-perf", "ctflow::perf_buffer in a coroutine, only counted", false,
            [] {
                return make_buffer(perf);
            }},
    variant{"buffer-ring", "ctflow::ring_buffer in a coroutine, only counted", false,
            [] {
                return make_buffer(ring);
            }},
    variant{reference, "libbpf perf_buffer__poll, queue to a thread", true,
            libbpf(perf, in_callback::hand_over)},
    variant{"libbpf-perf-tuned",
            "libbpf perf_buffer__poll, woken by every 512th, queue to a thread", true,
            make_libbpf_tuned},
    variant{"libbpf-ring", "libbpf ring_buffer__poll, queue to a thread", true,
            libbpf(ring, in_callback::hand_over)},
    variant{"libbpf-perf-count", "libbpf perf_buffer__poll, only counted", false,
            libbpf(perf, in_callback::count)},
    variant{"libbpf-ring-count", "libbpf ring_buffer__poll, only counted", false,
            libbpf(ring, in_callback::count)},
    variant{"channel-perf", "Asio's concurrent_channel, perf buffer", true,
            [] {
                return make_channel(perf);
            }},
};

} // namespace

std::span<const variant> catalogue() {
    return variants;
}

const variant* find_variant(std::string_view id) {
    const auto at = std::ranges::find(variants, id, &variant::id);
    return at == variants.end() ? nullptr : &*at;
}

std::vector<const variant*> variants_named(command_line& line) {
    std::vector<const variant*> found;
    for (const auto& id : line.list()) {
        found.push_back(find_variant(id));
        if (found.back() == nullptr) {
            line.misuse("no variant " + id + ": see ctflow_throughput --list");
        }
    }
    return found;
}

} // namespace ctflow::bench
