// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/fetch_read.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "broker/metrics.h"
#include "broker/scatter.h"

namespace leat::broker {
namespace {

using Items = std::span<FetchItem*>;

/// What a shard can give a request now.
struct Offer {
    std::size_t bytes = 0;
    bool has_error = false;
};

/// Checks the item as Kafka does before it reads. Runs on: the partition's shard.
Errc check(const storage::Partition& partition, FetchItem& item) {
    if (partition.is_quarantined()) return Errc::kKafkaStorageError;
    const Errc fenced = partition.check_leader_epoch(item.current_leader_epoch);
    if (fenced != Errc::kNone) return fenced;
    if (item.last_fetched_epoch >= 0) {
        const storage::Partition::EpochEnd end = partition.end_of_epoch(item.last_fetched_epoch);
        if (end.epoch < 0 || end.end.value < 0) return Errc::kOffsetOutOfRange;
        if (end.epoch < item.last_fetched_epoch || end.end < item.from) {
            item.diverging = end;
            return Errc::kNone;
        }
    }
    if (item.from < partition.log_start() || item.from > partition.log_end())
        return Errc::kOffsetOutOfRange;
    return Errc::kNone;
}

/// What every answer tells, with or without records.
void note_offsets(const storage::Partition& partition, storage::ReadResult& result) {
    result.high_watermark = partition.high_watermark();
    result.last_stable = partition.last_stable();
    result.log_start = partition.log_start();
}

/// The state of one waiting request on its own shard; parts on other shards post to it.
/// Threading: shard-local to the request's shard.
struct Waiting {
    std::size_t bytes_min = 0;
    std::vector<std::size_t> offered;  ///< By part.
    rt::Completion<bool> enough;

    void offer(std::size_t part, Offer offer) {
        offered[part] = offer.bytes;
        std::size_t total = 0;
        for (const std::size_t bytes : offered) total += bytes;
        if (offer.has_error || total >= bytes_min) end();
    }
    void end() {
        if (!enough.is_set()) enough.set(true);
    }
};

/// Watches a shard's partitions for one request.
/// Threading: shard-local to the partitions' shard. Memory: shared with posts on the way to it.
class PartWatch final : public storage::Watcher, public std::enable_shared_from_this<PartWatch> {
  public:
    PartWatch(Shard& shard, Items items, const FetchLimits& limits)
        : shard_(shard), items_(items), limits_(limits) {}

    /// First look; watches unless `may_wait` is false or the look was enough by itself.
    Offer look(bool may_wait) {
        Offer offer;
        for (FetchItem* item : items_) {
            const PartitionPtr partition = shard_.find_partition(item->id);
            if (!partition) {
                item->error = shard_.failed_to_open(item->id) ? Errc::kKafkaStorageError
                                                              : Errc::kUnknownTopicOrPartition;
            } else {
                item->error = check(*partition, *item);
            }
            if (item->error != Errc::kNone || item->diverging.epoch >= 0) offer.has_error = true;
            if (item->error != Errc::kNone) continue;
            const std::size_t bytes = available(*partition, *item);
            watched_.push_back({partition, item, bytes});
            offer.bytes += bytes;
        }
        total_ = offer.bytes;
        if (may_wait && !offer.has_error && offer.bytes < limits_.bytes_min) watch();
        return offer;
    }

    /// Where to report. `waiting` is used on the request's shard only, and only while `alive`.
    void report_to(Shard& home, std::shared_ptr<Waiting*> waiting, std::size_t part) {
        home_ = &home;
        waiting_ = std::move(waiting);
        part_ = part;
        if (changed_) report();
    }

    /// The last use of the partitions, on their shard: what is left of this goes elsewhere, where
    /// the last holder of one that was deleted meanwhile must not be.
    void unwatch() {
        if (std::exchange(is_watching_, false))
            for (const Watched& watched : watched_) watched.partition->unwatch(*this);
        watched_.clear();
    }

