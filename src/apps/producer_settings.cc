// SPDX-License-Identifier: Apache-2.0
#include "apps/producer_settings.h"

#include <algorithm>
#include <array>
#include <string>

namespace leat::apps {
namespace {

/// A broker closes the connection on a request above its socket.request.max.bytes, 100 MiB unless
/// it is set.
constexpr std::int64_t kRecordMax = 104'000'000;

/// Two names of one setting of librdkafka's.
struct Alias {
    std::string_view kafka;
    std::string_view librdkafka;
};
constexpr auto kAliases =
    std::to_array<Alias>({{.kafka = "acks", .librdkafka = "request.required.acks"},
                          {.kafka = "compression.type", .librdkafka = "compression.codec"},
                          {.kafka = "delivery.timeout.ms", .librdkafka = "message.timeout.ms"},
                          {.kafka = "linger.ms", .librdkafka = "queue.buffering.max.ms"},
                          {.kafka = "max.request.size", .librdkafka = "message.max.bytes"}});

}  // namespace

std::string_view producer_value(const std::vector<client::Property>& properties,
                                std::string_view name) {
    const auto alias = std::ranges::find(kAliases, name, &Alias::kafka);
    std::string_view out;
    for (const client::Property& one : properties)
        if (one.name == name || (alias != kAliases.end() && one.name == alias->librdkafka))
            out = one.value;
    return out;
}

bool is_acknowledged(const std::vector<client::Property>& properties) {
    return producer_value(properties, "acks") != "0";
}

void set_unless_in_file(const Invocation& line, std::string_view key, std::string_view name,
                        std::vector<client::Property>& properties) {
    // At the end: librdkafka takes the last of two names.
    if (line.is_given(key) || producer_value(properties, name).empty())
        client::set_property(properties, name, line.text(key));
}

Result<std::vector<client::Property>> produce_properties(const Invocation& line,
                                                         const ClusterAccess& access) {
    std::vector<client::Property> out = access.properties;
    set_unless_in_file(line, "acks", "acks", out);
    if (line.has("compression"))
        client::set_property(out, "compression.type", line.text("compression"));
    if (line.has("idempotent")) {
        const std::string_view acks = producer_value(out, "acks");
        if (acks != "all" && acks != "-1") return usage_error("--idempotent needs --acks all");
        client::set_property(out, "enable.idempotence", "true");
    }
    // What is too large the topic's and the broker's settings say.
    if (producer_value(out, "max.request.size").empty())
        client::set_property(out, "message.max.bytes", std::to_string(kRecordMax));
    LEAT_TRY(const std::int64_t seconds, line.integer("timeout", 1, kProduceTimeoutMax));
    if (line.is_given("timeout") || producer_value(out, "delivery.timeout.ms").empty())
        client::set_property(out, "delivery.timeout.ms", std::to_string(seconds * 1000));
    return out;
}

}  // namespace leat::apps
