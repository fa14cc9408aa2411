// SPDX-License-Identifier: Apache-2.0
//
// Compaction of a partition beside its appends and reads: a Cleaner works on closed segments on the
// pool, and takes a turn only to look at the log and to put a new segment in place.
#include <algorithm>
#include <utility>

#include "base/bounded_time.h"
#include "obs/log.h"
#include "rt/on_pool.h"
#include "storage/cleaner.h"
#include "storage/folder_files.h"
#include "storage/partition.h"
#include "storage/partition_state.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

using std::chrono::milliseconds;

/// While it waits for its share of the disk, a close of the partition must not wait long.
constexpr std::int64_t kPauseMs = 50;
constexpr std::int64_t kStepBytesMin = std::int64_t{64} * 1024;
constexpr std::int64_t kBusyMs = 200;

/// After an exchange that failed halfway files of another one would hide it from the next start.
[[nodiscard]] bool is_live(const PartitionState& s) {
    return s.log && !s.is_closed && !s.is_offline && !s.log->has_failed();
}

[[nodiscard]] bool may_clean(const PartitionState& s) {
    return is_live(s) && s.config->cleanup_compact && s.context.broker->cleaner_enable;
}

struct Look {
    std::optional<CleanerPlan> plan;  ///< nullopt: nothing to do.
    bool rolled = false;
};

/// What there is to do. Runs on: the pool, with the turn.
Look look(PartitionState& s, const config::TopicConfig& config, Offset bound, WallMs now) {
    // The cleaner reads transaction indexes from their files.
    if (s.log->owes_aborted()) return {};
    if (s.cleaned_to.value < 0) s.cleaned_to = read_cleaned_to(s.context.disk, s.path);
    const Result<bool> rolled = s.log->roll_if_old(now);  // The next append finds out of a failure.
    s.cleaned_to = std::clamp(s.cleaned_to, s.log->log_start(), s.log->log_end());
    return {.plan = plan_cleaning({.segments = s.log->segments(),
                                   .first_dirty = s.cleaned_to,
                                   .bound = bound,
                                   .now = now},
                                  config),
            .rolled = rolled && *rolled};
}

CleanerOptions options_for(PartitionState& s, CleanerPlan plan) {
    rt::Executor& executor = s.context.executor;
    const config::BrokerConfig& broker = *s.context.broker;
    CleanerOptions options{
        .directory = s.path,
        .plan = std::move(plan),
        .config = s.config,
        .producers = {},
        .now = executor.wall_now(),
        // As Kafka divides it: the setting is what all compactions together may take.
        .map_bytes_max = static_cast<std::size_t>(broker.cleaner_dedupe_buffer_bytes /
                                                  std::max(broker.cleaner_threads, 1)),
        .map_load = broker.cleaner_load_factor,
        .secret = {executor.random(), executor.random()},
        .step_bytes = std::max<std::int64_t>(broker.cleaner_io_buffer_bytes, kStepBytesMin),
        .inflated_bytes_max = s.stored_inflated_max()};
    for (const auto& [id, entry] : s.producers.entries()) {
        const Offset last = entry.batch_count > 0 ? entry.batches[0].last_offset : Offset{-1};
        options.producers.emplace(id, LastOfProducer{.last_data = last, .epoch = entry.epoch});
    }
    return options;
}

void report(const PartitionState& s, std::string_view what, const Error& error) {
    // Retention may take a segment from under the cleaner; the next round sees the log as it is.
    if (error.code() == Errc::kNotFound) return;
    kLog.warn("compaction stopped", {{"partition", s.spec.folder()},
                                     {"at", what},
                                     {"error", error.code()},
                                     {"detail", error.detail()}});
}

}  // namespace

