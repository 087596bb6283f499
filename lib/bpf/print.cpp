// SPDX-License-Identifier: Apache-2.0
#include "bpf/print.hpp"

#include <atomic>
#include <cstdarg>
#include <cstdio>

#include <bpf/libbpf.h>

namespace ctflow::bpf {
namespace {

std::mutex capture_mutex;
std::atomic<libbpf_print_fn_t> previous = nullptr;
thread_local std::string* sink = nullptr; // Of the capturing thread.

int print(libbpf_print_level level, const char* format, va_list args) {
    if (sink == nullptr) {
        const libbpf_print_fn_t others = previous;
        return others != nullptr ? others(level, format, args) : 0;
    }
    if (level == LIBBPF_DEBUG) {
        return 0;
    }
    va_list again;
    va_copy(again, args);
    const int length = std::vsnprintf(nullptr, 0, format, args);
    if (length > 0) {
        const auto size = sink->size();
        sink->resize(size + static_cast<std::size_t>(length) + 1);
        std::vsnprintf(sink->data() + size, static_cast<std::size_t>(length) + 1, format, again);
        sink->pop_back(); // The terminator.
    }
    va_end(again);
    return length;
}

} // namespace

print_capture::print_capture() : lock_(capture_mutex) {
    sink = &text_;
    previous = libbpf_set_print(print);
}

print_capture::~print_capture() {
    libbpf_set_print(previous);
    sink = nullptr;
}

std::string print_capture::text() const {
    return text_.substr(0, text_.find_last_not_of('\n') + 1);
}

} // namespace ctflow::bpf
