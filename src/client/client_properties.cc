// SPDX-License-Identifier: Apache-2.0
#include "client/client_properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace leat::client {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\f';
}

struct LogicalLine {
    std::string text;
    int number = 0;
};

/// Joins lines that end in an odd number of backslashes; drops comments and empty lines.
std::vector<LogicalLine> logical_lines(std::string_view text) {
    std::vector<LogicalLine> out;
    bool continued = false;
    int number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
        if (!continued && (line.empty() || line.front() == '#' || line.front() == '!')) continue;
        if (!continued) out.push_back({{}, number});
        const std::size_t kept = line.find_last_not_of('\\');
        const std::size_t slashes =
            kept == std::string_view::npos ? line.size() : line.size() - kept - 1;
        continued = slashes % 2 == 1;
        if (continued) line.remove_suffix(1);
        out.back().text += line;
    }
    return out;
}

void append_utf8(std::uint32_t code, std::string& out) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0U | (code >> 6U));
        put(0x80U | (code & 0x3FU));
    } else {
        put(0xE0U | (code >> 12U));
        put(0x80U | ((code >> 6U) & 0x3FU));
        put(0x80U | (code & 0x3FU));
    }
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        if (c == 'u') {
            std::uint32_t code = 0;
            const std::string_view digits = text.substr(i + 1, 4);
            const auto [end, error] =
                std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
            if (error != std::errc{} || end != digits.data() + 4) return std::nullopt;
            append_utf8(code, out);
            i += 4;
        } else {
            out += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
        }
    }
    return out;
}

/// Where the name ends: at the first '=', ':' or blank that no backslash escapes.
std::size_t name_end(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '=' || line[i] == ':' || is_blank(line[i])) {
            return i;
        }
    }
    return line.size();
}

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
    {"client.dns.lookup", ""},
    {"default.api.timeout.ms", ""},
    {"metric.reporters", ""},
    {"metrics.num.samples", ""},
    {"metrics.recording.level", ""},
    {"metrics.sample.window.ms", ""},
});

Error bad_setting(const Property& property, std::string_view why) {
    const std::string where =
        property.line > 0 ? " (line " + std::to_string(property.line) + ")" : "";
    return Error{Errc::kInvalidSetting, property.name + where + ": " + std::string{why}};
}

Result<std::string> translated_value(const Property& property) {
    if (property.name == "buffer.memory") {
        std::int64_t bytes = 0;
        const char* last = property.value.data() + property.value.size();
        const auto [end, error] = std::from_chars(property.value.data(), last, bytes);
        if (error != std::errc{} || end != last || bytes < 0)
            return bad_setting(property, "'" + property.value + "' is no number of bytes");
        return std::to_string(std::max<std::int64_t>(1, bytes / 1024));
    }
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

Result<std::vector<Property>> parse_properties(std::string_view text) {
    std::vector<Property> out;
    for (const LogicalLine& line : logical_lines(text)) {
        const std::size_t end = name_end(line.text);
        std::string_view value = std::string_view{line.text}.substr(end);
        while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
        if (!value.empty() && (value.front() == '=' || value.front() == ':'))
            value.remove_prefix(1);
        while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
        const std::optional<std::string> name =
            unescaped(std::string_view{line.text}.substr(0, end));
        const std::optional<std::string> clean = unescaped(value);
        if (!name || !clean || name->empty())
            return Error{Errc::kInvalidSetting,
                         "line " + std::to_string(line.number) + ": not NAME=VALUE"};
        out.push_back({*name, *clean, line.number});
    }
    return out;
}

Result<std::vector<Property>> to_librdkafka(const std::vector<Property>& properties, Role role) {
    std::vector<Property> out;
    for (const Property& property : properties) {
        const auto row = std::ranges::find(kTranslations, property.name, &Translation::java);
        if (row == kTranslations.end()) {
            out.push_back(property);
            continue;
        }
        const bool is_mine =
            row->use == Use::kBoth || (row->use == Use::kProducer) == (role == Role::kProducer);
        if (!is_mine || row->librdkafka.empty()) continue;
        LEAT_TRY(std::string value, translated_value(property));
        out.push_back({std::string{row->librdkafka}, std::move(value), property.line});
    }
    return out;
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
