// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ctflow::host {

// Whether conntrack is in the kernel: built in, or its module is loaded.
bool conntrack_present();

// Whether anybody can have forwarded packets of flows without conntrack's seeing them: flowtables,
// or tc's act_ct, which is built on them. Where they are built in, and no module, it does not show.
bool flows_may_be_offloaded();

} // namespace ctflow::host
