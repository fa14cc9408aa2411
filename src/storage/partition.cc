// SPDX-License-Identifier: Apache-2.0
#include "storage/partition.h"

#include <algorithm>
#include <utility>

#include "obs/log.h"
#include "storage/durable_marks.h"
#include "storage/metrics.h"
#include "storage/partition_state.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

}  // namespace

Partition::Partition(std::unique_ptr<PartitionState> state) : state_(std::move(state)) {}
Partition::~Partition() = default;

PartitionState::PartitionState(ShardContext& context_in, PartitionSpec spec_in)
    : context(context_in),
      spec(std::move(spec_in)),
      path(context.data_directory + "/" + spec.folder()),
      config(spec.config),
      producers(producer_limits(*context.broker)) {}

PartitionState::~PartitionState() {
    if (self == nullptr) return;  // Never reached its shard.
    cancel_timers();
    context.flusher.detach(*this);
    if (is_offline) context.metrics.offline.add(-1);
    if (is_quarantined) {
        context.metrics.quarantined.add(-1);
        context.quarantined->remove(spec.id);
    }
}

void PartitionState::start(Partition& partition) {
    self = &partition;
    context.flusher.attach(*this);
    if (is_quarantined) {
        context.metrics.quarantined.add(1);
        context.quarantined->add(spec.id);
        go_offline(offline_reason);
    }
    schedule_upkeep();
    schedule_cleaning();
    start_scrubs();
}

void PartitionState::refresh() {
    if (!log) return;
    // After a write that failed a crash may bring back segments that went last.
    if (!log->has_failed()) log_start = std::max(log_start, log->log_start());
    log_end = std::max(log_end, log->log_end());
    size_bytes = log->size_bytes();
}

void HeldTurn::give() {
    if (state_ == nullptr) return;
    PartitionState& s = *std::exchange(state_, nullptr);
    s.refresh();
    s.sync.turn_ended(s.log.get(), s.context.executor);
    if (std::exchange(s.sync.is_wanted, false)) s.context.flusher.request(s);
    s.snapshot_if_wanted();
    s.turn.give(s.context.executor);
}

Offset PartitionState::last_stable() const noexcept {
    const Offset unstable = context.faults.lso_too_high ? Offset{-1} : producers.first_unstable();
    if (unstable.value < 0 || unstable > high_watermark) return high_watermark;
    return std::max(unstable, log_start);
}

void PartitionState::advance() {
    const Offset reached =
        is_sync() && !context.faults.read_above_synced ? std::min(synced, log_end) : log_end;
    // Not while offline: what was appended last may lack the index entry that hides it.
    const bool has_moved = reached > high_watermark && !is_offline;
    if (has_moved) {
        high_watermark = reached;
        producers.advance(reached);
    }
    const std::pair now{last_stable(), log_start};
    if (!has_moved && now == told) return;
    told = now;
    if (!watchers.empty()) tell_watchers(false);
}

void PartitionState::tell_watchers(bool closed) {
    if (self == nullptr) return;
    // One that is told may make the partition move again: then all are told once more.
    if (is_telling) {
        tell_again = true;
        return;
    }
    is_telling = true;
    const auto keep = self->shared_from_this();
    do {
        tell_again = false;
        for (std::size_t i = 0, count = watchers.size(); i < count; ++i) {
            if (watchers[i] == nullptr) continue;
            if (closed || is_closed)
                watchers[i]->on_closed(*self);
            else
                watchers[i]->on_advanced(*self);
        }
    } while (tell_again);
    is_telling = false;
    std::erase(watchers, nullptr);
}

void PartitionState::go_offline(std::string why) {
    if (is_offline) return;
    is_offline = true;
    offline_reason = std::move(why);
    context.metrics.offline.add(1);
    kLog.error("partition offline", {{"partition", spec.folder()}, {"why", offline_reason}});
    const auto keep = self->shared_from_this();
    settle_waits(Errc::kNotEnoughReplicasAfterAppend);
    tell_watchers(true);
}

bool PartitionState::SyncWait::await_suspend(std::coroutine_handle<> handle) {
    if (state.is_offline) {
        result = Errc::kNotEnoughReplicasAfterAppend;
        return false;
    }
    waiter = handle;
    // Appends need more than all before them; a duplicate needs less than the newest.
    SyncWait** at = &state.first_wait;
    if (state.last_wait != nullptr && state.last_wait->need <= need) at = &state.last_wait->next;
    while (*at != nullptr && (*at)->need <= need) at = &(*at)->next;
    next = *at;
    *at = this;
    if (next == nullptr) state.last_wait = this;
    return true;
}

void PartitionState::settle_waits(Errc error) {
    // A resumed coroutine may append and wait again, which lands behind what is settled here.
    while (first_wait != nullptr && (error != Errc::kNone || first_wait->need <= synced)) {
        SyncWait* wait = first_wait;
        first_wait = wait->next;
        if (first_wait == nullptr) last_wait = nullptr;
        wait->result = error;
        wait->waiter.resume();
    }
}

std::optional<Log::Unsynced> PartitionState::take_unsynced() {
    return sync.take(log.get(), !turn.is_free(), context.executor);
}

