// SPDX-License-Identifier: Apache-2.0
//
// How a thread makes its work durable: output and changelogs first, then positions; or all of it in
// one transaction.
#include <algorithm>
#include <iterator>
#include <utility>

#include "obs/log.h"
#include "streams/failpoints.h"
#include "streams/internal_topics.h"
#include "streams/stream_thread.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kGatePause{20};
/// The coordinator knows of a rebalance that this process has not heard of.
constexpr milliseconds kStalePause{200};
/// Uncommitted rows, with what an entry costs, that are left to the commit: it writes about 250 of
/// a counter in a millisecond, and no record is processed meanwhile.
constexpr std::size_t kEarlyBytes = std::size_t{32} << 10U;
/// So long a thread that has nothing to do waits for acknowledgements before it writes rows early.
constexpr milliseconds kEarlyWait{5};
/// How often in a row a task may meet damage without a commit in between.
constexpr int kDamagesMax = 3;

}  // namespace

Result<void> StreamThread::flush_output() {
    const detail::WorkOutside outside{gate_};
    return output_.flush();
}

bool StreamThread::deliver(milliseconds wait) {
    const detail::WorkOutside outside{gate_};
    return output_.deliver(wait);
}

Result<StreamThread::Committed> StreamThread::judge(Error cause) {
    const Errc code = cause.code();
    kLog.warn("transaction failed", {{"thread", index_}, {"code", code}, {"why", cause.detail()}});
    if (is_stale(code)) return Committed::kMustReset;
    const bool is_unknown = code == Errc::kUnknownServerError;
    const bool may_help = is_cured_by_reset(code) || (is_unknown && output_.is_broken());
    if (may_help && resets_.lasts(environment_.clock->now(), settings_.task_timeout))
        return Committed::kMustReset;
    return std::move(cause);
}

Result<StreamThread::Committed> StreamThread::commit() {
    if (settings_.exactly_once && output_.has_failed()) return judge(*output_.take_failure());
    const bool any = output_.in_transaction() || std::ranges::any_of(tasks_, [](const auto& one) {
                         return one.second->needs_commit();
                     });
    if (any) reach(FailStep::kCommitBegun);
    if (any && has_fault(Fault::kOffsetsBeforeData)) commit_too_early();
    std::vector<client::CommittedOffset> positions;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        if (any && !has_fault(Fault::kCommitBeforeFlush)) {
            Result<void> flushed = task->flush();
            if (task->is_damaged()) return heal(id, flushed);
            if (!flushed && settings_.exactly_once && output_.has_failed())
                return judge(*output_.take_failure());
            if (!flushed) return std::move(flushed).error();
        }
        auto more = task->positions();
        positions.insert(positions.end(), std::make_move_iterator(more.begin()),
                         std::make_move_iterator(more.end()));
    }
    if (positions.empty() && !any) {
        // Rows in memory age.
        LEAT_TRY_VOID(keep_states());
        return Committed::kDone;
    }
    reach(FailStep::kCommitFlushed);
    const Instant begin = environment_.clock->now();
    Committed done = Committed::kDone;
    if (!settings_.exactly_once) {
        LEAT_TRY(done, commit_positions(positions));
    } else if (output_.in_transaction() || !positions.empty()) {
        LEAT_TRY(done, commit_transaction(positions));
    }
    if (done != Committed::kDone) return done;
    reach(FailStep::kCommitDone);
    if (any && has_fault(Fault::kCommitBeforeFlush)) LEAT_TRY_VOID(flush_too_late());
    note_time(SensorId::kThreadCommit, begin);
    note_share(SensorId::kThreadBlocked, begin);
    commits_.restore();
    resets_.restore();
    LEAT_TRY_VOID(keep_states());
    return done;
}

Result<void> StreamThread::keep_states() {
    writes_early_ = true;
    std::vector<std::pair<TaskId, Result<void>>> damaged;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        const bool has_worked = task->needs_commit();
        Result<void> kept = task->committed();
        if (kept && has_worked) reach(FailStep::kCommitTaskKept);
        if (task->is_damaged())
            damaged.emplace_back(id, std::move(kept));
        else if (!kept)
            return kept;
        else if (has_worked)
            damages_.erase(id);
    }
    for (const auto& [id, kept] : damaged) LEAT_TRY_VOID(heal(id, kept));
    return {};
}

