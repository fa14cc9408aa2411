// SPDX-License-Identifier: Apache-2.0
#include "broker/group_partition.h"

#include <algorithm>
#include <map>

#include "base/bounded_time.h"
#include "base/check.h"
#include "broker/broker.h"
#include "broker/log_replay.h"
#include "broker/metrics.h"
#include "config/resource_config.h"
#include "obs/log.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"
#include "wire/record_reader.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"groups"};

Result<std::vector<std::byte>> batch_of(const groups::Write& write, WallMs now) {
    wire::BatchOptions options;
    if (write.producer) {
        options.producer_id = write.producer->id;
        options.producer_epoch = write.producer->epoch;
        options.transactional = true;
    }
    wire::BatchBuilder builder{options};
    for (const groups::RecordToWrite& record : write.records) {
        wire::NewRecord added{
            .timestamp = now, .key = Bytes{record.key}, .value = {}, .headers = {}};
        if (record.value) added.value = Bytes{*record.value};
        builder.add(added);
    }
    return builder.finish();
}

groups::MigrationPolicy migration_policy(std::string_view name) {
    if (name == "bidirectional") return groups::MigrationPolicy::kBidirectional;
    if (name == "upgrade") return groups::MigrationPolicy::kUpgrade;
    if (name == "downgrade") return groups::MigrationPolicy::kDowngrade;
    return groups::MigrationPolicy::kDisabled;
}

}  // namespace

std::optional<groups::TopicInfo> ShardClusterView::find(std::string_view topic) const {
    return info_of(shard_.image().find(topic));
}

std::optional<groups::TopicInfo> ShardClusterView::find(const Uuid& id) const {
    return info_of(shard_.image().find(id));
}

std::optional<groups::TopicInfo> ShardClusterView::info_of(const metadata::Topic* topic) {
    if (topic == nullptr) return std::nullopt;
    return groups::TopicInfo{
        .id = topic->id, .name = topic->name, .partition_count = topic->partition_count};
}

void ShardClusterView::for_each_topic(const std::function<void(std::string_view)>& visit) const {
    for (const auto& [name, topic] : shard_.image().topics()) visit(name);
}

groups::GroupOverrides ShardClusterView::overrides(std::string_view group_id) const {
    const auto& all = shard_.image().group_configs();
    if (all.empty()) return {};
    const auto found = all.find(std::string{group_id});
    if (found == all.end()) return {};
    const auto own = [&](std::string_view name) -> std::optional<std::chrono::milliseconds> {
        const auto number = config::group_number(found->second, name);
        return number ? std::optional{bounded_ms(*number)} : std::nullopt;
    };
    return {.session_timeout = own("consumer.session.timeout.ms"),
            .heartbeat_interval = own("consumer.heartbeat.interval.ms"),
            .assignment_interval = own("consumer.assignment.interval.ms")};
}

std::int64_t ShardClusterView::version() const {
    return static_cast<std::int64_t>(shard_.image().version());
}

groups::Settings group_settings(const config::BrokerConfig& config) {
    groups::Settings out;
    out.session_timeout_min = bounded_ms(config.group_min_session_timeout_ms);
    out.session_timeout_max = bounded_ms(config.group_max_session_timeout_ms);
    out.initial_rebalance_delay = bounded_ms(config.group_initial_rebalance_delay_ms);
    out.members_max = static_cast<std::size_t>(config.group_max_size);
    out.offset_metadata_bytes_max = static_cast<std::size_t>(config.offset_metadata_max_bytes);
    out.offsets_retention = std::chrono::minutes{config.offsets_retention_minutes};
    out.retention_check_interval = bounded_ms(config.offsets_retention_check_ms);
    out.groups_max = static_cast<std::size_t>(config.groups_max);
    out.pending_members_max = static_cast<std::size_t>(config.group_pending_members_max);
    out.protocols_max = static_cast<std::size_t>(config.group_member_protocols_max);
    out.member_bytes_max = static_cast<std::size_t>(config.group_member_bytes_max);
    out.group_bytes_max = static_cast<std::size_t>(config.group_bytes_max);
    out.offsets_max = static_cast<std::size_t>(config.group_offsets_max);
    out.all_groups_bytes_max = static_cast<std::size_t>(config.groups_bytes_max);
    out.consumer_session_timeout = bounded_ms(config.consumer_session_timeout_ms);
    out.consumer_heartbeat_interval = bounded_ms(config.consumer_heartbeat_interval_ms);
    out.consumer_assignment_interval = bounded_ms(config.consumer_assignment_interval_ms);
    out.consumer_members_max = static_cast<std::size_t>(config.consumer_group_max_size);
    out.regex_refresh_interval = bounded_ms(config.consumer_regex_refresh_interval_ms);
    out.patterns_at_once_max = static_cast<std::size_t>(config.consumer_patterns_at_once_max);
    out.unsettled_heartbeat_interval = bounded_ms(config.consumer_unsettled_heartbeat_ms);
    out.migration = migration_policy(config.consumer_migration_policy);
    out.consumer_assignors.clear();
    for (const std::string& name : config.consumer_assignors)
        if (const auto kind = groups::assignor_named(name)) out.consumer_assignors.push_back(*kind);
    return out;
}

