// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

struct ctflow_filter;

namespace ctflow::test {

struct judgement {
    bool accepted;
    ctflow_filter_outlook outlook;
};

// Runs filters in the kernel. Needs root, but no right to trace.
class filter_runner {
public:
    filter_runner();
    ~filter_runner();
    filter_runner(const filter_runner&) = delete;
    filter_runner& operator=(const filter_runner&) = delete;

    // Of at most 2048 subjects.
    std::vector<judgement> run(const ctflow_filter_program& program,
                               std::span<const ctflow_filter_subject> subjects);

    // What the kernel's verifier had to do, in its words.
    std::string verification() const;

private:
    struct deleter {
        void operator()(ctflow_filter* s) const noexcept;
    };
    std::unique_ptr<ctflow_filter, deleter> skeleton_;
    std::vector<char> log_;
};

} // namespace ctflow::test
