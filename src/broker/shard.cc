// SPDX-License-Identifier: Apache-2.0
#include "broker/shard.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/check.h"
#include "broker/broker.h"
#include "broker/fetch_sessions.h"
#include "broker/log_level.h"
#include "broker/metrics.h"
#include "obs/log.h"
#include "rt/on_pool.h"
#include "storage/directory_health.h"
#include "storage/flusher.h"

namespace leat::broker {
namespace {

/// Of a bound on the node, one at least.
std::size_t share_of(std::int32_t bound, std::size_t shards) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(bound) / shards);
}

constexpr obs::Logger kLog{"broker"};

/// Request buffers kept by all shards together.
constexpr std::size_t kKeptBufferBytes = std::size_t{32} * 1024 * 1024;

/// Partitions that one job of the pool opens.
constexpr std::size_t kOpenedAtOnce = 16;
/// New partitions of one request from which on one sync of the file system serves them all.
constexpr std::size_t kSyncedTogether = 8;

/// Between two tries of a sync that needs a descriptor.
constexpr std::chrono::milliseconds kSyncAgainAfter{100};
/// Between attempts to open what could not be opened: what stood in the way, such as a full disk,
/// may be gone.
constexpr std::chrono::milliseconds kReopenMin{1'000};
constexpr std::chrono::milliseconds kReopenMax{30'000};

}  // namespace

std::size_t PartitionIdHash::operator()(const storage::PartitionId& id) const noexcept {
    // Topic ids are random: a multiplication spreads the partitions of one topic well enough.
    return std::hash<Uuid>{}(id.topic) +
           static_cast<std::size_t>(static_cast<std::uint32_t>(id.index)) * 0x9E3779B97F4A7C15U;
}

Shard::Shard(Parts parts, metadata::Image image)
    : broker_(parts.broker),
      index_(parts.index),
      executor_(parts.executor),
      keeps_(std::move(parts.keeps)),
      storage_(std::move(parts.storage)),
      image_(std::move(image)),
      buffers_(kKeptBufferBytes / parts.shard_count),
      fetch_sessions_(std::make_unique<FetchSessions>(FetchSessions::Options{
          .slots = share_of(image_.broker().fetch_session_slots, parts.shard_count),
          .partitions =
              share_of(image_.broker().fetch_session_partitions_max, parts.shard_count)})) {
    storage_->measures_time = !image_.quotas().empty();
}

Shard::~Shard() = default;

PartitionPtr Shard::find_partition(const storage::PartitionId& id) const {
    const auto at = partitions_.find(id);
    return at == partitions_.end() ? nullptr : at->second;
}

std::vector<storage::PartitionSpec> Shard::specs_of(const metadata::Topic& topic,
                                                    std::int32_t first) const {
    std::vector<storage::PartitionSpec> specs;
    for (std::int32_t index = first; index < topic.partition_count; ++index) {
        if (&broker_->shard_of({topic.id, index}) != this) continue;
        specs.push_back(spec_of(topic, index));
    }
    return specs;
}

storage::PartitionSpec Shard::spec_of(const metadata::Topic& topic, std::int32_t index) const {
    return {.topic = topic.name,
            .id = {topic.id, index},
            .leader_epoch = image_.leader_epoch(topic),
            .config = topic.config};
}

void Shard::add(const PartitionPtr& partition) {
    partitions_.emplace(partition->spec().id, partition);
    broker_->metrics().partitions.add(1);
    if (groups_) groups_->opened(partition);
    if (transactions_) transactions_->opened(partition);
}

/// Specs still to be opened, shared by those who open.
struct Shard::Opening {
    std::vector<storage::PartitionSpec> specs;
    storage::SyncOfNew syncs = storage::SyncOfNew::kByOpen;
    std::size_t next = 0;
    std::vector<PartitionPtr> opened;  ///< With kByCaller: not yet durable.

    [[nodiscard]] std::span<const storage::PartitionSpec> take() {
        const std::size_t count = std::min(kOpenedAtOnce, specs.size() - next);
        next += count;
        return std::span{specs}.subspan(next - count, count);
    }
};

rt::Task<void> Shard::open_some(Opening* opening, rt::Countdown* left) {
    while (opening->next < opening->specs.size()) {
        const std::span<const storage::PartitionSpec> some = opening->take();
        std::vector<Result<PartitionPtr>> results =
            co_await rt::on_pool(broker_->pool(), *executor_, [this, some, opening] {
                std::vector<Result<PartitionPtr>> out;
                out.reserve(some.size());
                for (const storage::PartitionSpec& spec : some)
                    out.push_back(storage::Partition::open(*storage_, spec, opening->syncs));
                return out;
            });
        for (std::size_t i = 0; i < some.size(); ++i) {
            Result<PartitionPtr>& result = results[i];
            if (!result.has_value())
                note_failed(some[i], result.error());
            else if (opening->syncs == storage::SyncOfNew::kByOpen)
                add(*result);
            else
                opening->opened.push_back(*std::move(result));
        }
    }
    left->arrive();
}

void Shard::note_failed(const storage::PartitionSpec& spec, const Error& error) {
    const auto [at, is_new] = failed_.emplace(spec.id, error.code());
    if (!is_new && std::exchange(at->second, error.code()) == error.code()) return;
    kLog.error("partition not opened",
               {{"partition", spec.folder()}, {"error", error.code()}, {"detail", error.detail()}});
    if (!is_new) return;
    broker_->metrics().partitions_failed.add(1);
    reopening_pause_ = kReopenMin;
    if (reopening_timer_.value != 0) executor_->cancel(std::exchange(reopening_timer_, {}));
    schedule_reopening();
}

void Shard::schedule_reopening() {
    if (is_stopped_ || is_reopening_ || failed_.empty()) return;
    reopening_timer_ = executor_->schedule(executor_->now() + reopening_pause_, [this] {
        reopening_timer_ = {};
        rt::start(reopen_failed());
    });
    reopening_pause_ = std::min(reopening_pause_ * 2, kReopenMax);
}

rt::Task<void> Shard::reopen_failed() {
    is_reopening_ = true;
    std::vector<storage::PartitionSpec> specs;
    for (const auto& [id, error] : failed_)
        // One whose topic is just being made is not in the image yet.
        if (const metadata::Topic* topic = image_.find(id.topic))
            specs.push_back(spec_of(*topic, id.index));
    for (storage::PartitionSpec& spec : specs) {
        if (is_stopped_ || !failed_.contains(spec.id)) continue;
        reopened_ = spec.id;
        co_await reopen(std::move(spec));
        reopened_ = {};
        if (next_config_ != nullptr) storage_->broker = std::exchange(next_config_, nullptr);
    }
    is_reopening_ = false;
    schedule_reopening();
}

rt::Task<void> Shard::reopen(storage::PartitionSpec spec) {
    const Result<PartitionPtr> opened =
        co_await rt::on_pool(broker_->pool(), *executor_,
                             [this, &spec] { return storage::Partition::open(*storage_, spec); });
    // It may have been deleted meanwhile, which left what is in its folder to this.
    const bool is_wanted = failed_.contains(spec.id);
    if (!opened.has_value()) {
        if (is_wanted)
            note_failed(spec, opened.error());
        else
            co_await discard(std::move(spec));
        co_return;
    }
    const PartitionPtr& partition = *opened;
    if (!is_wanted) {
        partition->close();
        rt::Countdown left{1};
        rt::start(delete_one(partition, &left));
        co_await left;
        co_return;
    }
    failed_.erase(spec.id);
    broker_->metrics().partitions_failed.add(-1);
    kLog.info("partition opened at last", {{"partition", spec.folder()}});
    add(partition);
    // Its settings may have changed since.
    if (const metadata::Topic* topic = image_.find(spec.id.topic))
        if (topic->config != spec.config) partition->set_config(topic->config);
}

rt::Task<void> Shard::discard(storage::PartitionSpec spec) {
    const Result<void> done = co_await rt::on_pool(broker_->pool(), *executor_, [this, &spec] {
        return storage::Partition::discard(*storage_, spec);
    });
    if (!done.has_value())
        kLog.warn("the folder of a partition that could not be opened stays",
                  {{"partition", spec.folder()},
                   {"error", done.error().code()},
                   {"detail", done.error().detail()}});
}

rt::Task<void> Shard::open_partitions(std::vector<storage::PartitionSpec> specs,
                                      storage::SyncOfNew syncs) {
    if (specs.empty()) co_return;
    Opening opening{.specs = std::move(specs), .syncs = syncs, .next = 0, .opened = {}};
    const std::size_t openers =
        std::min(opening.specs.size(),
                 static_cast<std::size_t>(std::max(1, image_.broker().recovery_threads)));
    rt::Countdown left{openers};
    for (std::size_t i = 0; i < openers; ++i) rt::start(open_some(&opening, &left));
    co_await left;
    if (!opening.opened.empty()) co_await sync_new(std::move(opening.opened));
}

/// One sync for the folders and files of all of them: each by itself takes four.
rt::Task<void> Shard::sync_new(std::vector<PartitionPtr> opened) {
    const auto sync = [this]() -> Result<void> {
        if (storage_->faults.skip_sync) return {};
        return storage_->disk.sync_file_system(storage_->data_directory);
    };
    Result<void> done = co_await rt::on_pool(broker_->pool(), *executor_, sync);
    // It was not tried; nobody may append before it was.
    while (!done.has_value() && done.error().code() == Errc::kTooManyOpenFiles) {
        co_await rt::sleep_until(*executor_, executor_->now() + kSyncAgainAfter);
        done = co_await rt::on_pool(broker_->pool(), *executor_, sync);
    }
    // Then all partitions are offline, these too.
    if (!done.has_value()) storage_->flusher.health().fail(done.error());
    for (const PartitionPtr& partition : opened) add(partition);
}

void Shard::started() {
    if (groups_) groups_->started();
    if (transactions_) transactions_->started();
}

rt::Task<void> Shard::open_all() {
    std::vector<storage::PartitionSpec> specs;
    for (const auto& [name, topic] : image_.topics()) {
        std::vector<storage::PartitionSpec> some = specs_of(*topic, 0);
        std::ranges::move(some, std::back_inserter(specs));
    }
    co_await open_partitions(std::move(specs), storage::SyncOfNew::kByOpen);
}

rt::Task<void> Shard::prepare(const metadata::Delta* delta) {
    std::vector<storage::PartitionSpec> specs;
    if (const auto* created = std::get_if<metadata::TopicCreated>(delta))
        specs = specs_of(*created->topic, 0);
    else if (const auto* added = std::get_if<metadata::PartitionsAdded>(delta))
        specs = specs_of(*added->topic, added->count_before);
    // A sync of the whole file system also writes what others have made dirty: not for a few.
    const auto syncs = specs.size() >= kSyncedTogether ? storage::SyncOfNew::kByCaller
                                                       : storage::SyncOfNew::kByOpen;
    co_await open_partitions(std::move(specs), syncs);
}

rt::Task<void> Shard::applied(const metadata::Delta* delta) {
    if (const auto* deleted = std::get_if<metadata::TopicDeleted>(delta)) {
        co_await delete_partitions(deleted->topic.get());
    } else if (const auto* changed = std::get_if<metadata::TopicConfigChanged>(delta)) {
        tune(*changed->topic);
    } else if (const auto* broker = std::get_if<metadata::BrokerConfigChanged>(delta)) {
        follow_log_level(next_config_ ? *next_config_ : *storage_->broker, *broker->config);
        // The pool reads it while it opens a partition again; other opens are changes, too, and
        // come one after the other.
        (reopened_ == storage::PartitionId{} ? storage_->broker : next_config_) = broker->config;
        storage_->flusher.set_syncfs_threshold(
            static_cast<std::size_t>(std::max(1, broker->config->flush_syncfs_threshold)));
        for (const auto& [name, topic] : image_.topics()) tune(*topic);
    }
    storage_->measures_time = !image_.quotas().empty();
    if (index_ == 0 && (std::holds_alternative<metadata::BrokerConfigChanged>(*delta) ||
                        std::holds_alternative<metadata::QuotasChanged>(*delta)))
        broker_->limits_changed();
    if (groups_) groups_->applied(*delta);
    if (transactions_) transactions_->applied(*delta);
}

void Shard::tune(const metadata::Topic& topic) {
    for (std::int32_t index = 0; index < topic.partition_count; ++index)
        if (const auto at = partitions_.find({topic.id, index}); at != partitions_.end())
            at->second->set_config(topic.config);
}

rt::Task<void> Shard::delete_one(PartitionPtr partition, rt::Countdown* left) {
    const Result<void> done = co_await partition->destroy();
    if (!done.has_value())
        kLog.error("partition not deleted", {{"partition", partition->spec().folder()},
                                             {"error", done.error().code()},
                                             {"detail", done.error().detail()}});
    left->arrive();
}

rt::Task<void> Shard::delete_partitions(const metadata::Topic* topic) {
    std::vector<PartitionPtr> gone;
    std::vector<storage::PartitionSpec> failed;
    for (std::int32_t index = 0; index < topic->partition_count; ++index) {
        const storage::PartitionId id{topic->id, index};
        if (failed_.erase(id) > 0) {
            broker_->metrics().partitions_failed.add(-1);
            // Whoever is opening it finds it gone.
            if (reopened_ != id) failed.push_back(spec_of(*topic, index));
        }
        const auto at = partitions_.find(id);
        if (at == partitions_.end()) continue;
        gone.push_back(std::move(at->second));
        partitions_.erase(at);
    }
    for (storage::PartitionSpec& spec : failed) co_await discard(std::move(spec));
    if (gone.empty()) co_return;
    rt::Countdown left{gone.size()};
    for (PartitionPtr& partition : gone) {
        broker_->metrics().partitions.add(-1);
        if (groups_) groups_->closing(partition);
        if (transactions_) transactions_->closing(partition);
        partition->close();
        rt::start(delete_one(std::move(partition), &left));
    }
    co_await left;
}

rt::Task<void> Shard::shut_one(PartitionPtr partition, Shutting* shutting) {
    Result<void> done = co_await partition->shut_down();
    if (!done.has_value()) {
        kLog.error("partition not shut down", {{"partition", partition->spec().folder()},
                                               {"error", done.error().code()},
                                               {"detail", done.error().detail()}});
        if (shutting->result.has_value()) shutting->result = std::move(done);
    }
    shutting->left.arrive();
}

rt::Task<Result<void>> Shard::shut_down() {
    is_stopped_ = true;
    if (reopening_timer_.value != 0) executor_->cancel(std::exchange(reopening_timer_, {}));
    constexpr std::chrono::milliseconds kLook{5};
    while (is_reopening_) co_await rt::sleep_until(*executor_, executor_->now() + kLook);
    // Transactions write into groups: they end first.
    if (transactions_) co_await transactions_->stop();
    if (groups_) co_await groups_->stop();
    for (const auto& [id, partition] : partitions_) partition->close();
    Partitions closing = std::exchange(partitions_, {});
    Shutting shutting{.left = rt::Countdown{closing.size()}, .result = {}};
    // What did not open was not recovered either: after a stop that is called clean a start would
    // take all that a crash left of it for durable.
    if (!failed_.empty() && !storage_->was_clean)
        shutting.result = Error{Errc::kOffline, "partitions that could not be opened"};
    if (closing.empty()) co_return std::move(shutting.result);
    for (auto& [id, partition] : closing) rt::start(shut_one(std::move(partition), &shutting));
    co_await shutting.left;
    co_return std::move(shutting.result);
}

}  // namespace leat::broker
