// SPDX-License-Identifier: Apache-2.0
//
// What a task on a cluster uses of the thread that runs it. Layer: streams (L6).
// Threading: belongs to the thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/partition_reader.h"
#include "client/record_writer.h"
#include "leat/streams/handlers.h"
#include "leat/streams/restore_listener.h"
#include "rt/clock.h"
#include "streams/cluster/changelog_reader.h"
#include "streams/cluster/global_state.h"
#include "streams/cluster/layout.h"
#include "streams/metrics.h"
#include "streams/settings.h"
#include "streams/state/record_cache.h"
#include "streams/state/state_home.h"

namespace leat::streams {

/// What a task uses of the thread that runs it, and (cluster, states, listener) of the one that
/// restores it.
struct TaskEnvironment {
    const Settings* settings = nullptr;
    const detail::Parts* parts = nullptr;
    const Layout* layout = nullptr;
    client::PartitionReader* reader = nullptr;
    const rt::Clock* clock = nullptr;
    const ErrorHandlers* handlers = nullptr;
    const GlobalState* globals = nullptr;
    /// Hands a record to the producer; waits while that is full.
    std::function<Result<void>(std::string_view topic, const client::OutgoingRecord&)> send;
    /// All that was sent is acknowledged, or is within so long.
    std::function<bool(std::chrono::milliseconds wait)> deliver;
    /// How many partitions a topic has.
    std::function<Result<std::int32_t>(std::string_view topic)> partitions_of;
    /// Keeps where a record's output comes from until that is delivered, and gives the tag for it.
    /// Absent: nobody would ask.
    std::function<std::uint64_t(ErrorContext)> keep_source{};
    ChangelogReader::Cluster cluster{};  ///< Of who restores it.
    detail::StateHome* states = nullptr;
    std::shared_ptr<detail::CacheBudget> cache{};
    RestoreListener* listener = nullptr;
    MetricRoom* metrics = nullptr;
    std::string thread{};  ///< Name of the thread, for metrics.
    /// Punctuations were called and took so long. May be absent.
    std::function<void(std::chrono::nanoseconds took)> on_punctuated{};
    /// The first offset that is not older than a time (or client::kEarliest, kLatest); the end when
    /// there is none.
    std::function<Result<std::int64_t>(const client::TopicPartition& where, std::int64_t time_ms)>
        offset_at;
};

}  // namespace leat::streams
