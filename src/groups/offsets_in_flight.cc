// SPDX-License-Identifier: Apache-2.0
#include "groups/offsets_in_flight.h"

#include <algorithm>

#include "base/check.h"

namespace leat::groups {

void OffsetsInFlight::push(Commit commit) {
    size_ += commit.offsets.size();
    commits_.push_back(std::move(commit));
}

OffsetsInFlight::Commit OffsetsInFlight::pop() {
    LEAT_CHECK(!commits_.empty());
    Commit oldest = std::move(commits_.front());
    commits_.pop_front();
    size_ -= oldest.offsets.size();
    return oldest;
}

bool OffsetsInFlight::contains(std::string_view topic, std::int32_t partition) const {
    return std::ranges::any_of(commits_, [&](const Commit& commit) {
        return std::ranges::any_of(commit.offsets, [&](const One& one) {
            return one.partition == partition && one.topic == topic;
        });
    });
}

void OffsetsInFlight::collect(std::string_view topic,
                              std::vector<std::pair<std::string, std::int32_t>>& out) const {
    for (const Commit& commit : commits_)
        for (const One& one : commit.offsets)
            if (topic.empty() || one.topic == topic) out.emplace_back(one.topic, one.partition);
}

}  // namespace leat::groups
