// SPDX-License-Identifier: Apache-2.0
//
// The part of Coordinator that holds offsets of transactions back until their end.
#include <algorithm>

#include "groups/coordinator.h"

namespace leat::groups {

std::vector<std::pair<std::string, std::int32_t>> Group::all_offsets(std::string_view topic) const {
    std::vector<std::pair<std::string, std::int32_t>> out;
    for (const auto& [name, partitions] : offsets.topics()) {
        if (!topic.empty() && name != topic) continue;
        for (const auto& [partition, offset] : partitions) out.emplace_back(name, partition);
    }
    if (pending.is_empty() && offsets_in_flight.size() == 0) return out;
    pending.collect(topic, out);
    offsets_in_flight.collect(topic, out);
    std::ranges::sort(out);
    const auto again = std::ranges::unique(out);
    out.erase(again.begin(), again.end());
    return out;
}

bool Group::has_offset(std::string_view topic, std::int32_t partition) const {
    return offsets.find(topic, partition) != nullptr || pending.contains(topic, partition) ||
           offsets_in_flight.contains(topic, partition);
}

void Coordinator::take_offset(Group& group, std::string_view topic, std::int32_t partition,
                              CommittedOffset offset, std::int64_t producer_id) {
    offset.order = ++taken_;
    if (producer_id < 0 || settings_.faults.offsets_outside_transaction)
        return group.offsets.put(topic, partition, std::move(offset));
    group.pending.put(producer_id, topic, partition, std::move(offset));
    transactions_[producer_id].insert(group.id());
}

void Coordinator::take_offsets(Group& group, OffsetsInFlight::Commit commit) {
    for (OffsetsInFlight::One& one : commit.offsets)
        take_offset(group, one.topic, one.partition, std::move(one.offset), commit.producer_id);
}

void Coordinator::end_transaction(std::int64_t producer_id, bool committed, Now now) {
    now_ = now;
    const auto node = transactions_.extract(producer_id);
    if (node.empty()) return;
    for (const std::string& id : node.mapped()) {
        Group* group = find(id);
        if (group == nullptr) continue;
        const OffsetTable ended = group->pending.take(producer_id);
        for (const auto& [topic, partitions] : ended.topics()) {
            for (const auto& [partition, offset] : partitions) {
                if (!committed) continue;
                // One that was committed later, outside of the transaction, holds.
                const CommittedOffset* known = group->offsets.find(topic, partition);
                if (known == nullptr || known->order < offset.order)
                    group->offsets.put(topic, partition, offset);
            }
        }
        remove_if_unused(*group);
    }
    settle();
}

}  // namespace leat::groups
