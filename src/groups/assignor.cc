// SPDX-License-Identifier: Apache-2.0
#include "groups/assignor.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "groups/assignor_parts.h"
#include "groups/hash_order.h"
#include "groups/partition_of_group.h"

namespace leat::groups {
namespace {

/// How one topic is cut into ranges; each member in turn takes the next.
struct Ranges {
    std::int32_t partitions = 0;
    std::int32_t readers = 0;
    std::int32_t next = 0;
    std::int32_t taken = 0;

    void take(const Uuid& topic, TopicPartitions& into) {
        const std::int32_t extra = taken < partitions % readers ? 1 : 0;
        const std::int32_t end = std::min(next + partitions / readers + extra, partitions);
        ++taken;
        if (next == end) return;
        std::vector<std::int32_t>& range = into[topic];
        range.resize(static_cast<std::size_t>(end - next));
        std::iota(range.begin(), range.end(), next);
        next = end;
    }
};

/// Static members first, by instance id; then the others by member id.
bool stands_before(const AssignedMember& a, const AssignedMember& b) {
    if (a.instance_id && b.instance_id) return *a.instance_id < *b.instance_id;
    if (a.instance_id || b.instance_id) return a.instance_id.has_value();
    return a.id < b.id;
}

}  // namespace

std::optional<AssignorKind> assignor_named(std::string_view name) {
    if (name == "uniform") return AssignorKind::kUniform;
    if (name == "range") return AssignorKind::kRange;
    return std::nullopt;
}

std::string_view name(AssignorKind kind) {
    switch (kind) {
        case AssignorKind::kUniform:
            return "uniform";
        case AssignorKind::kRange:
            return "range";
    }
    LEAT_CHECK(false);
}

std::vector<std::uint32_t> walk_members(const AssignorInput& input) {
    std::vector<std::int32_t> hashes;
    hashes.reserve(input.members.size());
    for (const AssignedMember& member : input.members)
        hashes.push_back(java_string_hash(member.id));
    return hash_order(hashes);
}

std::vector<TopicPartitions> assign_ranges(const AssignorInput& input) {
    std::vector<std::uint32_t> order(input.members.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, [&input](std::uint32_t a, std::uint32_t b) {
        return stands_before(input.members[a], input.members[b]);
    });
    std::map<Uuid, Ranges> topics;
    for (const AssignedMember& member : input.members) {
        for (const Uuid& topic : member.topics) {
            Ranges& ranges = topics[topic];
            if (ranges.readers++ == 0) ranges.partitions = input.partition_count(topic);
        }
    }
    std::vector<TopicPartitions> out(input.members.size());
    for (const std::uint32_t index : order)
        for (const Uuid& topic : input.members[index].topics) topics[topic].take(topic, out[index]);
    return out;
}

std::vector<TopicPartitions> assign(AssignorKind kind, const AssignorInput& input) {
    if (input.members.empty()) return {};
    if (kind == AssignorKind::kRange) return assign_ranges(input);
    return input.is_homogeneous ? assign_uniform(input) : assign_uniform_mixed(input);
}

}  // namespace leat::groups
