// SPDX-License-Identifier: Apache-2.0
#include "apps/leader_watch.h"

#include <algorithm>

namespace leat::apps {

LeaderWatch::News LeaderWatch::look(std::span<const std::int32_t> leaderless,
                                    Clock::time_point now) {
    News out;
    for (auto at = since_.begin(); at != since_.end();) {
        if (std::ranges::find(leaderless, at->first) != leaderless.end()) {
            ++at;
            continue;
        }
        out.back.push_back(at->first);
        at = since_.erase(at);
    }
    for (const std::int32_t partition : leaderless) {
        if (since_.try_emplace(partition, now).second) out.missing.push_back(partition);
    }
    looked_at_ = now;
    return out;
}

bool LeaderWatch::is_given_up(std::int32_t partition) const {
    const auto at = since_.find(partition);
    return at != since_.end() && looked_at_ - at->second >= kPatience;
}

}  // namespace leat::apps
