// SPDX-License-Identifier: Apache-2.0
//
// RocksDB as TaskState uses it: one database, and one store's share of it. Layer: streams (L6).
// Spec:  a row's key is the store's number, 2 big-endian bytes, and the row; number 0 has the
// registry. RocksDB is seen by sources of this folder alone.
// Threading: as task_state.h.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "streams/state/gathered_rows.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/task_state.h"

namespace leat::streams::detail {

struct StateMemory::Parts {
    std::shared_ptr<rocksdb::Cache> cache;
    std::shared_ptr<rocksdb::WriteBufferManager> buffers;
};

inline rocksdb::Slice slice(std::string_view bytes) {
    return {bytes.data(), bytes.size()};
}
inline std::string_view view(const rocksdb::Slice& bytes) {
    return {bytes.data(), bytes.size()};
}

/// RocksDB's, with what the user sets of them. Errors: kInvalidSetting, see rocksdb_options.h.
Result<rocksdb::Options> database_options(const TaskState::Options& from);

struct Database {
    std::string directory;
    std::shared_ptr<rocksdb::Statistics> statistics;  ///< Null: nothing is counted.
    std::unique_ptr<rocksdb::DB> db;
    bool unlogged = false;  ///< Written past the write-ahead log since the last flush.
    mutable std::atomic<bool> damaged = false;  ///< Corruption was met, by any reader.

    /// A bad status as an error. Corruption leaves a mark, and the next open starts empty.
    [[nodiscard]] Error error(const rocksdb::Status& status, std::string_view what) const;
    [[nodiscard]] std::string mark_path() const { return directory + "/.damaged"; }
};

/// What one store has not committed yet, and where its rows are.
struct StoreRows {
    std::string prefix;  ///< The store's number.
    std::map<std::string, std::optional<std::string>, std::less<>> changed;
    std::vector<std::pair<std::string, std::string>> dropped;
    std::uint64_t stamp = 0;  ///< Another one when a row of `changed` has come or gone.
    std::size_t bytes = 0;
    rocksdb::WriteBatch* direct = nullptr;  ///< While restoring: rows go here at once.
    /// What is restored and neither in the database nor seen.
    std::unique_ptr<Gathering> gathering;
    bool gathers = false;  ///< Rows go there.

    void clear();
    /// Puts everything into a batch, dropped ranges first.
    [[nodiscard]] rocksdb::Status append_to(rocksdb::WriteBatch& batch) const;
};

/// Threading: get() and scan() by any number of readers at once, while nothing is changed.
class RocksRows final : public OrderedBytes {
  public:
    RocksRows(std::shared_ptr<Database> database, std::shared_ptr<StoreRows> rows)
        : database_(std::move(database)), rows_(std::move(rows)) {}

    Result<bool> get(std::string_view key, std::string& out) const override;
    Result<void> put(std::string_view key, std::string_view value) override;
    Result<void> erase(std::string_view key) override;
    Result<void> scan_during(RowsVisit& during, const RowRange& range,
                             const Visit& visit) const override;
    [[nodiscard]] const void* place() const noexcept override { return rows_.get(); }
    Result<void> drop(std::string_view from, std::string_view to) override;

  private:
    class Stored;
    class Changed;
    Result<void> change(std::string_view key, std::optional<std::string_view> value);

    std::shared_ptr<Database> database_;
    std::shared_ptr<StoreRows> rows_;
    std::string key_;  ///< The writer's.
};

}  // namespace leat::streams::detail
