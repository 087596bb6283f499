// SPDX-License-Identifier: Apache-2.0
#include "bpf/print.hpp"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <new>

#include <bpf/libbpf.h>

namespace ctflow::bpf {
namespace {

std::mutex capture_mutex;
std::atomic<libbpf_print_fn_t> previous = nullptr;
thread_local std::string* sink = nullptr; // Of the capturing thread.

void append(std::string& text, std::size_t length, const char* format, va_list args) noexcept {
    try {
        const auto size = text.size();
        text.resize(size + length + 1);
        std::vsnprintf(text.data() + size, length + 1, format, args);
        text.pop_back();              // The terminator.
    } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
        // Libbpf, which calls us, is C. What it says is lost, not the error that it is about.
    }
}

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
        append(*sink, static_cast<std::size_t>(length), format, again);
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
