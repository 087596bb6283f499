// SPDX-License-Identifier: Apache-2.0
#include "host/btf_damage.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <bpf/btf.h>

namespace ctflow::host {
namespace {

class inspection {
public:
    explicit inspection(const btf& types) : types_(types), states_(btf__type_cnt(&types)) {}

    bool passed() {
        if (!is_aligned()) {
            return false;
        }
        for (std::uint32_t id = 1; id < states_.size(); ++id) {
            if (!is_sound(id, 0)) {
                return false;
            }
        }
        return true;
    }

private:
    enum class state : std::uint8_t { unknown, entered, sound };

    // Linux 6.18's types do not come near that.
    static constexpr unsigned deepest = 256;

    // They follow each other without gaps. libbpf takes any length of the header before them.
    bool is_aligned() const {
        return states_.size() < 2 ||
               reinterpret_cast<std::uintptr_t>(btf__type_by_id(&types_, 1)) % alignof(btf_type) ==
                   0;
    }

    bool is_named(std::uint32_t offset) const {
        return btf__name_by_offset(&types_, offset) != nullptr;
    }

    // With all that it contains.
    bool is_sound(std::uint32_t id, unsigned depth) {
        if (id >= states_.size() || depth > deepest) {
            return false;
        }
        if (id == 0 || states_[id] != state::unknown) {
            return id == 0 || states_[id] == state::sound; // Else it contains itself.
        }
        states_[id] = state::entered;
        const auto* type = btf__type_by_id(&types_, id);
        if (!is_named(type->name_off) || !is_sound_inside(type, depth + 1)) {
            return false;
        }
        states_[id] = state::sound;
        return true;
    }

    bool is_sound_inside(const btf_type* type, unsigned depth) {
        const auto count = btf_vlen(type);
        switch (btf_kind(type)) {
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
            return std::ranges::all_of(std::span(btf_members(type), count), [&](const auto& m) {
                return is_named(m.name_off) && is_sound(m.type, depth);
            });
        case BTF_KIND_ENUM:
            return std::ranges::all_of(std::span(btf_enum(type), count),
                                       [&](const auto& each) { return is_named(each.name_off); });
        case BTF_KIND_ARRAY:
            return is_sound(btf_array(type)->type, depth);
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_CONST:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
        case BTF_KIND_VAR: // btf__resolve_type() goes past these, too.
            return is_sound(type->type, depth);
        case BTF_KIND_PTR:
        case BTF_KIND_FUNC:
            return type->type < states_.size();
        default:
            return true; // Of no interest here.
        }
    }

    const btf& types_;
    std::vector<state> states_; // By a type's id; 0 is void.
};

} // namespace

bool is_damaged(const btf& types) {
    return !inspection(types).passed();
}

} // namespace ctflow::host
