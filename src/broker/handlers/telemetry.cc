// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/telemetry.h"

#include <algorithm>
#include <string>

#include "broker/broker.h"
#include "broker/telemetry.h"

namespace leat::broker {
namespace {

TelemetryClient client_of(const Request& request, const Uuid& instance) {
    const ConnectionFacts& facts = *request.connection;
    const std::size_t colon = facts.peer.rfind(':');
    return {.instance = instance,
            .client_id = std::string{request.client_id()},
            .software_name = facts.software_name,
            .software_version = facts.software_version,
            .address = facts.peer_host,
            .port = colon == std::string::npos ? "" : facts.peer.substr(colon + 1)};
}

Uuid fresh_instance(rt::Executor& executor) {
    for (;;) {
        const std::uint64_t high = executor.random();
        const std::uint64_t low = executor.random();
        const Uuid id = Uuid::from_random(high, low);
        if (id.is_usable()) return id;
    }
}

}  // namespace

wire::GetTelemetrySubscriptionsResponse handle_get_telemetry_subscriptions(
    Request& request, const wire::GetTelemetrySubscriptionsRequest& message) {
    Shard& shard = *request.shard;
    wire::GetTelemetrySubscriptionsResponse out;
    const Uuid instance = message.client_instance_id.is_zero() ? fresh_instance(shard.executor())
                                                               : message.client_instance_id;
    const auto subscription = shard.broker().telemetry().subscribe(
        shard.image(), client_of(request, instance), shard.executor().now());
    if (!subscription.has_value()) {
        out.error_code = wire_code(subscription.error().code());
        return out;
    }
    out.client_instance_id = instance;
    out.subscription_id = subscription->id;
    // The best first: zstd, lz4, gzip, snappy.
    out.accepted_compression_types = request.arena.array<std::int8_t>(4);
    std::ranges::copy(std::initializer_list<std::int8_t>{4, 3, 1, 2},
                      out.accepted_compression_types.begin());
    out.push_interval_ms = subscription->interval_ms;
    out.telemetry_max_bytes = shard.config().telemetry_bytes_max;
    out.delta_temporality = true;
    out.requested_metrics = request.arena.array<std::string_view>(subscription->metrics.size());
    std::ranges::transform(
        subscription->metrics, out.requested_metrics.begin(),
        [&request](const std::string& name) { return request.arena.copy(std::string_view{name}); });
    return out;
}

wire::PushTelemetryResponse handle_push_telemetry(Request& request,
                                                  const wire::PushTelemetryRequest& message) {
    Shard& shard = *request.shard;
    wire::PushTelemetryResponse out;
    if (message.client_instance_id.is_zero()) {
        out.error_code = wire_code(Errc::kInvalidRequest);
        return out;
    }
    const Telemetry::Push push{.subscription_id = message.subscription_id,
                               .is_last = message.terminating,
                               .compression = message.compression_type,
                               .metrics = message.metrics};
    const auto done = shard.broker().telemetry().push(
        shard.image(), client_of(request, message.client_instance_id), push,
        shard.executor().now());
    if (!done.has_value()) out.error_code = wire_code(done.error().code());
    return out;
}

}  // namespace leat::broker
