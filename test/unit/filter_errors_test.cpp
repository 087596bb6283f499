// SPDX-License-Identifier: Apache-2.0
#include "filter/point_at.hpp"

#include <ctflow/filter.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using ctflow::filter;

std::string diagnose(std::string_view text, ctflow::errc expected = ctflow::errc::filter_syntax) {
    ctflow::error_code ec;
    ctflow::diagnostics diag;
    const auto f = filter::parse(text, ec, diag);
    BOOST_TEST((ec == expected), text << ": " << ec.message() << " " << diag);
    BOOST_TEST(f.lets_all_through());
    return diag;
}

// The character that the ^ is below, counted from 0, without the margin.
std::size_t caret(const std::string& diag) {
    return diag.size() - 1 - diag.rfind('\n') - 3;
}

// That this text is wrong at this character, counted from 1, and what is said of it.
void wrong(std::string_view text, std::size_t character, std::string_view what) {
    const auto diag = diagnose(text);
    const auto where = "at character " + std::to_string(character) + ": ";
    BOOST_TEST(diag.find(where + std::string(what)) == 0U, diag);
    BOOST_TEST(caret(diag) == character - 1, diag);
    BOOST_TEST(diag.find("\n  " + std::string(text) + "\n") != diag.npos, diag);
}

// The same where there is something missing.
void unfinished(std::string_view text, std::string_view what) {
    const auto diag = diagnose(text);
    const auto where = "at the end, character " + std::to_string(text.size() + 1) + ": ";
    BOOST_TEST(diag.find(where + std::string(what)) == 0U, diag);
    BOOST_TEST(caret(diag) == text.size(), diag);
}

bool is_plain(char c) {
    return (c >= ' ' && c <= '~') || c == '\n';
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_errors)

BOOST_AUTO_TEST_CASE(what_it_looks_like) {
    BOOST_TEST(diagnose("proto tcp and port x") ==
               "at character 20: expected a port (0 to 65535) or a range of them such as 1-1023, "
               "not \"x\"\n"
               "  proto tcp and port x\n"
               "                     ^");
}

BOOST_AUTO_TEST_CASE(where_a_test_should_be) {
    unfinished("not", "expected a test");
    unfinished("ip and", "expected a test");
    unfinished("ip or (", "expected a test");
    wrong("and ip", 1, "expected a test");
    wrong("ip or or ip", 7, "expected a test");
    wrong("()", 2, "expected a test");
    wrong("banana", 1, "expected a test (all, ip, ip6, proto, src, ");
    wrong("IP", 1, "expected a test");
    wrong("ip and tcp", 8, "expected a test, not \"tcp\": of a protocol it is \"proto tcp\"");
    wrong("src ip", 5, "expected host, net or port, not \"ip\"");
    unfinished("ip and dst", "expected host, net or port");
}

BOOST_AUTO_TEST_CASE(what_stands_between_tests) {
    wrong("ip ip6", 4, "expected \"and\", \"or\" or the end, not \"ip6\"");
    wrong("port 22 23", 9, "expected \"and\", \"or\" or the end, not \"23\"");
    wrong("ip & ip6", 4, "expected \"and\", \"or\" or the end, not \"&\"");
    wrong("ip)", 3, "expected \"and\", \"or\" or the end, not \")\"");
    unfinished("ip and (ip6", "expected \"and\", \"or\" or the \")\" of character 8");
    wrong("(ip ip6)", 5, "expected \"and\", \"or\" or the \")\" of character 1, not \"ip6\"");
    wrong("port 22 - 80", 9, "expected \"and\", \"or\" or the end, not \"-\"");
    wrong("mark 0x10 / 0xff", 11, "expected \"and\", \"or\" or the end, not \"/\"");
}

BOOST_AUTO_TEST_CASE(protocols) {
    unfinished("proto", "expected a protocol (tcp, ");
    for (const auto* text : {"proto 256", "proto TCP", "proto -1", "proto 0x6", "proto (",
                             "proto and", "proto 99999999999999999999", "proto 6.0"}) {
        wrong(text, 7,
              "expected a protocol (tcp, udp, icmp, icmpv6, sctp, dccp, gre, udplite, or ");
    }
}

