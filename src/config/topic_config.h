// SPDX-License-Identifier: Apache-2.0
//
// The settings of one topic, typed and ready to use. Layer: config (L1). Pure.
// Spec:  Kafka topic configuration 4.3; docs/reference/settings.md.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "config/setting.h"

namespace leat::config {

enum class Compression : std::uint8_t { kProducer, kUncompressed, kGzip, kSnappy, kLz4, kZstd };
enum class TimestampType : std::uint8_t { kCreateTime, kLogAppendTime };

/// When acks=1 and acks=all are answered, and what the high watermark means.
enum class Durability : std::uint8_t { kSync, kInterval, kOs };

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// Effective settings of a topic: its own values over the broker's over the defaults.
/// All times are milliseconds, all sizes bytes. A default-made one has Kafka 4.3's defaults.
///
/// Threading: immutable once made; shared as std::shared_ptr<const TopicConfig>.
struct TopicConfig {
    bool cleanup_delete = true;    ///< cleanup.policy contains "delete".
    bool cleanup_compact = false;  ///< cleanup.policy contains "compact".
    Compression compression = Compression::kProducer;
    std::int32_t compression_gzip_level = -1;
    std::int32_t compression_lz4_level = 9;
    std::int32_t compression_zstd_level = 3;
    std::int64_t delete_retention_ms = 86'400'000;
    std::int64_t file_delete_delay_ms = 60'000;
    std::int64_t flush_messages = kNever;
    std::int64_t flush_ms = kNever;
    std::int32_t index_interval_bytes = 4096;
    std::int64_t max_compaction_lag_ms = kNever;
    std::int32_t max_message_bytes = 1'048'588;
    std::int64_t timestamp_before_max_ms = kNever;
    std::int64_t timestamp_after_max_ms = 3'600'000;
    TimestampType timestamp_type = TimestampType::kCreateTime;
    double min_cleanable_dirty_ratio = 0.5;
    std::int64_t min_compaction_lag_ms = 0;
    bool preallocate = false;
    std::int64_t retention_bytes = -1;        ///< Negative: no limit.
    std::int64_t retention_ms = 604'800'000;  ///< -1: no limit.
    std::int32_t segment_bytes = 1'073'741'824;
    std::int32_t segment_index_bytes = 10'485'760;
    std::int64_t segment_jitter_ms = 0;
    std::int64_t segment_ms = 604'800'000;
    Durability durability = Durability::kSync;

    friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

/// Every topic setting, in name order.
std::span<const Setting> topic_settings();

/// nullptr when there is no such topic setting.
const Setting* find_topic_setting(std::string_view name);

}  // namespace leat::config
