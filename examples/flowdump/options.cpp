// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <getopt.h>

namespace flowdump {

const char* const usage =
    R"(usage: flowdump [OPTION]...

Prints what each network flow of this host has moved so far: when it begins, at
a rate that falls with its age, and when it ends.

  --json             one JSON object a line
  --community-id SEED
                     with each flow's Community ID, by which Zeek, Suricata and
                     Elastic know it; SEED is 0 unless theirs is another
  --filter TEXT      flows that it lets through alone: "proto tcp and not port 22"
  --mode MODE        update, destroy or all (all)
  --count N          end after N events
  --duration TIME    end after this time
  --curve POINTS     three points AGE:RATE: from AGE on, a flow sends an update
                     each RATE; 0 takes the default (0s:20s,1m:1m,5m:5m)
  --attach HOW       auto: the best that is possible; fentry or kprobe; or
                     netfilter, which works under lockdown too, and sees one
                     network namespace: its own (auto)
  --avoid FUNCTION   do not hook this kernel function; repeatable
  --btf FILE         types of a kernel that has no BTF of its own
  --transport HOW    perf_buffer, a ring for each CPU; or ring_buffer, one for
                     all, whose events are in order (perf_buffer)
  --buffer-pages N   room for events of each CPU, a power of two (256; 64 where
                     locked memory is limited)
  --reserve-pages N  room for destroy events that find none there, of all CPUs
                     together, a power of two (1024)
  --flush-interval TIME
                     how often perf buffers are looked at while events come fast; 0:
                     each event wakes flowdump, however many there are (500us)
  --netlink-buffer N room for ends of flows, in bytes, some 1000 each, where they
                     come by netlink: with --attach netfilter (4194304)
  --audit-interval TIME
                     where ends come by netlink: how long nothing may be heard of a
                     new flow before it is looked for; 0: never (150s)
  --queue N          events that may wait to be printed (16384)
  --max-flows N      flows that can be followed at a time (65536)
  --no-sysctl        do not switch on conntrack's counters and time stamps
  --tcp-sides        tell both sides' flags and window scales of all TCP connections
  --processes        tell which local process began a flow: pid, name, cgroup
  --stats            print statistics at the end, as JSON on stderr
  --check            tell what is in the way of events here, and what mends it;
                     exit status 0 if nothing is
  --version
  --help

Times are whole numbers with a unit: ns, us, ms, s, m or h.
Exit status: 0, 1 on failure, 2 on bad usage.
)";

namespace {

using std::chrono::nanoseconds;

// All of the text as a whole number in decimal, no more than `max`.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || stop != end || value > max) {
        return std::nullopt;
    }
    return value;
}

