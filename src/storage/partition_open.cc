// SPDX-License-Identifier: Apache-2.0
//
// Opening a partition: its folder, its log, and the producers' state that goes with the log.
#include <algorithm>
#include <span>
#include <utility>

#include "obs/log.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/folder_files.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/partition_state.h"
#include "storage/producer_snapshot.h"
#include "storage/segment.h"
#include "wire/control_record.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};
constexpr std::int64_t kSnapshotFileMax = std::int64_t{1} << 30;

/// Makes the folder, or checks that it is of this topic. For one that is new the file in it that is
/// to be synced, together with the names; null for one that was there.
Result<std::shared_ptr<rt::File>> open_folder(ShardContext& context, const std::string& path,
                                              const PartitionSpec& spec) {
    const auto made = context.disk.make_directory(path);
    if (made) return write_new_topic_id(context.disk, path, spec.id.topic);
    if (made.error().code() != Errc::kAlreadyExists)
        return Error{made.error().code(), made.error().detail()};
    LEAT_TRY(const auto id, read_topic_id(context.disk, path));
    if (id && *id != spec.id.topic)
        return Error{Errc::kDataDirFormat,
                     path + " belongs to another topic, of id " + id->text() + "; move it away"};
    if (!id) LEAT_TRY_VOID(write_topic_id(context.disk, path, spec.id.topic));
    return std::shared_ptr<rt::File>{};
}

Result<ProducerEntries> load_snapshot(rt::Disk& disk, const std::string& folder, Offset at) {
    LEAT_TRY(const auto bytes,
             rt::read_file(disk, snapshot_path(folder, at, ".snapshot"), kSnapshotFileMax));
    LEAT_TRY(auto entries, decode_snapshot(bytes));
    const std::string window = snapshot_path(folder, at, ".window");
    LEAT_TRY(const bool has_window, disk.exists(window));
    if (has_window) {
        LEAT_TRY(const auto older, rt::read_file(disk, window, kSnapshotFileMax));
        LEAT_TRY_VOID(decode_window(older, at, entries));
    }
    return entries;
}

/// Shows batches of the log to the producers' state.
class Replay {
  public:
    explicit Replay(ProducerState& producers) : producers_(producers) {}

    void operator()(const wire::BatchHeader& header, Bytes batch) {
        if (!header.has_producer_id()) return;
        const WallMs at = header.max_timestamp;
        if (!header.is_control()) {
            producers_.appended({.producer_id = header.producer_id,
                                 .epoch = header.producer_epoch,
                                 .first_sequence = header.base_sequence,
                                 .last_offset_delta = header.last_offset_delta,
                                 .transactional = header.is_transactional()},
                                header.base_offset, at, at);
            return;
        }
        const auto marker = wire::read_end_marker({.header = header, .bytes = batch});
        if (!marker || !*marker) return;
        const auto ended = producers_.ended({.producer_id = header.producer_id,
                                             .epoch = header.producer_epoch,
                                             .coordinator_epoch = (*marker)->coordinator_epoch},
                                            header.last_offset(), at, at);
        if (ended && !(*marker)->committed)
            aborted.push_back({.producer_id = header.producer_id,
                               .first = ended->first,
                               .last = ended->last,
                               .last_stable = ended->last_stable});
    }

    std::vector<Log::AbortedSpan> aborted;

  private:
    ProducerState& producers_;
};

/// Adds to the transaction index what a crash kept out of it. What is there of the same time is
/// written again, for the reason of write_again(). The files to sync.
Result<std::vector<std::shared_ptr<rt::File>>> complete_aborted(
    Log& log, std::span<const Log::AbortedSpan> spans) {
    SyncList written;
    if (!spans.empty()) {
        LEAT_TRY(auto files, log.rewrite_aborted(spans.front().last));
        for (auto& file : files) written.add(std::move(file));
    }
    for (const Log::AbortedSpan& span : spans) {
        LEAT_TRY(const auto known, log.aborted_between(span.last, Offset{span.last.value + 1}));
        const bool is_known = std::ranges::any_of(known, [&](const AbortedTransaction& one) {
            return one.producer_id == span.producer_id && one.first_offset == span.first;
        });
        if (is_known) continue;
        LEAT_TRY(auto file, log.append_aborted(span));
        written.add(std::move(file));
    }
    return written.take();
}

void report(const PartitionSpec& spec, const Recovered& recovered, Metrics& metrics) {
    if (recovered.cut_bytes > 0) {
        metrics.cut_bytes.add(static_cast<std::uint64_t>(recovered.cut_bytes));
        kLog.warn("torn tail cut", {{"partition", spec.folder()},
                                    {"bytes", recovered.cut_bytes},
                                    {"kept_in", recovered.cut_file}});
    }
    if (recovered.scanned_bytes > 0 || recovered.rebuilt_indexes > 0)
        kLog.debug("log recovered", {{"partition", spec.folder()},
                                     {"scanned_bytes", recovered.scanned_bytes},
                                     {"rebuilt_indexes", recovered.rebuilt_indexes}});
}

