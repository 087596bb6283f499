// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ctflow::host {

// Whether conntrack is in the kernel: built in, or its module is loaded.
bool conntrack_present();

} // namespace ctflow::host
