// SPDX-License-Identifier: Apache-2.0
//
// Verifies the folder of one partition. Reads only. Layer: storage (L3).
// Spec:  docs/reference/formats/log.md; what recovery would do says how bad a finding is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/units.h"
#include "base/uuid.h"
#include "rt/disk.h"
#include "storage/check/finding.h"

namespace leat::storage {

struct CheckOptions {
    /// Records are inflated and walked, too.
    bool records = true;
    /// A batch that inflates to more is not walked; it is a finding.
    std::size_t inflated_bytes_max = std::size_t{1} << 30U;
    /// Called between batches, with what was looked at so far in all.
    std::function<void(std::int64_t records, std::int64_t bytes)> progress = {};
};

/// What is known of a partition from outside of its folder.
struct PartitionFacts {
    /// Below it everything was durable; nullopt: no mark is known.
    std::optional<Offset> mark = {};
    /// The last run ended well.
    bool clean = false;
    /// The folder lies in a data directory of ours.
    bool is_ours = false;
    std::optional<Uuid> topic_id = {};
};

struct PartitionReport {
    std::string folder;  ///< Its name.
    Offset log_start;
    Offset log_end;
    std::optional<Offset> mark;
    std::int64_t segments = 0;
    std::int64_t batches = 0;
    std::int64_t records = 0;  ///< As the headers count them.
    std::int64_t bytes = 0;    ///< Of good batches.
};

/// What several checks have looked at together.
struct CheckProgress {
    std::int64_t records = 0;
    std::int64_t bytes = 0;
};

/// Never fails: what cannot be read is a finding. Runs on: a thread that may block.
[[nodiscard]] PartitionReport check_partition(rt::Disk& disk, const std::string& folder,
                                              const PartitionFacts& facts,
                                              const CheckOptions& options, CheckProgress& progress,
                                              Findings& findings);

}  // namespace leat::storage
