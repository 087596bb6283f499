// SPDX-License-Identifier: Apache-2.0
#include "bpf/print.hpp"
#include "host/btf.hpp"
#include "host/btf_damage.hpp"
#include "host/layout.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

namespace {

using ctflow::host::is_damaged;
using ctflow::host::layout_difference;

// What a made-up kernel's types look like, of the same shape as the kernel's.
struct shape {
    std::uint32_t status = 120; // Bytes.
    std::uint32_t protonum = 36;
    std::uint32_t inum = 16;
    std::uint32_t nfct = 104;
    bool mark = true;
    bool conntrack = true;
    std::int64_t tstamp = 5; // None if negative.
    const char* id_enum = "nf_ct_ext_id";
};

int checked(int id) {
    BOOST_REQUIRE(id >= 0);
    return id;
}

class types {
public:
    explicit types(const shape& s) : btf_(btf__new_empty()) {
        BOOST_REQUIRE(btf_ != nullptr);
        auto* const b = btf_.get();
        word_ = checked(btf__add_int(b, "unsigned int", 4, 0));

        const int ns = structure("ns_common", 24);
        field("inum", word_, s.inum);
        const int net = structure("net", 4096);
        field("ns", ns, 128);
        // In the kernel it is in an unnamed union of an unnamed struct.
        const int inner = checked(btf__add_union(b, nullptr, 8));
        field("_nfct", word_, 0);
        const int outer = structure(nullptr, 16);
        field(nullptr, inner, 8);
        structure("sk_buff", 232);
        field(nullptr, outer, s.nfct - 8);

        if (s.conntrack) {
            add_conntrack(s, net);
        }
        checked(btf__add_enum(b, s.id_enum, 4));
        checked(btf__add_enum_value(b, "NF_CT_EXT_ACCT", 3));
        if (s.tstamp >= 0) {
            checked(btf__add_enum_value(b, "NF_CT_EXT_TSTAMP", s.tstamp));
        }
    }

    const btf& get() const { return *btf_; }

    // Past what is there already.
    int add_structure(const char* name) { return structure(name, 64); }
    void add_field(const char* name, int type) { field(name, type, 0); }
    btf* change() { return btf_.get(); }

    std::vector<char> bytes() const {
        std::uint32_t size = 0;
        const auto* const all = static_cast<const char*>(btf__raw_data(btf_.get(), &size));
        return {all, all + size};
    }

private:
    int structure(const char* name, std::uint32_t size) {
        return checked(btf__add_struct(btf_.get(), name, size));
    }
    void field(const char* name, int type, std::uint32_t byte) {
        checked(btf__add_field(btf_.get(), name, type, byte * 8, 0));
    }

    void add_conntrack(const shape& s, int net) {
        auto* const b = btf_.get();
        const int all = checked(btf__add_union(b, nullptr, 2));
        field("all", word_, 0);
        const int side = structure(nullptr, 22);
        field("u3", word_, 0);
        field("u", all, 16);
        field("l3num", word_, 18);
        field("protonum", word_, s.protonum - 20);
        const int tuple = structure("nf_conntrack_tuple", 40);
        field("src", side, 0);
        field("dst", side, 20);
        const int constant = checked(btf__add_const(b, tuple));
        const int hash = structure("nf_conntrack_tuple_hash", 56);
        field("tuple", constant, 16);
        const int both = checked(btf__add_array(b, word_, hash, 2));
        const int pointer = checked(btf__add_ptr(b, net));
        const int possible = structure(nullptr, 8);
        field("net", pointer, 0);
        const int possible_net = checked(btf__add_typedef(b, "possible_net_t", possible));
        const int extensions = structure("nf_ct_ext", 16);
        field("offset", word_, 0);
        const int extended = checked(btf__add_ptr(b, extensions));
        const int tcp = structure("ip_ct_tcp", 64);
        field("state", word_, 40);
        const int proto = checked(btf__add_union(b, "nf_conntrack_proto", 64));
        field("tcp", tcp, 0);
        structure("nf_conn", 256); // Fields go to the type that was added last.
        field("tuplehash", both, 8);
        field("status", word_, s.status);
        field("ct_net", possible_net, 136);
        if (s.mark) {
            field("mark", word_, 168);
        }
        field("ext", extended, 176);
        field("proto", proto, 184);
    }

