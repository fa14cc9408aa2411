// SPDX-License-Identifier: Apache-2.0
//
// Requests that ask several partitions for something small: each is asked on its shard.
// Layer: broker (L6).
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "broker/apis.h"
#include "broker/scatter.h"

namespace leat::broker {

/// One partition of a request: what was asked, where the answer goes, and what the handler must
/// carry home because it does not fit into the answer yet.
template <class In, class Out, class Extra = std::monostate>
struct Target {
    storage::PartitionId id;
    const In* in = nullptr;
    Out* out = nullptr;
    Extra extra = {};
};

/// nullopt when there is no such partition.
[[nodiscard]] inline std::optional<storage::PartitionId> partition_named(
    const metadata::Image& image, std::string_view topic, std::int32_t index) {
    const metadata::Topic* found = image.find(topic);
    if (found == nullptr || index < 0 || index >= found->partition_count) return std::nullopt;
    return storage::PartitionId{found->id, index};
}

namespace detail {
template <auto Work, class T>
rt::Task<void> work_here(Shard* shard, std::span<T*> targets) {
    for (T* target : targets) {
        const PartitionPtr partition = shard->find_partition(target->id);
        if (partition && !partition->is_quarantined()) {
            co_await Work(partition.get(), target);
            continue;
        }
        target->out->error_code = wire_code(partition || shard->failed_to_open(target->id)
                                                ? Errc::kKafkaStorageError
                                                : Errc::kUnknownTopicOrPartition);
    }
}
}  // namespace detail

/// Runs `Work(partition, target)`, an rt::Task<void>, for each target on its shard, in order on
/// each. Errors in the answers are counted.
template <auto Work, class T>
rt::Task<void> ask_partitions(Request* request, std::vector<T>* targets) {
    if (targets->empty()) co_return;
    Parts<T*> parts{request->shard->broker()};
    for (T& target : *targets) parts.add(target.id, &target);
    co_await scatter(request->shard, parts.parts(), [](Shard* shard, std::span<T*> some) {
        return detail::work_here<Work, T>(shard, some);
    });
    for (const T& target : *targets) count_error(*request, target.out->error_code);
}

}  // namespace leat::broker