GroupPartition::Entry::Entry(GroupPartition& owner) : owner_(owner.shared_from_this()) {
    ++owner_->entries_;
}

GroupPartition::Entry::~Entry() {
    GroupPartition& owner = *owner_;
    if (owner.coordinator_ != nullptr && owner.state_ == State::kReady) {
        owner.append_writes();
        owner.set_timer();
    }
    if (--owner.entries_ == 0 && owner.state_ == State::kStopped) owner.coordinator_.reset();
}

GroupPartition::GroupPartition(Shard& shard, PartitionPtr partition, const groups::Faults& faults)
    : shard_(shard), partition_(std::move(partition)), faults_(faults), cluster_(shard) {
    groups::Settings settings = group_settings(shard.config());
    settings.faults = faults_;
    coordinator_ = std::make_unique<groups::Coordinator>(
        settings, [&shard] { return shard.executor().random(); }, &cluster_,
        &shard.broker().group_memory());
}

GroupPartition::~GroupPartition() {
    if (timer_at_) shard_.executor().cancel(timer_);
}

groups::Now GroupPartition::now() const {
    return {shard_.executor().now(), shard_.executor().wall_now()};
}

void GroupPartition::add_samples(std::vector<obs::Sample>& out) const {
    if (status() != Errc::kNone) return;
    std::map<std::pair<std::string_view, std::string_view>, int> counts;
    for (const groups::ListedGroup& group : coordinator_->list()) {
        ++counts[{group.type, group.state}];
        for (const groups::FetchedPartition& at : coordinator_->fetch_all_offsets(group.group_id))
            out.push_back({&group_offset_metric(),
                           {group.group_id, at.topic, std::to_string(at.partition)},
                           static_cast<double>(at.committed.offset)});
    }
    for (const auto& [kind, count] : counts)
        out.push_back({&groups_metric(),
                       {std::to_string(partition_->spec().id.index), std::string{kind.first},
                        std::string{kind.second}},
                       static_cast<double>(count)});
}

Errc GroupPartition::status() const {
    switch (state_) {
        case State::kLoading:
            return Errc::kCoordinatorLoadInProgress;
        case State::kReady:
            return partition_->is_offline() ? Errc::kCoordinatorNotAvailable : Errc::kNone;
        case State::kFailed:
            return Errc::kCoordinatorNotAvailable;
        case State::kStopped:
            return Errc::kNotCoordinator;
    }
    LEAT_CHECK(false);
}

void GroupPartition::start() {
    rt::start(load(shared_from_this()));
}

void GroupPartition::stop() {
    if (state_ == State::kStopped) return;
    state_ = State::kStopped;
    if (timer_at_) shard_.executor().cancel(timer_);
    timer_at_.reset();
    // Destroying it answers who waits. Not from inside one of its own calls: the outermost does it.
    if (entries_ == 0) coordinator_.reset();
}

// Loading.

rt::Task<void> GroupPartition::load(std::shared_ptr<GroupPartition> self) {
    const Result<void> result = co_await self->replay();
    if (self->state_ == State::kStopped) co_return;
    self->loaded(result);
}

rt::Task<Result<void>> GroupPartition::replay() {
    Offset at = partition_->log_start();
    while (at < partition_->high_watermark()) {
        const Result<std::vector<std::byte>> batches =
            co_await read_batches(&shard_, partition_.get(), at);
        if (state_ == State::kStopped) co_return Error{Errc::kCancelled};
        if (!batches.has_value()) co_return Error{batches.error().code(), batches.error().detail()};
        LEAT_CO_TRY(const Offset next, replay_batches(*batches, at));
        at = next;
        // Others' turn: a long log must not hold the shard.
        co_await rt::sleep_until(shard_.executor(), shard_.executor().now());
        if (state_ == State::kStopped) co_return Error{Errc::kCancelled};
    }
    co_return Result<void>{};
}

