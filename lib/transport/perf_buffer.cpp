// SPDX-License-Identifier: Apache-2.0
#include "transport/perf_buffer.hpp"

#include "bpf/explain.hpp"
#include "bpf/print.hpp"
#include "transport/ring.hpp"

#include <cerrno>

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <unistd.h>

namespace ctflow::transport {
namespace {

bpf_perf_event_ret ignore(void*, int, perf_event_header*) {
    return LIBBPF_PERF_EVENT_CONT;
}

} // namespace

void perf_buffer::deleter::operator()(::perf_buffer* b) const noexcept {
    perf_buffer__free(b);
}

perf_buffer::perf_buffer(int map_fd, std::size_t pages, error_code& ec, diagnostics& diag) {
    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_BPF_OUTPUT;
    attr.sample_type = PERF_SAMPLE_RAW;
    attr.sample_period = 1;
    attr.wakeup_events = 1;

    const bpf::print_capture log;
    buffer_.reset(perf_buffer__new_raw(map_fd, pages, &attr, ignore, nullptr, nullptr));
    if (!buffer_) {
        const error_code error{errno, boost::system::system_category()};
        ec = bpf::explain({error.value(), error, log.text(), 0, pages},
                          bpf::current_circumstances(), diag);
        return;
    }
    const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    for (std::size_t i = 0; i < perf_buffer__buffer_cnt(buffer_.get()); ++i) {
        void* base = nullptr;
        std::size_t size = 0;
        if (const int error = perf_buffer__buffer(buffer_.get(), static_cast<int>(i), &base, &size);
            error != 0) {
            ec = {-error, boost::system::system_category()};
            return;
        }
        auto* const control = static_cast<perf_event_mmap_page*>(base);
        add({perf_buffer__buffer_fd(buffer_.get(), i),
             {&control->data_head,
              &control->data_tail,
              {static_cast<const std::byte*>(base) + page_size, size},
              read_ring}});
    }
}

} // namespace ctflow::transport
