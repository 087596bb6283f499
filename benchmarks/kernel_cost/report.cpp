// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <cmath>
#include <cstdio>

#include <sys/utsname.h>

namespace ctflow::kernel_cost {
namespace {

std::string whole_number(double value) {
    return std::to_string(std::llround(value));
}

std::string cell(const figure& f) {
    return whole_number(f.value) + " ±" + whole_number(f.spread);
}

std::string cell(const std::optional<cost>& c, figure cost::*which) {
    return c ? cell((*c).*which) : "–";
}

// Of fexit to kprobe + kretprobe, which do the same.
std::string ratio(const row& r, figure cost::*which) {
    if (!r.fexit() || !r.kprobes()) {
        return "–";
    }
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f",
                  ((*r.fexit()).*which).value / ((*r.kprobes()).*which).value);
    return text;
}

void print_rows(std::ostream& out, const result& r) {
    out << "| flows | ";
    for (const auto* what : {"programs", "whole"}) {
        for (const auto* name : way_names) {
            out << " | " << what << ": " << name;
        }
        out << " | fexit / kprobes";
    }
    out << " | a packet without |\n|---:|---|";
    for (std::size_t column = 0; column < 2 * (ways.size() + 1) + 1; ++column) {
        out << "---:|";
    }
    out << '\n';
    for (const auto& row : r.rows) {
        out << "| " << row.flows << " | " << row.what.name;
        for (auto which : {&cost::programs, &cost::whole}) {
            for (const auto& c : row.with) {
                out << " | " << cell(c, which);
            }
            out << " | " << ratio(row, which);
        }
        out << " | " << cell(row.without) << " |\n";
    }
}

void print_programs(std::ostream& out, const result& r) {
    out << "| program | BPF instructions | machine code, bytes | verified instructions |\n"
           "|---|---:|---:|---:|\n";
    for (const auto& p : r.programs) {
        out << "| " << p.name << " | " << p.xlated_bytes / 8 << " | " << p.jited_bytes << " | "
            << (p.verified_insns != 0 ? std::to_string(p.verified_insns) : "–") << " |\n";
    }
}

void print_losses(std::ostream& out, const result& r) {
    for (const auto& row : r.rows) {
        for (std::size_t w = 0; w < ways.size(); ++w) {
            const auto& c = row.with[w];
            if (c && (c->lost != 0 || c->missed != 0)) {
                out << row.flows << " flows, " << row.what.name << ", " << way_names[w] << ": "
                    << c->lost << " events lost, " << c->missed << " runs missed.\n\n";
            }
        }
    }
}

} // namespace

void report(std::ostream& out, const result& r, const options& o, bool instructions) {
    utsname host{};
    ::uname(&host);
    const char* unit = instructions ? "instructions" : "nanoseconds";
    out << "## Kernel-side cost per packet, Linux " << host.release << ", in " << unit << "\n\n";
    print_rows(out, r);
    out << "\n*programs*: run_time_ns / run_cnt of the programs that run for each packet, added "
           "up, and\nin it the reading of the clock around each run. *whole*: what sending a "
           "packet takes more\nthan without a probe, which includes trampolines, breakpoints and "
           "wake-ups of the reader.\nMedians of "
        << o.rounds << " rounds of " << o.packets << " packets, ± the furthest round.\n\n";
    print_programs(out, r);
    out << '\n';
    print_losses(out, r);
    for (const auto& remark : r.remarks) {
        out << remark << "\n\n";
    }
}

} // namespace ctflow::kernel_cost
