// SPDX-License-Identifier: Apache-2.0
#include "host/module_watch.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace ctflow::host {

// This file of a module goes before the kernel tells that it is unloaded (mod_sysfs_teardown() in
// kernel/module/sysfs.c), its directory after.
module_watch::module_watch(const std::string& name) : file_("/sys/module/" + name + "/initstate") {}

void module_watch::begin(error_code& ec) noexcept {
    fd_ = unique_fd(); // Two at a time could be one too many.
    fd_ = unique_fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd_ && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
        ec.assign(errno, boost::system::system_category());
    }
}

// A file of sysfs that is open does not hold what it is of, and cannot be read any more when that
// is gone (kernfs_get_active() in fs/kernfs). No path is looked up, for which rights or the root
// directory may have changed.
bool module_watch::gone() const noexcept {
    char c = 0;
    return fd_ && ::pread(fd_.get(), &c, 1, 0) < 0 && errno == ENODEV;
}

} // namespace ctflow::host
