// SPDX-License-Identifier: Apache-2.0
#include "config/topic_config.h"

#include <algorithm>
#include <array>

#include "config/bind.h"

namespace leat::config {
namespace {

constexpr std::string_view kCodecs = "uncompressed,zstd,lz4,snappy,gzip,producer";
constexpr std::string_view kLongMax = "9223372036854775807";

void set_cleanup_policy(TopicConfig& config, const Value& value) {
    const auto& names = std::get<std::vector<std::string>>(value);
    config.cleanup_delete = std::ranges::find(names, "delete") != names.end();
    config.cleanup_compact = std::ranges::find(names, "compact") != names.end();
}

std::string_view check_gzip_level(const Value& value) {
    const std::int64_t level = std::get<std::int64_t>(value);
    const bool good = level == -1 || (level >= 1 && level <= 9);
    return good ? "" : "Value must be between 1 and 9 or equal to -1";
}

std::string_view check_no_tiers(const Value& value) {
    return std::get<bool>(value) ? "Remote log storage does not exist in this broker" : "";
}

/// "*" or elements such as "3:101".
std::string_view check_throttled(const Value& value) {
    const auto& names = std::get<std::vector<std::string>>(value);
    if (names.empty() || (names.size() == 1 && names[0] == "*")) return "";
    for (const std::string& name : names) {
        const auto colon = name.find(':');
        const auto is_number = [](std::string_view text) {
            return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
        };
        if (colon == std::string::npos || !is_number(std::string_view{name}.substr(0, colon)) ||
            !is_number(std::string_view{name}.substr(colon + 1)))
            return "Value must be the literal '*' or a list of replicas in the following format: "
                   "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
    }
    return "";
}

using enum Type;

// In name order. `synonym` is the broker setting that sets the default of all topics; its row in
// the broker table is made from the row here.
constexpr auto kRows = std::to_array<Setting>({
    {.name = "cleanup.policy",
     .type = kList,
     .fallback = "delete",
     .choices = "compact,delete",
     .doc = "What happens to old records: delete drops old segments by time and size, compact "
            "keeps the "
            "last record of each key; both may be given, and an empty list keeps everything.",
     .synonym = "log.cleanup.policy",
     .into_topic = set_cleanup_policy},
    {.name = "compression.gzip.level",
     .type = kInt,
     .fallback = "-1",
     .doc = "Level used when this broker compresses with gzip; -1 is zlib's own choice.",
     .synonym = "compression.gzip.level",
     .check = check_gzip_level,
     .into_topic = into_topic<&TopicConfig::compression_gzip_level>},
    {.name = "compression.lz4.level",
     .type = kInt,
     .fallback = "9",
     .min = 1,
     .max = 17,
     .doc = "Level used when this broker compresses with lz4.",
     .synonym = "compression.lz4.level",
     .into_topic = into_topic<&TopicConfig::compression_lz4_level>},
    {.name = "compression.type",
     .type = kString,
     .fallback = "producer",
     .choices = kCodecs,
     .doc = "Codec of the batches on disk; producer keeps what the client sent, any other value "
            "makes the "
            "broker recompress batches that differ.",
     .synonym = "compression.type",
     .into_topic = into_topic<&TopicConfig::compression>},
    {.name = "compression.zstd.level",
     .type = kInt,
     .fallback = "3",
     .min = -131072,
     .max = 22,
     .doc = "Level used when this broker compresses with zstd.",
     .synonym = "compression.zstd.level",
     .into_topic = into_topic<&TopicConfig::compression_zstd_level>},
    {.name = "delete.retention.ms",
     .type = kLong,
     .fallback = "86400000",
     .min = 0,
     .doc = "How long a delete marker (a record without value) stays readable after compaction has "
            "first met it.",
     .synonym = "log.cleaner.delete.retention.ms",
     .into_topic = into_topic<&TopicConfig::delete_retention_ms>},
    {.name = "file.delete.delay.ms",
     .type = kLong,
     .fallback = "60000",
     .min = 0,
     .doc = "How long a file that is no longer part of the log waits before it is removed.",
     .synonym = "log.segment.delete.delay.ms",
     .into_topic = into_topic<&TopicConfig::file_delete_delay_ms>},
    {.name = "flush.messages",
     .type = kLong,
     .fallback = kLongMax,
     .min = 1,
     .doc = "With leat.durability=interval or os: sync after this many records.",
     .synonym = "log.flush.interval.messages",
     .into_topic = into_topic<&TopicConfig::flush_messages>},
    {.name = "flush.ms",
     .type = kLong,
     .fallback = kLongMax,
     .min = 0,
     .doc =
         "With leat.durability=interval: longest time between an append and its sync (1,000 unless "
         "set). With os: sync this often when set.",
     .synonym = "log.flush.interval.ms",
     .synonym_null = true,
     .into_topic = into_topic<&TopicConfig::flush_ms>},
    {.name = "follower.replication.throttled.replicas",
     .type = kList,
     .fallback = "",
     .doc = "Replicas whose follower traffic is throttled. A single node does not replicate.",
     .effective = false,
     .check = check_throttled},
    {.name = "index.interval.bytes",
     .type = kInt,
     .fallback = "4096",
     .min = 0,
     .doc = "Log bytes between two entries of the offset index.",
     .synonym = "log.index.interval.bytes",
     .into_topic = into_topic<&TopicConfig::index_interval_bytes>},
    {.name = "internal.segment.bytes",
     .type = kInt,
     .min = 1,
     .doc = "For tests: segment.bytes without its lower bound.",
     .hidden = true,
     .into_topic = into_topic<&TopicConfig::segment_bytes>},
    {.name = "leader.replication.throttled.replicas",
     .type = kList,
     .fallback = "",
     .doc = "Replicas whose leader traffic is throttled. A single node does not replicate.",
     .effective = false,
     .check = check_throttled},
    {.name = "leat.durability",
     .type = kString,
     .fallback = "sync",
     .choices = "sync,interval,os",
     .doc =
         "When a produce request is answered: sync after the bytes are on disk, interval after the "
         "append "
         "with a sync every flush.ms, os after the append with the kernel writing when it likes.",
     .synonym = "leat.durability",
     .into_topic = into_topic<&TopicConfig::durability>},
    {.name = "local.retention.bytes",
     .type = kLong,
     .fallback = "-2",
     .min = -2,
     .doc = "Bytes kept locally when older ones are in remote storage, which does not exist here.",
     .effective = false,
     .synonym = "log.local.retention.bytes"},
    {.name = "local.retention.ms",
     .type = kLong,
     .fallback = "-2",
     .min = -2,
     .doc =
         "Time kept locally when older records are in remote storage, which does not exist here.",
     .effective = false,
     .synonym = "log.local.retention.ms"},
    {.name = "max.compaction.lag.ms",
     .type = kLong,
     .fallback = kLongMax,
     .min = 1,
     .doc = "Longest time a record waits before compaction may be forced by age.",
     .synonym = "log.cleaner.max.compaction.lag.ms",
     .into_topic = into_topic<&TopicConfig::max_compaction_lag_ms>},
    {.name = "max.message.bytes",
     .type = kInt,
     .fallback = "1048588",
     .min = 0,
     .doc = "Largest record batch, as stored, header included.",
     .synonym = "message.max.bytes",
     .into_topic = into_topic<&TopicConfig::max_message_bytes>},
    {.name = "message.timestamp.after.max.ms",
     .type = kLong,
     .fallback = "3600000",
     .min = 0,
     .doc = "With CreateTime: how far ahead of this broker's clock a record's time may be.",
     .synonym = "log.message.timestamp.after.max.ms",
     .into_topic = into_topic<&TopicConfig::timestamp_after_max_ms>},
    {.name = "message.timestamp.before.max.ms",
     .type = kLong,
     .fallback = kLongMax,
     .min = 0,
     .doc = "With CreateTime: how far behind this broker's clock a record's time may be.",
     .synonym = "log.message.timestamp.before.max.ms",
     .into_topic = into_topic<&TopicConfig::timestamp_before_max_ms>},
    {.name = "message.timestamp.type",
     .type = kString,
     .fallback = "CreateTime",
     .choices = "CreateTime,LogAppendTime",
     .doc = "Whether records keep the producer's time or get the time of the append.",
     .synonym = "log.message.timestamp.type",
     .into_topic = into_topic<&TopicConfig::timestamp_type>},
    {.name = "min.cleanable.dirty.ratio",
     .type = kDouble,
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .doc = "Share of not yet compacted bytes in the log above which it is compacted.",
     .synonym = "log.cleaner.min.cleanable.ratio",
     .into_topic = into_topic<&TopicConfig::min_cleanable_dirty_ratio>},
    {.name = "min.compaction.lag.ms",
     .type = kLong,
     .fallback = "0",
     .min = 0,
     .doc = "Time a record stays safe from compaction.",
     .synonym = "log.cleaner.min.compaction.lag.ms",
     .into_topic = into_topic<&TopicConfig::min_compaction_lag_ms>},
    {.name = "min.insync.replicas",
     .type = kInt,
     .fallback = "1",
     .min = 1,
     .doc = "Replicas that must have a record before acks=all is answered. A topic of one node has "
            "one replica, and larger values count as 1, as they do in Kafka.",
     .effective = false,
     .synonym = "min.insync.replicas"},
    {.name = "preallocate",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Reserve a new segment's full size on disk at once.",
     .synonym = "log.preallocate",
     .into_topic = into_topic<&TopicConfig::preallocate>},
    {.name = "remote.log.copy.disable",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Stop copying to remote storage, which does not exist here.",
     .effective = false},
    {.name = "remote.log.delete.on.disable",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Drop remote data when remote storage, which does not exist here, is turned off.",
     .effective = false},
    {.name = "remote.storage.enable",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Use remote storage, which does not exist here: only false is accepted.",
     .effective = false,
     .check = check_no_tiers},
    {.name = "retention.bytes",
     .type = kLong,
     .fallback = "-1",
     .doc = "With cleanup.policy=delete: bytes a partition keeps; negative for no limit.",
     .synonym = "log.retention.bytes",
     .into_topic = into_topic<&TopicConfig::retention_bytes>},
    {.name = "retention.ms",
     .type = kLong,
     .fallback = "604800000",
     .min = -1,
     .doc = "With cleanup.policy=delete: time a record is kept; -1 for ever.",
     .synonym = "log.retention.ms",
     .synonym_null = true,
     .into_topic = into_topic<&TopicConfig::retention_ms>},
    {.name = "segment.bytes",
     .type = kInt,
     .fallback = "1073741824",
     .min = 1'048'576,
     .doc = "Size at which a new segment file is begun. Retention works on whole segments.",
     .synonym = "log.segment.bytes",
     .into_topic = into_topic<&TopicConfig::segment_bytes>},
    {.name = "segment.index.bytes",
     .type = kInt,
     .fallback = "10485760",
     .min = 4,
     .doc = "Largest size of a segment's index file; a full index begins a new segment.",
     .synonym = "log.index.size.max.bytes",
     .into_topic = into_topic<&TopicConfig::segment_index_bytes>},
    {.name = "segment.jitter.ms",
     .type = kLong,
     .fallback = "0",
     .min = 0,
     .doc = "Random time taken off segment.ms, so that partitions do not all roll at once.",
     .synonym = "log.roll.jitter.ms",
     .synonym_null = true,
     .into_topic = into_topic<&TopicConfig::segment_jitter_ms>},
    {.name = "segment.ms",
     .type = kLong,
     .fallback = "604800000",
     .min = 1,
     .doc = "Age of its first record at which a segment is closed though it is not full.",
     .synonym = "log.roll.ms",
     .synonym_null = true,
     .into_topic = into_topic<&TopicConfig::segment_ms>},
    {.name = "unclean.leader.election.enable",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Let a replica that lags become leader. A single node has one replica.",
     .effective = false,
     .synonym = "unclean.leader.election.enable"},
});
static_assert(std::ranges::is_sorted(kRows, {}, &Setting::name));

}  // namespace

std::span<const Setting> topic_settings() {
    return kRows;
}

const Setting* find_topic_setting(std::string_view name) {
    const auto row = std::ranges::lower_bound(kRows, name, {}, &Setting::name);
    return row != kRows.end() && row->name == name ? &*row : nullptr;
}

}  // namespace leat::config
