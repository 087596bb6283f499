// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ctflow::host {

// Tells whether a module of the kernel is still the one that it was: not unloaded, nor unloaded and
// loaded anew.
class module_watch {
public:
    explicit module_watch(const std::string& name);

    // From here on.
    void begin() { was_ = loaded(); }

    // Never, if it is built into the kernel, or sysfs is not there to ask.
    bool gone() const { return was_ && loaded() != was_; }

private:
    std::optional<std::uint64_t> loaded() const;

    std::string file_;
    std::optional<std::uint64_t> was_;
};

} // namespace ctflow::host
