// SPDX-License-Identifier: Apache-2.0
//
// The rows of one task's stores on disk, in one RocksDB database. Layer: streams (L6).
// What a task writes stays in memory until commit(), which puts rows and changelog offsets into one
// write batch: a crash or an aborted transaction leaves the state of an earlier commit, together
// with the offset from which the changelog brings it up to date.
// Threading: not synchronised; a QueryGate lets other threads read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "leat/streams/detail/state_store.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/state_memory.h"

namespace leat::streams::detail {

struct Database;
class GatheredRows;
class Gathering;
class OwnRows;
struct StoreRows;

class TaskState final : public StateBackend {
  public:
    struct Options {
        std::string directory{};  ///< The task's; the caller holds its lock. Empty: all in memory.
        std::shared_ptr<StateMemory> memory{};
        bool exactly_once = false;
        /// At this many bytes, or at its part of a quarter of the memory, is_full() is true.
        std::size_t uncommitted_bytes_max = std::size_t{64} << 20U;
        std::size_t write_buffer_bytes = std::size_t{16} << 20U;
        /// Commits survive the process's end without restoring; off: what was not flushed is
        /// restored.
        bool write_ahead_log = true;
        /// RocksDB counts what it does, which costs it a few percent.
        bool statistics = false;
        std::string rocksdb_options{};  ///< See rocksdb_options.h; empty: ours.
    };
    /// Changelog offsets to go on from, by store.
    using Offsets = std::map<std::string, std::int64_t, std::less<>>;
    /// The name in Offsets of one partition of what a store is out of; the store's own name serves
    /// where there is one partition.
    static std::string offset_name(std::string_view store, std::int32_t partition);

    /// What is noted in a directory that nobody has open, of stores that are in memory by now too;
    /// empty when there is no state in it.
    /// Errors: kIoError, kMalformed, kDataDirFormat.
    static Result<Offsets> peek(const std::string& directory);
    /// State that is damaged is removed and starts empty; damage() then says what was wrong.
    /// Errors: kIoError, kNoSpace, kDataDirFormat (a newer version wrote it), kInvalidSetting.
    static Result<std::unique_ptr<TaskState>> open(Options options);
    TaskState(const TaskState&) = delete;
    TaskState& operator=(const TaskState&) = delete;
    /// Keeps what was committed, nothing else.
    ~TaskState() override;

    [[nodiscard]] const std::string& damage() const noexcept { return damage_; }
    /// Damage was met since; nothing that is read or written from now on counts, and the next
    /// open() starts empty.
    [[nodiscard]] bool is_damaged() const noexcept;
    /// Null: all is in memory.
    [[nodiscard]] Database* database() const noexcept;
    /// Persistent stores are on disk, others in memory. A store whose layout changed starts empty.
    std::unique_ptr<OrderedBytes> rows(const StoreSpec& spec) override;
    /// What rows() could not do. Errors: kIoError.
    Result<void> ready();

    /// Where the store's changelog goes on; absent: from its beginning.
    [[nodiscard]] std::optional<std::int64_t> changelog_offset(std::string_view store) const;
    [[nodiscard]] const Offsets& changelog_offsets() const noexcept { return offsets_; }
    /// Empties the store, which is to be restored from its changelog's beginning; nothing of it may
    /// be uncommitted. Errors: kIoError.
    Result<void> wipe(StateStore& store, Task& task);
    /// Notes out of which changelog the store is restored; rows that are out of another one go.
    /// `changelog_id`: empty when it is not known. True: the store was emptied. Errors: kIoError.
    Result<bool> bind(StateStore& store, Task& task, std::string_view changelog_id);
    /// Of state that is_damaged(): removes all rows, those in memory too, and begins with an empty
    /// database. Stores stay open, empty; nobody reads meanwhile. Errors: those of open().
    Result<void> start_anew(const Stores& stores, Task& task);
    /// Applies changelog records and notes that it goes on at `next_offset`. Nothing may be
    /// uncommitted. Errors: those of StateStore::restore().
    Result<void> restore(StateStore& store, std::span<const ChangelogRecord> records,
                         std::int64_t next_offset);
    /// As restore(), of many records: neither rows nor offset are seen or kept before there are
    /// enough for a file, or keep_gathered() is called. Errors: also kNoSpace; what was gathered is
    /// tried again by the next call.
    Result<void> gather(StateStore& store, std::span<const ChangelogRecord> records,
                        std::int64_t next_offset);
    /// All that was gathered for the store is in the database, with its offset.
    Result<void> keep_gathered(const StateStore& store);
    /// Stores' rows and offsets, all or nothing. Call StateStore::flush() long before: when the
    /// changelog records are acknowledged and the input's offsets are committed.
    /// Errors: kIoError, kNoSpace, kMalformed (damaged: the next open() starts empty).
    Result<void> commit(const Stores& stores, const Offsets& next_offsets);
    /// Now and then, with nothing uncommitted: a commit is due nevertheless, see
    /// StateStore::is_overdue().
    [[nodiscard]] bool is_overdue(const Stores& stores) const;
    /// Before the stores are closed: what is committed and in their memory alone comes into the
    /// database, if that is possible; else their changelogs go on where the database ends. What is
    /// uncommitted is gone. Errors: as commit().
    Result<void> settle(const Stores& stores);
    /// Drops what is uncommitted, after settle(). Stores in memory start empty, their changelogs
    /// from the beginning. Then every store is opened again.
    Result<void> rollback(const Stores& stores, Task& task);
    [[nodiscard]] std::size_t uncommitted_bytes() const noexcept;
    /// No more is to be held: a commit is due, or write_early().
    [[nodiscard]] bool is_full() const noexcept;
    /// Not many more are held.
    [[nodiscard]] std::size_t uncommitted_bytes_max() const noexcept;
    /// Between records: writes what is uncommitted, without offsets, unless it has to wait for the
    /// commit. All that was logged must be acknowledged: where a killed process leaves a database
    /// ahead of its changelog, the same records do not log what is missing there. Errors: as
    /// commit().
    Result<void> write_early();
    /// Writes memory buffers to files, so that without a write-ahead log nothing is restored.
    Result<void> flush_files();

