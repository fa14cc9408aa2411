// SPDX-License-Identifier: Apache-2.0
#include "client/client_properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "client/rdkafka.h"
#include "client/security.h"

namespace leat::client {
namespace {

enum class Use : std::uint8_t { kBoth, kProducer, kConsumer };

/// Java's name, librdkafka's ("" = without effect here), and who has it.
struct Translation {
    std::string_view java;
    std::string_view librdkafka;
    Use use = Use::kBoth;
};

constexpr auto kTranslations = std::to_array<Translation>({
    {"acks", "acks", Use::kProducer},
    {"batch.size", "batch.size", Use::kProducer},
    {"batch.num.messages", "batch.num.messages", Use::kProducer},
    {"buffer.memory", "queue.buffering.max.kbytes", Use::kProducer},
    {"compression.type", "compression.type", Use::kProducer},
    {"compression.level", "compression.level", Use::kProducer},
    {"compression.gzip.level", "compression.level", Use::kProducer},
    {"compression.lz4.level", "compression.level", Use::kProducer},
    {"compression.zstd.level", "compression.level", Use::kProducer},
    {"delivery.timeout.ms", "delivery.timeout.ms", Use::kProducer},
    {"enable.idempotence", "enable.idempotence", Use::kProducer},
    {"linger.ms", "linger.ms", Use::kProducer},
    {"max.in.flight.requests.per.connection", "max.in.flight.requests.per.connection",
     Use::kProducer},
    {"max.request.size", "message.max.bytes", Use::kProducer},
    {"request.timeout.ms", "request.timeout.ms", Use::kProducer},
    {"retries", "message.send.max.retries", Use::kProducer},
    {"transactional.id", "transactional.id", Use::kProducer},
    {"transaction.timeout.ms", "transaction.timeout.ms", Use::kProducer},
    {"partitioner", "partitioner", Use::kProducer},
    {"partitioner.class", "", Use::kProducer},
    {"key.serializer", "", Use::kProducer},
    {"value.serializer", "", Use::kProducer},
    {"max.block.ms", "", Use::kProducer},
    {"auto.offset.reset", "auto.offset.reset", Use::kConsumer},
    {"auto.commit.interval.ms", "auto.commit.interval.ms", Use::kConsumer},
    {"check.crcs", "check.crcs", Use::kConsumer},
    {"enable.auto.commit", "enable.auto.commit", Use::kConsumer},
    {"fetch.max.bytes", "fetch.max.bytes", Use::kConsumer},
    {"fetch.max.wait.ms", "fetch.wait.max.ms", Use::kConsumer},
    {"fetch.min.bytes", "fetch.min.bytes", Use::kConsumer},
    {"group.id", "group.id", Use::kConsumer},
    {"group.instance.id", "group.instance.id", Use::kConsumer},
    {"heartbeat.interval.ms", "heartbeat.interval.ms", Use::kConsumer},
    {"isolation.level", "isolation.level", Use::kConsumer},
    {"max.partition.fetch.bytes", "max.partition.fetch.bytes", Use::kConsumer},
    {"max.poll.interval.ms", "max.poll.interval.ms", Use::kConsumer},
    {"max.poll.records", "", Use::kConsumer},
    {"partition.assignment.strategy", "partition.assignment.strategy", Use::kConsumer},
    {"session.timeout.ms", "session.timeout.ms", Use::kConsumer},
    {"key.deserializer", "", Use::kConsumer},
    {"value.deserializer", "", Use::kConsumer},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms"},
    {"ssl.truststore.certificates", "ssl.ca.pem"},
    {"ssl.keystore.key", "ssl.key.pem"},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    {"metadata.max.age.ms", "metadata.max.age.ms"},
    {"auto.include.jmx.reporter", ""},
    {"client.dns.lookup", ""},
    {"enable.metrics.push", ""},
    {"exclude.internal.topics", "", Use::kConsumer},
    {"group.protocol", "", Use::kConsumer},
    {"group.remote.assignor", "", Use::kConsumer},
    {"metadata.max.idle.ms", "", Use::kProducer},
    {"metadata.recovery.rebootstrap.trigger.ms", ""},
    {"metadata.recovery.strategy", ""},
    {"partitioner.adaptive.partitioning.enable", "", Use::kProducer},
    {"partitioner.availability.timeout.ms", "", Use::kProducer},
    {"partitioner.ignore.keys", "", Use::kProducer},
    {"retry.backoff.max.ms", ""},
    {"socket.connection.setup.timeout.max.ms", ""},
    {"default.api.timeout.ms", ""},
    {"metric.reporters", ""},
    {"metrics.num.samples", ""},
    {"metrics.recording.level", ""},
    {"metrics.sample.window.ms", ""},
    {kInputBufferBytes, "", Use::kConsumer},
});

/// What security_for_librdkafka() takes out.
constexpr std::array<std::string_view, 8> kSecurityNames{"sasl.client.callback.handler.class",
                                                         "sasl.jaas.config",
                                                         "ssl.enabled.protocols",
                                                         "ssl.endpoint.identification.algorithm",
                                                         "ssl.keystore.type",
                                                         "ssl.protocol",
                                                         "sasl.login.",
                                                         "ssl.truststore."};

bool is_security_setting(std::string_view name) {
    return std::ranges::any_of(kSecurityNames, [&](std::string_view known) {
        return known.ends_with('.') ? name.starts_with(known) : name == known;
    });
}

// Asking for the value would not do: of a text that is not set there is none.
bool is_librdkafka_setting(const std::string& name) {
    const RdPtr<rd_kafka_conf_t> conf{rd_kafka_conf_new()};
    return rd_kafka_conf_set(conf.get(), name.c_str(), "", nullptr, 0) != RD_KAFKA_CONF_UNKNOWN;
}

Error bad_setting(const Property& property, std::string_view why) {
    const std::string where =
        property.line > 0 ? " (line " + std::to_string(property.line) + ")" : "";
    return Error{Errc::kInvalidSetting, property.name + where + ": " + std::string{why}};
}

/// librdkafka takes a day at most, Kafka's clients any time: who gives more wants hardly any looks.
std::string at_most_a_day(const Property& property) {
    constexpr std::int64_t kDayMs = 86'400'000;
    std::int64_t given = 0;
    const char* last = property.value.data() + property.value.size();
    const auto [end, error] = std::from_chars(property.value.data(), last, given);
    const bool is_longer = error == std::errc{} && end == last && given > kDayMs;
    return is_longer ? std::to_string(kDayMs) : property.value;
}

Result<std::string> translated_value(const Property& property) {
    if (property.name == "metadata.max.age.ms") return at_most_a_day(property);
    if (property.name == "buffer.memory") {
        LEAT_TRY(const std::int64_t bytes, bytes_in(property));
        return std::to_string(std::max<std::int64_t>(1, bytes / 1024));
    }
    if (property.name == kInputBufferBytes) LEAT_TRY_VOID(bytes_in(property));
    // What librdkafka cannot do must not be asked for in vain.
    if (property.name == "partitioner.ignore.keys" && property.value != "false")
        return bad_setting(property, "only false is known here");
    if (property.name == "group.protocol" && property.value != "classic" &&
        property.value != "CLASSIC")
        return bad_setting(property, "only classic is known here");
    if (property.name == "partition.assignment.strategy" &&
        property.value.find("Assignor") != std::string::npos) {
        if (property.value.find("CooperativeSticky") != std::string::npos)
            return std::string{"cooperative-sticky"};
        if (property.value.find("RoundRobin") != std::string::npos)
            return std::string{"roundrobin"};
        if (property.value.find("Range") != std::string::npos) return std::string{"range"};
        return bad_setting(property, "'" + property.value +
                                         "': only RangeAssignor, RoundRobinAssignor and "
                                         "CooperativeStickyAssignor are known here");
    }
    return property.value;
}

}  // namespace

Result<std::int64_t> bytes_in(const Property& property) {
    std::int64_t bytes = 0;
    const char* last = property.value.data() + property.value.size();
    const auto [end, error] = std::from_chars(property.value.data(), last, bytes);
    if (error != std::errc{} || end != last || bytes < 0)
        return bad_setting(property, "'" + property.value + "' is no number of bytes");
    return bytes;
}

Result<std::vector<Property>> to_librdkafka(const std::vector<Property>& properties, Role role) {
    LEAT_TRY(const std::vector<Property> secured, security_for_librdkafka(properties));
    std::vector<Property> out;
    for (const Property& property : secured) {
        const auto row = std::ranges::find(kTranslations, property.name, &Translation::java);
        if (row == kTranslations.end()) {
            out.push_back(property);
            continue;
        }
        const bool is_mine =
            row->use == Use::kBoth || (row->use == Use::kProducer) == (role == Role::kProducer);
        if (!is_mine) continue;
        LEAT_TRY(std::string value, translated_value(property));
        if (row->librdkafka.empty()) continue;
        out.push_back({std::string{row->librdkafka}, std::move(value), property.line});
    }
    return out;
}

bool is_client_setting(std::string_view name) {
    return std::ranges::find(kTranslations, name, &Translation::java) != kTranslations.end() ||
           is_security_setting(name) || is_librdkafka_setting(std::string{name});
}

Result<void> check_properties(const std::vector<Property>& properties, Role role) {
    LEAT_TRY(const std::vector<Property> translated, to_librdkafka(properties, role));
    auto made = make_conf(translated);
    if (!made) return std::move(made).error();
    return {};
}

std::string_view find_property(const std::vector<Property>& properties, std::string_view name) {
    for (auto at = properties.rbegin(); at != properties.rend(); ++at)
        if (at->name == name) return at->value;
    return {};
}

void set_property(std::vector<Property>& properties, std::string_view name,
                  std::string_view value) {
    std::erase_if(properties, [&](const Property& p) { return p.name == name; });
    properties.push_back({std::string{name}, std::string{value}, 0});
}

}  // namespace leat::client
