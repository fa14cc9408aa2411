// SPDX-License-Identifier: Apache-2.0
#include "broker/markers.h"

#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/scatter.h"

namespace leat::broker {
namespace {

rt::Task<void> mark_one(Shard* shard, ToMark* item, storage::EndTransaction marker,
                        rt::Countdown* left) {
    item->outcome = co_await append_marker(shard, item->id, marker);
    left->arrive();
}

/// All appends begin before this waits for the first, so that one sync serves them.
rt::Task<void> mark_on(Shard* shard, std::span<ToMark*> items, storage::EndTransaction marker) {
    rt::Countdown left{items.size()};
    for (ToMark* item : items) rt::start(mark_one(shard, item, marker, &left));
    co_await left;
}

}  // namespace

std::int32_t coordinator_epoch(const Shard& shard) {
    return shard.image().unclean_starts();
}

rt::Task<Errc> append_marker(Shard* shard, storage::PartitionId id,
                             storage::EndTransaction marker) {
    const PartitionPtr partition = shard->find_partition(id);
    if (partition == nullptr)
        co_return shard->failed_to_open(id) ? Errc::kKafkaStorageError
                                            : Errc::kUnknownTopicOrPartition;
    const storage::Appended appended = co_await partition->end_transaction(marker);
    if (appended.error == Errc::kNone) group_marker_written(*shard, id, marker);
    co_return appended.error;
}

rt::Task<void> append_markers(Shard* home, std::span<ToMark> partitions,
                              storage::EndTransaction marker) {
    if (partitions.empty()) co_return;
    Parts<ToMark*> parts{home->broker()};
    for (ToMark& each : partitions) parts.add(each.id, &each);
    co_await scatter(home, parts.parts(), [marker](Shard* shard, std::span<ToMark*> some) {
        return mark_on(shard, some, marker);
    });
}

}  // namespace leat::broker