BOOST_AUTO_TEST_CASE(addresses) {
    for (const auto* text : {"host localhost", "host 10.0.0", "host 10.0.0.256", "host 10.0.0.0/8",
                             "host fe80::1%lo", "host 1", "host 10.0.0.1.2", "host :::"}) {
        wrong(text, 6, "expected an IPv4 or IPv6 address, not \"");
    }
    unfinished("src host", "expected an IPv4 or IPv6 address");
}

BOOST_AUTO_TEST_CASE(prefixes) {
    for (const auto* text : {"net 10.0.0.0", "net 10.0.0.0/33", "net 10.0.0.0/", "net 10/8",
                             "net /8", "net ::/129", "net 10.0.0.0/255.0.0.0", "net 10.0.0.0/-1",
                             "net 10.0.0.0/4294967304", "net fe80::%1/8", "net 10.0.0.0/8/8"}) {
        wrong(text, 5, "expected a prefix such as 10.0.0.0/8 or 2001:db8::/32, not \"");
    }
    wrong("net 10.1.2.3/8", 5,
          "10.1.2.3/8 has bits beyond its prefix: 10.0.0.0/8 was probably meant");
    wrong("dst net 2001:db8::1/32", 9,
          "2001:db8::1/32 has bits beyond its prefix: 2001:db8::/32 was probably meant");
    wrong("net 192.168.1.129/25", 5,
          "192.168.1.129/25 has bits beyond its prefix: 192.168.1.128/25 was probably meant");
    wrong("net 1.0.0.0/0", 5, "1.0.0.0/0 has bits beyond its prefix: 0.0.0.0/0 was probably meant");
}

BOOST_AUTO_TEST_CASE(ports) {
    for (const auto* text : {"port 65536", "port ssh", "port 1-65536", "port 1-", "port -1",
                             "port 1-2-3", "port +1", "port 0x16", "port 22,23"}) {
        const auto diag = diagnose(text);
        BOOST_TEST(diag.find("expected ") != diag.npos);
        BOOST_TEST(diag.find("at character ") == 0U);
    }
    wrong("port ssh", 6, "expected a port (0 to 65535) or a range of them such as 1-1023, not");
    wrong("port 22,23", 8, "expected \"and\", \"or\" or the end, not \",\"");
    wrong("port 80-22", 6, "the range runs backwards: 22-80 was probably meant");
}

BOOST_AUTO_TEST_CASE(marks) {
    for (const auto* text : {"mark 4294967296", "mark 0x", "mark 0x100000000", "mark 1/", "mark /1",
                             "mark x", "mark 1/2/3", "mark -1", "mark 0x1/0xg"}) {
        wrong(text, 6, "expected a mark of 32 bits such as 7, 0x10 or 0x10/0xff, not \"");
    }
    wrong("mark 0x11/0x10", 6, "the mark has bits outside of its mask: no flow can have it");
}

BOOST_AUTO_TEST_CASE(numbers) {
    wrong("zone 65536", 6, "expected a zone (0 to 65535), not \"65536\"");
    wrong("zone x", 6, "expected a zone");
    wrong("netns 4294967296", 7, "expected a network namespace's inode");
    wrong("netns 4k", 7, "expected a network namespace's inode");
}

BOOST_AUTO_TEST_CASE(comparisons) {
    wrong("bytes 10", 7, "expected >= or <, not \"10\"");
    wrong("bytes > 10", 7, "expected >= or <, not \">\"");
    wrong("packets <= 10", 9, "expected >= or <, not \"<=\"");
    wrong("age = 1s", 5, "expected >= or <, not \"=\"");
    unfinished("bytes", "expected >= or <");
    unfinished("bytes <", "expected a number of 64 bits, perhaps with k, M or G");
    for (const auto* text : {"bytes >= x", "bytes >= 1K", "bytes >= 1kB", "bytes >= k",
                             "bytes >= 18446744073709551616", "bytes >= 18446744074G",
                             "bytes >= 1.5k", "bytes >= 10s"}) {
        wrong(text, 10, "expected a number of 64 bits, perhaps with k, M or G, not \"");
    }
    for (const auto* text : {"age >= 10", "age >= s", "age >= 1d", "age >= 876001h", "age >= 0",
                             "age >= 99999999999999999999s", "age >= 1m30s"}) {
        wrong(text, 8, "expected a time such as 10s (ns, us, ms, s, m or h; ");
    }
}

