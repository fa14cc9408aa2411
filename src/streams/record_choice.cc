// SPDX-License-Identifier: Apache-2.0
#include "streams/record_choice.h"

namespace leat::streams {

std::optional<std::size_t> RecordChoice::next(std::span<const Head> heads, Instant now) {
    was_enforced_ = false;
    std::optional<std::size_t> first;
    bool is_known = true;  // No partition may hold something older that has not come yet.
    bool is_whole = true;  // Every partition has a record.
    for (std::size_t i = 0; i < heads.size(); ++i) {
        const Head& head = heads[i];
        if (head.present) {
            if (!first || head.timestamp < heads[*first].timestamp) first = i;
            continue;
        }
        is_whole = false;
        if (!head.caught_up) is_known = false;
    }
    if (!first) {
        idle_since_.reset();
        return first;
    }
    if (is_whole || idle_max_.count() < 0) {
        idle_since_.reset();
        return first;
    }
    if (!is_known) {
        // What is under way is waited for, however long it takes.
        idle_since_.reset();
        return std::nullopt;
    }
    if (!idle_since_) idle_since_ = now;
    if (now - *idle_since_ < idle_max_) return std::nullopt;
    was_enforced_ = true;
    return first;
}

}  // namespace leat::streams
