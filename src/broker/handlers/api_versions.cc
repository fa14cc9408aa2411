// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/api_versions.h"

#include <algorithm>
#include <vector>

#include "broker/apis.h"
#include "broker/broker.h"

namespace leat::broker {
namespace {

using ApiVersion = wire::ApiVersionsResponse::ApiVersion;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Letters and digits, with '-' and '.' between them.
bool is_software_name(std::string_view text) {
    if (text.empty() || !is_word(text.front()) || !is_word(text.back())) return false;
    return std::ranges::all_of(text, [](char c) { return is_word(c) || c == '-' || c == '.'; });
}

ApiVersion row_of(const wire::ApiInfo& info) {
    return {.api_key = static_cast<std::int16_t>(info.key),
            .min_version = info.min,
            .max_version = info.max};
}

void add_features(const Request& request, wire::ApiVersionsResponse& out, Arena& arena) {
    const Broker& broker = request.shard->broker();
    const metadata::Image& image = request.shard->image();
    const std::vector<admin::Feature> features =
        admin::finalized_features(broker.features(), image);
    out.supported_features =
        arena.array<wire::ApiVersionsResponse::SupportedFeatureKey>(features.size());
    out.finalized_features =
        arena.array<wire::ApiVersionsResponse::FinalizedFeatureKey>(features.size());
    std::size_t supported = 0;
    std::size_t finalized = 0;
    for (const admin::Feature& feature : features) {
        // Before version 4 clients cannot read a feature whose least version is 0.
        if (feature.min > 0 || request.version() >= 4)
            out.supported_features[supported++] = {feature.name, feature.min, feature.max};
        if (feature.finalized > 0)
            out.finalized_features[finalized++] = {.name = feature.name,
                                                   .max_version_level = feature.finalized,
                                                   .min_version_level = feature.finalized};
    }
    out.supported_features = out.supported_features.first(supported);
    out.finalized_features = out.finalized_features.first(finalized);
    out.finalized_features_epoch = broker.features_epoch() + image.feature_changes();
}

}  // namespace

wire::ApiVersionsResponse handle_api_versions(Request& request,
                                              const wire::ApiVersionsRequest& message) {
    wire::ApiVersionsResponse out;
    if (request.version() >= 3) {
        if (!is_software_name(message.client_software_name) ||
            !is_software_name(message.client_software_version)) {
            out.error_code = wire_code(Errc::kInvalidRequest);
            return out;
        }
        request.connection->software_name = message.client_software_name;
        request.connection->software_version = message.client_software_version;
    }
    const std::span<const Api> served = apis();
    out.api_keys = request.arena.array<ApiVersion>(served.size());
    // Clients ask for subscriptions as soon as they see that somebody takes metrics.
    const bool takes_metrics = request.shard->config().telemetry;
    std::size_t told = 0;
    for (const Api& api : served)
        if (takes_metrics || (api.key != wire::ApiKey::kGetTelemetrySubscriptions &&
                              api.key != wire::ApiKey::kPushTelemetry))
            out.api_keys[told++] = row_of(wire::api_info(api.key));
    out.api_keys = out.api_keys.first(told);
    add_features(request, out, request.arena);
    return out;
}

Answer refuse_api_versions(const Request& request) {
    ApiVersion row = row_of(wire::api_info(wire::ApiKey::kApiVersions));
    wire::ApiVersionsResponse out;
    out.error_code = wire_code(Errc::kUnsupportedVersion);
    out.api_keys = {&row, 1};
    count_error(request, out.error_code);
    return Answer::of(wire::response_frame(out, 0, request.header.correlation_id));
}

}  // namespace leat::broker
