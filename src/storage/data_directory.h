// SPDX-License-Identifier: Apache-2.0
//
// The data directory: whose it is, in which format, how the last run ended, and which folders of
// partitions are in it. Layer: storage (L3).
// Spec:  Kafka's meta.properties; docs/reference/formats/data-directory.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/types.h"

namespace leat::storage {

class DirectoryHealth;  // Defined in directory_health.h.
class DurableMarks;     // Defined in durable_marks.h.

/// Whose directory it is: meta.properties, with Kafka's keys and ours.
struct DirectoryMeta {
    std::int32_t node_id = 0;
    std::string cluster_id;    ///< "" until bound.
    std::string directory_id;  ///< "" until bound.
};
/// Errors: kNotFound (no meta.properties), kDataDirFormat (of another program or a newer version,
/// damaged); the detail says what to do.
Result<DirectoryMeta> read_directory_meta(rt::Disk& disk, const std::string& directory);

/// Threading: open() and the other calls on a thread that may block, one at a time.
/// Failure:   nothing is deleted on a guess: what is not understood is left or renamed.
class DataDirectory {
  public:
    /// Makes the directory when it is missing, takes its lock, checks format and owner.
    /// Errors: kDataDirInUse (another process), kDataDirFormat (a newer format, another node or
    ///         cluster, something that is no data directory, half deleted), kIoError; the detail
    ///         says what to do.
    static Result<std::unique_ptr<DataDirectory>> open(rt::Disk& disk, const std::string& path,
                                                       std::int32_t node_id);
    ~DataDirectory();

    [[nodiscard]] const std::string& path() const noexcept;
    /// The last run ended by mark_clean(): logs need no scan.
    [[nodiscard]] bool was_clean() const noexcept;
    /// True right after this open() made it.
    [[nodiscard]] bool is_new() const noexcept;
    /// Before the metadata store is opened, which would make a new one where it is gone.
    /// Errors: kDataDirFormat.
    Result<void> check_has_store() const;
    /// Compares with what the store says and writes it into a new directory.
    /// Errors: kDataDirFormat.
    Result<void> bind_cluster(const std::string& cluster_id);

    /// Renames folders that belong to no known partition to "<name>-stray", finishes removals that
    /// a stop interrupted. Returns the stray ones. Reads a file in each folder, on `threads`
    /// threads.
    Result<std::vector<std::string>> reconcile(std::span<const PartitionSpec> known,
                                               std::size_t threads = 1);

    [[nodiscard]] DurableMarks& marks() noexcept;
    /// Whether a write or sync has failed: for /readyz.
    [[nodiscard]] DirectoryHealth& health() noexcept;

    /// After every partition was shut down. The mark is removed at the next open().
    Result<void> mark_clean();

    /// Before the first log is opened: from here on only mark_clean() may say that all is well.
    void logs_are_opened() noexcept;
    /// At the end of a run that opened no log: puts back the mark that open() took away. Does
    /// nothing after logs_are_opened(), or when open() found the directory unclean.
    Result<void> leave_as_found();

  private:
    struct State;
    explicit DataDirectory(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace leat::storage
