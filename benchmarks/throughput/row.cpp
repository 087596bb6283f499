// SPDX-License-Identifier: Apache-2.0
#include "row.hpp"

namespace ctflow::bench {
namespace {

template <class Figure>
spread over(const std::vector<round_result>& rounds, Figure figure) {
    std::vector<double> values;
    for (const auto& each : rounds) {
        values.push_back(figure(each));
    }
    return spread_of(std::move(values));
}

} // namespace

row summarize(const variant& v, const std::vector<round_result>& rounds) {
    using r = const round_result&;
    row result{.of = &v,
               .account = {},
               .delivered_per_second = over(rounds, [](r x) { return x.delivered_per_second; }),
               .sent_per_second = over(rounds, [](r x) { return x.sent_per_second; }),
               .consumer_ns = over(rounds, [](r x) { return x.consumer_ns(); }),
               .producer_ns = over(rounds, [](r x) { return x.producer_ns(); }),
               .producer_ns_sent = over(rounds, [](r x) { return x.producer_ns_sent(); }),
               .faults = {}};
    for (const auto& each : rounds) {
        result.account += each.account;
        result.faults.insert(result.faults.end(), each.faults.begin(), each.faults.end());
    }
    return result;
}

} // namespace ctflow::bench
