// SPDX-License-Identifier: Apache-2.0
//
// What the broker counts. Layer: broker (L6).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "obs/metrics.h"
#include "wire/api_keys.h"

namespace leat::broker {

/// Every metric of this module, for the reference page.
[[nodiscard]] std::span<const obs::Metric> metrics_table();

// Looked up at a scrape, by topic and partition.
[[nodiscard]] const obs::Metric& partition_size_metric();
[[nodiscard]] const obs::Metric& partition_start_metric();
[[nodiscard]] const obs::Metric& partition_end_metric();
/// By group, topic and partition.
[[nodiscard]] const obs::Metric& group_offset_metric();
[[nodiscard]] const obs::Metric& group_lag_metric();
[[nodiscard]] const obs::Metric& groups_metric();
[[nodiscard]] const obs::Metric& group_memory_metric();  ///< Of the whole node.

/// Handles of one served API.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): a counter without a metric is not made.
struct ApiMetrics {
    obs::Counter requests;
    obs::Counter request_bytes;
    obs::Counter response_bytes;
    obs::Histogram seconds;
    obs::Counter refused_answers;
};

/// Threading: thread-safe; counting takes no lock.
class BrokerMetrics {
  public:
    explicit BrokerMetrics(obs::Registry& registry);
    ~BrokerMetrics();

    /// Precondition: the API is served.
    [[nodiscard]] const ApiMetrics& of(wire::ApiKey key) const;
    /// Counts an error code that a client was answered; 0 is none.
    void count_error(std::int16_t wire_code);
    void count_closed(std::string_view reason);
    void count_refused(std::string_view reason);
    /// `outcome` is "ok" or "failed".
    void count_authentication(std::string_view mechanism, std::string_view outcome);

    obs::Counter accepted;
    obs::Counter moved;
    obs::Gauge connections;
    obs::Gauge executing;
    obs::Gauge queued_answers;
    obs::Gauge queued_answer_bytes;
    obs::Gauge request_memory;
    obs::Gauge response_memory;
    obs::Counter slow_requests;
    obs::Counter throttled;
    obs::Counter produced_bytes;
    obs::Counter produced_batches;
    obs::Counter fetched_bytes;
    obs::Gauge waiting_fetches;
    obs::Gauge fetch_sessions;
    obs::Gauge partitions;
    obs::Gauge partitions_failed;
    obs::Gauge hanging_transactions;

  private:
    static constexpr std::size_t kCodes = 256;  ///< Code -1 is the first.
    obs::Registry& registry_;
    std::vector<std::unique_ptr<ApiMetrics>> by_key_;  ///< Null where not served.
    std::array<std::atomic<const obs::Counter*>, kCodes> errors_{};
    std::mutex errors_mutex_;  ///< Locks: taken to make a counter, not to count.
    std::vector<std::unique_ptr<const obs::Counter>> made_;
};

}  // namespace leat::broker
