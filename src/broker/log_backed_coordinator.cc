// SPDX-License-Identifier: Apache-2.0
#include "broker/log_backed_coordinator.h"

#include <vector>

#include "base/check.h"
#include "broker/group_partition.h"
#include "broker/transaction_partition.h"
#include "wire/batch_builder.h"

namespace leat::broker {
namespace {

Result<std::vector<std::byte>> batch_of(const coordination::Write& write, WallMs now) {
    wire::BatchOptions options;
    if (write.producer) {
        options.producer_id = write.producer->id;
        options.producer_epoch = write.producer->epoch;
        options.transactional = true;
    }
    wire::BatchBuilder builder{options};
    for (const coordination::RecordToWrite& record : write.records) {
        wire::NewRecord added{
            .timestamp = now, .key = Bytes{record.key}, .value = {}, .headers = {}};
        if (record.value) added.value = Bytes{*record.value};
        builder.add(added);
    }
    return builder.finish();
}

}  // namespace

template <class Derived, class Coordinator>
void LogBackedCoordinator<Derived, Coordinator>::leave() {
    if (is_ready()) {
        append_writes();
        derived().follow_up();
    }
    // Either may end at once, and stop() come of it.
    if (is_ready()) set_timer();
    if (--entries_ == 0 && state_ == State::kStopped) coordinator_.reset();
}

template <class Derived, class Coordinator>
Errc LogBackedCoordinator<Derived, Coordinator>::status() const {
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

template <class Derived, class Coordinator>
void LogBackedCoordinator<Derived, Coordinator>::stop() {
    if (state_ == State::kStopped) return;
    state_ = State::kStopped;
    cancel_timer();
    // Destroying it answers who waits. Not from inside one of its own calls: the outermost does it.
    if (entries_ == 0) coordinator_.reset();
}

// Loading.

template <class Derived, class Coordinator>
rt::Task<void> LogBackedCoordinator<Derived, Coordinator>::load(Self self) {
    const Busy busy{*self};
    Replay replay = self->replay();
    replay.is_cancelled = [&self] { return self->state_ == State::kStopped; };
    const Result<void> result = co_await replay_log(&self->shard_, self->partition_, &replay);
    if (self->state_ == State::kStopped) co_return;
    self->loaded(result);
}

template <class Derived, class Coordinator>
void LogBackedCoordinator<Derived, Coordinator>::loaded(const Result<void>& result) {
    const CoordinatorLog& log = Derived::kLog;
    if (!result.has_value()) {
        log.logger.error(log.not_loaded, {{"partition", partition_->spec().folder()},
                                          {"error", result.error().code()},
                                          {"detail", result.error().detail()}});
        state_ = State::kFailed;
        return;
    }
    if (const std::size_t unreadable = coordinator_->unreadable_records(); unreadable > 0)
        log.logger.warn(log.unreadable,
                        {{"partition", partition_->spec().folder()}, {"records", unreadable}});
    state_ = State::kReady;
    const Entry entry{*this};
    coordinator_->finish_load(now());
    derived().on_loaded();
}

// Appending.

template <class Derived, class Coordinator>
void LogBackedCoordinator<Derived, Coordinator>::append_writes() {
    for (coordination::Write& write : coordinator_->take_writes())
        writes_.push_back(std::move(write));
    // An append may end at once and bring more: those wait for their turn.
    if (std::exchange(is_appending_, true)) return;
    while (!writes_.empty()) {
        coordination::Write write = std::move(writes_.front());
        writes_.pop_front();
        rt::start(append(this->shared_from_this(), std::move(write)));
    }
    is_appending_ = false;
}

template <class Derived, class Coordinator>
rt::Task<void> LogBackedCoordinator<Derived, Coordinator>::append(Self self,
                                                                  coordination::Write write) {
    const Busy busy{*self};
    Errc outcome = Errc::kNone;
    Result<std::vector<std::byte>> batch = batch_of(write, self->now().wall);
    if (batch.has_value()) {
        constexpr std::int16_t kAll = -1;
        // The transaction's coordinator was asked just before, and no marker can have overtaken
        // that: the request came here straight from its shard.
        storage::TransactionGuard guard;
        if (write.producer) guard = self->partition_->transaction_guard(write.producer->id);
        const storage::Appended appended =
            co_await self->partition_->append(*batch, storage::Origin::kCoordinator, kAll, guard);
        outcome = appended.error;
    } else {
        outcome = batch.error().code();
    }
    if (!self->is_ready()) co_return;
    const Entry entry{*self};
    self->coordinator_->on_written(write.token, outcome, self->now());
}

// Time.

template <class Derived, class Coordinator>
void LogBackedCoordinator<Derived, Coordinator>::set_timer() {
    const std::optional<Instant> next = coordinator_->next_deadline();
    // One that comes too early does no harm, and most deadlines only move away.
    if (!next || (timer_at_ && *timer_at_ <= *next)) return;
    cancel_timer();
    timer_at_ = next;
    timer_ = shard_.executor().schedule(*next, [weak = this->weak_from_this()] {
        const Self self = weak.lock();
        if (self == nullptr || !self->is_ready()) return;
        self->timer_at_.reset();
        const Entry entry{*self};
        self->coordinator_->advance(self->now());
    });
}

template <class Derived, class Coordinator>
void LogBackedCoordinator<Derived, Coordinator>::cancel_timer() {
    if (timer_at_) shard_.executor().cancel(timer_);
    timer_at_.reset();
}

template class LogBackedCoordinator<GroupPartition, groups::Coordinator>;
template class LogBackedCoordinator<TransactionPartition, transactions::Coordinator>;

}  // namespace leat::broker