Result<void> StreamThread::write_early() {
    std::size_t bytes = 0;
    std::size_t most = 0;
    std::optional<TaskId> fullest;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        const std::size_t own = task->state().uncommitted_bytes();
        bytes += own;
        if (own <= most) continue;
        most = own;
        fullest = id;
    }
    // One task at a time: records may come meanwhile. What is changed again and again stays below.
    if (settings_.exactly_once || !writes_early_ || bytes < kEarlyBytes || !fullest) return {};
    const auto& task = tasks_.at(*fullest);
    Result<void> done;
    Result<bool> written = task->write_early(kEarlyWait);
    // Acknowledgements take long: the commit waits for them, and no record does.
    if (!written)
        done = std::move(written).error();
    else if (!*written)
        writes_early_ = false;
    if (!task->is_damaged()) return done;
    LEAT_TRY_VOID(heal(*fullest, done));
    return {};
}

Result<StreamThread::Committed> StreamThread::heal(TaskId id, const Result<void>& call) {
    // A query may have met it, and no call of ours.
    const std::string why{call ? "met by a query" : call.error().detail()};
    const bool is_own = !tasks_.at(id)->has_lost_globals();
    if (is_own && ++damages_[id] > kDamagesMax)
        return Error{call ? Errc::kMalformed : call.error().code(), why};
    kLog.error(is_own ? "state is damaged: its task starts again and restores it"
                      : "global stores are damaged: a task starts again when they are restored",
               {{"task", id.text()}, {"thread", index_}, {"why", why}});
    environment_.board->renew(index_);
    // Its output is in one transaction with that of the others, and none of it may be seen.
    if (settings_.exactly_once && tasks_.at(id)->needs_commit()) return Committed::kMustReset;
    // What it logged has come to its changelog before that is read again.
    if (!settings_.exactly_once) LEAT_TRY_VOID(flush_output());
    close_tasks({id});
    return Committed::kLater;
}

void StreamThread::commit_too_early() {
    std::vector<client::CommittedOffset> positions;
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) std::ranges::move(task->positions(), std::back_inserter(positions));
    const auto pass = environment_.gate->try_enter();
    if (!pass || positions.empty()) return;
    ignore(offsets_->commit(pass->identity, positions),
           "the commit at its time says what is wrong");
}

Result<void> StreamThread::flush_too_late() {
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) LEAT_TRY_VOID(task->flush());
    if (settings_.exactly_once) return {};
    return flush_output();
}

Result<StreamThread::Committed> StreamThread::commit_positions(
    const std::vector<client::CommittedOffset>& positions) {
    bool has_logged = false;
    do {
        LEAT_TRY_VOID(output_.send_letters());
        if (!has_fault(Fault::kCommitBeforeFlush)) LEAT_TRY_VOID(flush_output());
        has_logged = false;
        if (output_.has_failed()) break;
        for (const auto& [id, task] : tasks_) {
            LEAT_TRY(const bool had_any, task->put_off().log(*task));
            has_logged = has_logged || had_any;
        }
    } while (output_.has_letters() || has_logged);
    reach(FailStep::kCommitDelivered);
    if (output_.has_failed()) return *output_.take_failure();
    if (positions.empty()) return Committed::kDone;  // What changed is in changelogs alone.
    const detail::WorkOutside outside{gate_};
    const auto pass = environment_.gate->try_enter();
    // Lost, and joined again already: the new generation's owner of these may be another.
    if (!pass || environment_.board->is_lost(index_)) return Committed::kLater;
    Result<void> done = offsets_->commit(pass->identity, positions);
    if (!done && done.error().code() == Errc::kUnknownTopicOrPartition &&
        environment_.layout->has_patterns()) {
        // Topics that a pattern matched may be deleted; their positions are of no use to anybody.
        LEAT_TRY(const auto left, still_there(positions));
        done = offsets_->commit(pass->identity, left);
    }
    if (done) return Committed::kDone;
    const Errc code = done.error().code();
    if (is_stale(code)) return Committed::kLater;
    if (may_pass(code) && !stopping_ &&
        commits_.lasts(environment_.clock->now(), settings_.task_timeout)) {
        kLog.warn("commit has to wait",
                  {{"thread", index_}, {"code", code}, {"why", done.error().detail()}});
        return Committed::kLater;
    }
    return std::move(done).error();
}

