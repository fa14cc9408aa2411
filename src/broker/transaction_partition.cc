// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction_partition.h"

#include <algorithm>

#include "base/bounded_time.h"
#include "broker/broker.h"

namespace leat::broker {
namespace {

/// Between attempts to write a marker where it could not be.
constexpr std::chrono::milliseconds kRetryMin{20};
constexpr std::chrono::milliseconds kRetryMax{1'000};

}  // namespace

transactions::Settings transaction_settings(const config::BrokerConfig& config) {
    transactions::Settings out;
    out.timeout_max = bounded_ms(config.transaction_max_timeout_ms);
    out.timeout_check_interval = bounded_ms(config.transaction_timeout_check_ms);
    out.id_expiration = bounded_ms(config.transactional_id_expiration_ms);
    out.id_expiration_check_interval = bounded_ms(config.transactional_id_expiration_check_ms);
    out.enrolment_wait = bounded_ms(config.transaction_enrolment_wait_ms);
    out.ids_max = static_cast<std::size_t>(config.transactional_ids_max);
    return out;
}

TransactionPartition::TransactionPartition(Shard& shard, PartitionPtr partition,
                                           const transactions::Faults& faults)
    : LogBackedCoordinator(shard, std::move(partition)), faults_(faults) {
    transactions::Settings settings = transaction_settings(shard.config());
    settings.faults = faults_;
    coordinator_ = std::make_unique<transactions::Coordinator>(settings);
}

void TransactionPartition::set_settings(const transactions::Settings& settings) {
    if (coordinator_ == nullptr) return;
    transactions::Settings with = settings;
    with.faults = faults_;
    coordinator_->set_settings(with);
}

Replay TransactionPartition::replay() {
    return {.on_record =
                [this](const wire::RecordView& record, const ReplayedFrom& /*origin*/) {
                    if (record.key) coordinator_->load_record(*record.key, record.value);
                },
            // A marker is no record of this coordinator's.
            .on_marker = {},
            .is_cancelled = {}};
}

void TransactionPartition::follow_up() {
    send_markers();
    // Markers may be there at once, and stop() come of it.
    if (!is_ready()) return;
    for (std::size_t left = coordinator_->take_wanted_ids(); left > 0; --left)
        rt::start(fetch_id(shared_from_this()));
}

// Markers.

void TransactionPartition::send_markers() {
    for (transactions::Markers& markers : coordinator_->take_markers())
        rt::start(mark(shared_from_this(), std::move(markers)));
}

void TransactionPartition::drop_marked(std::vector<ToMark>& partitions,
                                       const transactions::Markers& markers) const {
    std::erase_if(partitions, [&](const ToMark& each) {
        if (each.outcome == Errc::kNone) return true;
        // Gone with its topic; else it only is not there yet.
        if (each.outcome == Errc::kUnknownTopicOrPartition)
            return shard_.image().find(each.id.topic) == nullptr;
        const bool is_refused = each.outcome == Errc::kInvalidProducerEpoch;
        if (is_refused)
            kLog.logger.error(
                "a partition refuses the end of a transaction: it has seen a later one",
                {{"topic", each.topic},
                 {"partition", each.id.index},
                 {"transactional_id", markers.transactional_id},
                 {"producer_id", markers.producer.id},
                 {"epoch", markers.producer.epoch},
                 {"error", each.outcome}});
        return is_refused;
    });
}

rt::Task<void> TransactionPartition::mark(Self self, transactions::Markers markers) {
    const Busy busy{*self};
    std::vector<ToMark> left;
    for (const transactions::TopicPartition& each : markers.partitions) {
        const metadata::Topic* topic = self->shard_.image().find(each.topic);
        if (topic == nullptr || each.partition >= topic->partition_count) continue;
        left.push_back({.id = {topic->id, each.partition}, .topic = each.topic});
    }
    std::chrono::milliseconds pause = kRetryMin;
    while (!left.empty()) {
        const storage::EndTransaction marker{
            .producer_id = markers.producer.id,
            .epoch = markers.producer.epoch,
            .committed = markers.commit,
            .coordinator_epoch = coordinator_epoch(self->shard_),
            .is_of_this_node = true,
            .transaction_version = static_cast<std::int16_t>(markers.protocol)};
        co_await append_markers(&self->shard_, left, marker);
        if (!self->is_ready()) co_return;
        self->drop_marked(left, markers);
        if (left.empty()) break;
        if (pause == kRetryMax)
            kLog.logger.warn("a transaction waits for a partition that takes no marker",
                             {{"topic", left.front().topic},
                              {"partition", left.front().id.index},
                              {"transactional_id", markers.transactional_id},
                              {"error", left.front().outcome}});
        rt::Executor& executor = self->shard_.executor();
        co_await rt::sleep_until(executor, executor.now() + pause);
        if (!self->is_ready()) co_return;
        pause = std::min(pause * 2, kRetryMax);
    }
    const Entry entry{*self};
    self->coordinator_->on_marked(markers.token, self->now());
}

// Producer ids.

rt::Task<void> TransactionPartition::fetch_id(Self self) {
    const Busy busy{*self};
    Result<std::int64_t> id =
        co_await self->shard_.broker().authority().new_producer_id(&self->shard_.executor());
    if (!self->is_ready()) co_return;
    const Entry entry{*self};
    self->coordinator_->give_producer_id(std::move(id), self->now());
}

}  // namespace leat::broker
