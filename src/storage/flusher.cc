// SPDX-License-Identifier: Apache-2.0
#include "storage/flusher.h"

#include <utility>

#include "obs/log.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/metrics.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

/// Between two tries of a sync that needs a descriptor.
constexpr std::chrono::milliseconds kTryAgainAfter{100};

/// The kernel starts to hold writers back at some percent of memory, half a minute of dirt at most.
/// This is well below that on any machine that serves logs, and far above what small appends make.
constexpr std::int64_t kPressureBytes = std::int64_t{512} << 20;
constexpr std::chrono::seconds kPressureWindow{30};

/// After so many times that the estimate spoke against a whole sync, one is tried to learn anew.
constexpr std::uint32_t kProbeEvery = 64;

void learn(std::chrono::nanoseconds& average, std::chrono::nanoseconds took) {
    average = average.count() == 0 ? took : (average * 7 + took) / 8;
}

}  // namespace

struct Flusher::Item {
    SyncTarget* target = nullptr;
    std::shared_ptr<void> hold;
    Log::Unsynced unsynced;
};

struct Flusher::Job {
    std::vector<Item> items;
    bool is_whole = false;
    Instant begun;
    Faults faults;
    rt::Disk* disk = nullptr;
    std::string data_directory;
    Result<void> result;

    /// Runs on: the pool.
    void run() {
        if (faults.skip_sync) return;
        result = faults.sync_wrong_file ? sync_others() : is_whole ? sync_whole() : sync_files();
    }
    Result<void> sync_whole() const { return disk->sync_file_system(data_directory); }
    Result<void> sync_files() const {
        for (const Item& item : items) {
            for (const auto& file : item.unsynced.files) LEAT_TRY_VOID(file->sync());
            if (item.unsynced.names) LEAT_TRY_VOID(disk->sync_directory(item.target->folder()));
        }
        return {};
    }
    Result<void> sync_others() const { return disk->sync_directory(data_directory); }
};

