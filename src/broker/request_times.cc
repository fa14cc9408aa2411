// SPDX-License-Identifier: Apache-2.0
#include "broker/request_times.h"

#include <chrono>
#include <cstdint>

#include "base/bounded_time.h"
#include "broker/apis.h"
#include "broker/shard.h"
#include "broker/slow_request.h"
#include "rt/clock.h"

namespace leat::broker {

void count_request(const BrokerMetrics& metrics, const Request& request, std::size_t answer_bytes) {
    const ApiMetrics& api = metrics.of(request.api->key);
    api.requests.add();
    api.request_bytes.add(request.frame_bytes);
    api.response_bytes.add(answer_bytes);
}

void time_request(const BrokerMetrics& metrics, const Request& request, std::size_t answer_bytes) {
    // Not the loop's time: that stands still within a turn, and many requests need only one.
    const std::chrono::nanoseconds total = rt::system_time().now() - request.received_at;
    metrics.of(request.api->key).seconds.observe(total);
    const auto threshold = bounded_ms(request.shard->config().slow_request_ms);
    if (threshold.count() <= 0 || total - request.asked_wait < threshold) return;
    const RequestRecord slow{.api = request.header.api->name,
                             .version = request.header.version,
                             .client_id = request.client_id(),
                             .peer = request.connection->peer,
                             .total = total,
                             .asked_wait = request.asked_wait,
                             .request_bytes = static_cast<std::int64_t>(request.frame_bytes),
                             .response_bytes = static_cast<std::int64_t>(answer_bytes)};
    if (log_if_slow(slow, threshold)) metrics.slow_requests.add();
}

}  // namespace leat::broker
