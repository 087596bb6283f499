// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

namespace ctflow::bpf {

// While it lives, what libbpf prints in this thread goes into text() instead of to stderr.
//
// libbpf's print function belongs to the whole process: it is ours for that while only, one
// capture at a time, and what other threads' libbpf prints goes where it went before.
class print_capture {
public:
    print_capture();
    ~print_capture();
    print_capture(const print_capture&) = delete;
    print_capture& operator=(const print_capture&) = delete;

    // Without a newline at its end.
    std::string text() const;

private:
    const std::lock_guard<std::mutex> lock_;
    std::string text_;
};

} // namespace ctflow::bpf
