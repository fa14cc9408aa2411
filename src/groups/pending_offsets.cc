// SPDX-License-Identifier: Apache-2.0
#include "groups/pending_offsets.h"

#include <algorithm>

namespace leat::groups {

void PendingOffsets::put(std::int64_t producer_id, std::string_view topic, std::int32_t partition,
                         CommittedOffset offset) {
    const auto at = producers_.try_emplace(producer_id, memory_).first;
    at->second.put(topic, partition, std::move(offset));
}

OffsetTable PendingOffsets::take(std::int64_t producer_id) {
    auto node = producers_.extract(producer_id);
    if (node.empty()) return OffsetTable{memory_};
    return std::move(node.mapped());
}

void PendingOffsets::erase(std::string_view topic, std::int32_t partition) {
    for (auto& [producer, table] : producers_) table.erase(topic, partition);
    std::erase_if(producers_, [](const auto& one) { return one.second.is_empty(); });
}

const CommittedOffset* PendingOffsets::find(std::int64_t producer_id, std::string_view topic,
                                            std::int32_t partition) const {
    const auto at = producers_.find(producer_id);
    return at == producers_.end() ? nullptr : at->second.find(topic, partition);
}

bool PendingOffsets::contains(std::string_view topic, std::int32_t partition) const {
    return std::ranges::any_of(
        producers_, [&](const auto& one) { return one.second.find(topic, partition) != nullptr; });
}

void PendingOffsets::collect(std::string_view topic,
                             std::vector<std::pair<std::string, std::int32_t>>& out) const {
    for (const auto& [producer, table] : producers_) {
        for (const auto& [name, partitions] : table.topics()) {
            if (!topic.empty() && name != topic) continue;
            for (const auto& [partition, offset] : partitions) out.emplace_back(name, partition);
        }
    }
}

std::size_t PendingOffsets::size() const noexcept {
    std::size_t size = 0;
    for (const auto& [producer, table] : producers_) size += table.size();
    return size;
}

}  // namespace leat::groups