  private:
    explicit TaskState(Options options);
    Result<void> open_database();
    Result<void> remove_database();
    /// An empty one instead of one that is damaged.
    Result<void> replace_database();
    [[nodiscard]] std::string database_path() const { return options_.directory + "/rocksdb"; }
    Result<void> read_registry();
    Result<void> read_rows_of_registry();
    Result<std::shared_ptr<StoreRows>> open_rows(const StoreSpec& spec);
    /// What is noted holds of rows on disk, not of the store in memory that has their name now.
    void begin_in_memory(const std::string& store);
    /// Gives the store a number of its own, so that none of its earlier rows are seen.
    Result<void> renumber(const std::string& store, const std::string& layout);
    /// Its rows are none, under a number that is new.
    Result<void> empty(const std::string& store, const std::string& layout, StoreRows& rows);
    Result<void> write(const Offsets& next_offsets);
    Result<void> keep_to_budget();
    /// It is to be read again.
    void drop_gathered() noexcept;
    /// The file that was begun, if there is one.
    Result<void> take_in_file(const std::string& store, Gathering& gathering);
    /// Without ranges and offset.
    Result<void> take_in_rows(Gathering& gathering);
    /// Ranges that are dropped, and the offset; the rows too where no file has them.
    Result<void> write_gathered(const std::string& store, const GatheredRows& rows, bool in_file);
    /// Files that are not taken in yet are in a folder of their own, which is empty between calls.
    [[nodiscard]] std::string files_path() const { return options_.directory + "/restoring"; }
    Result<void> remove_files();

    // Stores of the user's, see task_state_own.cc.
    std::unique_ptr<OrderedBytes> own_rows(const StoreSpec& spec);
    Result<void> restore_own(StateStore& store, std::span<const ChangelogRecord> records,
                             std::int64_t next_offset);
    /// Before the offsets of a commit are noted; those of stores without a changelog are added.
    Result<void> flush_own(Offsets& next);
    void own_committed(const Offsets& noted);
    /// Of those without uncommitted changes the offset is noted.
    Result<void> settle_own();
    Result<void> note_own(const std::string& store, std::int64_t next_offset);
    /// Nothing is noted any more: it is restored whole when it is opened next.
    Result<void> forget_own(const std::string& store);
    /// The offset is not noted at a commit, as what is put later could not be taken back.
    [[nodiscard]] bool is_put_off(std::string_view offset_name) const;

    Options options_;
    std::string damage_;
    std::shared_ptr<Database> database_;
    std::map<std::string, std::shared_ptr<StoreRows>, std::less<>> rows_;
    std::map<std::string, std::shared_ptr<MemoryBytes>, std::less<>> memory_;
    std::map<std::string, std::shared_ptr<OwnRows>, std::less<>> own_;
    std::map<std::string, std::int64_t, std::less<>> noted_own_;  ///< Of own_: what is noted.
    struct Registered {
        std::uint16_t number = 0;
        std::string layout;
        std::string changelog_id;
    };
    std::map<std::string, Registered, std::less<>> registry_;
    std::uint16_t next_number_ = 1;
    /// What is noted of the stores is in files; in the log alone it may be lost with the power.
    bool is_registry_filed_ = false;
    Offsets offsets_;
    /// Of stores whose newest rows are in memory alone: what is noted in the database instead.
    using Behind = std::map<std::string, std::optional<std::int64_t>, std::less<>>;
    Behind behind_;
    bool is_torn_ = false;  ///< A commit has failed: what it took out of memory is nowhere.
    std::optional<Error> failed_;
};

}  // namespace leat::streams::detail
