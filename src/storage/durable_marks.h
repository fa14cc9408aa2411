// SPDX-License-Identifier: Apache-2.0
//
// Up to where each partition was known to be on disk: tells a torn tail from damage at the next
// start. Layer: storage (L3).
// Spec:  docs/reference/formats/durable-marks.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "rt/disk.h"
#include "rt/executor.h"
#include "storage/types.h"

namespace leat::storage {

class DirectoryHealth;

struct PartitionIdHash {
    std::size_t operator()(const PartitionId& id) const noexcept {
        return std::hash<Uuid>{}(id.topic) ^
               (static_cast<std::size_t>(id.index) * 0x9E3779B97F4A7C15U);
    }
};
using MarkTable = std::unordered_map<PartitionId, Offset, PartitionIdHash>;

/// Invariant: a mark that is read back is never above what was synced before it was advanced.
/// Threading: thread-safe.
/// Memory:    about 100 bytes a partition.
/// Failure:   a full disk leaves the marks on disk behind, as does a want of descriptors; they are
///            written once it is over. A failed write or sync fails the directory.
class DurableMarks {
  public:
    /// Reads the files; one that is damaged is logged and left out.
    /// Runs on: a thread that may block. Errors: kIoError.
    /// `is_new`: there is no partition yet, so that an empty table is the truth.
    static Result<std::unique_ptr<DurableMarks>> open(rt::Disk& disk, const std::string& directory,
                                                      DirectoryHealth& health, bool is_new = false);
    ~DurableMarks();

    /// 0 for a partition that the table does not have: it was never synced. nullopt when there is
    /// no whole table to tell that by.
    [[nodiscard]] std::optional<Offset> mark(const PartitionId& id) const;

    /// Whether the table has it: an open of this run or of an earlier one came to its end.
    [[nodiscard]] bool has(const PartitionId& id) const;

    /// From now on changes are written `interval` after the first of them. Before that, and
    /// without it, they wait for write_now().
    void start(rt::Executor& home, rt::BlockingPool& pool, std::chrono::milliseconds interval);

    struct Mark {
        PartitionId id;
        Offset offset;
    };
    /// Everything below was synced. Marks go up only.
    void advance(std::span<const Mark> marks);
    /// Before a log is cut at `offset`: durable when it returns.
    /// Runs on: a thread that may block. Errors: kIoError, kNoSpace, kTooManyOpenFiles.
    Result<void> lower(const PartitionId& id, Offset offset);
    /// The partition is gone.
    void forget(const PartitionId& id);

    /// Runs on: a thread that may block. Errors: kIoError, kNoSpace, kTooManyOpenFiles.
    Result<void> write_now();

  private:
    struct State;
    explicit DurableMarks(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

/// Bytes of the files, for tests and the fuzzer. One file has a generation and frames; the first
/// frame is a whole table, each further one has what changed.
struct MarkFile {
    std::uint64_t generation = 0;
    MarkTable marks;
    std::size_t used_bytes = 0;  ///< Up to the last good frame.
};
std::vector<std::byte> encode_mark_head(std::uint64_t generation);
std::vector<std::byte> encode_mark_frame(std::uint64_t generation,
                                         std::span<const DurableMarks::Mark> marks);
/// Errors: kMalformed (the head or the first frame is damaged). Later frames count up to the first
/// bad one.
Result<MarkFile> decode_marks(Bytes file);

}  // namespace leat::storage
