// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/consumer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace flowdump {

/// What the command line says.
struct options {
    bool json = false;
    std::optional<std::uint16_t> community_seed; ///< For a Community ID, if one is wanted.
    ctflow::consumer_mode mode = ctflow::consumer_mode::all;
    std::optional<std::uint64_t> count;
    std::optional<std::chrono::nanoseconds> duration;
    ctflow::config config;
    std::size_t queue = ctflow::consumer::default_capacity;
    bool sysctl = true;
    bool stats = false;
    bool check = false;
    bool version = false;
    bool help = false;
};

/// The options, or a sentence that says which is wrong, and what it may be.
/// @param arguments  without the program's name
std::variant<options, std::string> parse(const std::vector<std::string>& arguments);

/// The text of --help.
extern const char* const usage;

} // namespace flowdump
