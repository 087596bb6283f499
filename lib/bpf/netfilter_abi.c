/* SPDX-License-Identifier: Apache-2.0 */
#include "netfilter_abi.h"

#include <bpf/libbpf.h>

/* In C, whose enumerations are integers: in C++ a value that does not fit into the bits of those
 * that the header knows is undefined (C++20, [dcl.enum]/8), and 32 is the first of them. */
void ctflow_set_netfilter_type(struct bpf_program* program) {
    bpf_program__set_type(program, (enum bpf_prog_type)CTFLOW_PROG_TYPE_NETFILTER);
    bpf_program__set_expected_attach_type(program,
                                          (enum bpf_attach_type)CTFLOW_ATTACH_TYPE_NETFILTER);
}
