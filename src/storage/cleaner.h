// SPDX-License-Identifier: Apache-2.0
//
// Compaction of one log: keeps the last record of each key. Layer: storage (L3).
// Spec:  Kafka's Cleaner and KIP-534; docs/reference/formats/log.md, "Exchange of segments"
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/cleaner_plan.h"
#include "storage/offset_map.h"
#include "storage/types.h"

namespace leat::storage {

/// What is kept for a producer that may go on: its last batch, or the marker with its last epoch.
struct LastOfProducer {
    Offset last_data{-1};
    std::int16_t epoch = -1;
};

struct CleanerOptions {
    std::string directory;
    CleanerPlan plan;
    std::shared_ptr<const config::TopicConfig> config;
    std::unordered_map<std::int64_t, LastOfProducer> producers;  ///< The live ones.
    WallMs now;
    std::size_t map_bytes_max = std::size_t{128} << 20U;
    double map_load = 0.9;
    HashSecret secret{};
    std::int64_t step_bytes = std::int64_t{512} << 10U;
    std::size_t inflated_bytes_max = kStoredInflatedMax;  ///< Of one batch.
};

/// Reads closed segments and writes what takes their place; the log stays as it is until
/// Log::replace_segments().
///
/// Threading: not synchronised; on threads that may block, beside a log that is written.
/// Memory:    the map of keys, one batch and what it inflates to.
/// Usage:     step() until kDone; after kSwap, replace first() to last() and go on, or give up.
/// Failure:   any error: drop it. What it wrote is removed now or at the next start.
class Cleaner {
  public:
    explicit Cleaner(rt::Disk& disk, CleanerOptions options);
    ~Cleaner();
    Cleaner(const Cleaner&) = delete;
    Cleaner& operator=(const Cleaner&) = delete;

    enum class Step : std::uint8_t { kMore, kSwap, kDone };
    /// Reads about step_bytes. Errors: kIoError, kNoSpace, kNotFound (a segment was removed
    /// meanwhile), kCorruptMessage, kLimitExceeded (a batch with more keys than the map has room
    /// for).
    Result<Step> step();

    /// After kSwap: base offsets of the segments that are replaced.
    [[nodiscard]] Offset first() const;
    [[nodiscard]] Offset last() const;
    /// Everything below is compacted once all is done.
    [[nodiscard]] Offset clean_to() const;
    /// Read and written since the last call.
    [[nodiscard]] std::int64_t take_io_bytes();
    [[nodiscard]] std::int64_t removed_records() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace leat::storage