Result<Offset> GroupPartition::replay_batches(Bytes batches, Offset from) {
    const auto inflated_max = static_cast<std::size_t>(shard_.config().decompressed_bytes_max);
    const groups::Now now = this->now();
    Offset next = from;
    wire::BatchCursor cursor{batches};
    for (;;) {
        LEAT_TRY(const std::optional<wire::BatchView> batch, cursor.next());
        if (!batch) break;
        next = Offset{batch->header.last_offset().value + 1};
        const std::int64_t producer = batch->header.producer_id;
        if (batch->header.is_control()) {
            LEAT_TRY(const auto marker, wire::read_end_marker(*batch));
            if (marker) coordinator_->end_transaction(producer, marker->committed, now);
            continue;
        }
        const std::int64_t of = batch->header.is_transactional() ? producer : -1;
        LEAT_TRY(wire::RecordReader records, wire::RecordReader::open(*batch, inflated_max));
        for (;;) {
            LEAT_TRY(const std::optional<wire::RecordView> record, records.next());
            if (!record) break;
            if (record->key) coordinator_->load_record(*record->key, record->value, now, of);
        }
    }
    if (next == from) return Error{Errc::kCorruptMessage, "a read gave no whole batch"};
    return next;
}

void GroupPartition::loaded(const Result<void>& result) {
    if (!result.has_value()) {
        kLog.error("groups not loaded", {{"partition", partition_->spec().folder()},
                                         {"error", result.error().code()},
                                         {"detail", result.error().detail()}});
        state_ = State::kFailed;
        return;
    }
    if (const std::size_t unreadable = coordinator_->unreadable_records(); unreadable > 0)
        kLog.warn("records of groups left alone that cannot be read",
                  {{"partition", partition_->spec().folder()}, {"records", unreadable}});
    state_ = State::kReady;
    const Entry entry{*this};
    coordinator_->finish_load(now());
    // A crash may have come between a topic's end and that of its offsets: they must not be taken
    // for those of a later topic of the same name.
    std::vector<std::string> gone = std::exchange(deleted_while_loading_, {});
    for (std::string& topic : coordinator_->topics_with_offsets())
        if (shard_.image().find(topic) == nullptr) gone.push_back(std::move(topic));
    for (const std::string& topic : gone) coordinator_->on_topic_deleted(topic, now());
}

void GroupPartition::on_topic_deleted(const std::string& topic) {
    if (state_ == State::kLoading) deleted_while_loading_.push_back(topic);
    if (status() != Errc::kNone) return;
    run([&topic](groups::Coordinator& coordinator, groups::Now now) {
        coordinator.on_topic_deleted(topic, now);
    });
}

void GroupPartition::on_marker(std::int64_t producer_id, bool committed) {
    // While it loads, the marker is read with all else.
    if (status() != Errc::kNone) return;
    run([=](groups::Coordinator& coordinator, groups::Now now) {
        coordinator.end_transaction(producer_id, committed, now);
    });
}

void GroupPartition::on_topic_changed(const std::string& topic, bool is_new) {
    if (coordinator_ != nullptr) coordinator_->on_topic_changed(topic, is_new);
}

void GroupPartition::set_settings(const groups::Settings& settings) {
    if (coordinator_ == nullptr) return;
    groups::Settings with = settings;
    with.faults = faults_;
    coordinator_->set_settings(with);
}

// Appending.

void GroupPartition::append_writes() {
    for (groups::Write& write : coordinator_->take_writes()) writes_.push_back(std::move(write));
    // An append may end at once and bring more: those wait for their turn.
    if (std::exchange(is_appending_, true)) return;
    while (!writes_.empty()) {
        groups::Write write = std::move(writes_.front());
        writes_.pop_front();
        rt::start(append(shared_from_this(), std::move(write)));
    }
    is_appending_ = false;
}

rt::Task<void> GroupPartition::append(std::shared_ptr<GroupPartition> self, groups::Write write) {
    Result<std::vector<std::byte>> batch = batch_of(write, self->now().wall);
    if (!batch.has_value()) {
        self->written(write.token, batch.error().code());
        co_return;
    }
    constexpr std::int16_t kAll = -1;
    // The transaction's coordinator was asked just before, and no marker can have overtaken that:
    // the request came here straight from its shard.
    storage::TransactionGuard guard;
    if (write.producer) guard = self->partition_->transaction_guard(write.producer->id);
    const storage::Appended appended =
        co_await self->partition_->append(*batch, storage::Origin::kCoordinator, kAll, guard);
    self->written(write.token, appended.error);
}

void GroupPartition::written(std::uint64_t token, Errc outcome) {
    if (state_ == State::kStopped || coordinator_ == nullptr) return;
    const Entry entry{*this};
    coordinator_->on_written(token, outcome, now());
}

void GroupPartition::set_timer() {
    const std::optional<Instant> next = coordinator_->next_deadline();
    // One that comes too early does no harm, and most deadlines only move away.
    if (!next || (timer_at_ && *timer_at_ <= *next)) return;
    if (timer_at_) shard_.executor().cancel(timer_);
    timer_at_ = next;
    timer_ = shard_.executor().schedule(*next, [weak = weak_from_this()] {
        const std::shared_ptr<GroupPartition> self = weak.lock();
        if (self == nullptr || self->state_ != State::kReady) return;
        self->timer_at_.reset();
        const Entry entry{*self};
        self->coordinator_->advance(self->now());
    });
}

}  // namespace leat::broker