/// Puts the segment that is ready in place. False: it is not wanted any more.
static rt::Task<bool> replace(PartitionState* state, Offset first, Offset last) {
    PartitionState& s = *state;
    // Asked before the turn is: whoever closes the partition keeps the turn until we are done. The
    // next start finishes the exchange then, since nothing is changed in between.
    if (!is_live(s)) co_return false;
    HeldTurn turn = co_await s.take_turn();
    Result<void> replaced = Error{Errc::kNotFound};
    Result<void> discarded;
    if (is_live(s)) {
        const bool is_wanted = may_clean(s);
        auto run = [&] {
            if (is_wanted) replaced = s.log->replace_segments(first, last);
            if (!replaced && !s.log->has_failed()) discarded = s.log->discard_swap(first);
        };
        co_await rt::on_pool(s.context.pool, s.context.executor, run);
        s.has_deleted_files = true;
    }
    turn.give();
    if (!replaced) report(s, "exchange of segments", replaced.error());
    if (!discarded) report(s, "removal of a segment that is not wanted", discarded.error());
    co_return replaced.has_value();
}

static rt::Task<void> run_cleaner(PartitionState* state, Cleaner* cleaner) {
    PartitionState& s = *state;
    for (;;) {
        Result<Cleaner::Step> step = Error{Errc::kNone};
        auto run = [&] { step = cleaner->step(); };
        co_await rt::on_pool(s.context.pool, s.context.executor, run);
        if (!step) {
            report(s, "rewriting", step.error());
            co_return;
        }
        if (*step == Cleaner::Step::kDone) break;
        if (*step == Cleaner::Step::kSwap) {
            const bool replaced = co_await replace(&s, cleaner->first(), cleaner->last());
            if (!replaced) co_return;
        }
        rt::Executor& executor = s.context.executor;
        const Instant rest_until = s.context.cleaners->spend(
            cleaner->take_io_bytes(), s.context.broker->cleaner_io_max_bytes_per_second,
            executor.now());
        for (;;) {
            if (!may_clean(s)) co_return;
            if (executor.now() >= rest_until) break;
            const Instant until = std::min(rest_until, executor.now() + milliseconds{kPauseMs});
            co_await rt::sleep_until(executor, until);
        }
    }
    s.cleaned_to = cleaner->clean_to();
    Result<void> written;
    auto run = [&] { written = write_cleaned_to(s.context.disk, s.path, s.cleaned_to); };
    co_await rt::on_pool(s.context.pool, s.context.executor, run);
    if (!written) report(s, "checkpoint", written.error());
}

static rt::Task<void> clean(std::shared_ptr<Partition> /*keep*/, PartitionState* state) {
    PartitionState& s = *state;
    Look seen;
    s.is_cleaning = true;
    HeldTurn turn = co_await s.take_turn();
    if (may_clean(s)) {
        // An older value must not go for a newer one that a power cut could still take.
        const Offset bound = std::min({s.last_stable(), s.high_watermark, s.synced});
        const WallMs now = s.context.executor.wall_now();
        const auto config = s.config;  // Settings may change on the shard meanwhile.
        auto run = [&] { seen = look(s, *config, bound, now); };
        co_await rt::on_pool(s.context.pool, s.context.executor, run);
        // As after any roll; a later round compacts what is durable then.
        if (seen.rolled) s.sync.is_wanted = true;
    }
    turn.give();
    if (seen.plan && may_clean(s)) {
        // A close waits for it: the folder must stay what it is while files are written there.
        ++s.jobs;
        {
            Cleaner cleaner{s.context.disk, options_for(s, *std::move(seen.plan))};
            co_await run_cleaner(&s, &cleaner);
        }
        --s.jobs;
        s.wake_if_idle();
    }
    s.context.cleaners->end();
    s.is_cleaning = false;
    s.schedule_cleaning();
}

void PartitionState::schedule_cleaning(std::int64_t after_ms) {
    // New settings may come while a compaction runs, which schedules the next one.
    if (is_closed || is_cleaning || clean_timer.value != 0 || !config->cleanup_compact) return;
    if (after_ms < 0) after_ms = context.broker->cleaner_backoff_ms;
    const Instant at = after(context.executor.now(), std::max<std::int64_t>(after_ms, 1));
    clean_timer = context.executor.schedule(at, [weak = self->weak_from_this(), this] {
        const auto keep = weak.lock();
        if (!keep) return;
        clean_timer = {};
        if (!may_clean(*this)) {
            if (!is_offline) schedule_cleaning();
            return;
        }
        if (!context.cleaners->try_begin(context.broker->cleaner_threads))
            return schedule_cleaning(kBusyMs);
        rt::start(clean(keep, this));
    });
}

}  // namespace leat::storage
