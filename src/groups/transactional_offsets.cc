// SPDX-License-Identifier: Apache-2.0
//
// The part of Coordinator that holds offsets of transactions back until their end.
#include <algorithm>
#include <iterator>

#include "groups/coordinator.h"

namespace leat::groups {

Group::Partitions Group::all_offsets(std::string_view topic) const {
    Partitions out;
    for (const auto& [name, partitions] : offsets.topics()) {
        if (!topic.empty() && name != topic) continue;
        for (const auto& [partition, offset] : partitions) out.emplace_back(name, partition);
    }
    if (pending.is_empty() && commits_in_flight.empty()) return out;
    pending.collect(topic, out);
    // Their records come before the tombstones that are made of what is told here.
    for (const Partitions& commit : commits_in_flight)
        std::ranges::copy_if(commit, std::back_inserter(out), [topic](const auto& one) {
            return topic.empty() || one.first == topic;
        });
    std::ranges::sort(out);
    const auto again = std::ranges::unique(out);
    out.erase(again.begin(), again.end());
    return out;
}

void Coordinator::take_offset(Group& group, std::string_view topic, std::int32_t partition,
                              CommittedOffset offset, std::int64_t producer_id) {
    offset.order = ++taken_;
    if (producer_id < 0 || settings_.faults.offsets_outside_transaction)
        return group.offsets.put(topic, partition, std::move(offset));
    group.pending.put(producer_id, topic, partition, std::move(offset));
    transactions_[producer_id].insert(group.id());
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
