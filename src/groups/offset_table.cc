// SPDX-License-Identifier: Apache-2.0
#include "groups/offset_table.h"

namespace leat::groups {

CommittedOffset CommittedOffset::from(const OffsetValue& value) {
    return {.offset = value.offset,
            .leader_epoch = value.leader_epoch,
            .metadata = std::string{value.metadata},
            .committed_at = value.committed_at,
            .expires_at = value.expires_at,
            .topic_id = value.topic_id};
}

OffsetValue CommittedOffset::value() const {
    return {.offset = offset,
            .leader_epoch = leader_epoch,
            .metadata = metadata,
            .committed_at = committed_at,
            .expires_at = expires_at,
            .topic_id = topic_id};
}

bool CommittedOffset::is_expired(WallMs now, WallMs idle_since,
                                 std::chrono::milliseconds retention) const {
    if (expires_at.value >= 0) return now >= expires_at;
    // Subtraction cannot overflow where addition could: retention may be set to the largest value.
    return now.value >= idle_since.value && now.value - idle_since.value >= retention.count();
}

void OffsetTable::put(std::string_view topic, std::int32_t partition, CommittedOffset offset) {
    auto at = topics_.find(topic);
    if (at == topics_.end()) at = topics_.emplace(std::string{topic}, Partitions{}).first;
    if (at->second.insert_or_assign(partition, std::move(offset)).second) ++size_;
}

void OffsetTable::erase(std::string_view topic, std::int32_t partition) {
    const auto at = topics_.find(topic);
    if (at == topics_.end()) return;
    size_ -= at->second.erase(partition);
    if (at->second.empty()) topics_.erase(at);
}

const CommittedOffset* OffsetTable::find(std::string_view topic, std::int32_t partition) const {
    const auto at = topics_.find(topic);
    if (at == topics_.end()) return nullptr;
    const auto found = at->second.find(partition);
    return found == at->second.end() ? nullptr : &found->second;
}

}  // namespace leat::groups
