// SPDX-License-Identifier: Apache-2.0
//
// What a Log holds, shared by the files that implement it. Layer: storage (L3).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/aborted_list.h"
#include "storage/leader_epochs.h"
#include "storage/log.h"
#include "storage/segment.h"

namespace leat::storage {

/// Where batches of the log begin that were appended or read lately: spares readers that follow
/// one after the other the look into the index.
///
/// Threading: not synchronised.
class KnownPlaces {
  public:
    /// The newest batch of the active segment, right behind the one before.
    void appended(Offset base, FilePos at);
    /// Something begins at `at` in the segment of `segment`, and `offset` is the first at or
    /// behind there.
    void learned(Offset segment, Offset offset, FilePos at);
    [[nodiscard]] std::optional<FilePos> find_learned(Offset segment, Offset offset) const;
    /// The appended batch that holds `offset`; nullopt: it is older.
    [[nodiscard]] std::optional<FilePos> find_appended(Offset offset) const;
    /// A new active segment.
    void rolled() {
        appended_.clear();
        oldest_ = 0;
    }
    void clear();

  private:
    static constexpr std::size_t kAppendedMax = 64;
    struct Place {
        Offset offset;
        FilePos at;
    };
    struct Learned {
        Offset segment{-1};
        Place place;
    };
    std::vector<Place> appended_;  ///< A ring once it is full.
    std::size_t oldest_ = 0;
    std::array<Learned, 4> learned_;
    std::size_t next_ = 0;
};

/// Threading: as Log.
class LogState {
  public:
    LogState(rt::Disk& disk_in, FileCache& files_in, LogOptions options_in);

    rt::Disk& disk;
    FileCache& files;
    LogOptions options;
    Recovered recovered;

    /// In order; the last one is active. Never empty once the log is open.
    std::vector<std::unique_ptr<Segment>> segments;
    Offset log_start;
    Offset log_end;
    std::int64_t size_bytes = 0;
    LeaderEpochs epochs;
    AbortedList aborted_list;
    KnownPlaces places;

    SyncList unsynced;
    bool names_unsynced = false;
    /// The active segment's file while it has unsynced bytes.
    std::shared_ptr<rt::File> hot;
    /// A stop may have left the sizes of the active segment's files unsynced: recovery leaves that
    /// sync to the first one that there is a reason for.
    bool is_tail_in_doubt = false;
    /// Adds those files to `unsynced`.
    Result<void> settle_tail();
    bool rolled = false;                ///< Nobody was told of the newest segment yet.
    bool failed = false;                ///< A write failed: what the files hold is in doubt.
    bool are_epochs_unwritten = false;  ///< A shortage kept the checkpoint behind `epochs`.
    /// The names of segments that retire_first() took last may not be durable yet.
    bool is_retired_unsynced = false;
    /// Of the active segment, while a marker is appended: its entry must find it open.
    std::shared_ptr<rt::File> aborted_hot;
    /// Marker of the aborted transaction whose entry the disk had no room for; -1: none is owed.
    Offset aborted_owed{-1};

    struct Removal {
        std::string path;
        WallMs due;
    };
    std::vector<Removal> removals;
    Offset end_at_last_retain{-1};

    [[nodiscard]] const config::TopicConfig& config() const noexcept { return *options.config; }
    [[nodiscard]] Segment& active() { return *segments.back(); }
    /// Index of the segment that holds `offset`, the first for one below.
    [[nodiscard]] std::size_t segment_of(Offset offset) const;
    /// As Segment::find(), for any segment, with what is known.
    Result<FilePos> position_of(Segment& segment, Offset offset, bool may_rebuild);

    /// kQuarantined or kIoError when nothing may be written any more.
    [[nodiscard]] Result<void> check_usable() const;
    /// Remembers that a write failed, unless a shortage kept it from being tried, or cut it short
    /// where the next one goes over the same place.
    Error note_failure(Error error);

    /// Opens a new active segment. Precondition: `base` is at or above all offsets.
    Result<void> begin_segment(Offset base, WallMs now);
    Result<void> roll(WallMs now);
    /// The same behind a segment that is about to go: what it lacks of its indexes is written if
    /// there is room.
    Result<void> roll_expired(WallMs now);
    /// Writes leader-epoch-checkpoint; it is durable with the next sync.
    Result<void> write_epochs();
    /// Takes the epochs below `start` out of it. Without room for that the file keeps them, which
    /// does no harm: the log does not begin there.
    Result<void> forget_epochs_below(Offset start);
    /// The same, durable at once.
    Result<void> store_epochs();

    /// `segment` takes no more: the list gets what its index of aborted transactions holds, when it
    /// has one. It is durable with the next sync, and a start can do without.
    void list_aborted(Segment& segment);
    /// Writes the list, durable at once.
    Result<void> store_aborted_list();

    /// Renames the files of `segment` to ".deleted"; they are removed later.
    Result<void> retire(Segment& segment, WallMs due);
    /// Drops the first `count` segments; one after the other, unless what is left of them after a
    /// crash lies below options.log_start. Errors leave the others in place.
    Result<void> retire_first(std::size_t count, WallMs now);
    [[nodiscard]] std::string path_of(std::string_view name) const;

  private:
    /// The file has the new text, or after a crash what nobody can read.
    Result<void> replace_soon(std::string_view name, const std::string& text);
};

}  // namespace leat::storage
