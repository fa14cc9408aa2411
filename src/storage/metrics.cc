// SPDX-License-Identifier: Apache-2.0
#include "storage/metrics.h"

#include <array>

namespace leat::storage {
namespace {

using obs::Kind;
using obs::Metric;

constexpr Metric kAppendedBatches{.name = "leat_log_appended_batches_total",
                                  .help = "Record batches appended to logs."};
constexpr Metric kAppendedBytes{.name = "leat_log_appended_bytes_total",
                                .help = "Bytes of record batches appended to logs."};
constexpr Metric kAppendsOnPool{
    .name = "leat_log_appends_on_pool_total",
    .help = "Appends that ran on a thread of the pool, since they might have blocked."};
constexpr Metric kColdReads{.name = "leat_log_cold_reads_total",
                            .help = "Reads that had to wait for the disk."};
constexpr Metric kCutBytes{.name = "leat_log_recovery_cut_bytes_total",
                           .help = "Bytes of torn tails that recovery cut off and kept aside."};
constexpr Metric kDuplicates{
    .name = "leat_log_duplicate_batches_total",
    .help = "Batches that an idempotent producer sent again and that were not appended again."};
constexpr Metric kExpiredProducers{.name = "leat_log_expired_producers_total",
                                   .help = "Producer ids forgotten after idling."};
constexpr Metric kFileReads{.name = "leat_log_file_reads_total",
                            .help = "Reads served from segment files."};
constexpr Metric kOffline{.name = "leat_log_offline_partitions",
                          .kind = Kind::kGauge,
                          .help = "Partitions that take no records until restart."};
constexpr Metric kQuarantined{
    .name = "leat_log_quarantined_partitions",
    .kind = Kind::kGauge,
    .help = "Partitions with damage in what was durable; kept as they are and not served."};
constexpr Metric kRefused{.name = "leat_log_refused_batches_total",
                          .help = "Record batches that were not appended because of an error."};
constexpr Metric kScrubDamaged{
    .name = "leat_log_scrub_damaged_total",
    .help = "Segments in use that the scrub found damaged; their partitions are quarantined."};
constexpr Metric kScrubbedBytes{.name = "leat_log_scrubbed_bytes_total",
                                .help = "Bytes of segments that the scrub has checked."};
constexpr Metric kSyncFailures{.name = "leat_log_sync_failures_total",
                               .help = "Failed syncs; the data directory is offline after one."};
constexpr Metric kSyncSeconds{.name = "leat_log_sync_seconds",
                              .kind = Kind::kHistogram,
                              .help = "Time from asking for a sync to its end.",
                              .bounds = obs::kLatencyBounds,
                              .scale = obs::kNanoseconds};
constexpr Metric kFileSyncs{.name = "leat_log_syncs_total",
                            .help = "Syncs of the files of one log (fdatasync)."};
constexpr Metric kFileSystemSyncs{.name = "leat_log_syncs_whole_total",
                                  .help = "Syncs of the whole file system (syncfs)."};
constexpr Metric kTailBytes{.name = "leat_log_tail_bytes",
                            .kind = Kind::kGauge,
                            .help = "Memory of the buffers of recent appends."};
constexpr Metric kTailReads{.name = "leat_log_tail_reads_total",
                            .help = "Reads served from the buffer of recent appends."};

constexpr std::array kTable{kAppendedBatches, kAppendedBytes, kAppendsOnPool,    kColdReads,
                            kCutBytes,        kDuplicates,    kExpiredProducers, kFileReads,
                            kOffline,         kQuarantined,   kRefused,          kScrubDamaged,
                            kScrubbedBytes,   kSyncFailures,  kSyncSeconds,      kFileSyncs,
                            kFileSystemSyncs, kTailBytes,     kTailReads};

}  // namespace

std::span<const obs::Metric> metrics_table() {
    return kTable;
}

Metrics::Metrics(obs::Registry& registry)
    : appended_bytes(registry.counter(kAppendedBytes)),
      appended_batches(registry.counter(kAppendedBatches)),
      duplicates(registry.counter(kDuplicates)),
      refused(registry.counter(kRefused)),
      appends_on_pool(registry.counter(kAppendsOnPool)),
      file_syncs(registry.counter(kFileSyncs)),
      file_system_syncs(registry.counter(kFileSystemSyncs)),
      sync_failures(registry.counter(kSyncFailures)),
      sync_seconds(registry.histogram(kSyncSeconds)),
      tail_reads(registry.counter(kTailReads)),
      file_reads(registry.counter(kFileReads)),
      cold_reads(registry.counter(kColdReads)),
      tail_bytes(registry.gauge(kTailBytes)),
      expired_producers(registry.counter(kExpiredProducers)),
      cut_bytes(registry.counter(kCutBytes)),
      scrubbed_bytes(registry.counter(kScrubbedBytes)),
      scrub_damaged(registry.counter(kScrubDamaged)),
      quarantined(registry.gauge(kQuarantined)),
      offline(registry.gauge(kOffline)) {}

}  // namespace leat::storage
