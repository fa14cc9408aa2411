// SPDX-License-Identifier: Apache-2.0
#include "config/foreign_settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace leat::config {
namespace {

using enum Type;
using enum Update;

constexpr std::string_view kPrincipalBuilder =
    "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder";

// Classes that would decide who somebody is or what he may do. To go on without one is to serve
// those that it would have refused.
std::string_view check_builder(const Value& value) {
    const auto& name = std::get<std::string>(value);
    if (name.empty() || name == kPrincipalBuilder) return "";
    return "Only the default is there: this broker loads no classes";
}
std::string_view check_no_class(const Value& value) {
    if (std::get<std::string>(value).empty()) return "";
    return "This broker loads no classes, so nothing would be done of what it is there for";
}

// Kafka's own for tokens, of its newer and older versions: this broker does the same.
constexpr auto kTokenValidators = std::to_array<std::string_view>(
    {"org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
     "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerValidatorCallbackHandler"});
std::string_view check_sasl_handler(const Value& value) {
    const auto known = std::ranges::find(kTokenValidators, std::get<std::string>(value));
    return known != kTokenValidators.end() ? "" : check_no_class(value);
}

struct Known {
    std::string_view name;
    Type type;
    std::optional<std::string_view> fallback = std::nullopt;
    Update update = Update::kReadOnly;
    double min = kNoMin;
    std::string_view (*check)(const Value&) = nullptr;
};
constexpr auto kWithoutEffect = std::to_array<Known>({
    {.name = "alter.config.policy.class.name", .type = kClass, .check = check_no_class},
    {"auto.leader.rebalance.enable", kBoolean, "true"},
    {"background.threads", kInt, "10", kClusterWide, 1},
    {.name = "client.quota.callback.class", .type = kClass, .check = check_no_class},
    {"controller.listener.names", kList, ""},
    {"controller.quorum.bootstrap.servers", kList, ""},
    {"controller.quorum.voters", kList, ""},
    {.name = "create.topic.policy.class.name", .type = kClass, .check = check_no_class},
    {"group.coordinator.threads", kInt, "4"},
    {"inter.broker.listener.name", kString, std::nullopt},
    {"leader.imbalance.check.interval.seconds", kLong, "300"},
    {"leader.imbalance.per.broker.percentage", kInt, "10"},
    {"log.flush.offset.checkpoint.interval.ms", kInt, "60000"},
    {"log.flush.start.offset.checkpoint.interval.ms", kInt, "60000"},
    {"metadata.log.dir", kString, std::nullopt},
    {"num.io.threads", kInt, "8", kClusterWide, 1},
    {"num.network.threads", kInt, "3", kClusterWide, 1},
    {"num.replica.fetchers", kInt, "1", kClusterWide, 1},
    {"offsets.load.buffer.size", kInt, "5242880"},
    {"offsets.topic.compression.codec", kInt, "0"},
    {"offsets.topic.replication.factor", kShort, "3", kReadOnly, 1},
    {.name = "principal.builder.class",
     .type = kClass,
     .fallback = kPrincipalBuilder,
     .check = check_builder},
    {"process.roles", kList, ""},
    {"queued.max.requests", kInt, "500"},
    {"replica.fetch.max.bytes", kInt, "1048576"},
    {"replica.fetch.wait.max.ms", kInt, "500"},
    {"replica.lag.time.max.ms", kLong, "30000"},
    {"replica.selector.class", kString, std::nullopt},
    {"request.timeout.ms", kInt, "30000"},
    {"sasl.mechanism.controller.protocol", kString, "GSSAPI"},
    {"sasl.mechanism.inter.broker.protocol", kString, "GSSAPI"},
    {.name = "sasl.server.callback.handler.class", .type = kClass, .check = check_sasl_handler},
    {"security.inter.broker.protocol", kString, "PLAINTEXT"},
    {.name = "security.providers", .type = kString, .check = check_no_class},
    {"ssl.endpoint.identification.algorithm", kString, "https"},
    {.name = "ssl.engine.factory.class", .type = kClass, .check = check_no_class},
    {"ssl.protocol", kString, "TLSv1.3"},
    {"transaction.state.log.min.isr", kInt, "2"},
    {"transaction.state.log.replication.factor", kShort, "3"},
});

}  // namespace

std::vector<Setting> foreign_settings() {
    std::vector<Setting> rows;
    rows.reserve(kWithoutEffect.size());
    for (const Known& known : kWithoutEffect)
        rows.push_back(
            {.name = known.name,
             .type = known.type,
             .fallback = known.fallback,
             .min = known.min,
             .doc = known.check == nullptr
                        ? "Known from Kafka, without effect here."
                        : "Known from Kafka; what this broker does not do by itself is refused.",
             .update = known.update,
             .effective = false,
             .check = known.check});
    return rows;
}

std::string_view class_named_by(std::string_view name) {
    constexpr std::string_view kPrefix = "listener.name.";
    const auto is_row = [](std::string_view one) {
        return std::ranges::any_of(kWithoutEffect, [one](const Known& known) {
            return known.name == one && known.check != nullptr;
        });
    };
    if (is_row(name)) return name;
    if (!name.starts_with(kPrefix)) return {};
    name.remove_prefix(kPrefix.size());
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
        name.remove_prefix(dot + 1);
        if (is_row(name)) return name;
    }
    return {};
}

}  // namespace leat::config