void PartitionState::on_synced(Offset end) {
    const Offset settled_before = settled();
    synced = std::max(synced, end);
    if (synced > aborted_last) aborted_files.clear();  // They were part of it.
    if (turn.is_free()) snapshot_if_wanted();
    if (snapshots.is_awaited && snapshots.newest_up_to(synced) > settled_before) hasten_retention();
    advance();
    settle_waits(Errc::kNone);
}

void PartitionState::on_sync_ended() {
    wake_if_idle();
}

void PartitionState::on_directory_failed() {
    go_offline("the data directory has failed");
    wake_if_idle();  // The sync that it waits for has been dropped.
}

std::shared_ptr<void> PartitionState::hold() {
    return self->shared_from_this();
}

void PartitionState::wake_if_idle() {
    if (idle_waiter && is_idle()) std::exchange(idle_waiter, nullptr).resume();
}

void Partition::watch(Watcher& watcher) {
    LEAT_CHECK(std::ranges::find(state_->watchers, &watcher) == state_->watchers.end());
    state_->watchers.push_back(&watcher);
    state_->keep_tail();
}

void Partition::unwatch(Watcher& watcher) {
    const auto at = std::ranges::find(state_->watchers, &watcher);
    if (at == state_->watchers.end()) return;
    if (state_->is_telling) {
        *at = nullptr;
    } else {
        state_->watchers.erase(at);
    }
}

Partition::EpochEnd Partition::end_of_epoch(std::int32_t epoch) const {
    const auto& epochs = state_->epochs;
    if (epoch == kNoEpoch || epochs.empty()) return {};
    const auto next =
        std::ranges::upper_bound(epochs, epoch, {}, &PartitionState::EpochStart::epoch);
    if (next == epochs.begin()) return {.epoch = epoch, .end = std::max(next->start, log_start())};
    if (epoch < first_epoch()) return {.epoch = epoch, .end = log_start()};
    const bool is_newest = next == epochs.end();
    if (is_newest && epochs.back().epoch != epoch) return {};  // From the future.
    const Offset end = is_newest ? state_->log_end : next->start;
    return {.epoch = std::prev(next)->epoch, .end = std::min(end, state_->high_watermark)};
}

std::int32_t Partition::first_epoch() const {
    const auto& epochs = state_->epochs;
    const auto after =
        std::ranges::upper_bound(epochs, log_start(), {}, &PartitionState::EpochStart::start);
    return after == epochs.begin() ? kNoEpoch : std::prev(after)->epoch;
}

Errc Partition::check_leader_epoch(std::int32_t current) const {
    if (current < 0 || current == state_->spec.leader_epoch) return Errc::kNone;
    return current < state_->spec.leader_epoch ? Errc::kFencedLeaderEpoch
                                               : Errc::kUnknownLeaderEpoch;
}

std::vector<ActiveProducer> Partition::producers() const {
    return state_->producers.active();
}

TransactionGuard Partition::transaction_guard(std::int64_t producer_id) const {
    return state_->producers.guard(producer_id);
}

std::optional<OpenTransaction> Partition::open_transaction(std::int64_t producer_id) const {
    return state_->producers.open_transaction(producer_id);
}

std::vector<OpenTransaction> Partition::open_transactions() const {
    return state_->producers.open_transactions();
}

void Partition::set_config(std::shared_ptr<const config::TopicConfig> config) {
    PartitionState& s = *state_;
    s.config = config;
    s.spec.config = std::move(config);
    s.producers.set_limits(producer_limits(*s.context.broker));
    // The log may be in use on the pool: it learns of it when its turn comes.
    rt::start([](std::shared_ptr<Partition> keep) -> rt::Task<void> {
        PartitionState& state = *keep->state_;
        HeldTurn turn = co_await state.take_turn();
        if (state.log) state.log->set_config(state.config);
        turn.give();
        // Durability may have become stricter: what is not synced yet must be now.
        if (state.is_sync() && state.synced < state.log_end && !state.is_offline)
            state.context.flusher.request(state);
        // The waits of before may have been without end.
        for (rt::TimerId* timer : {&state.sync.timer, &state.clean_timer})
            if (timer->value != 0) state.context.executor.cancel(std::exchange(*timer, {}));
        if (!state.is_sync()) state.schedule_flush();
        state.schedule_cleaning();
        state.start_scrubs();
        state.advance();
    }(shared_from_this()));
}

void Partition::close() {
    PartitionState& s = *state_;
    if (s.is_closed) return;
    s.is_closed = true;
    s.cancel_timers();
    s.tail.clear();
    s.tell_watchers(true);
}

const PartitionSpec& Partition::spec() const noexcept {
    return state_->spec;
}
Offset Partition::log_start() const noexcept {
    return state_->log_start;
}
Offset Partition::high_watermark() const noexcept {
    return state_->high_watermark;
}
Offset Partition::last_stable() const noexcept {
    return state_->last_stable();
}
Offset Partition::log_end() const noexcept {
    return state_->log_end;
}
std::int64_t Partition::size_bytes() const noexcept {
    return state_->size_bytes;
}
bool Partition::is_offline() const noexcept {
    return state_->is_offline;
}
bool Partition::is_quarantined() const noexcept {
    return state_->is_quarantined;
}

}  // namespace leat::storage
