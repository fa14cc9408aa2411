// SPDX-License-Identifier: Apache-2.0
//
// Now and then all of a partition's log is read beside its appends and reads, and its checksums are
// looked at: readers get segments straight from their files, so nobody else here would notice that
// a disk has changed what it was given.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/bounded_time.h"
#include "obs/log.h"
#include "rt/on_pool.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/partition_state.h"
#include "storage/segment_scrub.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

using std::chrono::milliseconds;

constexpr std::int64_t kStepBytes = std::int64_t{1} << 20;
/// While it waits for its share of the disk, a close of the partition must not wait long.
constexpr std::int64_t kPauseMs = 50;
/// How many of one scrub's time another waits before it tries again, and at most so long.
constexpr std::int64_t kBusyPart = 20;
constexpr std::int64_t kBusyMsMax = 60'000;

[[nodiscard]] bool may_scrub(const PartitionState& s) {
    return s.log && !s.is_closed && !s.is_offline && s.context.broker->scrub_interval_ms > 0;
}

/// Until another try.
std::int64_t busy_wait_ms(const PartitionState& s) {
    return std::min(s.scrub_interval / kBusyPart, kBusyMsMax);
}

/// What came of one segment.
struct Looked {
    bool goes_on = false;  ///< The log is still to be looked at.
    std::string damage = {};
};

}  // namespace

ScrubDepth PartitionState::scrub_depth() const noexcept {
    if (context.faults.skip_scrub) return ScrubDepth::kNothing;
    return context.faults.skip_crc_check ? ScrubDepth::kNoChecksums : ScrubDepth::kWhole;
}

/// The first segment that begins at `from` or later; nullopt: there is none, or nobody wants it.
static rt::Task<std::optional<Log::Extent>> next_segment(PartitionState* state, Offset from) {
    PartitionState& s = *state;
    // Asked before the turn is: whoever closes the partition keeps the turn until we are done.
    if (!may_scrub(s)) co_return std::nullopt;
    HeldTurn turn = co_await s.take_turn();
    Result<Log::Extent> extent = Error{Errc::kNotFound};
    if (may_scrub(s)) {
        auto run = [&] { extent = s.log->extent_from(from); };
        co_await rt::on_pool(s.context.pool, s.context.executor, run);
    }
    turn.give();
    if (extent) co_return *std::move(extent);
    s.was_scrub_cut = extent.error().code() == Errc::kTooManyOpenFiles;
    if (extent.error().code() != Errc::kNotFound)
        kLog.error("scrub cannot open a segment", {{"partition", s.spec.folder()},
                                                   {"from", from.value},
                                                   {"detail", extent.error().detail()}});
    co_return std::nullopt;
}

static rt::Task<Looked> look_at(PartitionState* state, Log::Extent extent) {
    PartitionState& s = *state;
    SegmentScrub scrub{extent, s.scrub_depth()};
    rt::Executor& executor = s.context.executor;
    for (;;) {
        Result<SegmentScrub::Step> step = Error{Errc::kNone};
        auto run = [&] { step = scrub.step(kStepBytes); };
        co_await rt::on_pool(s.context.pool, executor, run);
        if (!step) {
            // Readers of that place are told so; the rest of the log is looked at.
            kLog.error("scrub cannot read a segment", {{"partition", s.spec.folder()},
                                                       {"segment", extent.base.value},
                                                       {"detail", step.error().detail()}});
            co_return Looked{.goes_on = may_scrub(s)};
        }
        s.context.metrics.scrubbed_bytes.add(static_cast<std::uint64_t>(step->bytes));
        const Instant rest_until = s.context.scrubs->spend(
            step->bytes, static_cast<double>(s.context.broker->scrub_bytes_per_second),
            executor.now());
        for (;;) {
            if (!may_scrub(s)) co_return Looked{};
            if (executor.now() >= rest_until) break;
            const Instant until = std::min(rest_until, executor.now() + milliseconds{kPauseMs});
            co_await rt::sleep_until(executor, until);
        }
        if (step->is_done) co_return Looked{.goes_on = true, .damage = step->damage};
    }
}

