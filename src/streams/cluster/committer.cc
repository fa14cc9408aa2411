// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/committer.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "obs/log.h"
#include "streams/cluster/internal_topics.h"
#include "streams/failpoints.h"

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

}  // namespace

Committer::Committer(Environment environment)
    : environment_(std::move(environment)),
      settings_(*environment_.shared->settings),
      tasks_(*environment_.tasks),
      output_(*environment_.output) {}

void Committer::start() {
    next_ = now() + settings_.commit_interval;
    next_purge_ = now() + settings_.purge_interval;
}

Result<void> Committer::commit() {
    LEAT_TRY(const Outcome outcome, try_commit());
    const Instant end = now();
    if (outcome == Outcome::kMustRestart) LEAT_TRY_VOID(environment_.restarts->restart_all());
    is_waiting_ = outcome == Outcome::kLater;
    if (is_waiting_) {
        next_ = not_before_ = end + kGatePause;
        return {};
    }
    is_asked_ = false;
    next_ = end + settings_.commit_interval;
    if (outcome == Outcome::kDone && end >= next_purge_) purge();
    return {};
}

Result<void> Committer::commit_at_last() {
    const Instant deadline = now() + settings_.rebalance_timeout;
    GroupGate& group = *environment_.shared->gate;
    for (;;) {
        environment_.on_step();
        const std::uint64_t turn = group.turn();
        LEAT_TRY(const Outcome outcome, try_commit());
        if (outcome == Outcome::kDone) return {};
        if (outcome == Outcome::kMustRestart) return environment_.restarts->restart_all();
        // Fallen out of the group meanwhile: nothing of this can be committed.
        if (environment_.shared->board->is_lost(environment_.thread) || group.is_ended()) return {};
        if (now() >= deadline) {
            // A later commit would hold output of tasks that are closed by then, not their
            // positions.
            if (settings_.exactly_once) return environment_.restarts->restart_all();
            return {};
        }
        const detail::WorkOutside outside{*environment_.gate};
        group.wait(turn, kStalePause);
    }
}

Result<Committer::Outcome> Committer::try_commit() {
    if (settings_.exactly_once && output_.has_failed()) return judge(*output_.take_failure());
    const bool any = output_.in_transaction() || tasks_.need_commit();
    if (any) {
        reach(FailStep::kCommitBegun);
        if (has_fault(Fault::kOffsetsBeforeData)) commit_too_early();
        if (!has_fault(Fault::kCommitBeforeFlush)) {
            LEAT_TRY(const Outcome flushed, flush_tasks());
            if (flushed != Outcome::kDone) return flushed;
        }
    }
    const std::vector<client::CommittedOffset> to_commit = positions();
    if (to_commit.empty() && !any) {
        commits_.restore();  // Nothing is left of what there was trouble about.
        // Rows in memory age.
        LEAT_TRY_VOID(keep_states());
        return Outcome::kDone;
    }
    reach(FailStep::kCommitFlushed);
    const Instant begin = now();
    Outcome outcome = Outcome::kDone;
    if (!settings_.exactly_once) {
        LEAT_TRY(outcome, commit_positions(to_commit));
    } else if (output_.in_transaction() || !to_commit.empty()) {
        LEAT_TRY(outcome, commit_transaction(to_commit));
    }
    if (outcome != Outcome::kDone) return outcome;
    reach(FailStep::kCommitDone);
    if (any && has_fault(Fault::kCommitBeforeFlush)) LEAT_TRY_VOID(flush_too_late());
    environment_.report->note_time(SensorId::kThreadCommit, begin);
    environment_.report->note_share(SensorId::kThreadBlocked, begin);
    commits_.restore();
    restarting_.restore();
    LEAT_TRY_VOID(keep_states());
    return Outcome::kDone;
}

Result<Committer::Outcome> Committer::flush_tasks() {
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        Result<void> flushed = task->flush();
        if (task->is_damaged()) return restart(id, flushed);
        if (!flushed && settings_.exactly_once && output_.has_failed())
            return judge(*output_.take_failure());
        if (!flushed) return std::move(flushed).error();
    }
    return Outcome::kDone;
}

std::vector<client::CommittedOffset> Committer::positions() const {
    std::vector<client::CommittedOffset> out;
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) std::ranges::move(task->positions(), std::back_inserter(out));
    return out;
}

Result<Committer::Outcome> Committer::commit_positions(
    const std::vector<client::CommittedOffset>& positions) {
    LEAT_TRY_VOID(deliver_all());
    reach(FailStep::kCommitDelivered);
    if (output_.has_failed()) return *output_.take_failure();
    if (positions.empty()) return Outcome::kDone;  // What changed is in changelogs alone.
    const detail::WorkOutside outside{*environment_.gate};
    const auto pass = environment_.shared->gate->try_enter();
    // Lost, and joined again already: the new generation's owner of these may be another.
    if (!pass || environment_.shared->board->is_lost(environment_.thread)) return Outcome::kLater;
    Result<void> done = environment_.commit_offsets(pass->identity, positions);
    if (!done && done.error().code() == Errc::kUnknownTopicOrPartition &&
        environment_.shared->layout->has_patterns()) {
        // Topics that a pattern matched may be deleted; their positions are of no use to anybody.
        LEAT_TRY(const auto left, still_there(positions));
        done = environment_.commit_offsets(pass->identity, left);
    }
    if (done) return Outcome::kDone;
    const Errc code = done.error().code();
    if (is_stale(code)) return Outcome::kLater;
    if (may_pass(code) && !*environment_.is_stopping && lasts(commits_)) {
        kLog.warn(
            "commit has to wait",
            {{"thread", environment_.thread}, {"code", code}, {"why", done.error().detail()}});
        return Outcome::kLater;
    }
    return std::move(done).error();
}

