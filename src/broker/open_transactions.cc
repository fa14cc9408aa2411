// SPDX-License-Identifier: Apache-2.0
#include "broker/open_transactions.h"

#include <algorithm>

#include "broker/broker.h"
#include "broker/markers.h"
#include "broker/transaction_host.h"

namespace leat::broker {
namespace {

void collect(const Shard& shard, std::vector<UnknownTransaction>& out) {
    for (const auto& [id, partition] : shard.partitions())
        for (const storage::OpenTransaction& open : partition->open_transactions())
            out.push_back({.id = id, .topic = partition->spec().topic, .open = open});
}

/// Drops what the shard's coordinators know. False when one of them cannot be asked.
bool drop_known(const Shard& shard, std::vector<UnknownTransaction>& unknown) {
    const metadata::Topic* topic = shard.image().find(kTransactionsTopic);
    const auto* host = static_cast<const TransactionHost*>(shard.transactions());
    if (topic == nullptr || host == nullptr) return true;
    for (std::int32_t i = 0; i < topic->partition_count; ++i) {
        const storage::PartitionId id{topic->id, i};
        if (&shard.broker().shard_of(id) != &shard) continue;
        const std::shared_ptr<TransactionPartition> hosted = host->find(id);
        if (hosted == nullptr || hosted->status() != Errc::kNone) return false;
        std::erase_if(unknown, [&hosted](const UnknownTransaction& each) {
            return hosted->coordinator().knows(each.open.producer_id, {each.topic, each.id.index});
        });
    }
    return true;
}

}  // namespace

rt::Task<std::optional<std::vector<UnknownTransaction>>> find_unknown(Shard* home) {
    std::optional<std::vector<UnknownTransaction>> out{std::in_place};
    const Broker& broker = home->broker();
    // The logs first: what is open there now was enrolled before, and its coordinator knows it
    // until its markers are in the logs.
    for (std::size_t i = 0; i < broker.shard_count(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        collect(broker.shard(i), *out);
    }
    bool is_complete = true;
    for (std::size_t i = 0; i < broker.shard_count() && is_complete && !out->empty(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        is_complete = drop_known(broker.shard(i), *out);
    }
    co_await rt::hop(home->executor());
    if (!is_complete) out.reset();
    co_return out;
}

rt::Task<Errc> abort_unknown(Shard* home, UnknownTransaction unknown) {
    Shard& shard = home->broker().shard_of(unknown.id);
    co_await rt::hop(shard.executor());
    Errc error = Errc::kNone;
    const PartitionPtr partition = shard.find_partition(unknown.id);
    const auto open =
        partition ? partition->open_transaction(unknown.open.producer_id) : std::nullopt;
    if (open && open->start == unknown.open.start) {
        const storage::EndTransaction end{
            .producer_id = open->producer_id,
            .epoch = open->epoch,
            .committed = false,
            .coordinator_epoch = std::max(coordinator_epoch(shard), open->coordinator_epoch),
            .transaction_version = 0};
        error = co_await append_marker(&shard, unknown.id, end);
    }
    co_await rt::hop(home->executor());
    co_return error;
}

}  // namespace leat::broker
