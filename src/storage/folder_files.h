// SPDX-License-Identifier: Apache-2.0
//
// The small files of a partition's folder, and folders that are on their way out.
// Layer: storage (L3).
// Spec:  Kafka's partition.metadata and checkpoint files; docs/reference/formats/data-directory.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "rt/disk.h"
#include "storage/types.h"

namespace leat::storage {

/// All of these may block.

/// "<folder>/<offset, 20 digits><ending>".
[[nodiscard]] std::string snapshot_path(const std::string& folder, Offset at,
                                        std::string_view ending);
/// Offsets of the producer snapshots of a folder, ascending.
Result<std::vector<Offset>> list_snapshots(rt::Disk& disk, const std::string& folder);
/// The snapshot and its window. One that is not there is no error.
Result<void> remove_snapshot(rt::Disk& disk, const std::string& folder, Offset at);

/// The stored log start; 0 when none is. Errors: kMalformed.
Result<Offset> read_log_start(rt::Disk& disk, const std::string& folder);
Result<void> write_log_start(rt::Disk& disk, const std::string& folder, const PartitionSpec& spec,
                             Offset offset);

/// The topic's id in partition.metadata; nullopt without the file. Errors: kDataDirFormat
/// (damaged).
Result<std::optional<Uuid>> read_topic_id(rt::Disk& disk, const std::string& folder);
Result<void> write_topic_id(rt::Disk& disk, const std::string& folder, const Uuid& id);
/// The same in a folder that is new: neither the file nor its name is synced. A crash before that
/// leaves no file or an empty one, which counts as none.
Result<std::shared_ptr<rt::File>> write_new_topic_id(rt::Disk& disk, const std::string& folder,
                                                     const Uuid& id);

/// Up to here the log is compacted; 0 without the file, and when it cannot be read: then compaction
/// begins at the start once more.
[[nodiscard]] Offset read_cleaned_to(rt::Disk& disk, const std::string& folder);
Result<void> write_cleaned_to(rt::Disk& disk, const std::string& folder, Offset offset);

/// The name of a folder that is being removed: "<folder>.<id in hex>-delete".
[[nodiscard]] std::string deleted_path(const std::string& folder, const PartitionId& id);
inline constexpr std::string_view kDeletedEnding = "-delete";
inline constexpr std::string_view kStrayEnding = "-stray";
/// Names the segment that a scrub found damaged: segment_scrub.h.
inline constexpr std::string_view kDamageNoteName = "damaged-segment";

/// Removes a folder and all in it, deepest first. One that is not there is no error.
Result<void> remove_tree(rt::Disk& disk, const std::string& folder);

/// The whole of a small text file; nullopt when it is not there.
Result<std::optional<std::string>> read_text(rt::Disk& disk, const std::string& path);

}  // namespace leat::storage
