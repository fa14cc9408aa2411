// SPDX-License-Identifier: Apache-2.0
//
// How a thread makes its work durable: output and changelogs first, then positions; or all of it in
// one transaction.
#include <algorithm>
#include <utility>

#include "obs/log.h"
#include "streams/stream_thread.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kFullPause{100};
constexpr milliseconds kGatePause{20};

/// The coordinator has moved on; the heartbeat will tell, and what is ours then.
bool is_stale(Errc code) {
    return code == Errc::kRebalanceInProgress || code == Errc::kIllegalGeneration ||
           code == Errc::kUnknownMemberId || code == Errc::kFencedInstanceId;
}

}  // namespace

Result<void> StreamThread::send(std::string_view topic, const client::OutgoingRecord& record) {
    if (settings_.exactly_once && !in_transaction_) {
        LEAT_TRY_VOID(writer_->begin());
        in_transaction_ = true;
    }
    for (;;) {
        LEAT_TRY(const bool taken, writer_->send(topic, record));
        if (taken) return {};
        writer_->poll(kFullPause);
    }
}

void StreamThread::note_delivery(const client::Delivery& delivery) {
    if (delivery.code != Errc::kNone) {
        if (!delivery_failure_)
            delivery_failure_ = Error{
                delivery.code, "output was not acknowledged: " + std::string{delivery.reason}};
        return;
    }
    if (delivery.tag == 0) return;
    auto* mark = reinterpret_cast<ChangelogMark*>(delivery.tag);
    mark->acknowledged = std::max(mark->acknowledged, delivery.offset.value + 1);
}

Result<StreamThread::Committed> StreamThread::commit() {
    const bool any = in_transaction_ || std::ranges::any_of(tasks_, [](const auto& one) {
                         return one.second->needs_commit();
                     });
    std::vector<client::CommittedOffset> positions;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        if (any) LEAT_TRY_VOID(task->flush());
        auto more = task->positions();
        positions.insert(positions.end(), std::make_move_iterator(more.begin()),
                         std::make_move_iterator(more.end()));
    }
    if (positions.empty() && !in_transaction_) return Committed::kDone;
    LEAT_TRY(const Committed done,
             settings_.exactly_once ? commit_transaction(positions) : commit_positions(positions));
    if (done != Committed::kDone) return done;
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) LEAT_TRY_VOID(task->committed());
    return done;
}

Result<StreamThread::Committed> StreamThread::commit_positions(
    const std::vector<client::CommittedOffset>& positions) {
    LEAT_TRY_VOID(writer_->flush(settings_.task_timeout));
    if (delivery_failure_) return *std::exchange(delivery_failure_, std::nullopt);
    const auto pass = environment_.gate->try_enter();
    if (!pass) return Committed::kLater;
    const Result<void> done = offsets_->commit(pass->identity, positions);
    if (done) return Committed::kDone;
    if (is_stale(done.error().code())) return Committed::kLater;
    return Error{done.error().code(), done.error().detail()};
}

Result<StreamThread::Committed> StreamThread::commit_transaction(
    const std::vector<client::CommittedOffset>& positions) {
    // Entered before anything is sent: inside a rebalance the transaction stays open instead.
    const auto pass = environment_.gate->try_enter();
    if (!pass) return Committed::kLater;
    if (delivery_failure_) return Committed::kMustReset;
    if (!in_transaction_) {
        LEAT_TRY_VOID(writer_->begin());
        in_transaction_ = true;
    }
    Result<void> done = writer_->send_offsets(pass->identity, positions, settings_.task_timeout);
    if (done) done = writer_->commit(settings_.task_timeout);
    if (done) {
        in_transaction_ = false;
        return Committed::kDone;
    }
    kLog.warn("transaction failed",
              {{"code", done.error().code()}, {"why", done.error().detail()}});
    if (writer_->must_abort() || writer_->is_fatal() || is_stale(done.error().code()))
        return Committed::kMustReset;
    return std::move(done).error();
}

Result<void> StreamThread::commit_or_reset() {
    LEAT_TRY(const Committed done, commit());
    const Instant now = environment_.clock->now();
    if (done == Committed::kMustReset) LEAT_TRY_VOID(reset_tasks());
    if (done == Committed::kLater) {
        next_commit_ = now + kGatePause;
        return {};
    }
    commit_asked_ = false;
    next_commit_ = now + settings_.commit_interval;
    return {};
}

Result<void> StreamThread::commit_at_last() {
    const Instant end = environment_.clock->now() + settings_.rebalance_timeout;
    for (;;) {
        LEAT_TRY(const Committed done, commit());
        if (done == Committed::kDone) return {};
        if (done == Committed::kMustReset) return reset_tasks();
        // Fallen out of the group meanwhile: nothing of this can be committed.
        if (environment_.board->is_lost(index_) || environment_.clock->now() >= end) return {};
        LEAT_TRY_VOID(reader_->wait(kGatePause));
    }
}

Result<void> StreamThread::reset_tasks() {
    in_transaction_ = false;
    delivery_failure_.reset();
    const bool aborted = !writer_->is_fatal() && writer_->abort(settings_.task_timeout).has_value();
    // A fenced or broken producer is of no more use.
    if (!aborted) LEAT_TRY_VOID(open_writer());
    delivery_failure_.reset();
    std::vector<TaskId> again;
    for (const auto& [id, task] : tasks_)
        if (task->is_active()) again.push_back(id);
    for (const TaskId& id : again) {
        tasks_.at(id)->close();
        buried_.push_back(std::move(tasks_.at(id)));
        tasks_.erase(id);
    }
    kLog.info("tasks start again from their last commit", {{"tasks", again.size()}});
    environment_.board->renew(index_);
    return {};
}

}  // namespace leat::streams