/// Writes back what the log has from `from` on. After a sync that failed, the kernel holds pages
/// for clean that never came to the disk: the next sync would succeed and leave them where they
/// are. A process that starts without the machine cannot tell; pages that are written again are not
/// clean.
Result<void> write_again(Log& log, Offset from) {
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    std::vector<std::byte> buffer;
    SyncList written;
    while (from < log.log_end()) {
        LEAT_TRY(const auto slices, log.read(from, log.log_end(), kPiece, true));
        if (slices.empty()) break;
        for (const ReadSlice& slice : slices) {
            buffer.resize(slice.size_bytes);
            LEAT_TRY(const std::size_t got, slice.file->read_at(slice.at, buffer));
            const Bytes bytes = Bytes{buffer}.first(got);
            LEAT_TRY_VOID(slice.file->write_at(slice.at, {&bytes, 1}));
            written.add(slice.file);
            wire::BatchCursor cursor{bytes};
            for (auto batch = cursor.next(); batch && *batch; batch = cursor.next())
                from = Offset{(*batch)->header.last_offset().value + 1};
        }
    }
    for (const auto& file : written.take()) LEAT_TRY_VOID(file->sync());
    return {};
}

/// What survived of an unclean stop may still be in memory only; readers must not see it go again.
/// Of a new folder all is made before the first sync: then that one does most of the work. Without
/// a mark nobody knows whether the folder's own name is on disk.
Result<void> sync_recovered(ShardContext& context, Log& log, const std::string& path,
                            const std::shared_ptr<rt::File>& new_file, bool is_known) {
    const Log::Unsynced unsynced = log.take_unsynced();
    if (context.faults.skip_sync) return {};
    if (new_file) LEAT_TRY_VOID(new_file->sync());
    for (const auto& file : unsynced.files) LEAT_TRY_VOID(file->sync());
    if (unsynced.names || new_file) LEAT_TRY_VOID(context.disk.sync_directory(path));
    if (new_file || !is_known) LEAT_TRY_VOID(context.disk.sync_directory(context.data_directory));
    return {};
}

/// The file is there, and is none: not so an error of the disk, which may be over at the next try.
bool is_corrupt(const Error& error) {
    return error.code() == Errc::kMalformed || error.code() == Errc::kLimitExceeded;
}

/// Takes over the newest snapshot that is whole, and strikes it off the list; without one, the
/// producers begin with nothing. Those that are corrupt go. Errors: kIoError.
Result<void> restore_newest(PartitionState& s, std::vector<Offset>& snapshots) {
    s.snapshots = {};
    s.producers.restore({});
    while (!snapshots.empty()) {
        const Offset at = snapshots.back();
        snapshots.pop_back();
        auto entries = load_snapshot(s.context.disk, s.path, at);
        if (!entries && !is_corrupt(entries.error())) return std::move(entries).error();
        if (entries) {
            s.producers.restore(*std::move(entries));
            s.snapshots.at = at;
            s.snapshots.there = {at};
            return {};
        }
        kLog.warn("producer snapshot unusable", {{"partition", s.spec.folder()},
                                                 {"offset", at.value},
                                                 {"detail", entries.error().detail()}});
        LEAT_TRY_VOID(remove_snapshot(s.context.disk, s.path, at));
    }
    return {};
}

bool knows_transactions(const ProducerState& producers) {
    return std::ranges::any_of(producers.entries(), [](const auto& item) {
        return item.second.coordinator_epoch >= 0 || item.second.transaction_start.value >= 0;
    });
}

void quarantine(PartitionState& s, std::string why) {
    s.is_quarantined = true;
    s.offline_reason = std::move(why);
    s.log.reset();
    // What recovery had read of them until it met the damage.
    s.producers.restore({});
}

/// Opens the log and brings the producers up to its end; no log is left of one that is damaged.
Result<void> open_log(PartitionState& s, std::optional<Offset> mark) {
    LEAT_TRY(auto snapshots, list_snapshots(s.context.disk, s.path));
    const WallMs now = s.context.executor.wall_now();
    for (;;) {
        LEAT_TRY_VOID(restore_newest(s, snapshots));
        Replay replay{s.producers};
        LogOptions options{.directory = s.path,
                           .config = s.config,
                           .durable_mark = mark,
                           .clean = s.context.was_clean,
                           .log_start = s.log_start,
                           .has_transactions = knows_transactions(s.producers),
                           .now = now,
                           .check_crc = !s.context.faults.skip_crc_check};
        LEAT_TRY(s.log, Log::open(s.context.disk, s.context.files, std::move(options),
                                  std::max(s.snapshots.at, Offset{0}), std::ref(replay)));
        report(s.spec, s.log->recovered(), s.context.metrics);
        std::string damage = s.log->recovered().damage;
        const bool is_behind = damage.empty() && s.log->log_end() < s.snapshots.at;
        if (is_behind) {  // The crash took records that the snapshot has.
            LEAT_TRY_VOID(remove_snapshot(s.context.disk, s.path, s.snapshots.at));
            s.log.reset();
            continue;
        }
        if (damage.empty()) {
            LEAT_TRY(damage, noted_damage(s.context.disk, *s.log, s.path, s.scrub_depth()));
        }
        if (!damage.empty()) {
            quarantine(s, std::move(damage));
            return {};
        }
        LEAT_TRY(s.aborted_files, complete_aborted(*s.log, replay.aborted));
        s.aborted_last = s.log->log_end();
        return {};
    }
}