Result<std::vector<client::CommittedOffset>> StreamThread::still_there(
    std::vector<client::CommittedOffset> positions) {
    std::vector<std::string> topics;
    topics.reserve(positions.size());
    for (const auto& one : positions) topics.push_back(one.where.topic);
    LEAT_TRY(const Layout::Counts counts, count_partitions(*admin_, topics));
    std::erase_if(positions, [&](const auto& one) { return !counts.contains(one.where.topic); });
    return positions;
}

Result<StreamThread::Committed> StreamThread::commit_transaction(
    const std::vector<client::CommittedOffset>& positions) {
    const detail::WorkOutside outside{gate_};
    // Entered before anything is sent: inside a rebalance the transaction stays open instead.
    auto pass = environment_.gate->try_enter();
    const bool no_fencing = has_fault(Fault::kNoFencing);
    if (!pass || (environment_.board->is_lost(index_) && !no_fencing)) return Committed::kLater;
    if (no_fencing) {
        pass->identity.generation = -1;
        pass->identity.member_id.clear();
        pass->identity.instance_id.clear();
    }
    // Nobody would look at who commits: what no task stands for is dropped.
    if (positions.empty()) return Committed::kMustReset;
    LEAT_TRY_VOID(output_.begin());
    Result<void> done = output_.send_offsets(pass->identity, positions);
    if (done) reach(FailStep::kCommitOffsetsSent);
    if (done) done = output_.commit();
    if (done) {
        // It is not in what was committed, and nobody will make it again.
        if (output_.has_failed()) return *output_.take_failure();
        return Committed::kDone;
    }
    // The call names what broke the transaction, unless it says only that it is broken.
    std::optional<Error> delivery = output_.take_failure();
    const bool tells = done.error().code() != Errc::kUnknownServerError;
    return judge(delivery && !tells ? *std::move(delivery) : std::move(done).error());
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
    if (done == Committed::kDone && now >= next_purge_) purge();
    return {};
}

void StreamThread::purge() {
    next_purge_ = environment_.clock->now() + settings_.purge_interval;
    std::vector<client::PartitionOffset> before;
    for (const auto& [id, task] : tasks_)
        if (task->is_running())
            for (auto& one : task->purgeable())
                if (auto& done = purged_[one.where]; done < one.offset) {
                    done = one.offset;
                    before.push_back(std::move(one));
                }
    if (before.empty()) return;
    const auto purged = [&] {
        const detail::WorkOutside outside{gate_};
        return admin_->delete_records(before);
    }();
    reach(FailStep::kCommitPurged);
    Errc trouble = purged ? Errc::kNone : purged.error().code();
    if (purged)
        for (const auto& one : *purged)
            if (one.code != Errc::kNone) trouble = one.code;
    if (trouble == Errc::kNone) return;
    // They take room until another time; nothing is wrong by them.
    kLog.warn("repartition topics not purged", {{"thread", index_}, {"code", trouble}});
    for (const auto& one : before) purged_.erase(one.where);
}

Result<void> StreamThread::commit_at_last() {
    const Instant end = environment_.clock->now() + settings_.rebalance_timeout;
    for (;;) {
        step();
        const std::uint64_t turn = environment_.gate->turn();
        LEAT_TRY(const Committed done, commit());
        if (done == Committed::kDone) return {};
        if (done == Committed::kMustReset) return reset_tasks();
        // Fallen out of the group meanwhile: nothing of this can be committed.
        if (environment_.board->is_lost(index_) || environment_.gate->is_ended()) return {};
        if (environment_.clock->now() >= end) {
            // A later commit would hold output of tasks that are closed by then, not their
            // positions.
            if (settings_.exactly_once) return reset_tasks();
            return {};
        }
        const detail::WorkOutside outside{gate_};
        environment_.gate->wait(turn, kStalePause);
    }
}

Result<void> StreamThread::drop_tasks(const std::vector<TaskId>& ids) {
    const bool must_commit = std::ranges::any_of(ids, [&](const TaskId& id) {
        const auto found = tasks_.find(id);
        return found != tasks_.end() && found->second->needs_commit();
    });
    if (must_commit) {
        // The next owner starts where this commit ends. Without one it does the work again.
        LEAT_TRY_VOID(commit_at_last());
        reach(FailStep::kRevokeCommitted);
    }
    close_tasks(ids);
    if (!ids.empty()) reach(FailStep::kRevokeClosed);
    return {};
}

Result<void> StreamThread::reset_tasks() {
    {
        const detail::WorkOutside outside{gate_};
        LEAT_TRY_VOID(output_.abort());
    }
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
