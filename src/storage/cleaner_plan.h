// SPDX-License-Identifier: Apache-2.0
//
// What of a log is to be compacted, and when. Layer: storage (L3). Pure.
// Spec:  Kafka's LogCleanerManager and Cleaner.groupSegmentsBySize.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/topic_config.h"
#include "storage/log.h"

namespace leat::storage {

struct CleanerPlan {
    std::vector<Log::SegmentInfo> segments;  ///< Closed ones from the log's start on.
    Offset first_dirty;                      ///< What lies below was compacted before.
    double dirty_ratio = 0;
};

struct CleanerView {
    std::vector<Log::SegmentInfo> segments;  ///< All of the log, the active one last.
    Offset first_dirty;
    Offset bound;  ///< Of last stable offset and what is durable, the lesser.
    WallMs now;
};

/// nullopt: there is nothing to do, or not enough yet.
[[nodiscard]] std::optional<CleanerPlan> plan_cleaning(const CleanerView& view,
                                                       const config::TopicConfig& config);

/// Divides segments into runs of which each becomes one; the numbers are the sizes of the runs.
[[nodiscard]] std::vector<std::size_t> group_segments(const std::vector<Log::SegmentInfo>& segments,
                                                      std::int64_t bytes_max);

}  // namespace leat::storage