BOOST_AUTO_TEST_CASE(the_first_mistake_is_told) {
    wrong("port x and host y and", 6, "expected a port");
}

BOOST_AUTO_TEST_CASE(limits_are_told_where_they_are_passed) {
    const auto deep = diagnose(std::string(40, '!') + "ip", ctflow::errc::filter_too_long);
    BOOST_TEST(deep.find("at character 34: nested too deeply: 32") == 0U, deep);
    std::string row = "ip";
    for (int i = 0; i < 512; ++i) {
        row += " or ip";
    }
    const auto many = diagnose(row, ctflow::errc::filter_too_long);
    BOOST_TEST(many.find("at character 3070: too many tests: 512 are the most") == 0U, many);
    const auto longest = diagnose(std::string(65537, ' '), ctflow::errc::filter_too_long);
    BOOST_TEST(longest == "it has 65537 characters: 65536 are the most");
}

BOOST_AUTO_TEST_CASE(control_characters_never_come_out) {
    const auto escape = diagnose("port 1 \x1b[31m or x");
    BOOST_TEST(escape ==
               "at character 8: expected \"and\", \"or\" or the end, not a control or non-ASCII "
               "character\n"
               "  port 1 ?[31m or x\n"
               "         ^");
    using namespace std::string_view_literals;
    for (const auto text : {"port\t1\r\nx"sv, "port \0 1"sv, "\x7f"sv, "port \xc2\x9b 1"sv,
                            "\xff\xfe\xfd"sv, "host 10.0.0.1\0x"sv, "\xf0\x9f"sv}) {
        const auto diag = diagnose(text);
        BOOST_TEST(std::ranges::all_of(diag, is_plain));
        BOOST_TEST(std::ranges::count(diag, '\n') == 2);
    }
}

BOOST_AUTO_TEST_CASE(the_caret_is_right_behind_tabs_and_line_ends) {
    const auto diag = diagnose("\tproto\ttcp\r\nand port\tx");
    BOOST_TEST(diag.find("at character 22: ") == 0U, diag);
    BOOST_TEST(caret(diag) == 21U);
    BOOST_TEST(diag.find("\n   proto tcp  and port x\n") != diag.npos, diag);
}

BOOST_AUTO_TEST_CASE(a_character_is_one_however_many_bytes_it_has) {
    using ctflow::filtering::printable;
    BOOST_TEST(printable("a\xc3\xa4z") == "a?z");
    BOOST_TEST(printable("\xe2\x82\xacz") == "?z");
    BOOST_TEST(printable("\xf0\x9f\x98\x80z") == "?z");
    BOOST_TEST(printable("\xc3z") == "?z");        // Cut off.
    BOOST_TEST(printable("\x80\x80z") == "??z");   // Begins nowhere.
    BOOST_TEST(printable("\xc3\xa4\xa4") == "??"); // One too many.
    const auto diag = ctflow::filtering::point_at("\xc3\xa4\xc3\xb6 x", 5, "what");
    BOOST_TEST(diag == "at character 4: what\n  ?? x\n     ^");
}

BOOST_AUTO_TEST_CASE(of_a_long_text_a_part_is_shown) {
    const std::string before(500, ' ');
    const auto diag = diagnose(before + "port x" + std::string(500, 'y'));
    BOOST_TEST(diag.find("at character 506: ") == 0U, diag);
    const auto line = diag.substr(diag.find('\n') + 1);
    BOOST_TEST(line.find('\n') < 90U);
    BOOST_TEST(line[caret(diag) + 2] == 'x');
    BOOST_TEST(diag.size() < 350U); // The word is cut, too.
}

BOOST_AUTO_TEST_CASE(it_is_thrown_with_all_of_that) {
    try {
        filter::parse("port x");
        BOOST_FAIL("not thrown");
    } catch (const ctflow::system_error& e) {
        BOOST_TEST((e.code() == ctflow::errc::filter_syntax));
        const std::string what = e.what();
        BOOST_TEST(what.find(e.code().message() + ":\nat character 6: expected") == 0U, what);
    }
    BOOST_TEST((filter::parse("port 1") == ctflow::filters::port(1)));
}

BOOST_AUTO_TEST_SUITE_END()
