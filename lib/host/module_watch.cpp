// SPDX-License-Identifier: Apache-2.0
#include "host/module_watch.hpp"

#include <sys/stat.h>

namespace ctflow::host {

// This file of a module goes before the kernel tells that it is unloaded (mod_sysfs_teardown() in
// kernel/module/sysfs.c), its directory after.
module_watch::module_watch(const std::string& name) : file_("/sys/module/" + name + "/initstate") {}

// The number of its inode, which kernfs does not use twice (fs/kernfs/dir.c).
std::optional<std::uint64_t> module_watch::loaded() const {
    struct stat s {};
    return ::stat(file_.c_str(), &s) == 0 ? std::optional<std::uint64_t>(s.st_ino) : std::nullopt;
}

} // namespace ctflow::host
