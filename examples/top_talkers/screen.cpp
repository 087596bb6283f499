// SPDX-License-Identifier: Apache-2.0
#include "screen.hpp"

#include "common/names.hpp"
#include "units.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

namespace top_talkers {
namespace {

using examples::flow;

struct ranked {
    const flow* of = nullptr;
    rates now;
    std::uint64_t bytes = 0;
};

// What is shown of each flow if there is room, in the order in which it gets some.
struct column {
    const char* head;
    std::size_t width; // With the space before it.
    std::string (*show)(const flow&, moment);
};

constexpr std::size_t rate_width = 8; // "999 kB" and a space or two.
constexpr std::size_t proto_width = 6;
constexpr std::size_t longest_endpoint = 47; // Of IPv6, in brackets, with a port.
constexpr std::size_t enough_endpoint = 21;  // Of IPv4.

std::uint64_t bytes_of(const flow& f) {
    return f.last.bytes_orig() + f.last.bytes_ret();
}

const column total{"TOTAL", rate_width, [](const flow& f, moment) {
                       return bytes(static_cast<double>(bytes_of(f)));
                   }};

const std::array more{
    column{"STATE", 12,
           [](const flow& f, moment) -> std::string {
               const bool stateless = f.last.tcp_state() == ctflow::tcp_state::none;
               return f.ended() ? "ended" : stateless ? "" : to_string(f.last.tcp_state());
           }},
    column{"AGE", 6,
           [](const flow& f, moment now) -> std::string {
               // The kernel may not have noted it, and clocks can be set back.
               const bool unknown = f.last.start().time_since_epoch().count() == 0;
               return unknown ? "" : age(std::max(now.calendar - f.last.start(), {}));
           }},
    column{"PKTS SENT", 11,
           [](const flow& f, moment) {
               return count(static_cast<double>(f.last.packets_orig()));
           }},
    column{"PKTS BACK", 11,
           [](const flow& f, moment) {
               return count(static_cast<double>(f.last.packets_ret()));
           }},
    column{"MARK", 11,
           [](const flow& f, moment) {
               return std::to_string(f.last.connmark());
           }},
    column{"NETNS", 12,
           [](const flow& f, moment) {
               return std::to_string(f.last.netns());
           }},
};

// Where things go on a line, for a width.
struct layout {
    bool rates = false;
    bool total = false;
    std::size_t proto = 0;
    std::size_t ends = 0;     // Both endpoints, and the space between.
    std::size_t endpoint = 0; // One of them.
    std::span<const column> more;
};

layout arrange(std::size_t width) {
    layout l;
    l.proto = proto_width;
    std::size_t left = width - std::min(width, proto_width);
    const auto take = [&left](std::size_t wanted, std::size_t spare) {
        const bool fits = left >= wanted + spare;
        left -= fits ? wanted : 0;
        return fits;
    };
    // On a narrow terminal, rates before whole addresses.
    l.rates = take(2 * rate_width, enough_endpoint);
    l.total = take(rate_width, longest_endpoint);
    std::size_t shown = 0;
    while (shown < more.size() && take(more[shown].width, 2 * longest_endpoint + 2)) {
        ++shown;
    }
    l.more = std::span(more).first(shown);
    l.ends = std::min(left, 2 * longest_endpoint + 2);
    l.endpoint = l.ends < 2 ? 0 : (l.ends - 2) / 2;
    return l;
}

// Cut if it must be; the end stays, which is where the port is.
std::string fit(const std::string& text, std::size_t width) {
    if (text.size() <= width) {
        return text + std::string(width - text.size(), ' ');
    }
    const std::size_t tail = std::min<std::size_t>(7, width / 2);
    return width < 3 ? text.substr(0, width)
                     : text.substr(0, width - tail - 1) + '~' + text.substr(text.size() - tail);
}

std::string right(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string cut(std::string line, std::size_t width) {
    line.resize(std::min(line.size(), width));
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string heads(const layout& l) {
    std::string line = fit("PROTO", l.proto);
    line += fit("SOURCE", l.endpoint) + "  " +
            fit("DESTINATION", l.ends - std::min(l.ends, l.endpoint + 2));
    line += l.rates ? right("SENT/s", rate_width) + right("BACK/s", rate_width) : "";
    line += l.total ? right(total.head, rate_width) : "";
    for (const auto& each : l.more) {
        line += right(each.head, each.width);
    }
    return line;
}

// One line or two.
std::vector<std::string> lines_of(const ranked& r, const layout& l, moment now) {
    const auto& e = r.of->last;
    const auto from = examples::endpoint(e.src_addr(), e.src_port(), e.has_ports());
    const auto to = examples::endpoint(e.dst_addr(), e.dst_port(), e.has_ports());
    const bool both = from.size() <= l.endpoint && to.size() <= l.endpoint;

    std::string line = fit(examples::protocol(e.proto()), l.proto);
    line +=
        both ? fit(from, l.endpoint) + "  " + fit(to, l.ends - l.endpoint - 2) : fit(from, l.ends);
    line +=
        l.rates ? right(bytes(r.now.sent), rate_width) + right(bytes(r.now.back), rate_width) : "";
    line += l.total ? right(total.show(*r.of, now), rate_width) : "";
    for (const auto& each : l.more) {
        line += right(each.show(*r.of, now), each.width);
    }
    if (both) {
        return {line};
    }
    return {line, fit("   ->", l.proto) + fit(to, l.ends)};
}

// The flows that a screen has lines for, those first that move most; those that move nothing by
// what they have moved.
std::vector<ranked> rank(const examples::flow_table& flows, moment now, std::size_t wanted,
                         rates& sum) {
    std::vector<ranked> all;
    all.reserve(flows.live());
    flows.for_each([&](const flow& f) {
        all.push_back({&f, rates_of(f, now.boot), bytes_of(f)});
        sum.sent += all.back().now.sent;
        sum.back += all.back().now.back;
    });
    const auto order = [](const ranked& r) {
        // The last for an order that does not change from screen to screen.
        return std::tuple(r.now.both(), r.bytes, r.of->last.conntrack());
    };
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, all.size()));
    std::ranges::partial_sort(all, end, std::ranges::greater(), order);
    all.erase(end, all.end());
    return all;
}

} // namespace

rates rates_of(const flow& f, ctflow::boot_clock::time_point now) {
    if (f.moved.time <= std::chrono::nanoseconds(0)) {
        return {};
    }
    const std::chrono::duration<double> time = std::max(f.moved.time, now - f.last.timestamp());
    return {static_cast<double>(f.moved.bytes_orig) / time.count(),
            static_cast<double>(f.moved.bytes_ret) / time.count()};
}

std::vector<std::string> screen(const examples::flow_table& flows, moment now, std::uint64_t lost,
                                extent size) {
    const auto l = arrange(size.columns);
    rates sum;
    const auto top = rank(flows, now, size.rows, sum);
    std::vector<std::string> lines{count(static_cast<double>(flows.live())) +
                                       (flows.live() == 1 ? " flow, " : " flows, ") +
                                       bytes(sum.sent) + "/s sent, " + bytes(sum.back) + "/s back",
                                   heads(l)};
    const std::size_t last = size.rows == 0 ? 0 : size.rows - 1;
    for (const auto& each : top) {
        const auto of_flow = lines_of(each, l, now);
        if (lines.size() + of_flow.size() > last) {
            break;
        }
        lines.insert(lines.end(), of_flow.begin(), of_flow.end());
    }
    lines.resize(last);
    if (size.rows != 0) {
        lines.push_back("q quits" + (lost == 0 ? "" : "; events lost: " + std::to_string(lost)));
    }
    for (auto& line : lines) {
        line = cut(std::move(line), size.columns);
    }
    return lines;
}

} // namespace top_talkers