    void on_advanced(storage::Partition& partition) override {
        for (Watched& watched : watched_) {
            if (watched.partition.get() != &partition) continue;
            const std::size_t bytes = available(partition, *watched.item);
            if (bytes == watched.bytes) continue;
            total_ += bytes - watched.bytes;
            watched.bytes = bytes;
            changed_ = true;
        }
        if (changed_) report();
    }

    void on_closed(storage::Partition& /*partition*/) override {
        has_error_ = true;
        changed_ = true;
        report();
    }

  private:
    struct Watched {
        PartitionPtr partition;
        FetchItem* item;
        std::size_t bytes;
    };

    [[nodiscard]] std::size_t available(const storage::Partition& partition,
                                        const FetchItem& item) const {
        const std::size_t enough =
            std::min(item.bytes_max, std::max<std::size_t>(limits_.bytes_min, 1));
        return partition.available_bytes(item.from, limits_.isolation, enough);
    }

    void watch() {
        is_watching_ = true;
        // The plan has each partition once.
        for (const Watched& watched : watched_) watched.partition->watch(*this);
    }

    void report() {
        if (home_ == nullptr || is_reporting_) return;
        changed_ = false;
        const Offer offer{total_, has_error_};
        if (home_ == &shard_) {
            if (*waiting_ != nullptr) (*waiting_)->offer(part_, offer);
            return;
        }
        // One report at a time is on its way; what changes meanwhile goes with the next.
        is_reporting_ = true;
        home_->executor().post([self = shared_from_this(), offer] {
            if (*self->waiting_ != nullptr) (*self->waiting_)->offer(self->part_, offer);
            self->shard_.executor().post([self] {
                self->is_reporting_ = false;
                if (self->changed_) self->report();
            });
        });
    }

    Shard& shard_;
    Items items_;
    FetchLimits limits_;
    std::vector<Watched> watched_;
    std::size_t total_ = 0;
    bool has_error_ = false;
    bool changed_ = false;
    bool is_watching_ = false;
    bool is_reporting_ = false;
    Shard* home_ = nullptr;
    std::shared_ptr<Waiting*> waiting_;
    std::size_t part_ = 0;
};

/// Reads the items of one shard, in order, within `bytes_max`. Runs on: that shard.
rt::Task<void> read_here(Shard* shard, Items items, FetchLimits limits) {
    std::size_t left = limits.bytes_max;
    bool has_some = false;
    for (FetchItem* item : items) {
        if (item->error != Errc::kNone) continue;
        const PartitionPtr partition = shard->find_partition(item->id);
        if (!partition) {
            item->error = Errc::kUnknownTopicOrPartition;
            continue;
        }
        const std::size_t bytes_max = std::min(left, item->bytes_max);
        if (item->diverging.epoch >= 0 || (bytes_max == 0 && has_some)) {
            note_offsets(*partition, item->result);
            continue;
        }
        const storage::ReadRequest read{.from = item->from,
                                        .bytes_max = bytes_max,
                                        .at_least_one = !has_some,
                                        .isolation = limits.isolation};
        item->result = co_await partition->read(read);
        item->error = item->result.error;
        left -= std::min(left, item->result.size_bytes);
        has_some = has_some || item->result.size_bytes > 0;
    }
}

/// Shards read beside each other, each within the whole limit: what is too much goes.
void trim(std::vector<FetchItem>& items, std::size_t bytes_max) {
    std::size_t total = 0;
    for (FetchItem& item : items) {
        storage::ReadResult& result = item.result;
        if (total > 0 && total + result.size_bytes > bytes_max) {
            result.slices.clear();
            result.aborted.clear();
            result.size_bytes = 0;
        }
        total += result.size_bytes;
    }
}

struct Part {
    Shard* shard = nullptr;
    Items items;
    std::shared_ptr<PartWatch> watch;
    Offer offer;
};

/// The parts of one request and what it does with them.
class Reading {
  public:
    Reading(Request& request, std::vector<FetchItem>& items, const FetchLimits& limits)
        : request_(request), items_(items), limits_(limits), by_shard_(request.shard->broker()) {
        for (FetchItem& item : items_)
            if (item.error == Errc::kNone)
                by_shard_.add(item.id, &item);
            else
                has_error_ = true;
        for (ShardPart<FetchItem*>& part : by_shard_.parts())
            parts_.push_back({part.shard, part.items, nullptr, {}});
    }

