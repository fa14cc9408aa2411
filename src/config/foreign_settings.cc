// SPDX-License-Identifier: Apache-2.0
#include "config/foreign_settings.h"

#include <array>
#include <optional>
#include <string_view>

namespace leat::config {
namespace {

using enum Type;
using enum Update;

struct Known {
    std::string_view name;
    Type type;
    std::optional<std::string_view> fallback;
    Update update = Update::kReadOnly;
    double min = kNoMin;
};
constexpr auto kWithoutEffect = std::to_array<Known>({
    {"auto.leader.rebalance.enable", kBoolean, "true"},
    {"background.threads", kInt, "10", kClusterWide, 1},
    {"controller.listener.names", kList, ""},
    {"controller.quorum.bootstrap.servers", kList, ""},
    {"controller.quorum.voters", kList, ""},
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
    {"principal.builder.class", kClass,
     "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"},
    {"process.roles", kList, ""},
    {"queued.max.requests", kInt, "500"},
    {"replica.fetch.max.bytes", kInt, "1048576"},
    {"replica.fetch.wait.max.ms", kInt, "500"},
    {"replica.lag.time.max.ms", kLong, "30000"},
    {"replica.selector.class", kString, std::nullopt},
    {"sasl.mechanism.controller.protocol", kString, "GSSAPI"},
    {"sasl.mechanism.inter.broker.protocol", kString, "GSSAPI"},
    {"security.inter.broker.protocol", kString, "PLAINTEXT"},
    {"ssl.endpoint.identification.algorithm", kString, "https"},
    {"ssl.protocol", kString, "TLSv1.3"},
    {"transaction.state.log.min.isr", kInt, "2"},
    {"transaction.state.log.replication.factor", kShort, "3"},
});

}  // namespace

std::vector<Setting> foreign_settings() {
    std::vector<Setting> rows;
    rows.reserve(kWithoutEffect.size());
    for (const Known& known : kWithoutEffect)
        rows.push_back({.name = known.name,
                        .type = known.type,
                        .fallback = known.fallback,
                        .min = known.min,
                        .doc = "Known from Kafka, without effect here.",
                        .update = known.update,
                        .effective = false});
    return rows;
}

}  // namespace leat::config