    ctflow::host::btf_pointer btf_;
    int word_ = 0;
};

std::string difference(const shape& there, const shape& here = {}) {
    return layout_difference(types(there).get(), types(here).get()).value_or("none");
}

std::filesystem::path temporary_file() {
    return std::filesystem::temp_directory_path() / ("ctflow-btf." + std::to_string(::getpid()));
}

void write(const std::filesystem::path& file, const std::vector<char>& bytes) {
    std::ofstream(file, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(layout)

BOOST_AUTO_TEST_CASE(the_same_layout_is_not_different) {
    BOOST_TEST(difference({}) == "none");
}

BOOST_AUTO_TEST_CASE(what_differs_is_told_with_both_places) {
    BOOST_TEST(difference({.status = 128}) ==
               "nf_conn.status is at byte 128 there, at byte 120 here");
    BOOST_TEST(difference({.inum = 20}) == "net.ns.inum is at byte 148 there, at byte 144 here");
    BOOST_TEST(difference({.nfct = 96}) == "sk_buff._nfct is at byte 96 there, at byte 104 here");
    BOOST_TEST(difference({.protonum = 38}) ==
               "nf_conn.tuplehash.tuple.dst.protonum is at byte 62 there, at byte 60 here");
    BOOST_TEST(difference({.tstamp = 4}) == "NF_CT_EXT_TSTAMP is 4 there, 5 here");
}

BOOST_AUTO_TEST_CASE(so_is_what_one_of_them_lacks) {
    BOOST_TEST(difference({.mark = false}) == "nf_conn.mark is missing there, at byte 168 here");
    BOOST_TEST(difference({}, {.mark = false}) ==
               "nf_conn.mark is at byte 168 there, missing here");
    BOOST_TEST(difference({.mark = false}, {.mark = false}) == "none");
    BOOST_TEST(difference({.tstamp = -1}) == "NF_CT_EXT_TSTAMP is missing there, 5 here");
    BOOST_TEST(difference({.id_enum = "other"}) == "NF_CT_EXT_ACCT is missing there, 3 here");
    BOOST_TEST(difference({.conntrack = false}).starts_with("nf_conn.tuplehash"));
}

BOOST_AUTO_TEST_CASE(with_a_kernel_that_does_not_tell_nothing_is_compared) {
    BOOST_TEST(difference({.status = 128}, {.conntrack = false}) == "none");
}

// On whatever host this is; where it has no BTF there is nothing to see.
BOOST_AUTO_TEST_CASE(this_kernel_takes_its_own_btf_and_no_other) {
    const std::string own_file = "/sys/kernel/btf/vmlinux";
    const ctflow::host::kernel_btf own;
    ctflow::diagnostics diag;
    if (!own || !std::filesystem::exists(own_file)) {
        BOOST_TEST_MESSAGE("this kernel has no BTF");
        return;
    }
    BOOST_TEST(usable_btf(own_file, own, diag), diag);

    const auto bytes = types({}).bytes();
    const auto file = temporary_file();
    write(file, bytes);
    if (btf__find_by_name_kind(own.types(), "nf_conn", BTF_KIND_STRUCT) > 0) {
        BOOST_TEST(!usable_btf(file, own, diag));
        BOOST_TEST(diag.starts_with(file.string() + " is not of this kernel: "));
        BOOST_TEST(diag.ends_with("; leave btf_file empty to use the kernel's own"));
    }
    std::filesystem::remove(file);
}

BOOST_AUTO_TEST_CASE(types_that_are_sound) {
    BOOST_TEST(!is_damaged(types({}).get()));
    types t({});
    const int list = static_cast<int>(btf__type_cnt(&t.get())) + 1;
    const int pointer = checked(btf__add_ptr(t.change(), list)); // To what has it.
    BOOST_TEST(t.add_structure("list_head") == list);
    t.add_field("next", pointer);
    BOOST_TEST(!is_damaged(t.get()));
    const ctflow::host::kernel_btf own;
    BOOST_TEST((!own || !is_damaged(*own.types())));
}

BOOST_AUTO_TEST_CASE(names_that_are_not_there) {
    const auto change_first = [](const char* structure, auto change) {
        types t({});
        const int id = checked(btf__find_by_name_kind(&t.get(), structure, BTF_KIND_STRUCT));
        change(const_cast<btf_type*>(btf__type_by_id(&t.get(), static_cast<std::uint32_t>(id))));
        return is_damaged(t.get());
    };
    constexpr std::uint32_t nowhere = 1U << 30;
    BOOST_TEST(change_first("nf_conn", [](btf_type* t) { t->name_off = nowhere; }));
    BOOST_TEST(change_first("nf_conn", [](btf_type* t) { btf_members(t)->name_off = nowhere; }));
    BOOST_TEST(change_first("nf_conn", [](btf_type* t) { btf_members(t)->type = nowhere; }));
}

BOOST_AUTO_TEST_CASE(types_that_are_out_of_line) {
    auto bytes = types({}).bytes();
    const auto parse = [&] {
        return ctflow::host::btf_pointer(
            btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
    };
    BOOST_TEST(!is_damaged(*parse()));
    btf_header header{};
    std::memcpy(&header, bytes.data(), sizeof(header));
    bytes.insert(bytes.begin() + header.hdr_len, 2, decltype(bytes)::value_type{});
    header.hdr_len += 2;
    std::memcpy(bytes.data(), &header, sizeof(header));
    const auto shifted = parse();
    BOOST_TEST((!shifted || is_damaged(*shifted)));
}

BOOST_AUTO_TEST_CASE(types_that_contain_themselves) {
    types direct({});
    direct.add_field(nullptr, direct.add_structure("s"));
    BOOST_TEST(is_damaged(direct.get()));

    types array({});
    auto* const b = array.change();
    const int self = static_cast<int>(btf__type_cnt(b));
    BOOST_TEST(checked(btf__add_array(b, self, self, 2)) == self);
    BOOST_TEST(is_damaged(array.get()));

    types variable({});
    const int element = static_cast<int>(btf__type_cnt(variable.change()));
    checked(btf__add_var(variable.change(), "v", BTF_VAR_STATIC, element + 1));
    checked(btf__add_array(variable.change(), element, element, 2));
    BOOST_TEST(is_damaged(variable.get()));

    types name({});
    const int next = static_cast<int>(btf__type_cnt(name.change())) + 1;
    checked(btf__add_typedef(name.change(), "t", next));
    checked(btf__add_const(name.change(), next - 1));
    BOOST_TEST(is_damaged(name.get()));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_refused_where_there_is_nothing_to_compare_it_with_too) {
    types t({});
    t.add_field(nullptr, t.add_structure("s"));
    const auto file = temporary_file();
    write(file, t.bytes());
    ctflow::diagnostics diag;
    BOOST_TEST(!usable_btf(file, ctflow::host::kernel_btf(), diag));
    BOOST_TEST(diag == file.string() + ": damaged BTF");
    std::filesystem::remove(file);
}

BOOST_AUTO_TEST_CASE(whatever_the_bytes_nothing_crashes) {
    const ctflow::bpf::print_capture quiet;
    const types own({});
    const auto sound = own.bytes();
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same each time.
    const auto below = [&](std::size_t limit) {
        return random() % limit;
    };
    int parsed = 0;
    int refused = 0;
    int damaged = 0;
    for (int i = 0; i < 5000; ++i) {
        auto bytes = sound;
        for (auto flips = below(4) + 1; flips != 0; --flips) {
            bytes[below(bytes.size())] ^= static_cast<char>(below(255) + 1);
        }
        const ctflow::host::btf_pointer file(
            btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
        if (!file) {
            ++refused;
            continue;
        }
        ++parsed;
        if (is_damaged(*file)) {
            ++damaged;
        } else {
            (void)layout_difference(*file, own.get());
        }
    }
    BOOST_TEST_MESSAGE(refused << " refused by libbpf, " << parsed << " parsed, " << damaged
                               << " of them damaged");
    // Since 1.3 libbpf looks for itself, and leaves us nothing.
    const bool libbpf_looks = libbpf_major_version() > 1 || libbpf_minor_version() >= 3;
    BOOST_TEST((libbpf_looks ? refused : damaged) > 100);
    BOOST_TEST(parsed - damaged > 100);
}

BOOST_AUTO_TEST_SUITE_END()
