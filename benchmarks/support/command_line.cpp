// SPDX-License-Identifier: Apache-2.0
#include "support/command_line.hpp"

#include "support/cpu.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

namespace ctflow::bench {

command_line::command_line(int argc, char** argv, std::string_view usage)
    : argc_(argc), argv_(argv), usage_(usage) {}

std::string_view command_line::next() {
    option_ = ++at_ < argc_ ? std::string_view(argv_[at_]) : std::string_view();
    if (option_ == "--help") {
        std::cout << usage_;
        std::exit(0);
    }
    return option_;
}

std::string_view command_line::value() {
    if (at_ + 1 >= argc_) {
        misuse("wants a value: " + std::string(option_));
    }
    return argv_[++at_];
}

double command_line::parse(std::string_view text, double least, double most) const {
    double number{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size() || !std::isfinite(number) ||
        number < least || number > most) {
        misuse(std::string(option_) + " wants a number in range, not " + std::string(text));
    }
    return number;
}

double command_line::number(double least, double most) {
    return parse(value(), least, most);
}

std::vector<std::string> command_line::list() {
    std::vector<std::string> parts;
    auto text = value();
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
        comma = text.find(',');
        parts.emplace_back(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return parts;
}

std::vector<double> command_line::numbers(double least, double most) {
    std::vector<double> result;
    for (const auto& each : list()) {
        result.push_back(parse(each, least, most));
    }
    return result;
}

void command_line::misuse(std::string_view what) const {
    std::cerr << what << '\n' << usage_;
    std::exit(2);
}

void need_root_and_two_cpus(std::string_view program) {
    if (::geteuid() != 0) {
        std::cerr << program << ": skipped: the kernel's buffers need root, and this is uid "
                  << ::geteuid() << '\n';
        std::exit(skipped);
    }
    if (!has_both_cpus()) {
        std::cerr << program << ": skipped: wants CPUs " << producer_cpu << " and " << consumer_cpu
                  << ", one to send and one to receive\n";
        std::exit(skipped);
    }
}

} // namespace ctflow::bench
