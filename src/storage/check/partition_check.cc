// SPDX-License-Identifier: Apache-2.0
#include "storage/check/partition_check.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "storage/aborted_list.h"
#include "storage/batch_scan.h"
#include "storage/check/index_check.h"
#include "storage/check/state_check.h"
#include "storage/folder_files.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_files.h"
#include "storage/torn_tail.h"
#include "wire/control_record.h"
#include "wire/record_reader.h"

namespace leat::storage {
namespace {

constexpr std::int64_t kIndexFileMax = std::int64_t{1} << 30U;
constexpr Offset kNoOffset{std::numeric_limits<std::int64_t>::max()};
constexpr std::int64_t kProgressBytes = std::int64_t{1} << 20U;

constexpr std::string_view kSmallFiles[] = {
    kEpochFileName,   "partition.metadata", "log-start-offset-checkpoint",
    "cleaner-offset", kDamageNoteName,      kAbortedListName};

/// Files of one segment, by kind, without snapshots.
struct SegmentNames {
    bool log = false;
    bool index = false;
    bool times = false;
    bool aborted = false;
};

/// Result of walking one segment.
struct Walked {
    FilePos to;       ///< Behind the last good batch.
    Offset end;       ///< Behind its last offset.
    std::string bad;  ///< "" or why there is no batch at `to`.
};

class PartitionCheck {
  public:
    PartitionCheck(rt::Disk& disk, const std::string& folder, const PartitionFacts& facts,
                   const CheckOptions& options, CheckProgress& progress, Findings& findings)
        : disk_(disk),
          folder_(folder),
          facts_(facts),
          options_(options),
          progress_(progress),
          findings_(findings) {
        report_.folder = folder.substr(folder.rfind('/') + 1);
        report_.mark = facts.mark;
    }

    PartitionReport run() {
        auto entries = disk_.list(folder_);
        if (!entries) {
            unreadable(folder_, entries.error());
            return report_;
        }
        for (const rt::DirEntry& entry : *entries) sort_in(entry);
        read_topic();
        read_start();
        read_snapshots();
        read_epochs();
        for (auto at = segments_.begin(); at != segments_.end(); ++at) check_segment(at);
        finish_log();
        return report_;
    }

  private:
    using Segments = std::map<Offset, SegmentNames>;

    [[nodiscard]] std::string path(std::string_view name) const {
        return folder_ + "/" + std::string{name};
    }
    [[nodiscard]] std::string path(Offset base, FileKind kind) const {
        return path(to_string(FileName{.base = base, .kind = kind}));
    }
    void add(FindingKind kind, std::string file, std::string what,
             std::optional<FilePos> at = std::nullopt,
             std::optional<Offset> offset = std::nullopt) {
        findings_.add({.kind = kind,
                       .file = std::move(file),
                       .at = at,
                       .offset = offset,
                       .what = std::move(what)});
    }
    /// Says nothing of what the file has: that is not known.
    void unreadable(const std::string& file, const Error& error) {
        add(FindingKind::kUnreadable, file,
            std::string{error.detail().empty() ? info(error.code()).name : error.detail()});
    }
    /// A small file whose content the reader refused, or that could not be read at all.
    void unusable(const std::string& file, const Error& error) {
        const bool is_content =
            error.code() == Errc::kDataDirFormat || error.code() == Errc::kMalformed;
        if (!is_content) return unreadable(file, error);
        add(FindingKind::kFileDamaged, file, std::string{error.detail()});
    }
    /// The bytes of a file; nullopt, and a finding, when it cannot be read.
    std::optional<std::vector<std::byte>> read(const std::string& file) {
        auto bytes = rt::read_file(disk_, file, kIndexFileMax);
        if (bytes) return *std::move(bytes);
        unreadable(file, bytes.error());
        return std::nullopt;
    }

