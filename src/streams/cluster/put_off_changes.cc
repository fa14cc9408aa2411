// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/put_off_changes.h"

#include "leat/streams/detail/task.h"

namespace leat::streams::detail {
namespace {

std::pair<std::string, std::string> place_of(const Outgoing& change) {
    return {std::string{change.topic}, std::string{change.key.value_or("")}};
}

}  // namespace

void PutOffChanges::add(const Outgoing& change) {
    Change& made = changes_[place_of(change)];
    made.value = change.value;
    made.timestamp = change.timestamp;
}

void PutOffChanges::replace_by(const Outgoing& later) {
    if (!changes_.empty()) changes_.erase(place_of(later));
}

Result<bool> PutOffChanges::log(Task& task) {
    if (changes_.empty()) return false;
    const auto changes = std::exchange(changes_, {});
    for (const auto& [place, change] : changes)
        LEAT_TRY_VOID(task.log_change({.topic = place.first,
                                       .key = place.second,
                                       .value = change.value,
                                       .timestamp = change.timestamp}));
    return true;
}

}  // namespace leat::streams::detail
