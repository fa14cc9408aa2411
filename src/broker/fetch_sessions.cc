// SPDX-License-Identifier: Apache-2.0
#include "broker/fetch_sessions.h"

#include <limits>

#include "base/check.h"

namespace leat::broker {
namespace {

constexpr int kTriesForAnId = 16;

}  // namespace

std::string FetchSession::key_of(std::string_view topic, const storage::PartitionId& partition) {
    std::string key;
    if (topic.empty())
        key.assign(partition.topic.bytes.begin(), partition.topic.bytes.end());
    else
        key = topic;
    key += '\0';
    key += std::to_string(partition.index);
    return key;
}

SessionPartition* FetchSession::find(std::string_view topic,
                                     const storage::PartitionId& partition) {
    const auto at = by_key_.find(key_of(topic, partition));
    return at == by_key_.end() ? nullptr : &*at->second;
}

std::size_t FetchSession::weight_of(std::string_view topic) noexcept {
    constexpr std::size_t kNameBytes = 256;
    return 1 + topic.size() / kNameBytes;
}

SessionPartition& FetchSession::add(SessionPartition partition) {
    weight_ += weight_of(partition.topic);
    *total_ += weight_of(partition.topic);
    std::string key = key_of(partition.topic, partition.id);
    partitions_.push_back(std::move(partition));
    by_key_[std::move(key)] = std::prev(partitions_.end());
    return partitions_.back();
}

void FetchSession::remove(std::string_view topic, const storage::PartitionId& partition) {
    const auto at = by_key_.find(key_of(topic, partition));
    if (at == by_key_.end()) return;
    weight_ -= weight_of(at->second->topic);
    *total_ -= weight_of(at->second->topic);
    partitions_.erase(at->second);
    by_key_.erase(at);
}

void FetchSession::move_to_end(const SessionPartition& partition) {
    const auto at = by_key_.find(key_of(partition.topic, partition.id));
    if (at != by_key_.end()) partitions_.splice(partitions_.end(), partitions_, at->second);
}

std::int32_t FetchSessions::epoch_after(std::int32_t epoch) noexcept {
    return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

bool FetchSessions::erase_idle(Instant now) {
    // The least recently used first: when that one is too young, all are.
    for (auto at = order_.begin(); at != order_.end(); ++at) {
        if ((*at)->in_use) continue;
        if (now - (*at)->last_used < options_.idle_after) return false;
        erase((*at)->id);
        return true;
    }
    return false;
}

bool FetchSessions::make_room(Instant now) {
    return by_id_.size() < options_.slots || erase_idle(now);
}

bool FetchSessions::make_room_for(std::size_t weight, Instant now) {
    if (weight > options_.partitions) return false;
    while (!has_room_for(weight))
        if (!erase_idle(now)) return false;
    return true;
}

FetchSession* FetchSessions::create(Instant now, const std::function<std::uint64_t()>& random) {
    if (!make_room(now)) return nullptr;
    std::int32_t id = 0;
    for (int i = 0; i < kTriesForAnId && (id == 0 || by_id_.contains(id)); ++i)
        id = static_cast<std::int32_t>(random() & 0x7FFFFFFFU);
    if (id == 0 || by_id_.contains(id)) return nullptr;
    auto session = std::make_unique<FetchSession>(&weight_);
    session->id = id;
    session->last_used = now;
    order_.push_back(std::move(session));
    by_id_[id] = std::prev(order_.end());
    return order_.back().get();
}

FetchSession* FetchSessions::find(std::int32_t id) {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second->get();
}

void FetchSessions::erase(std::int32_t id) {
    const auto at = by_id_.find(id);
    if (at == by_id_.end()) return;
    LEAT_CHECK(!(*at->second)->in_use);
    order_.erase(at->second);
    by_id_.erase(at);
}

void FetchSessions::touch(FetchSession& session, Instant now) {
    const auto at = by_id_.find(session.id);
    LEAT_CHECK(at != by_id_.end());
    session.last_used = now;
    order_.splice(order_.end(), order_, at->second);
}

}  // namespace leat::broker
