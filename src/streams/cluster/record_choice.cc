// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/record_choice.h"

namespace leat::streams {

std::optional<std::size_t> RecordChoice::next(std::span<const Head> heads, Instant now) {
    was_enforced_ = false;
    idle_since_.resize(heads.size());
    std::optional<std::size_t> first;
    bool is_whole = true;  // Every partition has a record.
    bool waits = false;    // For one of them: what it has not given yet may be older.
    for (std::size_t i = 0; i < heads.size(); ++i) {
        const Head& head = heads[i];
        if (head.present && (!first || head.timestamp < heads[*first].timestamp)) first = i;
        is_whole = is_whole && head.present;
        std::optional<Instant>& since = idle_since_[i];
        if (head.present || !head.caught_up) {
            since.reset();
            // What is under way is waited for, however long it takes.
            waits = waits || !head.present;
            continue;
        }
        if (!since) since = now;
        waits = waits || now - *since < idle_max_;
    }
    if (!first || is_whole || idle_max_.count() < 0) return first;
    if (waits) return std::nullopt;
    was_enforced_ = true;
    return first;
}

}  // namespace leat::streams