std::optional<nanoseconds> parse_time(std::string_view text) {
    static constexpr std::pair<std::string_view, std::uint64_t> units[] = {
        {"ns", 1},
        {"us", 1'000},
        {"ms", 1'000'000},
        {"s", 1'000'000'000},
        {"m", 60'000'000'000},
        {"h", 3'600'000'000'000}};
    if (text == "0") {
        return nanoseconds(0);
    }
    const auto digits = text.find_first_not_of("0123456789");
    if (digits == text.npos) {
        return std::nullopt;
    }
    for (const auto& [unit, scale] : units) {
        if (text.substr(digits) == unit) {
            constexpr auto max = static_cast<std::uint64_t>(nanoseconds::max().count());
            const auto number = parse_number(text.substr(0, digits), max / scale);
            if (!number) {
                return std::nullopt;
            }
            return nanoseconds(static_cast<nanoseconds::rep>(*number * scale));
        }
    }
    return std::nullopt;
}

std::optional<ctflow::curve_point> parse_point(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos) {
        return std::nullopt;
    }
    const auto age = parse_time(text.substr(0, colon));
    const auto rate = parse_time(text.substr(colon + 1));
    if (!age || !rate) {
        return std::nullopt;
    }
    return ctflow::curve_point{*age, *rate};
}

bool parse_curve(std::string_view text, ctflow::config& c) {
    const std::array points{&c.curve0, &c.curve1, &c.curve2};
    for (std::size_t i = 0; i != points.size(); ++i) {
        const bool last = i + 1 == points.size();
        const auto comma = text.find(',');
        if (last != (comma == text.npos)) {
            return false;
        }
        const auto point = parse_point(text.substr(0, comma));
        if (!point) {
            return false;
        }
        *points[i] = *point;
        text.remove_prefix(last ? 0 : comma + 1);
    }
    return true;
}

// Above all characters, so that getopt_long's answer tells an option from a stray character.
enum id : int {
    json = 256,
    community_id,
    filter,
    mode,
    count,
    duration,
    curve,
    attach,
    avoid,
    btf,
    transport,
    buffer_pages,
    reserve_pages,
    flush_interval,
    netlink_buffer,
    audit_interval,
    queue,
    max_flows,
    no_sysctl,
    tcp_sides,
    processes,
    stats,
    check,
    version,
    help,
};

constexpr option table[] = {
    {"json", no_argument, nullptr, id::json},
    {"community-id", required_argument, nullptr, id::community_id},
    {"filter", required_argument, nullptr, id::filter},
    {"mode", required_argument, nullptr, id::mode},
    {"count", required_argument, nullptr, id::count},
    {"duration", required_argument, nullptr, id::duration},
    {"curve", required_argument, nullptr, id::curve},
    {"attach", required_argument, nullptr, id::attach},
    {"avoid", required_argument, nullptr, id::avoid},
    {"btf", required_argument, nullptr, id::btf},
    {"transport", required_argument, nullptr, id::transport},
    {"buffer-pages", required_argument, nullptr, id::buffer_pages},
    {"reserve-pages", required_argument, nullptr, id::reserve_pages},
    {"flush-interval", required_argument, nullptr, id::flush_interval},
    {"netlink-buffer", required_argument, nullptr, id::netlink_buffer},
    {"audit-interval", required_argument, nullptr, id::audit_interval},
    {"queue", required_argument, nullptr, id::queue},
    {"max-flows", required_argument, nullptr, id::max_flows},
    {"no-sysctl", no_argument, nullptr, id::no_sysctl},
    {"tcp-sides", no_argument, nullptr, id::tcp_sides},
    {"processes", no_argument, nullptr, id::processes},
    {"stats", no_argument, nullptr, id::stats},
    {"check", no_argument, nullptr, id::check},
    {"version", no_argument, nullptr, id::version},
    {"help", no_argument, nullptr, id::help},
    {nullptr, 0, nullptr, 0},
};

// Stores a whole number. @return what it may be, if it is not.
template <class Number>
std::string set_number(std::string_view text, Number& out,
                       std::uint64_t max = std::numeric_limits<Number>::max(),
                       std::uint64_t min = 1) {
    const auto value = parse_number(text, max);
    if (!value || *value < min) {
        return "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
    }
    out = static_cast<Number>(*value);
    return {};
}

bool set_time(std::string_view text, nanoseconds& out, nanoseconds max) {
    const auto value = parse_time(text);
    out = value.value_or(out);
    return value && *value <= max;
}

// Stores what one of some words stands for. @return the words, if it is none of them.
template <class Value, std::size_t Size>
std::string set_word(std::string_view text, Value& out,
                     const std::pair<const char*, Value> (&words)[Size]) {
    std::string list;
    for (std::size_t i = 0; i != Size; ++i) {
        if (text == words[i].first) {
            out = words[i].second;
            return {};
        }
        list += i == 0 ? "" : i + 1 == Size ? " or " : ", ";
        list += words[i].first;
    }
    return list;
}

// Takes one option into `o`. @return what its value may be, if it is not.
std::string set(int option, std::string_view value, options& o) {
    switch (option) {
    case id::json:
        o.json = true;
        break;
    case id::community_id:
        return set_number(value, o.community_seed.emplace(), UINT16_MAX, 0);
    case id::filter:
        break; // Its error is of several lines.
    case id::mode:
        return set_word<ctflow::consumer_mode>(value, o.mode,
                                               {{"update", ctflow::consumer_mode::update},
                                                {"destroy", ctflow::consumer_mode::destroy},
                                                {"all", ctflow::consumer_mode::all}});
    case id::count:
        return set_number(value, o.count.emplace());
    case id::duration:
        o.duration = parse_time(value);
        return o.duration ? "" : "a time such as 10s (ns, us, ms, s, m or h)";
    case id::curve:
        return parse_curve(value, o.config)
                   ? ""
                   : "three points AGE:RATE such as 0s:20s,1m:1m,5m:5m (ns, us, ms, s, m or h)";
    case id::attach:
        return set_word<ctflow::attach_mode>(value, o.config.attach,
                                             {{"auto", ctflow::attach_mode::automatic},
                                              {"fentry", ctflow::attach_mode::fentry},
                                              {"kprobe", ctflow::attach_mode::kprobe},
                                              {"netfilter", ctflow::attach_mode::netfilter}});
    case id::avoid:
        o.config.avoid_functions.emplace_back(value);
        break;
    case id::btf:
        o.config.btf_file = value;
        return value.empty() ? "the name of a file" : "";
    case id::transport:
        return set_word<ctflow::transport_kind>(
            value, o.config.transport,
            {{"perf_buffer", ctflow::transport_kind::perf_buffer},
             {"ring_buffer", ctflow::transport_kind::ring_buffer}});
    case id::buffer_pages:
        return set_number(value, o.config.buffer_pages).empty() ? "" : "a power of two such as 64";
    case id::reserve_pages:
        return set_number(value, o.config.reserve_pages).empty() ? ""
                                                                 : "a power of two such as 1024";
    case id::flush_interval:
        return set_time(value, o.config.flush_interval, ctflow::config::flush_interval_limit)
                   ? ""
                   : "a time such as 500us (ns, us, ms, s, m or h), 1s at most";
    case id::netlink_buffer:
        return set_number(value, o.config.netlink_buffer, ctflow::config::netlink_buffer_limit,
                          ctflow::config::netlink_buffer_least);
    case id::audit_interval:
        return set_time(value, o.config.audit_interval, ctflow::config::audit_interval_limit)
                   ? ""
                   : "a time such as 150s (ns, us, ms, s, m or h), 24h at most";
    case id::queue:
        // Each event has its place in memory beforehand: this many are 1.9 GB.
        return set_number(value, o.queue, 1U << 24);
    case id::max_flows:
        return set_number(value, o.config.max_flows, ctflow::config::max_flows_limit);
    case id::no_sysctl:
        o.sysctl = false;
        break;
    case id::tcp_sides:
        o.config.tcp_sides = true;
        break;
    case id::processes:
        o.config.processes = true;
        break;
    case id::stats:
        o.stats = true;
        break;
    case id::check:
        o.check = true;
        break;
    case id::version:
        o.version = true;
        break;
    default:
        o.help = true;
        break;
    }
    return {};
}

const char* option_name(int value) {
    for (const auto* entry = table; entry->name != nullptr; ++entry) {
        if (entry->val == value) {
            return entry->name;
        }
    }
    return "";
}

} // namespace

std::variant<options, std::string> parse(const std::vector<std::string>& arguments) {
    // getopt wants the program's name first, and reorders what it is given.
    std::vector<std::string> words{"flowdump"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    char* const* const args = argv.data(); // getopt's index is an int.
    const int argc = static_cast<int>(words.size());

    options o;
    std::string curve_text;
    opterr = 0; // The messages are ours,
    optind = 0; // and nothing is left over from another call.
    for (;;) {
        const int found = getopt_long(argc, args, ":", table, nullptr);
        if (found == -1) {
            break;
        }
        if (found == ':') {
            return std::string("--") + option_name(optopt) + " needs a value";
        }
        if (found == '?') {
            if (optopt >= id::json) {
                return std::string("--") + option_name(optopt) + " takes no value";
            }
            return "unknown option " + (optopt != 0 ? std::string{'-', static_cast<char>(optopt)}
                                                    : std::string(args[optind - 1]));
        }
        const std::string value = optarg == nullptr ? "" : optarg;
        if (const auto allowed = set(found, value, o); !allowed.empty()) {
            return std::string("--") + option_name(found) + " must be " + allowed + ", not '" +
                   value + "'";
        }
        if (found == id::curve) {
            curve_text = value;
        }
        if (found == id::filter) {
            ctflow::error_code ec;
            ctflow::diagnostics diag;
            o.config.filter = ctflow::filter::parse(value, ec, diag);
            if (ec) {
                return "--filter: " + diag;
            }
        }
    }
    if (optind != argc) {
        return "unexpected argument '" + std::string(args[optind]) + "'";
    }

    // What the probe itself would refuse, said of the option that is to blame.
    if (const auto ec = ctflow::validate(ctflow::with_defaults(o.config))) {
        const auto option = ec == ctflow::errc::buffer_pages
                                ? "--buffer-pages " + std::to_string(o.config.buffer_pages)
                            : ec == ctflow::errc::reserve_pages
                                ? "--reserve-pages " + std::to_string(o.config.reserve_pages)
                                : "--curve " + curve_text;
        return option + ": " + ec.message();
    }
    return o;
}

} // namespace flowdump
