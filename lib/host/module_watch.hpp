// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/unique_fd.hpp"

#include <ctflow/error.hpp>

#include <string>

namespace ctflow::host {

// Tells whether a module of the kernel is still the one that it was: not unloaded, nor unloaded and
// loaded anew.
class module_watch {
public:
    explicit module_watch(const std::string& name);

    // From here on. Fails if there is no descriptor or memory for it.
    void begin(error_code& ec) noexcept;

    // Never, if it is built into the kernel, or sysfs is not there to ask.
    bool gone() const noexcept;

private:
    const std::string file_;
    unique_fd fd_;
};

} // namespace ctflow::host