    void sort_in(const rt::DirEntry& entry) {
        const std::string_view name = entry.name;
        const auto parsed = entry.is_directory ? std::nullopt : parse_file_name(name);
        if (parsed && parsed->stage == FileStage::kPlain) return note_plain(*parsed);
        if (parsed && parsed->stage == FileStage::kDeleted && parsed->kind == FileKind::kLog)
            first_deleted_ = std::min(first_deleted_, parsed->base);
        const bool is_temporary = name.ends_with(".tmp");
        if (parsed || is_temporary) {
            add(FindingKind::kFileUnfinished, path(name), std::string{name});
        } else if (name.ends_with(".cut")) {
            add(FindingKind::kFileCut, path(name), std::string{name});
        } else if (name.ends_with(".window")) {
            windows_.push_back(entry.name);
        } else if (std::ranges::find(kSmallFiles, name) == std::end(kSmallFiles)) {
            add(FindingKind::kFileUnknown, path(name), std::string{name});
        } else if (name == kEpochFileName) {
            has_epochs_ = true;
        }
    }
    void note_plain(const FileName& name) {
        if (name.kind == FileKind::kSnapshot) return snapshots_at_.push_back(name.base);
        SegmentNames& names = segments_[name.base];
        if (name.kind == FileKind::kLog) names.log = true;
        if (name.kind == FileKind::kIndex) names.index = true;
        if (name.kind == FileKind::kTimeIndex) names.times = true;
        if (name.kind == FileKind::kTxnIndex) names.aborted = true;
    }

    void read_topic() {
        const auto id = read_topic_id(disk_, folder_);
        if (!id) {
            unusable(path("partition.metadata"), id.error());
        } else if (*id && facts_.topic_id && **id != *facts_.topic_id) {
            add(FindingKind::kTopicIdWrong, folder_,
                "the folder is of topic id " + (*id)->text() + ", the metadata says " +
                    facts_.topic_id->text());
        }
    }

    void read_start() {
        std::erase_if(segments_, [this](const auto& segment) {
            if (segment.second.log) return false;
            add(FindingKind::kIndexOrphan, path(segment.first, FileKind::kLog),
                "has indexes and no log", std::nullopt, segment.first);
            return true;
        });
        const auto start = read_log_start(disk_, folder_);
        if (!start) {
            return unusable(path("log-start-offset-checkpoint"), start.error());
        }
        const Offset first = segments_.empty() ? *start : segments_.begin()->first;
        // Retention renames segments before it stores the new start.
        if (facts_.is_ours && first > *start && first_deleted_ > *start)
            add(FindingKind::kSegmentMissing, path(first, FileKind::kLog),
                "the first segment begins with offset " + std::to_string(first.value) +
                    ", the log with " + std::to_string(start->value),
                std::nullopt, *start);
        report_.log_start = std::max(*start, first);
        report_.log_end = first;
    }

    void read_snapshots() {
        std::vector<SnapshotCheck::Snapshot> good;
        std::ranges::sort(snapshots_at_);
        for (const Offset at : snapshots_at_) {
            const std::string file = snapshot_path(folder_, at, ".snapshot");
            const auto bytes = read(file);
            if (!bytes) continue;
            auto entries = decode_snapshot(*bytes);
            if (!entries) {
                add(FindingKind::kSnapshotDamaged, file, std::string{entries.error().detail()});
                continue;
            }
            read_window(at, *entries);
            good.push_back({.at = at, .entries = *std::move(entries)});
        }
        for (const std::string& name : windows_) {
            std::int64_t at = -1;
            std::from_chars(name.data(), name.data() + name.size(), at);
            if (std::ranges::find(snapshots_at_, Offset{at}) == snapshots_at_.end())
                add(FindingKind::kFileUnfinished, path(name), "has no snapshot beside it");
        }
        producers_ = std::make_unique<SnapshotCheck>(std::move(good));
    }
    void read_window(Offset at, ProducerEntries& entries) {
        const std::string file = snapshot_path(folder_, at, ".window");
        if (std::ranges::find(windows_, file.substr(file.rfind('/') + 1)) == windows_.end()) return;
        const auto bytes = read(file);
        if (!bytes) return;
        const auto decoded = decode_window(*bytes, at, entries);
        if (!decoded)
            add(FindingKind::kSnapshotDamaged, file, std::string{decoded.error().detail()});
    }

