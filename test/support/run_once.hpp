// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ctflow::test {

// Runs a sched_cls program of the kernel's once, on the CPU of the caller. Throws if it cannot.
void run_once(int program_fd);

} // namespace ctflow::test
