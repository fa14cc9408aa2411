// SPDX-License-Identifier: Apache-2.0
#include "storage/cleaner_plan.h"

#include <limits>

namespace leat::storage {

std::optional<CleanerPlan> plan_cleaning(const CleanerView& view,
                                         const config::TopicConfig& config) {
    CleanerPlan plan{.segments = {}, .first_dirty = view.first_dirty, .dirty_ratio = 0};
    std::int64_t clean = 0;
    std::int64_t dirty = 0;
    bool is_overdue = false;
    for (std::size_t i = 0; i + 1 < view.segments.size(); ++i) {
        const Log::SegmentInfo& segment = view.segments[i];
        if (segment.end > view.bound) break;
        const bool is_dirty = segment.end > view.first_dirty;
        // A record must rest for min.compaction.lag.ms before anything may replace it.
        if (is_dirty && config.min_compaction_lag_ms > 0 &&
            segment.max_timestamp.value > view.now.value - config.min_compaction_lag_ms)
            break;
        (is_dirty ? dirty : clean) += segment.size_bytes;
        if (is_dirty && segment.size_bytes > 0 && segment.first_timestamp.value >= 0 &&
            view.now.value - segment.first_timestamp.value > config.max_compaction_lag_ms)
            is_overdue = true;
        plan.segments.push_back(segment);
    }
    if (dirty == 0) return std::nullopt;
    plan.dirty_ratio = static_cast<double>(dirty) / static_cast<double>(clean + dirty);
    if (!is_overdue && plan.dirty_ratio <= config.min_cleanable_dirty_ratio) return std::nullopt;
    return plan;
}

std::vector<std::size_t> group_segments(const std::vector<Log::SegmentInfo>& segments,
                                        std::int64_t bytes_max) {
    std::vector<std::size_t> groups;
    std::int64_t bytes = 0;
    Offset base;
    for (const Log::SegmentInfo& segment : segments) {
        const bool fits =
            !groups.empty() && bytes + segment.size_bytes <= bytes_max &&
            segment.end.value - base.value <= std::numeric_limits<std::int32_t>::max();
        if (!fits) {
            groups.push_back(0);
            bytes = 0;
            base = segment.base;
        }
        ++groups.back();
        bytes += segment.size_bytes;
    }
    return groups;
}

}  // namespace leat::storage