    rt::Task<void> run() {
        if (parts_.empty()) co_return;
        may_wait_ = !has_error_ && limits_.wait_max.count() > 0 && !request_.is_hurried();
        co_await each(&Reading::look_part);
        Offer all{0, has_error_};
        for (const Part& part : parts_) {
            all.bytes += part.offer.bytes;
            all.has_error = all.has_error || part.offer.has_error;
        }
        if (may_wait_ && !all.has_error && all.bytes < limits_.bytes_min) co_await wait();
        co_await each(&Reading::read_part);
        if (parts_.size() > 1) trim(items_, limits_.bytes_max);
    }

  private:
    using Step = rt::Task<void> (Reading::*)(Part*);

    rt::Task<void> step_on(Step step, Part* part, rt::Countdown* left) {
        co_await rt::hop(part->shard->executor());
        co_await (this->*step)(part);
        co_await rt::hop(request_.shard->executor());
        left->arrive();
    }
    /// Runs `step` for each part on its shard, all at once.
    rt::Task<void> each(Step step) {
        rt::Countdown left{parts_.size()};
        for (Part& part : parts_) rt::start(step_on(step, &part, &left));
        co_await left;
    }

    rt::Task<void> look_part(Part* part) {
        part->watch = std::make_shared<PartWatch>(*part->shard, part->items, limits_);
        part->offer = part->watch->look(may_wait_);
        co_return;
    }
    rt::Task<void> attach_part(Part* part) {
        const auto index = static_cast<std::size_t>(part - parts_.data());
        part->watch->report_to(*request_.shard, waiting_, index);
        co_return;
    }
    rt::Task<void> read_part(Part* part) {
        part->watch->unwatch();
        co_await read_here(part->shard, part->items, limits_);
    }

    rt::Task<void> wait() {
        Waiting waiting{.bytes_min = limits_.bytes_min, .offered = {}, .enough = {}};
        for (const Part& part : parts_) waiting.offered.push_back(part.offer.bytes);
        waiting_ = std::make_shared<Waiting*>(&waiting);
        rt::Executor& executor = request_.shard->executor();
        const rt::TimerId timer =
            executor.schedule(executor.now() + limits_.wait_max, [waiting = waiting_] {
                if (*waiting != nullptr) (*waiting)->end();
            });
        const Instant began = executor.now();
        const obs::Gauge& gauge = request_.shard->broker().metrics().waiting_fetches;
        gauge.add(1);
        request_.when_hurried([waiting = waiting_] {
            if (*waiting != nullptr) (*waiting)->end();
        });
        co_await each(&Reading::attach_part);
        co_await waiting.enough;
        *waiting_ = nullptr;  // Reports that are still on their way find nobody.
        executor.cancel(timer);
        request_.clear_hurry();
        gauge.add(-1);
        // A shard that was busy for longer is not what the client asked for.
        request_.asked_wait +=
            std::min<std::chrono::nanoseconds>(executor.now() - began, limits_.wait_max);
    }

    Request& request_;
    std::vector<FetchItem>& items_;
    FetchLimits limits_;
    Parts<FetchItem*> by_shard_;
    std::vector<Part> parts_;
    bool has_error_ = false;
    bool may_wait_ = false;
    std::shared_ptr<Waiting*> waiting_;
};

}  // namespace

rt::Task<void> read_items(Request* request, std::vector<FetchItem>* items, FetchLimits limits) {
    Reading reading{*request, *items, limits};
    co_await reading.run();
}

}  // namespace leat::broker