/// Brings what the log was opened with to the disk, and notes that it is there.
Result<void> make_durable(PartitionState& s, std::optional<Offset> mark,
                          const std::shared_ptr<rt::File>& new_file, SyncOfNew syncs) {
    const Offset doubtful = std::max(mark.value_or(Offset{0}), s.log_start);
    auto done =
        s.is_sync() && !s.context.faults.skip_sync ? write_again(*s.log, doubtful) : Result<void>{};
    if (done && new_file && syncs == SyncOfNew::kByCaller)
        static_cast<void>(s.log->take_unsynced());
    else if (done)
        done = sync_recovered(s.context, *s.log, s.path, new_file,
                              mark.has_value() && s.context.marks.has(s.spec.id));
    if (!done) {
        // What cannot be opened now is tried again, and all of this with it.
        if (done.error().code() != Errc::kTooManyOpenFiles)
            s.context.flusher.health().fail(done.error());
        return done;
    }
    const DurableMarks::Mark all{s.spec.id, s.log_end};
    s.context.marks.advance({&all, 1});
    return {};
}

}  // namespace

Result<void> PartitionState::open(SyncOfNew syncs) {
    const auto mark = context.marks.mark(spec.id);
    LEAT_TRY(const bool exists, context.disk.exists(path));
    if (!exists && mark && mark->value > 0) {
        quarantine(*this, "its folder is missing, which had records up to offset " +
                              std::to_string(mark->value));
        return {};
    }
    LEAT_TRY(const auto new_file, open_folder(context, path, spec));
    LEAT_TRY(log_start, read_log_start(context.disk, path));
    LEAT_TRY_VOID(open_log(*this, mark));
    if (!log) return {};
    LEAT_TRY(const auto aborted, log->aborted_between(log->log_start(), log->log_end()));
    stored_start = log_start;
    has_aborted = !aborted.empty();
    refresh();
    // Segments go before the new start is stored: after a stop in between the file is behind. From
    // here on a segment that is missing at the front can be told from one that retention took.
    // It is told from here on: where it cannot be stored, the segments must be gone for good.
    if (log_start > stored_start && !store_log_start(log_start))
        if (auto names = context.disk.sync_directory(path); !names) {
            if (names.error().code() != Errc::kTooManyOpenFiles)
                context.flusher.health().fail(names.error());
            return names;
        }
    // Without a mark of its own the folder may be what a try before this one made, and left.
    if (new_file || !mark || *mark < log_end || !context.marks.has(spec.id))
        LEAT_TRY_VOID(make_durable(*this, mark, new_file, syncs));
    synced = log_end;
    high_watermark = log_end;
    producers.advance(high_watermark);
    load_epochs();
    return {};
}

void PartitionState::load_epochs() {
    epochs.clear();
    // Each answer names where the next older epoch ends, which is where the newer one began.
    for (std::int32_t epoch = log->latest_epoch(); epoch >= 0;) {
        const auto [older, start] = log->end_of_epoch(epoch - 1);
        const bool is_first = epoch == 0 || older < 0;
        epochs.push_back({.epoch = epoch, .start = is_first ? log_start : start});
        if (is_first) break;
        epoch = older;
    }
    std::ranges::reverse(epochs);
    if (epochs.empty() || epochs.back().epoch < spec.leader_epoch)
        epochs.push_back({.epoch = spec.leader_epoch, .start = log_end});
}

Result<std::shared_ptr<Partition>> Partition::open(ShardContext& context, PartitionSpec spec,
                                                   SyncOfNew syncs) {
    auto state = std::make_unique<PartitionState>(context, std::move(spec));
    LEAT_TRY_VOID(state->open(syncs));
    std::shared_ptr<Partition> partition{new Partition{std::move(state)}};
    // Posted before the result can get there: timers run from its first use on.
    context.executor.post([weak = std::weak_ptr{partition}] {
        if (const auto keep = weak.lock()) keep->state_->start(*keep);
    });
    return partition;
}

}  // namespace leat::storage
