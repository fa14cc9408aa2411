// SPDX-License-Identifier: Apache-2.0
//
// What storage counts. Layer: storage (L3).
#pragma once

#include <span>

#include "obs/metrics.h"

namespace leat::storage {

/// Every metric of the module, in name order.
[[nodiscard]] std::span<const obs::Metric> metrics_table();

/// Threading: thread-safe. Memory: handles; the registry must outlive it.
class Metrics {
  public:
    explicit Metrics(obs::Registry& registry);

    obs::Counter appended_bytes;
    obs::Counter appended_batches;
    obs::Counter duplicates;
    obs::Counter refused;
    obs::Counter appends_on_pool;
    obs::Counter file_syncs;
    obs::Counter file_system_syncs;
    obs::Counter sync_failures;
    obs::Histogram sync_seconds;
    obs::Counter tail_reads;
    obs::Counter file_reads;
    obs::Counter cold_reads;
    obs::Gauge tail_bytes;
    obs::Counter expired_producers;
    obs::Counter cut_bytes;
    obs::Counter scrubbed_bytes;
    obs::Counter scrub_damaged;
    obs::Gauge quarantined;
    obs::Gauge offline;
};

}  // namespace leat::storage