    void read_epochs() {
        LeaderEpochs known;
        if (has_epochs_) {
            const auto bytes = read(path(kEpochFileName));
            if (!bytes) return;
            auto decoded =
                LeaderEpochs::decode({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
            if (!decoded) {
                add(FindingKind::kEpochsWrong, path(kEpochFileName),
                    std::string{decoded.error().detail()});
                return;
            }
            known = *std::move(decoded);
        }
        epochs_ = std::make_unique<EpochCheck>(std::move(known), report_.log_start);
    }

    void check_segment(Segments::const_iterator at) {
        const auto next = std::next(at);
        const bool is_last = next == segments_.end();
        const Offset limit = is_last ? kNoOffset : next->first;
        const std::string file = path(at->first, FileKind::kLog);
        auto opened = disk_.open(file, rt::OpenMode::kRead);
        if (!opened) return unread(file, opened.error());
        const auto size = (*opened)->size();
        if (!size) return unread(file, size.error());
        ++report_.segments;
        const std::int64_t index_interval = 4096;
        if (!is_last && !at->second.index && *size > index_interval)
            add(FindingKind::kIndexMissing, path(at->first, FileKind::kIndex),
                "the segment has " + std::to_string(*size) + " bytes", std::nullopt, at->first);
        load_indexes(at->first, at->second);
        auto walked = walk(*opened, at->first, FilePos{*size});
        if (!walked) return unread(file, walked.error());
        if (walked->bad.empty() && walked->end > limit)
            walked->bad = "it reaches into the next segment, with offset " +
                          std::to_string(walked->end.value - 1);
        report_.log_end = std::max(report_.log_end, walked->end);
        const bool is_whole = walked->bad.empty();
        if (!is_whole) judge_tail(**opened, file, *walked, {FilePos{*size}, limit, is_last});
        if (is_whole && !is_last && walked->end < limit && limit > report_.log_start)
            add(FindingKind::kSegmentGap, file,
                "it ends with offset " + std::to_string(walked->end.value - 1) +
                    ", the next begins with " + std::to_string(limit.value),
                walked->to, walked->end);
        report_indexes(at->first, is_whole);
    }

    /// A segment whose batches cannot be read: where the log ends is not known then.
    void unread(const std::string& file, const Error& error) {
        is_unread_ = true;
        unreadable(file, error);
    }

    void load_indexes(Offset base, const SegmentNames& names) {
        is_txn_unread_ = false;
        const auto bytes_of = [&](bool is_there, FileKind kind) {
            if (!is_there) return std::vector<std::byte>{};
            auto bytes = read(path(base, kind));
            if (!bytes && kind == FileKind::kTxnIndex) is_txn_unread_ = true;
            return std::move(bytes).value_or(std::vector<std::byte>{});
        };
        offsets_ =
            std::make_unique<OffsetIndexCheck>(bytes_of(names.index, FileKind::kIndex), base);
        times_ =
            std::make_unique<TimeIndexCheck>(bytes_of(names.times, FileKind::kTimeIndex), base);
        aborted_.begin(bytes_of(names.aborted, FileKind::kTxnIndex), base);
    }
    void report_indexes(Offset base, bool is_whole) {
        const auto tell = [&](const IndexFault& fault, FindingKind kind, FileKind file,
                              std::size_t entry_bytes) {
            if (fault.count == 0) return;
            std::string what = "entry " + std::to_string(fault.entry) + ": " + fault.what;
            if (fault.count > 1) what += "; " + std::to_string(fault.count) + " entries are wrong";
            add(kind, path(base, file), std::move(what),
                FilePos{static_cast<std::int64_t>(fault.entry * entry_bytes)});
        };
        tell(offsets_->finish(is_whole), FindingKind::kIndexWrong, FileKind::kIndex,
             OffsetEntry::kBytes);
        tell(times_->finish(is_whole), FindingKind::kTimeIndexWrong, FileKind::kTimeIndex,
             TimeEntry::kBytes);
        // The other two may be empty; this one has every abort.
        const IndexFault aborts = aborted_.finish(is_whole);
        if (!is_txn_unread_)
            tell(aborts, FindingKind::kTxnIndexWrong, FileKind::kTxnIndex, TxnEntry::kBytes);
    }

    Result<Walked> walk(std::shared_ptr<rt::File> file, Offset base, FilePos size) {
        const std::string name = path(base, FileKind::kLog);
        BatchScan scan{std::move(file),
                       {.from = FilePos{0}, .end = size, .least = base},
                       BatchScan::Depth::kWhole};
        for (;;) {
            auto found = scan.next();
            if (!found && found.error().code() != Errc::kCorruptMessage)
                return std::move(found).error();
            if (!found || !*found)
                return Walked{.to = scan.position(),
                              .end = scan.next_offset(),
                              .bad = found ? std::string{} : std::string{found.error().detail()}};
            take(name, **found);
        }
    }

    /// Whether what lies from `offset` on was durable at the last run.
    [[nodiscard]] bool was_durable(Offset offset, bool is_last) const {
        if (facts_.clean) return true;
        if (!facts_.mark) return facts_.is_ours && !is_last;
        return offset < *facts_.mark && report_.log_start < *facts_.mark;
    }

    void take(const std::string& file, const FoundBatch& batch) {
        const wire::BatchHeader& header = batch.header;
        ++report_.batches;
        report_.records += header.record_count;
        report_.bytes += static_cast<std::int64_t>(batch.bytes.size());
        progress_.records += header.record_count;
        progress_.bytes += static_cast<std::int64_t>(batch.bytes.size());
        if (options_.progress && progress_.bytes >= progress_at_) {
            options_.progress(progress_.records, progress_.bytes);
            progress_at_ = progress_.bytes + kProgressBytes;
        }
        const bool is_epoch_back = header.leader_epoch < last_epoch_;
        last_epoch_ = std::max(last_epoch_, header.leader_epoch);
        const bool is_good = static_cast<bool>(wire::check_crc(batch.bytes));
        if (!is_good || is_epoch_back) {
            const bool is_durable = was_durable(header.base_offset, true);
            add(is_durable ? FindingKind::kBatchDamaged : FindingKind::kTornTail, file,
                is_good ? "the leader epoch goes back to " + std::to_string(header.leader_epoch)
                        : "the checksum is wrong",
                batch.at, header.base_offset);
        }
        offsets_->batch(header, batch.at);
        times_->batch(header);
        if (epochs_ && !is_epoch_back) epochs_->batch(header);
        producers_->batch(header);
        aborted_.batch(header, is_good ? marker_of(batch) : std::nullopt);
        if (is_good && options_.records) check_records(file, batch);
    }

    [[nodiscard]] static std::optional<bool> marker_of(const FoundBatch& batch) {
        if (!batch.header.is_control()) return std::nullopt;
        const auto marker = wire::read_end_marker({.header = batch.header, .bytes = batch.bytes});
        if (!marker || !*marker) return std::nullopt;
        return !(*marker)->committed;
    }

    void check_records(const std::string& file, const FoundBatch& batch) {
        const wire::BatchView view{.header = batch.header, .bytes = batch.bytes};
        const auto complain = [&](std::string what) {
            add(FindingKind::kRecordsDamaged, file, std::move(what), batch.at,
                batch.header.base_offset);
        };
        auto records = wire::RecordReader::open(view, options_.inflated_bytes_max);
        if (!records) return complain(std::string{records.error().detail()});
        std::int32_t last = -1;
        for (;;) {
            const auto record = records->next();
            if (!record) return complain(std::string{record.error().detail()});
            if (!*record) return;
            const std::int32_t delta = (*record)->offset_delta;
            if (delta <= last || delta > batch.header.last_offset_delta)
                return complain("the record behind offset " +
                                std::to_string(batch.header.offset(last).value) +
                                " has an offset that does not fit");
            last = delta;
        }
    }

    struct Place {
        FilePos size;
        Offset limit;
        bool is_last = false;
    };
    /// What recovery would make of the rest of a segment.
    void judge_tail(rt::File& file, const std::string& name, const Walked& walked,
                    const Place& place) {
        const auto is_zero = is_all_zero(file, walked.to, place.size);
        const auto is_legacy = is_legacy_message(file, walked.to, place.size);
        const bool has_no_gap = !place.is_last && walked.end == place.limit;
        const bool loses = facts_.mark && walked.end < *facts_.mark && !has_no_gap &&
                           report_.log_start < *facts_.mark;
        if (is_zero && *is_zero && !loses && (place.is_last || has_no_gap)) {
            add(FindingKind::kEmptyTail, name,
                std::to_string(place.size.value - walked.to.value) + " bytes", walked.to,
                walked.end);
            return;
        }
        const bool is_old = is_legacy && *is_legacy;
        const bool is_durable = is_old || loses || (facts_.clean && !has_no_gap) ||
                                (!facts_.mark && !place.is_last && !has_no_gap);
        add(is_durable ? FindingKind::kBatchDamaged : FindingKind::kTornTail, name,
            walked.bad + (is_old ? " (magic 0 or 1)" : ""), walked.to, walked.end);
        is_damaged_ = is_damaged_ || is_durable;
    }

    void finish_log() {
        if (is_unread_) return;  // Neither the end nor what the other files speak of is known.
        const Offset end = report_.log_end;
        if (facts_.mark && end < *facts_.mark && report_.log_start < *facts_.mark && !is_damaged_)
            add(FindingKind::kRecordsMissing, folder_,
                "it ends at offset " + std::to_string(end.value) + ", durable was " +
                    std::to_string(facts_.mark->value),
                std::nullopt, end);
        const auto start = read_log_start(disk_, folder_);
        if (start && !segments_.empty() && *start > end)
            add(FindingKind::kLogStartWrong, path("log-start-offset-checkpoint"),
                "it says " + std::to_string(start->value) + ", the log ends at " +
                    std::to_string(end.value));
        if (is_damaged_) return;  // What lies behind the damage was not seen.
        if (epochs_ && !epochs_->finish(end).empty())
            add(FindingKind::kEpochsWrong, path(kEpochFileName), epochs_->finish(end));
        for (const auto& snapshot : producers_->finish()) {
            const std::string file = snapshot_path(folder_, snapshot.at, ".snapshot");
            if (snapshot.at > end) {
                add(FindingKind::kSnapshotAhead, file,
                    "the log ends at offset " + std::to_string(end.value), std::nullopt,
                    snapshot.at);
            } else if (!snapshot.wrong.empty()) {
                add(FindingKind::kSnapshotWrong, file, snapshot.wrong, std::nullopt, snapshot.at);
            }
        }
    }

    rt::Disk& disk_;
    const std::string& folder_;
    const PartitionFacts& facts_;
    const CheckOptions& options_;
    CheckProgress& progress_;
    Findings& findings_;
    PartitionReport report_;

    Segments segments_;
    Offset first_deleted_ = kNoOffset;
    std::vector<Offset> snapshots_at_;
    std::vector<std::string> windows_;
    bool has_epochs_ = false;
    bool is_damaged_ = false;
    bool is_unread_ = false;
    bool is_txn_unread_ = false;
    std::int32_t last_epoch_ = -1;
    std::int64_t progress_at_ = 0;

    std::unique_ptr<OffsetIndexCheck> offsets_;
    std::unique_ptr<TimeIndexCheck> times_;
    TxnIndexCheck aborted_;
    std::unique_ptr<EpochCheck> epochs_;
    std::unique_ptr<SnapshotCheck> producers_;
};

}  // namespace

PartitionReport check_partition(rt::Disk& disk, const std::string& folder,
                                const PartitionFacts& facts, const CheckOptions& options,
                                CheckProgress& progress, Findings& findings) {
    return PartitionCheck{disk, folder, facts, options, progress, findings}.run();
}

}  // namespace leat::storage
