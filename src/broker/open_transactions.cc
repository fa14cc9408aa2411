// SPDX-License-Identifier: Apache-2.0
#include "broker/open_transactions.h"

#include <cstdint>
#include <map>
#include <optional>

#include "broker/broker.h"
#include "broker/markers.h"
#include "broker/transaction_host.h"

namespace leat::broker {
namespace {

/// Drops what the shard's coordinators know.
void ask_on(const Shard& shard, CoordinatorsSay& say) {
    const metadata::Topic* topic = shard.image().find(kTransactionsTopic);
    const auto* host = static_cast<const TransactionHost*>(shard.transactions());
    if (topic == nullptr || host == nullptr) return;
    for (std::int32_t i = 0; i < topic->partition_count; ++i) {
        const storage::PartitionId id{topic->id, i};
        if (&shard.broker().shard_of(id) != &shard) continue;
        const std::shared_ptr<TransactionPartition> hosted = host->find(id);
        const Errc status = hosted ? hosted->status() : Errc::kCoordinatorNotAvailable;
        if (status == Errc::kNone)
            std::erase_if(say.unknown, [&hosted](const UnknownTransaction& each) {
                return hosted->coordinator().knows(each.open.producer_id,
                                                   {each.topic, each.id.index});
            });
        else if (status == Errc::kCoordinatorLoadInProgress)
            say.is_loading = true;
        else
            say.lacks_one = true;
    }
}

}  // namespace

void collect_open(const storage::Partition& partition, UnknownTransactions& out) {
    const storage::PartitionSpec& spec = partition.spec();
    for (const storage::OpenTransaction& open : partition.open_transactions())
        out.push_back({.id = spec.id, .topic = spec.topic, .open = open});
}

rt::Task<UnknownTransactions> find_open(Shard* home) {
    UnknownTransactions out;
    const Broker& broker = home->broker();
    for (std::size_t i = 0; i < broker.shard_count(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        for (const auto& [id, partition] : broker.shard(i).partitions())
            collect_open(*partition, out);
    }
    co_await rt::hop(home->executor());
    co_return out;
}

rt::Task<CoordinatorsSay> ask_coordinators(Shard* home, UnknownTransactions open) {
    CoordinatorsSay say{.unknown = std::move(open)};
    const Broker& broker = home->broker();
    for (std::size_t i = 0; i < broker.shard_count() && !say.unknown.empty(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        ask_on(broker.shard(i), say);
    }
    co_await rt::hop(home->executor());
    co_return say;
}

rt::Task<UnknownTransactions> with_owners(Shard* home, UnknownTransactions open) {
    std::map<std::int64_t, std::string> owners;
    for (const UnknownTransaction& each : open) owners[each.open.producer_id];
    const Broker& broker = home->broker();
    for (std::size_t i = 0; i < broker.shard_count() && !owners.empty(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        const auto* host = static_cast<const TransactionHost*>(broker.shard(i).transactions());
        if (host == nullptr) continue;
        for (const auto& [id, hosted] : host->hosted())
            if (hosted->status() == Errc::kNone) hosted->coordinator().name_owners(owners);
    }
    co_await rt::hop(home->executor());
    for (UnknownTransaction& each : open) each.owner = owners[each.open.producer_id];
    co_return open;
}

rt::Task<Errc> abort_unknown(Shard* home, UnknownTransaction unknown) {
    Shard& shard = home->broker().shard_of(unknown.id);
    co_await rt::hop(shard.executor());
    Errc error = Errc::kNone;
    std::optional<storage::OpenTransaction> open;
    // Not held any longer: it must not end on another shard.
    if (const PartitionPtr partition = shard.find_partition(unknown.id))
        open = partition->open_transaction(unknown.open.producer_id);
    if (open && open->start == unknown.open.start) {
        const storage::EndTransaction end{.producer_id = open->producer_id,
                                          .epoch = open->epoch,
                                          .committed = false,
                                          .coordinator_epoch = coordinator_epoch(shard),
                                          .is_of_this_node = true,
                                          .transaction_version = 0};
        error = co_await append_marker(&shard, unknown.id, end);
    }
    co_await rt::hop(home->executor());
    co_return error;
}

}  // namespace leat::broker
