// SPDX-License-Identifier: Apache-2.0
//
// What all partitions of one shard share. Layer: storage (L3).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/broker_config.h"
#include "rt/disk.h"
#include "rt/executor.h"
#include "storage/quarantined_partitions.h"
#include "storage/upkeep_share.h"

namespace leat::storage {

class DurableMarks;
class FileCache;
class Flusher;
class Metrics;

/// Deliberate bugs that the crash and simulation harnesses must notice. All off in production.
struct Faults {
    bool ack_before_sync = false;
    bool skip_sync = false;  ///< Sync calls do nothing and succeed.
    bool sync_wrong_file = false;
    bool skip_crc_check = false;  ///< On append and in recovery.
    bool skip_dedupe = false;
    bool ack_duplicate_early = false;  ///< A duplicate does not wait for its original's sync.
    bool mark_ahead = false;           ///< The durable mark runs ahead of the sync.
    bool read_above_synced = false;
    bool lso_too_high = false;       ///< Open transactions do not hold readers back.
    bool no_abort_filter = false;    ///< Readers are told of no aborted transaction.
    bool marker_before_log = false;  ///< An end is answered before its marker is durable.
    bool skip_scrub = false;         ///< The scrub takes every segment for good.
};

/// Owned by the shard; outlives its partitions. `broker` is replaced when settings change.
/// Threading: shard-local, but for what open() on the pool reads.
struct ShardContext {
    rt::Disk& disk;
    rt::Executor& executor;
    rt::BlockingPool& pool;
    FileCache& files;     ///< Of the process.
    Flusher& flusher;     ///< Of the shard.
    DurableMarks& marks;  ///< Of the data directory.
    Metrics& metrics;
    std::string data_directory;
    std::shared_ptr<const config::BrokerConfig> broker;
    bool was_clean = false;
    /// Appends and reads tell what they took. What a caller's own rt::CpuMeter measures is left
    /// out.
    bool measures_time = false;
    Faults faults = {};
    /// Of the process.
    std::shared_ptr<UpkeepShare> cleaners = std::make_shared<UpkeepShare>();
    std::shared_ptr<UpkeepShare> scrubs = std::make_shared<UpkeepShare>();
    std::shared_ptr<QuarantinedPartitions> quarantined = std::make_shared<QuarantinedPartitions>();
};

}  // namespace leat::storage
