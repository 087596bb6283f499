// SPDX-License-Identifier: Apache-2.0
#include <ctflow/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

std::string read(const std::string& name) {
    std::ifstream file(CTFLOW_SOURCE_DIR "/" + name);
    BOOST_REQUIRE_MESSAGE(file, name << " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

// Where the lines of a text break is nobody's business.
std::string joined(const std::string& text) {
    return std::regex_replace(text, std::regex("\\s+"), " ");
}

// The names in errc, in order.
std::vector<std::string> names() {
    const auto header = read("include/ctflow/error.hpp");
    const auto begin = header.find("enum class errc {");
    BOOST_REQUIRE(begin != std::string::npos);
    const auto body = header.substr(begin, header.find("};", begin) - begin);
    const std::regex enumerator("\n    ([a-z0-9_]+)( = 1)?,");
    std::vector<std::string> all;
    for (std::sregex_iterator at(body.begin(), body.end(), enumerator), end; at != end; ++at) {
        all.push_back((*at)[1]);
    }
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(all_of_them_have_been_found) {
    const auto all = names();
    BOOST_REQUIRE(!all.empty());
    BOOST_TEST(all.front() == "curve0_age");
    BOOST_TEST(all.back() == "filter_too_long");
    BOOST_TEST(all.size() == static_cast<std::size_t>(ctflow::errc::filter_too_long));
}

BOOST_AUTO_TEST_CASE(each_is_on_the_page_with_its_sentence) {
    const auto page = joined(read("docs/troubleshooting.md"));
    int value = 0;
    for (const auto& name : names()) {
        const auto message = make_error_code(static_cast<ctflow::errc>(++value)).message();
        const auto entry = "`" + message + "` (`errc::" + name + "`)";
        BOOST_TEST(page.find(entry) != std::string::npos, "the page lacks " << entry);
    }
}

BOOST_AUTO_TEST_SUITE_END()
