// SPDX-License-Identifier: Apache-2.0
//
// Rows of a store that is restored, in memory until they are many enough to be sorted and written
// as a file of a RocksDB database. Layer: streams (L6).
// Threading: not synchronised.
#pragma once

#include <rocksdb/options.h>
#include <rocksdb/status.h>
#include <rocksdb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rt/named_thread.h"
#include "streams/state/state_memory.h"

namespace leat::streams::detail {

/// Of rows with the same key the one that was added last counts.
class GatheredRows {
  public:
    explicit GatheredRows(std::shared_ptr<StateMemory> memory);
    GatheredRows(const GatheredRows&) = delete;
    GatheredRows& operator=(const GatheredRows&) = delete;
    ~GatheredRows();

    /// `value` absent: deletes. The key is prefix ‖ row.
    void add(std::string_view prefix, std::string_view row, std::optional<std::string_view> value);
    /// No row that is added later lies in the range.
    void drop(std::string from, std::string to) {
        dropped_.emplace_back(std::move(from), std::move(to));
    }
    /// It has what it may take, or as much as a file is to have.
    [[nodiscard]] bool is_full() const noexcept { return is_full_; }
    /// Too few for a file of their own.
    [[nodiscard]] bool are_few() const noexcept;
    /// A file with all rows but not the ranges, which must come after it: append_drops().
    [[nodiscard]] rocksdb::Status write_file(const rocksdb::Options& options,
                                             const std::string& path) const;
    /// Rows in order.
    [[nodiscard]] rocksdb::Status append_rows(rocksdb::WriteBatch& batch) const;
    [[nodiscard]] rocksdb::Status append_drops(rocksdb::WriteBatch& batch) const;
    void clear() noexcept;

    /// Where the changelog goes on behind these rows; -1: there are none.
    std::int64_t next_offset = -1;

  private:
    struct Row;
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
        std::size_t used = 0;
    };
    char* room_for(std::size_t bytes);
    void charge();
    /// By key, the last of each key alone.
    [[nodiscard]] std::vector<Row> sorted() const;

    std::shared_ptr<StateMemory> memory_;
    std::vector<Block> blocks_;
    std::size_t count_ = 0;
    std::size_t held_ = 0;   ///< Bytes of blocks.
    std::size_t taken_ = 0;  ///< Of the budget.
    bool is_full_ = false;
    std::vector<std::pair<std::string, std::string>> dropped_;
};

/// Of one store: rows that come, and those before them, which a thread of its own writes meanwhile.
/// Both halves count as holders of memory.
class Gathering {
  public:
    /// Its part of the memory would be smaller than what is worth a file.
    [[nodiscard]] static bool is_cramped(const StateMemory& memory);
    /// `path`: of the file, in a folder that is there. Nobody else has it.
    Gathering(const std::shared_ptr<StateMemory>& memory, std::string path);
    Gathering(const Gathering&) = delete;
    Gathering& operator=(const Gathering&) = delete;
    /// The file, if it is still there, goes.
    ~Gathering();

    [[nodiscard]] GatheredRows& coming() noexcept { return *coming_; }
    /// What has come is written, and there is room for more. No file may be begun.
    void begin_file(const rocksdb::Options& options);
    [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
    /// Waits until the file is there; one that could not be written is tried once more.
    [[nodiscard]] rocksdb::Status finish_file();
    /// The database has the file; drops and offset are still to come.
    void note_taken_in() noexcept { is_taken_in_ = true; }
    [[nodiscard]] bool is_taken_in() const noexcept { return is_taken_in_; }
    /// What is in the file.
    [[nodiscard]] const GatheredRows& behind() const noexcept { return *behind_; }
    /// All of it is in the database.
    void forget_file() noexcept;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::unique_ptr<GatheredRows> coming_;
    std::unique_ptr<GatheredRows> behind_;
    std::string path_;
    rocksdb::Options options_;
    rocksdb::Status written_;  ///< The writer's while it runs.
    bool has_begun_ = false;
    bool is_taken_in_ = false;
    rt::NamedThread writer_;
};

}  // namespace leat::streams::detail