Result<void> Committer::deliver_all() {
    bool has_logged = false;
    do {
        LEAT_TRY_VOID(output_.send_letters());
        if (!has_fault(Fault::kCommitBeforeFlush)) LEAT_TRY_VOID(flush_output());
        if (output_.has_failed()) return {};  // The caller takes it.
        has_logged = false;
        for (const auto& [id, task] : tasks_) {
            LEAT_TRY(const bool had_any, task->put_off().log(*task));
            has_logged = has_logged || had_any;
        }
    } while (output_.has_letters() || has_logged);
    return {};
}

Result<Committer::Outcome> Committer::commit_transaction(
    const std::vector<client::CommittedOffset>& positions) {
    const detail::WorkOutside outside{*environment_.gate};
    // Entered before anything is sent: inside a rebalance the transaction stays open instead.
    auto pass = environment_.shared->gate->try_enter();
    const bool no_fencing = has_fault(Fault::kNoFencing);
    const bool is_lost = environment_.shared->board->is_lost(environment_.thread);
    if (!pass || (is_lost && !no_fencing)) return Outcome::kLater;
    if (no_fencing) {
        pass->identity.generation = -1;
        pass->identity.member_id.clear();
        pass->identity.instance_id.clear();
    }
    // Nobody would look at who commits: what no task stands for is dropped.
    if (positions.empty()) return Outcome::kMustRestart;
    LEAT_TRY_VOID(output_.begin());
    Result<void> done = output_.send_offsets(pass->identity, positions);
    if (done) reach(FailStep::kCommitOffsetsSent);
    if (done) done = output_.commit();
    if (done) {
        // It is not in what was committed, and nobody will make it again.
        if (output_.has_failed()) return *output_.take_failure();
        return Outcome::kDone;
    }
    // The call names what broke the transaction, unless it says only that it is broken.
    std::optional<Error> delivery = output_.take_failure();
    const bool tells = done.error().code() != Errc::kUnknownServerError;
    return judge(delivery && !tells ? *std::move(delivery) : std::move(done).error());
}

Result<std::vector<client::CommittedOffset>> Committer::still_there(
    std::vector<client::CommittedOffset> positions) {
    std::vector<std::string> topics;
    topics.reserve(positions.size());
    for (const auto& one : positions) topics.push_back(one.where.topic);
    LEAT_TRY(const Layout::Counts counts, count_partitions(*environment_.clients->admin, topics));
    std::erase_if(positions, [&](const auto& one) { return !counts.contains(one.where.topic); });
    return positions;
}

Result<void> Committer::flush_output() {
    const detail::WorkOutside outside{*environment_.gate};
    return output_.flush();
}

bool Committer::deliver(milliseconds wait) {
    const detail::WorkOutside outside{*environment_.gate};
    return output_.deliver(wait);
}

Result<Committer::Outcome> Committer::judge(Error cause) {
    const Errc code = cause.code();
    kLog.warn("transaction failed",
              {{"thread", environment_.thread}, {"code", code}, {"why", cause.detail()}});
    if (is_stale(code)) return Outcome::kMustRestart;
    const bool is_unknown = code == Errc::kUnknownServerError;
    const bool may_help = is_cured_by_restart(code) || (is_unknown && output_.is_broken());
    if (may_help && lasts(restarting_)) return Outcome::kMustRestart;
    return std::move(cause);
}

Result<Committer::Outcome> Committer::restart(const TaskId& id, const Result<void>& call) {
    LEAT_TRY(const bool with_all, environment_.restarts->restart_damaged(id, call));
    return with_all ? Outcome::kMustRestart : Outcome::kLater;
}

Result<void> Committer::keep_states() {
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
            environment_.restarts->forget_damage(id);
    }
    for (const auto& [id, kept] : damaged) LEAT_TRY_VOID(restart(id, kept));
    return {};
}

Result<void> Committer::write_early() {
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
    LiveTask& task = tasks_.at(*fullest);
    Result<void> done;
    Result<bool> written = task.write_early(kEarlyWait);
    // Acknowledgements take long: the commit waits for them, and no record does.
    if (!written)
        done = std::move(written).error();
    else if (!*written)
        writes_early_ = false;
    if (!task.is_damaged()) return done;
    LEAT_TRY_VOID(restart(*fullest, done));
    return {};
}

void Committer::purge() {
    next_purge_ = now() + settings_.purge_interval;
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
        const detail::WorkOutside outside{*environment_.gate};
        return environment_.clients->admin->delete_records(before);
    }();
    reach(FailStep::kCommitPurged);
    Errc trouble = purged ? Errc::kNone : purged.error().code();
    if (purged)
        for (const auto& one : *purged)
            if (one.code != Errc::kNone) trouble = one.code;
    if (trouble == Errc::kNone) return;
    // They take room until another time; nothing is wrong by them.
    kLog.warn("repartition topics not purged",
              {{"thread", environment_.thread}, {"code", trouble}});
    for (const auto& one : before) purged_.erase(one.where);
}

void Committer::commit_too_early() {
    const std::vector<client::CommittedOffset> early = positions();
    const auto pass = environment_.shared->gate->try_enter();
    if (!pass || early.empty()) return;
    ignore(environment_.commit_offsets(pass->identity, early),
           "the commit at its time says what is wrong");
}

Result<void> Committer::flush_too_late() {
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) LEAT_TRY_VOID(task->flush());
    if (settings_.exactly_once) return {};
    return flush_output();
}

}  // namespace leat::streams
