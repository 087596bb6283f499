// SPDX-License-Identifier: Apache-2.0
#include "host/symbols.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace {

using functions = std::set<std::string, std::less<>>;

constexpr std::array<std::string_view, 3> names = {"nf_ct_destroy", "destroy_conntrack",
                                                   "__nf_ct_refresh_acct"};

functions find(const std::string& listing) {
    std::istringstream in(listing);
    return ctflow::host::find_functions(in, names);
}

} // namespace

BOOST_AUTO_TEST_SUITE(symbols)

BOOST_AUTO_TEST_CASE(functions_are_found_with_and_without_a_module) {
    BOOST_TEST(
        (find("ffffffffc0a01234 t nf_ct_destroy\t[nf_conntrack]\n") == functions{"nf_ct_destroy"}));
    BOOST_TEST((find("ffffffff81a01234 T nf_ct_destroy\n") == functions{"nf_ct_destroy"}));
    BOOST_TEST((find("ffffffff81a01234 t nf_ct_destroy") == functions{"nf_ct_destroy"}));
    BOOST_TEST((find("ffffffff81a01234 W nf_ct_destroy\n") == functions{"nf_ct_destroy"}));
}

BOOST_AUTO_TEST_CASE(addresses_that_are_hidden_do_not_matter) {
    BOOST_TEST(
        (find("0000000000000000 t nf_ct_destroy\t[nf_conntrack]\n") == functions{"nf_ct_destroy"}));
}

BOOST_AUTO_TEST_CASE(all_that_are_there_are_found_and_no_others) {
    BOOST_TEST((find("ffffffff81000000 T _text\n"
                     "ffffffff81000010 T startup_64\n"
                     "ffffffffc0a01234 t nf_ct_destroy\t[nf_conntrack]\n"
                     "ffffffffc0a02000 t nf_conntrack_in\t[nf_conntrack]\n"
                     "ffffffffc0a03000 T __nf_ct_refresh_acct\t[nf_conntrack]\n"
                     "ffffffffc0a04000 t nf_tables_init\t[nf_tables]\n") ==
                functions{"__nf_ct_refresh_acct", "nf_ct_destroy"}));
    BOOST_TEST(find("").empty());
    BOOST_TEST(find("ffffffff81000000 T _text\n").empty());
}

BOOST_AUTO_TEST_CASE(a_function_that_is_listed_twice_is_found_once) {
    BOOST_TEST((find("ffffffffc0a01234 t nf_ct_destroy\t[nf_conntrack]\n"
                     "ffffffffc0b01234 t nf_ct_destroy\t[other]\n") == functions{"nf_ct_destroy"}));
}

BOOST_AUTO_TEST_CASE(data_of_the_same_name_is_no_function) {
    for (const char type : std::string_view("dDbBrRaA?Uu")) {
        BOOST_TEST_CONTEXT("type " << type) {
            BOOST_TEST(
                find(std::string("ffffffffc0a01234 ") + type + " nf_ct_destroy\t[nf_conntrack]\n")
                    .empty());
        }
    }
    // Beside a function of the name, the data does no harm.
    BOOST_TEST((find("ffffffffc0a01234 d nf_ct_destroy\n"
                     "ffffffffc0a02234 t nf_ct_destroy\n") == functions{"nf_ct_destroy"}));
}

BOOST_AUTO_TEST_CASE(names_that_begin_or_end_alike_are_others) {
    for (const char* name :
         {"nf_ct_destroy.part.0", "nf_ct_destroy.cold", "nf_ct_destroy_timeout", "nf_ct_destro",
          "__nf_ct_destroy", "xnf_ct_destroy", "__pfx_nf_ct_destroy", "NF_CT_DESTROY", "_acct"}) {
        BOOST_TEST_CONTEXT(name) {
            const std::string line = std::string("ffffffffc0a01234 t ") + name;
            BOOST_TEST(find(line + "\t[nf_conntrack]\n").empty());
            BOOST_TEST(find(line + "\n").empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_module_of_the_name_is_no_function) {
    BOOST_TEST(find("ffffffffc0a01234 t init\t[nf_ct_destroy]\n").empty());
}

BOOST_AUTO_TEST_CASE(truncated_lines_are_passed_over_and_others_go_on) {
    for (const char* line :
         {"", " ", "  ", "   ", "ffffffffc0a01234", "ffffffffc0a01234 ", "ffffffffc0a01234 t",
          "ffffffffc0a01234 t ", "ffffffffc0a01234 t \t", "ffffffffc0a01234 t\tnf_ct_destroy",
          "ffffffffc0a01234\tt\tnf_ct_destroy", "t nf_ct_destroy", "nf_ct_destroy",
          "ffffffffc0a01234 tt nf_ct_destroy", "ffffffffc0a01234  t nf_ct_destroy",
          "\tffffffffc0a01234 t\t"}) {
        BOOST_TEST_CONTEXT('"' << line << '"') {
            BOOST_TEST(find(line).empty());
            BOOST_TEST((find(std::string(line) + "\nffffffffc0a01234 t destroy_conntrack\n") ==
                        functions{"destroy_conntrack"}));
        }
    }
}

BOOST_AUTO_TEST_CASE(who_asks_for_nothing_gets_nothing) {
    std::istringstream in("ffffffffc0a01234 t nf_ct_destroy\n");
    BOOST_TEST(ctflow::host::find_functions(in, {}).empty());
}

BOOST_AUTO_TEST_CASE(a_listing_that_cannot_be_read_has_no_functions) {
    std::istringstream in("ffffffffc0a01234 t nf_ct_destroy\n");
    in.setstate(std::ios::failbit);
    BOOST_TEST(ctflow::host::find_functions(in, names).empty());
}

BOOST_AUTO_TEST_CASE(traceable_functions_are_found_in_the_tracers_list) {
    std::istringstream in("nf_ct_destroy [nf_conntrack]\n"
                          "destroy_conntrack\n"
                          "__nf_ct_refresh_acct.cold [nf_conntrack]\n"
                          "x__nf_ct_refresh_acct\n");
    BOOST_TEST((ctflow::host::find_traceable_functions(in, names) ==
                functions{"nf_ct_destroy", "destroy_conntrack"}));
    std::istringstream none("");
    BOOST_TEST(ctflow::host::find_traceable_functions(none, names).empty());
}

BOOST_AUTO_TEST_SUITE_END()
