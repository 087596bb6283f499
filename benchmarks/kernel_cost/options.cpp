// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace ctflow::kernel_cost {
namespace {

constexpr std::size_t flows_limit = 1'000'000;

constexpr std::string_view usage =
    R"(usage: ctflow_kernel_cost [--flows N,N...] [--packets N] [--rounds N] [--brief]
                          [--filter TEXT]... [--trailer] [--check-ratio R]

What ctflow costs the kernel per packet, by each way to attach that the kernel
allows: with all flows in cooldown, with all refused by a filter, and with an
event for each packet. Wants root and a machine of its own, such as

    scripts/vm --kernel newest --icount -- ctflow_kernel_cost

where time is instructions executed; elsewhere it is nanoseconds. Prints
Markdown. While it runs, conntrack's table is of another size.

  --flows N,N...   numbers of flows that the packets go round (1,100,10000,100000)
  --packets N      packets in each round (5000)
  --rounds N       of which the median counts (3)
  --brief          the same as --flows 1,100 --packets 2000 --rounds 1
  --filter TEXT    an event for each packet once more, with this filter, which
                   has to let them through: UDP from 10.0.0.1 to 10.0.0.2
  --trailer        the same, with an event that has a trailer
  --check-ratio R  fail if in cooldown a packet's whole cost with fexit is more
                   than R times that with kprobe and kretprobe, or if that of a
                   refused one is a tenth more; takes --icount
  --help
)";

[[noreturn]] void misuse(std::string_view what) {
    std::cerr << "ctflow_kernel_cost: " << what << '\n' << usage;
    std::exit(2);
}

template <class Number>
Number number(std::string_view text, Number limit) {
    Number value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size() || !(value > 0) || value > limit) {
        misuse("not a number in range: " + std::string(text));
    }
    return value;
}

std::vector<std::size_t> list(std::string_view text) {
    std::vector<std::size_t> numbers;
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
        comma = text.find(',');
        numbers.push_back(number(text.substr(0, comma), flows_limit));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return numbers;
}

} // namespace

options parse(int argc, char** argv) {
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--help") {
            std::cout << usage;
            std::exit(0);
        }
        if (name == "--brief") {
            o.flows = {1, 100};
            o.packets = 2'000;
            o.rounds = 1;
            continue;
        }
        if (name == "--trailer") {
            o.trailer = true;
            continue;
        }
        if (i + 1 == argc) {
            misuse("unknown, or wants a value: " + std::string(name));
        }
        const std::string_view value = argv[++i];
        if (name == "--flows") {
            o.flows = list(value);
        } else if (name == "--packets") {
            o.packets = number<std::size_t>(value, 100'000'000);
        } else if (name == "--rounds") {
            o.rounds = number<std::size_t>(value, 1'000);
        } else if (name == "--filter") {
            o.filters.emplace_back(value);
        } else if (name == "--check-ratio") {
            o.check_ratio = number(value, 100.0);
        } else {
            misuse("unknown: " + std::string(name));
        }
    }
    return o;
}

} // namespace ctflow::kernel_cost
