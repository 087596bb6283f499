// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include "subject.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace ctflow::kernel_cost {
namespace {

figure median(std::vector<double> samples) {
    std::ranges::sort(samples);
    const double middle = samples[samples.size() / 2];
    return {middle, std::max(samples.back() - middle, middle - samples.front())};
}

// The subjects that there are, and their rounds.
struct contender {
    std::unique_ptr<subject> what;
    std::vector<double> whole;
    std::vector<double> programs;
    cost sum;

    void round(traffic& t, std::size_t flows, std::size_t packets) {
        if (!what) {
            return;
        }
        const auto s = what->round(t, flows, packets);
        whole.push_back(s.whole);
        programs.push_back(s.programs);
        sum.lost += s.lost;
        sum.missed += s.missed;
    }

    std::optional<cost> result(const figure& without) const {
        if (!what) {
            return std::nullopt;
        }
        cost c = sum;
        c.programs = median(programs);
        c.whole = median(whole);
        c.whole.value -= without.value;
        c.whole.spread += without.spread;
        return c;
    }
};

class session {
public:
    explicit session(const options& o) : options_(o), most_flows_(std::ranges::max(o.flows)) {}

    result run() {
        for (const auto& what : scenes(options_.filters, options_.trailer)) {
            if (!traffic_ || what.zoned) {
                traffic_.reset(); // Their namespaces have the same name.
                traffic_.emplace(most_flows_, what.zoned);
            }
            for (const auto flows : options_.flows) {
                result_.rows.push_back(measure_row(flows, what));
            }
        }
        return std::move(result_);
    }

private:
    row measure_row(std::size_t flows, const scene& what) {
        contender none{std::make_unique<subject>(), {}, {}, {}};
        std::array<contender, ways.size()> contenders;
        for (std::size_t w = 0; w < ways.size(); ++w) {
            contenders[w].what = make(w, what);
        }
        for (std::size_t i = 0; i < options_.rounds; ++i) {
            // By turns, so that a slow drift of the machine meets all alike.
            none.round(*traffic_, flows, options_.packets);
            for (auto& c : contenders) {
                c.round(*traffic_, flows, options_.packets);
            }
        }
        row r{flows, what, median(none.whole), {}};
        std::ranges::transform(contenders, r.with.begin(),
                               [&](const auto& c) { return c.result(r.without); });
        return r;
    }

    std::unique_ptr<subject> make(std::size_t way, const scene& what) {
        try {
            auto made = std::make_unique<subject>(ways[way], what, most_flows_);
            for (const auto& p : made->programs()) {
                add(p);
            }
            return made;
        } catch (const system_error& e) {
            remark(std::string("No ") + way_names[way] + " here: " + e.what());
            return nullptr;
        }
    }

    void add(const program& p) {
        const auto same = [&p](const program& other) {
            return p.name == other.name;
        };
        if (std::ranges::none_of(result_.programs, same)) {
            result_.programs.push_back(p);
        }
    }

    void remark(const std::string& text) {
        if (std::ranges::find(result_.remarks, text) == result_.remarks.end()) {
            result_.remarks.push_back(text);
        }
    }

    const options& options_;
    std::size_t most_flows_;
    std::optional<traffic> traffic_;
    result result_;
};

} // namespace

result measure(const options& o) {
    return session(o).run();
}

} // namespace ctflow::kernel_cost
