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

std::string ratio(const row& r, figure cost::*which) {
    if (!r.fentry || !r.kprobe) {
        return "–";
    }
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f",
                  ((*r.fentry).*which).value / ((*r.kprobe).*which).value);
    return text;
}

void print_rows(std::ostream& out, const result& r) {
    out << "| flows | | programs: fexit | programs: kprobe + kretprobe | ratio "
           "| whole: fexit | whole: kprobe + kretprobe | ratio | a packet without |\n"
           "|---:|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for (const auto& row : r.rows) {
        out << "| " << row.flows << " | " << (row.emitting ? "emitting" : "cooldown");
        for (auto which : {&cost::programs, &cost::whole}) {
            out << " | " << cell(row.fentry, which) << " | " << cell(row.kprobe, which) << " | "
                << ratio(row, which);
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
        for (const auto* c : {&row.fentry, &row.kprobe}) {
            if (*c && ((*c)->lost != 0 || (*c)->missed != 0)) {
                out << row.flows << " flows, " << (row.emitting ? "emitting, " : "cooldown, ")
                    << (c == &row.fentry ? "fexit: " : "kprobe + kretprobe: ") << (*c)->lost
                    << " events lost, " << (*c)->missed << " runs missed.\n\n";
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
