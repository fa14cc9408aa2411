// SPDX-License-Identifier: Apache-2.0
//
// Verifies a data directory: what is in it, and each of its partitions. Reads only.
// Layer: storage (L3).
// Spec:  docs/reference/formats/data-directory.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/check/finding.h"
#include "storage/check/partition_check.h"
#include "storage/durable_marks.h"

namespace leat::storage {

/// A topic as the metadata has it.
struct KnownTopic {
    std::string name;
    Uuid id;
    std::int32_t partition_count = 1;
};

/// What the files at the top of a data directory say.
struct DirectoryFacts {
    bool is_ours = false;  ///< It has a meta.properties of ours.
    bool clean = false;    ///< The last run ended well.
    std::string cluster_id;
    /// nullopt: no file of marks could be read.
    std::optional<MarkTable> marks;
    std::vector<std::string> folders;  ///< Names of the partitions' folders.
};

/// "<topic>-<number>".
[[nodiscard]] bool is_partition_folder(std::string_view name);

/// Reads the files, and says what is wrong with them. Errors: kNotFound, kIoError (the directory
/// cannot be listed).
Result<DirectoryFacts> read_directory(rt::Disk& disk, const std::string& directory,
                                      Findings& findings);

/// Compares folders and marks with what the metadata knows.
void check_folders(const std::string& directory, const DirectoryFacts& facts,
                   const std::vector<KnownTopic>& known, Findings& findings);

/// Whether somebody who asked for these partitions only wants to hear it: not what is said of the
/// folders of others, or of what lies about beside them.
[[nodiscard]] bool concerns(const Finding& finding, std::span<const std::string> partitions);

/// What is known of the partition in folder `name`; `known`: by name, nullptr when the metadata
/// cannot be read.
[[nodiscard]] PartitionFacts facts_of(const DirectoryFacts& facts, std::string_view name,
                                      const std::vector<KnownTopic>* known);

/// Bytes of all segments in these folders: what a check will read. What cannot be read counts 0.
[[nodiscard]] std::int64_t log_bytes(rt::Disk& disk, const std::string& directory,
                                     const std::vector<std::string>& folders);

}  // namespace leat::storage