Flusher::Flusher(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {
    auto listener = std::make_shared<DirectoryHealth::Listener>(
        DirectoryHealth::Listener{*parts_.executor, [this] { fail_all(); }});
    parts_.health->listen(listener);
    listening_ = std::move(listener);
}

Flusher::~Flusher() = default;

void Flusher::attach(SyncTarget& target) {
    const bool is_new = targets_.insert(&target).second;
    LEAT_CHECK(is_new);
    if (failed_) target.on_directory_failed();
}

void Flusher::detach(SyncTarget& target) {
    LEAT_CHECK(target.sync_ == SyncTarget::Sync::kIdle ||
               target.sync_ == SyncTarget::Sync::kQueued);
    if (target.sync_ == SyncTarget::Sync::kQueued) std::erase(waiting_, &target);
    target.sync_ = SyncTarget::Sync::kIdle;
    targets_.erase(&target);
}

void Flusher::enqueue(SyncTarget& target) {
    if (failed_) return;
    if (target.sync_ == SyncTarget::Sync::kRunning) {
        target.sync_ = SyncTarget::Sync::kRunningAndQueued;
        return;
    }
    target.sync_ = SyncTarget::Sync::kQueued;
    waiting_.push_back(&target);
    pump_soon();
}

/// Requests that are in hand in this turn of the loop get into the same sync.
void Flusher::pump_soon() {
    if (pump_posted_) return;
    pump_posted_ = true;
    parts_.executor->post([this] {
        pump_posted_ = false;
        pump();
    });
}

void Flusher::pump() {
    while (!waiting_.empty() && !whole_in_flight_) {
        if (waiting_.size() > options_.syncfs_threshold && whole_pays()) {
            start_whole();
        } else if (in_flight_ < parallel()) {
            start_one();
        } else {
            return;
        }
    }
}

/// While syncs are short, what comes during one gathers for the next, which then serves more logs;
/// a log must not wait behind the long sync of another one.
std::size_t Flusher::parallel() const noexcept {
    return one_cost_ < options_.short_sync ? 1 : options_.parallel_max;
}

/// Known to be: the first goes to the pool.
bool Flusher::is_one_short() const noexcept {
    return one_cost_.count() > 0 && one_cost_ < options_.short_sync;
}

/// A whole sync writes what others have made dirty on the same file system too. Where that takes
/// longer than syncing each log, it is left alone.
bool Flusher::whole_pays() const noexcept {
    const auto count = static_cast<std::int64_t>(waiting_.size());
    const auto beside = static_cast<std::int64_t>(parallel());
    return whole_cost_ * beside <= one_cost_ * count || one_cost_.count() == 0 ||
           whole_skipped_ >= kProbeEvery;
}

std::optional<Flusher::Item> Flusher::begin(SyncTarget& target) {
    target.sync_ = SyncTarget::Sync::kIdle;
    auto unsynced = target.take_unsynced();
    if (!unsynced) {
        // Who waits for the end of what was asked for would wait for ever: a partition that shuts
        // down holds the turn by then.
        target.on_sync_ended();
        return std::nullopt;
    }
    target.sync_ = SyncTarget::Sync::kRunning;
    return Item{.target = &target, .hold = target.hold(), .unsynced = *std::move(unsynced)};
}

void Flusher::start_one() {
    SyncTarget& target = *waiting_.front();
    waiting_.pop_front();
    if (waiting_.size() >= options_.syncfs_threshold) ++whole_skipped_;
    auto item = begin(target);
    if (!item) return;
    auto job = std::make_shared<Job>();
    job->items.push_back(*std::move(item));
    parts_.metrics->file_syncs.add();
    submit(std::move(job));
}

void Flusher::start_whole() {
    whole_skipped_ = 0;
    auto job = std::make_shared<Job>();
    job->is_whole = true;
    for (SyncTarget* target : std::exchange(waiting_, {}))
        if (auto item = begin(*target)) job->items.push_back(*std::move(item));
    if (job->items.empty()) return;
    whole_in_flight_ = true;
    parts_.metrics->file_system_syncs.add();
    submit(std::move(job));
}

void Flusher::submit(std::shared_ptr<Job> job) {
    ++in_flight_;
    job->begun = parts_.executor->now();
    job->faults = options_.faults;
    job->disk = parts_.disk;
    job->data_directory = parts_.data_directory;
    if (job->faults.mark_ahead)
        for (const Item& item : job->items) {
            const DurableMarks::Mark mark{item.target->id(), item.unsynced.end};
            parts_.marks->advance({&mark, 1});
        }
    rt::Fn run = [&work = *job] { work.run(); };
    const bool is_short = !job->is_whole && is_one_short();
    rt::Fn done = [this, job = std::move(job)] { finish(job); };
    if (is_short)
        parts_.executor->block(*parts_.pool, std::move(run), std::move(done));
    else
        parts_.pool->submit(*parts_.executor, std::move(run), std::move(done));
}

/// All of it, as it is: what it has synced already does no harm once more, since none of that
/// failed. Who waits, and who shuts down, waits on.
void Flusher::run_later(std::shared_ptr<Job> job) {
    kLog.warn("sync waits for a descriptor",
              {{"logs", job->items.size()}, {"detail", job->result.error().detail()}});
    const Instant at = parts_.executor->now() + kTryAgainAfter;
    parts_.executor->schedule(at, [this, job = std::move(job)] {
        --in_flight_;
        if (parts_.health->is_failed()) return end(*job);
        submit(job);
    });
}

void Flusher::finish(const std::shared_ptr<Job>& job) {
    const bool is_untried = !job->result && job->result.error().code() == Errc::kTooManyOpenFiles;
    if (is_untried && !parts_.health->is_failed()) return run_later(job);
    --in_flight_;
    end(*job);
}

void Flusher::end(Job& job) {
    const auto took = parts_.executor->now() - job.begun;
    parts_.metrics->sync_seconds.observe(took);
    learn(job.is_whole ? whole_cost_ : one_cost_, took);
    if (job.is_whole) whole_in_flight_ = false;
    if (!job.result) {
        parts_.metrics->sync_failures.add();
        parts_.health->fail(job.result.error());
    }
    // Another shard's failed sync counts too: whether ours covered the same bytes is not known.
    if (parts_.health->is_failed()) fail_all();
    if (failed_) {
        for (Item& item : job.items) item.target->sync_ = SyncTarget::Sync::kIdle;
        for (Item& item : job.items) item.target->on_sync_ended();
        return;
    }
    std::vector<DurableMarks::Mark> marks;
    marks.reserve(job.items.size());
    for (Item& item : job.items) {
        marks.push_back({item.target->id(), item.unsynced.end});
        const bool again = item.target->sync_ == SyncTarget::Sync::kRunningAndQueued;
        item.target->sync_ = SyncTarget::Sync::kIdle;
        if (again) enqueue(*item.target);
    }
    parts_.marks->advance(marks);
    for (Item& item : job.items) {
        item.target->on_synced(item.unsynced.end);
        item.target->on_sync_ended();
    }
    if (!pump_posted_) pump();
}

void Flusher::fail_all() {
    if (failed_) return;
    failed_ = true;
    for (SyncTarget* target : std::exchange(waiting_, {})) target->sync_ = SyncTarget::Sync::kIdle;
    // A target may go away, and others with it, while it is told.
    std::vector<std::shared_ptr<void>> holds;
    std::vector<SyncTarget*> targets{targets_.begin(), targets_.end()};
    holds.reserve(targets.size());
    for (SyncTarget* target : targets) holds.push_back(target->hold());
    for (SyncTarget* target : targets) target->on_directory_failed();
}

void Flusher::note_unsynced(std::size_t bytes, Instant now) noexcept {
    if (now - unsynced_since_ > kPressureWindow) {
        unsynced_lately_ = 0;
        unsynced_since_ = now;
    }
    unsynced_lately_ += static_cast<std::int64_t>(bytes);
}

bool Flusher::is_write_pressure_high(Instant now) noexcept {
    return now - unsynced_since_ <= kPressureWindow && unsynced_lately_ > kPressureBytes;
}

}  // namespace leat::storage
