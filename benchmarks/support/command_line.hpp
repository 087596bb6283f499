// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ctflow::bench {

// Goes through a program's arguments. Exits with a word on stderr for what it does not understand.
class command_line {
public:
    // The first line of `usage` begins with "usage: NAME".
    command_line(int argc, char** argv, std::string_view usage);

    // The next option, or an empty text. Exits for --help.
    std::string_view next();

    // The value of the current option, or the next part of it.
    std::string_view value();
    double number(double least, double most);
    std::vector<std::string> list();
    std::vector<double> numbers(double least, double most);

    [[noreturn]] void misuse(std::string_view what) const;
    [[noreturn]] void unknown() const { misuse("unknown: " + std::string(option_)); }

private:
    double parse(std::string_view text, double least, double most) const;

    const int argc_;
    char** const argv_;
    const std::string_view usage_;
    int at_ = 0;
    std::string_view option_;
};

// The exit status by which ctest knows that a test was skipped.
inline constexpr int skipped = 77;

// Exits so, with a sentence, unless this is root, on a machine with two CPUs.
void need_root_and_two_cpus(std::string_view program);

} // namespace ctflow::bench
