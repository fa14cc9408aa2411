// SPDX-License-Identifier: Apache-2.0
//
// The uniform assignor for members that all read the same topics.
#include <algorithm>
#include <set>

#include "base/check.h"
#include "groups/assignor_parts.h"
#include "groups/hash_order.h"

namespace leat::groups {
namespace {

using TopicPartition = std::pair<Uuid, std::int32_t>;

/// Keys of `owned` as Kafka's map of them is walked.
std::vector<Uuid> walk_topics(std::span<const Uuid> ids, std::size_t buckets) {
    std::vector<std::int32_t> hashes;
    hashes.reserve(ids.size());
    for (const Uuid& id : ids) hashes.push_back(java_hash(id));
    std::vector<Uuid> out;
    for (const std::uint32_t index : hash_order(hashes, buckets)) out.push_back(ids[index]);
    return out;
}

std::vector<std::int32_t> walk_partitions(const std::vector<std::int32_t>& partitions) {
    std::vector<std::int32_t> out;
    for (const std::uint32_t index : hash_order(partitions, hash_buckets_for(partitions.size())))
        out.push_back(partitions[index]);
    return out;
}

class Uniform {
  public:
    explicit Uniform(const AssignorInput& input)
        : input_(input), result_(input.members.size()), order_(walk_members(input)) {}

    std::vector<TopicPartitions> run() {
        const std::span<const Uuid> topics = input_.members[order_.front()].topics;
        if (topics.empty()) return result_;
        collect_free(topics);
        std::size_t left = order_.size();
        for (const std::uint32_t index : order_) keep_what_fits(index, left--);
        hand_out();
        return result_;
    }

  private:
    /// Partitions that nobody has, topic by topic; and the share of each member.
    void collect_free(std::span<const Uuid> topics) {
        std::set<TopicPartition> taken;
        for (const AssignedMember& member : input_.members) {
            if (member.target == nullptr) continue;
            for (const auto& [topic, partitions] : *member.target)
                for (const std::int32_t partition : partitions) taken.emplace(topic, partition);
        }
        std::size_t total = 0;
        for (const Uuid& topic : walk_topics(topics, hash_buckets_for(topics.size()))) {
            topics_.insert(topic);
            const std::int32_t count = input_.partition_count(topic);
            total += static_cast<std::size_t>(count);
            for (std::int32_t partition = 0; partition < count; ++partition)
                if (!taken.contains({topic, partition})) free_.emplace_back(topic, partition);
        }
        least_ = total / order_.size();
        extras_ = total % order_.size();
    }

    /// `left` members, this one included, have not been looked at.
    void keep_what_fits(std::uint32_t index, std::size_t left) {
        bool has_extra = extras_ > 0;
        std::size_t quota = least_ + (has_extra ? 1 : 0);
        if (const TopicPartitions* had = input_.members[index].target) {
            std::vector<Uuid> ids;
            ids.reserve(had->size());
            for (const auto& [topic, partitions] : *had) ids.push_back(topic);
            for (const Uuid& topic : walk_topics(ids, kHashBuckets))
                if (topics_.contains(topic)) keep(index, topic, had->at(topic), quota);
        }
        // One place above the least share is only held for a member that uses it, as long as there
        // are others that can take it.
        if (quota > 0 && has_extra && left > extras_) {
            --quota;
            has_extra = false;
        }
        if (quota > 0) unfilled_.emplace_back(index, quota);
        if (has_extra) --extras_;
    }

    void keep(std::uint32_t index, const Uuid& topic, const std::vector<std::int32_t>& partitions,
              std::size_t& quota) {
        if (partitions.size() <= quota) {
            quota -= partitions.size();
            result_[index].emplace(topic, partitions);
            return;
        }
        std::vector<std::int32_t> kept;
        for (const std::int32_t partition : walk_partitions(partitions)) {
            if (quota > 0) {
                --quota;
                kept.push_back(partition);
            } else {
                free_.emplace_back(topic, partition);
            }
        }
        if (kept.empty()) return;
        std::ranges::sort(kept);
        result_[index].emplace(topic, std::move(kept));
    }

    void hand_out() {
        auto next = free_.begin();
        for (const auto& [index, quota] : unfilled_) {
            for (std::size_t i = 0; i < quota && next != free_.end(); ++i, ++next)
                result_[index][next->first].push_back(next->second);
            for (auto& [topic, partitions] : result_[index]) std::ranges::sort(partitions);
        }
        LEAT_CHECK(next == free_.end());
    }

    const AssignorInput& input_;
    std::vector<TopicPartitions> result_;
    std::vector<std::uint32_t> order_;
    std::set<Uuid> topics_;
    std::vector<TopicPartition> free_;
    std::vector<std::pair<std::uint32_t, std::size_t>> unfilled_;
    std::size_t least_ = 0;   ///< What each member gets at least.
    std::size_t extras_ = 0;  ///< Members that get one more, of those still to be looked at.
};

}  // namespace

std::vector<TopicPartitions> assign_uniform(const AssignorInput& input) {
    return Uniform{input}.run();
}

}  // namespace leat::groups
