// SPDX-License-Identifier: Apache-2.0
#pragma once

struct btf;

namespace ctflow::host {

// Whether types refer to names or types that are not there, or contain themselves. libbpf looks at
// the sizes of a file's parts only: who then follows its types, libbpf too, would crash.
bool is_damaged(const btf& types);

} // namespace ctflow::host
