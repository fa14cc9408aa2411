// SPDX-License-Identifier: Apache-2.0
#include "groups/offset_table.h"

namespace leat::groups {
namespace {

std::size_t bytes_of(std::string_view topic) {
    return kNodeBytes + sizeof(OffsetTable::Topics::value_type) + topic.size();
}

std::size_t bytes_of(const CommittedOffset& offset) {
    return kNodeBytes + sizeof(OffsetTable::Partitions::value_type) + offset.metadata.size();
}

}  // namespace

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
    if (at == topics_.end()) {
        at = topics_.emplace(std::string{topic}, Partitions{}).first;
        held_.add(bytes_of(topic));
    }
    const auto [place, is_new] = at->second.try_emplace(partition);
    if (is_new)
        ++size_;
    else
        held_.remove(bytes_of(place->second));
    place->second = std::move(offset);
    held_.add(bytes_of(place->second));
}

void OffsetTable::erase(std::string_view topic, std::int32_t partition) {
    const auto at = topics_.find(topic);
    if (at == topics_.end()) return;
    const auto found = at->second.find(partition);
    if (found == at->second.end()) return;
    held_.remove(bytes_of(found->second));
    at->second.erase(found);
    --size_;
    if (!at->second.empty()) return;
    held_.remove(bytes_of(topic));
    topics_.erase(at);
}

const CommittedOffset* OffsetTable::find(std::string_view topic, std::int32_t partition) const {
    const auto at = topics_.find(topic);
    if (at == topics_.end()) return nullptr;
    const auto found = at->second.find(partition);
    return found == at->second.end() ? nullptr : &found->second;
}

}  // namespace leat::groups