/// Quarantines the partition as recovery does: not served, not changed, not deleted.
static rt::Task<void> quarantine(PartitionState* state, Offset base, std::string damage) {
    PartitionState& s = *state;
    if (!may_scrub(s)) co_return;
    const HeldTurn turn = co_await s.take_turn();
    if (!may_scrub(s)) co_return;
    s.context.metrics.scrub_damaged.add();
    s.context.metrics.quarantined.add(1);
    s.context.quarantined->add(s.spec.id);
    s.is_quarantined = true;
    std::unique_ptr<Log> log = std::move(s.log);
    s.go_offline(std::move(damage));
    Result<void> noted;
    // Recovery does not read closed segments: without a note the next start would serve it again.
    auto run = [&] {
        log.reset();
        noted = write_damage_note(s.context.disk, s.path, base);
    };
    co_await rt::on_pool(s.context.pool, s.context.executor, run);
    if (!noted)
        kLog.error("damage not noted; the next start serves it until it is scrubbed again",
                   {{"partition", s.spec.folder()}, {"detail", noted.error().detail()}});
}

static rt::Task<void> scrub(std::shared_ptr<Partition> /*keep*/, PartitionState* state) {
    PartitionState& s = *state;
    // A close waits for it: the folder must stay what it is meanwhile.
    ++s.jobs;
    Offset from{0};
    for (;;) {
        std::optional<Log::Extent> extent = co_await next_segment(&s, from);
        if (!extent) break;
        const Offset base = extent->base;
        from = Offset{base.value + 1};
        Looked looked = co_await look_at(&s, *std::move(extent));
        if (!looked.goes_on) break;
        if (looked.damage.empty()) continue;
        // Once more, in the file that readers get now: compaction may have taken it away, and
        // memory may have been at fault.
        extent = co_await next_segment(&s, base);
        if (!extent) break;
        if (extent->base != base) continue;
        looked = co_await look_at(&s, *std::move(extent));
        if (!looked.goes_on) break;
        if (looked.damage.empty()) continue;
        co_await quarantine(&s, base, std::move(looked.damage));
        break;
    }
    s.context.scrubs->end();
    --s.jobs;
    s.wake_if_idle();
    s.is_scrubbing = false;
    // Descriptors come back sooner than the next scrub would.
    const bool was_cut = std::exchange(s.was_scrub_cut, false);
    s.schedule_scrub(was_cut ? busy_wait_ms(s) : s.context.broker->scrub_interval_ms);
}

void PartitionState::start_scrubs() {
    const std::int64_t interval = context.broker->scrub_interval_ms;
    if (std::exchange(scrub_interval, interval) == interval) return;
    if (scrub_timer.value != 0) context.executor.cancel(std::exchange(scrub_timer, {}));
    if (interval <= 0) return;
    // All partitions of a node open at once, and a node may be started anew all the time: each has
    // its turn at a time of its own, and as often as the setting says in the long run.
    const std::uint64_t spread = (std::hash<std::string>{}(path) ^
                                  static_cast<std::uint64_t>(context.executor.wall_now().value)) *
                                 0x9E37'79B9'7F4A'7C15U;
    schedule_scrub(
        static_cast<std::int64_t>((spread >> 11U) % static_cast<std::uint64_t>(interval)));
}

void PartitionState::schedule_scrub(std::int64_t after_ms) {
    if (is_closed || is_offline || is_scrubbing || scrub_timer.value != 0) return;
    if (context.broker->scrub_interval_ms <= 0) return;
    const Instant at = after(context.executor.now(), std::max<std::int64_t>(after_ms, 1));
    scrub_timer = context.executor.schedule(at, [weak = self->weak_from_this(), this] {
        const auto keep = weak.lock();
        if (!keep) return;
        scrub_timer = {};
        if (!may_scrub(*this)) return;
        // One at a time in the process: they would only share the same rate.
        if (!context.scrubs->try_begin(1)) return schedule_scrub(busy_wait_ms(*this));
        is_scrubbing = true;
        rt::start(scrub(keep, this));
    });
}

}  // namespace leat::storage
