// SPDX-License-Identifier: Apache-2.0
#include "host/cpus.hpp"
#include "host/kernel_events.hpp"
#include "host/module_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

#include <unistd.h>

using namespace ctflow::host;
using namespace std::string_view_literals;

BOOST_AUTO_TEST_SUITE(cpus)

BOOST_AUTO_TEST_CASE(the_highest_number_counts_not_how_many_there_are) {
    BOOST_TEST(end_of_cpu_list("0\n").value() == 1U);
    BOOST_TEST(end_of_cpu_list("0-3\n").value() == 4U);
    BOOST_TEST(end_of_cpu_list("0,2-3").value() == 4U);
    BOOST_TEST(end_of_cpu_list("0,2-3,127").value() == 128U);
    BOOST_TEST(end_of_cpu_list("0-8191").value() == 8192U);
    for (const auto bad : {"", "\n", "x", "0-", "0,", "-1", "0;1", "0 1", "18446744073709551616",
                           "18446744073709551615", "0-4294967296"}) {
        BOOST_TEST_CONTEXT('"' << bad << '"') {
            BOOST_TEST(!end_of_cpu_list(bad).has_value());
        }
    }
    BOOST_TEST(end_of_cpus() >= static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

BOOST_AUTO_TEST_CASE(of_the_kernels_messages_those_of_cpus_coming_online_count) {
    BOOST_TEST(cpu_come_online("online@/devices/system/cpu/cpu3\0ACTION=online\0SUBSYSTEM=cpu\0"sv)
                   .value() == 3U);
    BOOST_TEST(cpu_come_online("online@/devices/system/cpu/cpu127").value() == 127U);
    for (const auto other :
         {""sv, "online"sv, "offline@/devices/system/cpu/cpu3\0ACTION=offline"sv,
          "add@/devices/system/cpu/cpu3"sv, "online@/devices/system/cpu/cpu"sv,
          "online@/devices/system/cpu/cpu3/x"sv, "online@/devices/system/cpu/cpux"sv,
          "online@/devices/system/cpu/cpu-1"sv, "online@/devices/system/memory/memory3"sv,
          "online@/devices/system/cpu/cpu99999999999999999999"sv, "libudev\0\0\0"sv,
          "\0online@/devices/system/cpu/cpu3"sv}) {
        BOOST_TEST_CONTEXT(std::string(other)) {
            BOOST_TEST(!cpu_come_online(other).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_module_that_is_not_there_does_not_go) {
    module_watch w("ctflow_no_such_module");
    BOOST_TEST(!w.gone()); // Not begun.
    ctflow::error_code ec;
    w.begin(ec);
    BOOST_TEST(!ec);
    BOOST_TEST(!w.gone());
}

BOOST_AUTO_TEST_CASE(nothing_is_heard_where_nothing_happens) {
    ctflow::error_code ec;
    kernel_events events(ec);
    BOOST_TEST(!ec);
    BOOST_REQUIRE(events.fd() >= 0);
    const auto news = events.take();
    BOOST_TEST(news.online.empty());
    BOOST_TEST(!news.dropped);
}

BOOST_AUTO_TEST_SUITE_END()
