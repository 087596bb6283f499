// SPDX-License-Identifier: Apache-2.0
#include "bpf/filter_slot.hpp"

#include "bpf/tables.hpp"

#include <atomic>
#include <cerrno>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace ctflow::bpf {
namespace {

// Waits until no program has the table of before any more, as bpf(2) does not tell:
// maybe_wait_bpf_programs() in the kernel's kernel/bpf/syscall.c.
bool exchange(const bpf_map* filters, int table) noexcept {
    constexpr std::uint32_t zero = 0;
    return bpf_map_update_elem(bpf_map__fd(filters), &zero, &table, BPF_ANY) == 0;
}

} // namespace

void set_filter(const filter_slot& slot, const ctflow_filter_program& filter,
                host::unique_fd& table, error_code& ec) {
    constexpr std::uint32_t zero = 0;
    host::unique_fd next(bpf_map_create(BPF_MAP_TYPE_ARRAY, "filter_table", sizeof(zero),
                                        sizeof(filter), 1, nullptr));
    if (!next || bpf_map_update_elem(next.get(), &zero, &filter, BPF_ANY) != 0 ||
        !exchange(slot.filters, next.get())) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    // From here on whoever finds a flow refused by the former asks again.
    std::atomic_ref(*slot.which).fetch_add(1);
    // And all look, once no word is known: the second time waits for those that may still write one
    // by the former filter.
    (void)exchange(slot.filters, next.get());
    clear_words(slot.cooldowns);
    table = std::move(next);
}

} // namespace ctflow::bpf
