// SPDX-License-Identifier: Apache-2.0
#include "host/layout.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include <bpf/btf.h>

namespace ctflow::host {
namespace {

// Paths as C has them: a structure, then members. Those of arrays are their first element's.
constexpr const char* fields[] = {
    "nf_conn.tuplehash.tuple.src.u3",
    "nf_conn.tuplehash.tuple.src.u.all",
    "nf_conn.tuplehash.tuple.src.l3num",
    "nf_conn.tuplehash.tuple.dst.u3",
    "nf_conn.tuplehash.tuple.dst.u.all",
    "nf_conn.tuplehash.tuple.dst.protonum",
    "nf_conn.status",
    "nf_conn.timeout",
    "nf_conn.master",
    "nf_conn.zone.id",
    "nf_conn.zone.dir",
    "nf_conn.ct_net.net",
    "nf_conn.mark",
    "nf_conn.ext",
    "nf_conn.proto.tcp.state",
    "nf_conn.proto.tcp.seen.flags",
    "nf_conn.proto.tcp.seen.td_scale",
    "nf_conn.proto.sctp.state",
    "nf_ct_ext.offset",
    "net.ns.inum",
    "sk_buff._nfct",
};

constexpr const char* extension_ids = "nf_ct_ext_id";
constexpr const char* extensions[] = {"NF_CT_EXT_ACCT", "NF_CT_EXT_TSTAMP", "NF_CT_EXT_LABELS"};

const btf_type* type_of(const btf& types, std::uint32_t id) {
    const auto resolved = btf__resolve_type(&types, id); // Past typedef, const and volatile.
    return resolved < 0 ? nullptr : btf__type_by_id(&types, static_cast<std::uint32_t>(resolved));
}

struct member {
    std::uint64_t bit;
    std::uint32_t type;
};

// Members of unnamed members are the structure's own.
std::optional<member> find_member(const btf& types, const btf_type* structure,
                                  std::string_view name) {
    while (structure != nullptr && btf_is_array(structure)) {
        structure = type_of(types, btf_array(structure)->type);
    }
    if (structure == nullptr || !btf_is_composite(structure)) {
        return std::nullopt;
    }
    for (std::uint32_t i = 0; i < btf_vlen(structure); ++i) {
        const auto& m = btf_members(structure)[i];
        const std::string_view own = btf__name_by_offset(&types, m.name_off);
        const std::uint64_t bit = btf_member_bit_offset(structure, i);
        if (own == name) {
            return member{bit, m.type};
        }
        if (own.empty()) {
            if (const auto inner = find_member(types, type_of(types, m.type), name)) {
                return member{bit + inner->bit, inner->type};
            }
        }
    }
    return std::nullopt;
}

using place = std::optional<std::uint64_t>;

// The byte of the first structure at which the field is.
place find_field(const btf& types, std::string_view path) {
    const auto dot = path.find('.');
    const std::string structure(path.substr(0, dot));
    const auto id = btf__find_by_name_kind(&types, structure.c_str(), BTF_KIND_STRUCT);
    if (id < 0) {
        return std::nullopt;
    }
    member at{0, static_cast<std::uint32_t>(id)};
    for (path.remove_prefix(dot + 1); !path.empty();) {
        const auto end = path.find('.');
        const auto next = find_member(types, type_of(types, at.type), path.substr(0, end));
        if (!next) {
            return std::nullopt;
        }
        at = {at.bit + next->bit, next->type};
        path.remove_prefix(end == path.npos ? path.size() : end + 1);
    }
    return at.bit / 8;
}

place find_extension(const btf& types, std::string_view name) {
    const auto id = btf__find_by_name_kind(&types, extension_ids, BTF_KIND_ENUM);
    if (id < 0) {
        return std::nullopt;
    }
    const auto* all = btf__type_by_id(&types, static_cast<std::uint32_t>(id));
    for (std::uint32_t i = 0; i < btf_vlen(all); ++i) {
        const auto& each = btf_enum(all)[i];
        if (btf__name_by_offset(&types, each.name_off) == name) {
            return static_cast<std::uint32_t>(each.val);
        }
    }
    return std::nullopt;
}

std::string tell(place p, const char* unit) {
    return p ? unit + std::to_string(*p) : "missing";
}

} // namespace

std::optional<std::string> layout_difference(const btf& file, const btf& own) {
    if (btf__find_by_name_kind(&own, "nf_conn", BTF_KIND_STRUCT) < 0) {
        return std::nullopt;
    }
    const auto compare = [&](place (*find)(const btf&, std::string_view), const char* name,
                             const char* unit) -> std::optional<std::string> {
        const auto there = find(file, name);
        const auto here = find(own, name);
        if (there == here) {
            return std::nullopt;
        }
        return std::string(name) + " is " + tell(there, unit) + " there, " + tell(here, unit) +
               " here";
    };
    for (const auto* field : fields) {
        if (auto found = compare(find_field, field, "at byte ")) {
            return found;
        }
    }
    for (const auto* extension : extensions) {
        if (auto found = compare(find_extension, extension, "")) {
            return found;
        }
    }
    return std::nullopt;
}

} // namespace ctflow::host
