// SPDX-License-Identifier: Apache-2.0
#include "support/machine.hpp"

#include "support/format.hpp"

#include <ctflow/version.hpp>

#include <boost/version.hpp>

#include <ctime>
#include <fstream>

#include <sys/utsname.h>
#include <unistd.h>

namespace ctflow::bench {
namespace {

// Of the first processor in /proc/cpuinfo.
std::string processor_field(std::string_view name) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line) && !line.empty();) {
        const auto colon = line.find(": ");
        if (line.starts_with(name) && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "unknown";
}

std::string processor() {
    const bool guest = (processor_field("flags") + ' ').find(" hypervisor ") != std::string::npos;
    return processor_field("model name") + (guest ? " (of a virtual machine)" : "");
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof(text), "%F %H:%M UTC", &utc)};
}

} // namespace

std::vector<std::pair<std::string, std::string>> describe_machine() {
    utsname host{};
    ::uname(&host);
    return {{"cpu", processor()},
            {"cores", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
            {"kernel", host.release},
#ifdef __clang__
            {"compiler", __VERSION__},
#else
            {"compiler", "g++ " __VERSION__},
#endif
            {"build", CTFLOW_BUILD_TYPE},
            {"ctflow", CTFLOW_VERSION_STRING},
            {"boost", std::to_string(BOOST_VERSION / 100'000) + '.' +
                          std::to_string(BOOST_VERSION / 100 % 1'000) + '.' +
                          std::to_string(BOOST_VERSION % 100)},
            {"libbpf", CTFLOW_LIBBPF_VERSION}, // Of itself it says less.
            {"date", today()}};
}

std::string machine_as_markdown() {
    std::string text;
    for (const auto& [name, value] : describe_machine()) {
        text += "- " + name + ": " + value + '\n';
    }
    return text;
}

std::string machine_as_json() {
    json_object object;
    for (const auto& [name, value] : describe_machine()) {
        object.add(name, value);
    }
    return object.text();
}

} // namespace ctflow::bench
