// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction_partition.h"

#include <algorithm>

#include "base/bounded_time.h"
#include "base/check.h"
#include "broker/broker.h"
#include "broker/log_replay.h"
#include "obs/log.h"
#include "wire/batch_builder.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"transactions"};

/// Between attempts to write a marker where it could not be.
constexpr std::chrono::milliseconds kRetryMin{20};
constexpr std::chrono::milliseconds kRetryMax{1'000};

Result<std::vector<std::byte>> batch_of(const transactions::Write& write, WallMs now) {
    wire::BatchBuilder builder{{}};
    for (const transactions::RecordToWrite& record : write.records) {
        wire::NewRecord added{
            .timestamp = now, .key = Bytes{record.key}, .value = {}, .headers = {}};
        if (record.value) added.value = Bytes{*record.value};
        builder.add(added);
    }
    return builder.finish();
}

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

TransactionPartition::Entry::Entry(TransactionPartition& owner) : owner_(owner.shared_from_this()) {
    ++owner_->entries_;
}

TransactionPartition::Entry::~Entry() {
    TransactionPartition& owner = *owner_;
    if (owner.is_ready()) {
        owner.append_writes();
        owner.send_markers();
    }
    if (owner.is_ready()) {
        for (std::size_t left = owner.coordinator_->take_wanted_ids(); left > 0; --left)
            rt::start(fetch_id(owner_));
    }
    if (owner.is_ready()) owner.set_timer();
    if (--owner.entries_ == 0 && owner.phase_ == Phase::kStopped) owner.coordinator_.reset();
}

TransactionPartition::TransactionPartition(Shard& shard, PartitionPtr partition,
                                           const transactions::Faults& faults)
    : shard_(shard), partition_(std::move(partition)), faults_(faults) {
    transactions::Settings settings = transaction_settings(shard.config());
    settings.faults = faults_;
    coordinator_ = std::make_unique<transactions::Coordinator>(settings);
}

TransactionPartition::~TransactionPartition() {
    if (timer_at_) shard_.executor().cancel(timer_);
}

transactions::Now TransactionPartition::now() const {
    return {shard_.executor().now(), shard_.executor().wall_now()};
}

Errc TransactionPartition::status() const {
    switch (phase_) {
        case Phase::kLoading:
            return Errc::kCoordinatorLoadInProgress;
        case Phase::kReady:
            return partition_->is_offline() ? Errc::kCoordinatorNotAvailable : Errc::kNone;
        case Phase::kFailed:
            return Errc::kCoordinatorNotAvailable;
        case Phase::kStopped:
            return Errc::kNotCoordinator;
    }
    LEAT_CHECK(false);
}

void TransactionPartition::start() {
    rt::start(load(shared_from_this()));
}

void TransactionPartition::stop() {
    if (phase_ == Phase::kStopped) return;
    phase_ = Phase::kStopped;
    if (timer_at_) shard_.executor().cancel(timer_);
    timer_at_.reset();
    // Destroying it answers who waits. Not from inside one of its own calls: the outermost does it.
    if (entries_ == 0) coordinator_.reset();
}

void TransactionPartition::set_settings(const transactions::Settings& settings) {
    if (coordinator_ == nullptr) return;
    transactions::Settings with = settings;
    with.faults = faults_;
    coordinator_->set_settings(with);
}

// Loading.

rt::Task<void> TransactionPartition::load(Self self) {
    const Busy busy{*self};
    Replay replay{.on_record =
                      [&self](const wire::RecordView& record) {
                          if (record.key)
                              self->coordinator_->load_record(*record.key, record.value);
                      },
                  .is_cancelled = [&self] { return self->phase_ == Phase::kStopped; }};
    const Result<void> result = co_await replay_log(&self->shard_, self->partition_, &replay);
    if (self->phase_ == Phase::kStopped) co_return;
    self->loaded(result);
}

void TransactionPartition::loaded(const Result<void>& result) {
    if (!result.has_value()) {
        kLog.error("transactions not loaded", {{"partition", partition_->spec().folder()},
                                               {"error", result.error().code()},
                                               {"detail", result.error().detail()}});
        phase_ = Phase::kFailed;
        return;
    }
    if (const std::size_t unreadable = coordinator_->unreadable_records(); unreadable > 0)
        kLog.warn("records of transactions left alone that cannot be read",
                  {{"partition", partition_->spec().folder()}, {"records", unreadable}});
    phase_ = Phase::kReady;
    const Entry entry{*this};
    coordinator_->finish_load(now());
}

// Appending.

void TransactionPartition::append_writes() {
    for (transactions::Write& write : coordinator_->take_writes())
        writes_.push_back(std::move(write));
    // An append may end at once and bring more: those wait for their turn.
    if (std::exchange(is_appending_, true)) return;
    while (!writes_.empty()) {
        transactions::Write write = std::move(writes_.front());
        writes_.pop_front();
        rt::start(append(shared_from_this(), std::move(write)));
    }
    is_appending_ = false;
}

rt::Task<void> TransactionPartition::append(Self self, transactions::Write write) {
    const Busy busy{*self};
    Errc outcome = Errc::kNone;
    Result<std::vector<std::byte>> batch = batch_of(write, self->now().wall);
    if (batch.has_value()) {
        constexpr std::int16_t kAll = -1;
        const storage::Appended appended =
            co_await self->partition_->append(*batch, storage::Origin::kCoordinator, kAll);
        outcome = appended.error;
    } else {
        outcome = batch.error().code();
    }
    if (!self->is_ready()) co_return;
    const Entry entry{*self};
    self->coordinator_->on_written(write.token, outcome, self->now());
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
        const bool is_refused = each.outcome == Errc::kInvalidProducerEpoch ||
                                each.outcome == Errc::kTransactionCoordinatorFenced;
        if (is_refused)
            kLog.error("a partition refuses the end of a transaction: it has seen a later one",
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
            .transaction_version = static_cast<std::int16_t>(markers.protocol)};
        co_await append_markers(&self->shard_, left, marker);
        if (!self->is_ready()) co_return;
        self->drop_marked(left, markers);
        if (left.empty()) break;
        if (pause == kRetryMax)
            kLog.warn("a transaction waits for a partition that takes no marker",
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

// Producer ids and time.

rt::Task<void> TransactionPartition::fetch_id(Self self) {
    const Busy busy{*self};
    Result<std::int64_t> id =
        co_await self->shard_.broker().authority().new_producer_id(&self->shard_.executor());
    if (!self->is_ready()) co_return;
    const Entry entry{*self};
    self->coordinator_->give_producer_id(std::move(id), self->now());
}

void TransactionPartition::set_timer() {
    const std::optional<Instant> next = coordinator_->next_deadline();
    // One that comes too early does no harm, and most deadlines only move away.
    if (!next || (timer_at_ && *timer_at_ <= *next)) return;
    if (timer_at_) shard_.executor().cancel(timer_);
    timer_at_ = next;
    timer_ = shard_.executor().schedule(*next, [weak = weak_from_this()] {
        const Self self = weak.lock();
        if (self == nullptr || !self->is_ready()) return;
        self->timer_at_.reset();
        const Entry entry{*self};
        self->coordinator_->advance(self->now());
    });
}

}  // namespace leat::broker
