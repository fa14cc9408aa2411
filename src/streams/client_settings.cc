// SPDX-License-Identifier: Apache-2.0
#include "streams/client_settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/client_properties.h"
#include "client/cluster.h"
#include "client/partition_reader.h"
#include "client/record_writer.h"
#include "streams/settings.h"

namespace leat::streams {
namespace {

using config::Property;

/// As in Java, who asks for less without a word about idempotence does without it.
bool wants_idempotence(const Settings& s) {
    if (s.exactly_once) return true;
    const auto asks_all = [&](std::string_view name) {
        const std::string_view acks = client::find_property(s.producer, name);
        return acks.empty() || acks == "all" || acks == "-1";
    };
    const auto tries_once = [&](std::string_view name) {
        return client::find_property(s.producer, name) == "0";
    };
    // librdkafka's names too.
    return asks_all("acks") && asks_all("request.required.acks") && !tries_once("retries") &&
           !tries_once("message.send.max.retries");
}

/// Settings of clients that the engine, or the system, decides.
struct Decided {
    std::string_view name;
    std::string_view harmless;  ///< The value that says what is so anyway.
    std::string_view why;
};
constexpr auto kDecided = std::to_array<Decided>({
    {"auto.commit.interval.ms", "", "commit.interval.ms says when positions are committed"},
    {"connections.max.idle.ms", "", "connections are kept, unless librdkafka has them"},
    {"enable.auto.commit", "false", "positions are committed with state and output"},
    {"group.id", "", "the group is application.id"},
    {"isolation.level", "", "processing.guarantee says what is read"},
    {"max.in.flight.requests.per.connection", "", "it is 1, unless librdkafka writes"},
    {"max.poll.records", "", "records are taken by batches, within queued.max.messages.kbytes"},
    {"partition.assignment.strategy", "", "the assignor is our own"},
    {"receive.buffer.bytes", "", "the system chooses, unless librdkafka reads and writes"},
    {"send.buffer.bytes", "", "the system chooses, unless librdkafka reads and writes"},
    {"transactional.id", "", "application.id, instance and thread make it"},
});

std::string_view without_client(std::string_view name) {
    for (const std::string_view prefix : {"main.consumer.", "restore.consumer.", "global.consumer.",
                                          "consumer.", "producer.", "admin."})
        if (name.starts_with(prefix)) return name.substr(prefix.size());
    return name;
}

void note_decided(Settings& s) {
    for (const auto& [name, value] : s.given) {
        const auto found = std::ranges::find(kDecided, without_client(name), &Decided::name);
        if (found == kDecided.end() || (!found->harmless.empty() && value == found->harmless))
            continue;
        s.notes.push_back({name, "has no effect: " + std::string{found->why}});
    }
    const auto erase = [](std::vector<Property>& all, std::string_view name) {
        std::erase_if(all, [&](const Property& one) { return one.name == name; });
    };
    erase(s.producer, "transactional.id");
    // These stand in front of the main consumer's, which the engine has set.
    for (auto* more : {&s.restore_consumer, &s.global_consumer}) erase(*more, "isolation.level");
    constexpr std::string_view kIdempotence = "enable.idempotence";
    if (!s.exactly_once || client::find_property(s.producer, kIdempotence) == "true") return;
    s.notes.push_back({std::string{kIdempotence}, "has no effect: exactly_once_v2 needs it"});
    client::set_property(s.producer, kIdempotence, "true");
}

}  // namespace

std::optional<std::string> behind(std::string_view prefix, std::string_view name) {
    if (!name.starts_with(prefix)) return std::nullopt;
    return std::string{name.substr(prefix.size())};
}

void give_to_clients(const Property& property, Settings& out) {
    for (const std::string_view prefix : {"consumer.", "main.consumer."})
        if (auto rest = behind(prefix, property.name))
            return client::set_property(out.consumer, *rest, property.value);
    if (auto rest = behind("restore.consumer.", property.name))
        return client::set_property(out.restore_consumer, *rest, property.value);
    if (auto rest = behind("global.consumer.", property.name))
        return client::set_property(out.global_consumer, *rest, property.value);
    if (auto rest = behind("producer.", property.name))
        return client::set_property(out.producer, *rest, property.value);
    if (auto rest = behind("admin.", property.name))
        return client::set_property(out.admin, *rest, property.value);
    if (auto rest = behind("topic.", property.name)) {
        out.topic.emplace_back(*rest, property.value);
        return;
    }
    for (auto* all : {&out.consumer, &out.producer, &out.admin})
        if (client::find_property(*all, property.name).empty())
            client::set_property(*all, property.name, property.value);
}

void complete_clients(Settings& s) {
    for (auto* all : {&s.consumer, &s.producer, &s.admin})
        client::set_property(*all, "bootstrap.servers", s.bootstrap_servers);
    const auto fallback = [](std::vector<Property>& all, std::string_view name,
                             std::string_view value) {
        if (client::find_property(all, name).empty()) client::set_property(all, name, value);
    };
    fallback(s.producer, "linger.ms", "100");
    fallback(s.producer, "partitioner", "murmur2_random");
    fallback(s.producer, "enable.idempotence", wants_idempotence(s) ? "true" : "false");
    // Partitions that are added wait for the fetch that is under way, and so does the end of one
    // that a transaction's marker is the last of.
    if (client::find_property(s.consumer, "fetch.max.wait.ms").empty())
        fallback(s.consumer, "fetch.wait.max.ms", "100");
    client::set_property(s.consumer, client::kInputBufferBytes,
                         std::to_string(s.input_buffer_bytes));
    client::set_property(s.consumer, "isolation.level",
                         s.exactly_once ? "read_committed" : "read_uncommitted");
    if (!s.exactly_once) return;
    fallback(s.producer, "transaction.timeout.ms", "10000");
}

Result<void> check_client_settings(Settings& s) {
    using client::Role;
    for (auto* all : {&s.consumer, &s.restore_consumer, &s.global_consumer, &s.producer, &s.admin})
        std::erase_if(*all, [&s](const config::Property& one) {
            if (client::is_client_setting(one.name)) return false;
            const bool is_noted = std::ranges::find(s.notes, one.name, &SettingNote::name) !=
                                  s.notes.end();  // It went to several clients.
            if (!is_noted) s.notes.push_back({one.name, "is not known, and has no effect"});
            return true;
        });
    for (const auto* all : {&s.consumer, &s.restore_consumer, &s.global_consumer})
        LEAT_TRY_VOID(client::check_properties(*all, Role::kConsumer));
    note_decided(s);
    return client::check_properties(s.producer, Role::kProducer);
}

Result<void> check_clients_open(const Settings& s) {
    std::vector<config::Property> producer = s.producer;
    if (s.exactly_once) client::set_property(producer, "transactional.id", s.application_id);
    LEAT_TRY_VOID(client::RecordWriter::check(producer));
    LEAT_TRY_VOID(client::PartitionReader::check(s.consumer));
    for (const auto* more : {&s.restore_consumer, &s.global_consumer}) {
        std::vector<config::Property> all = s.consumer;
        for (const config::Property& one : *more) client::set_property(all, one.name, one.value);
        LEAT_TRY_VOID(client::PartitionReader::check(all));
    }
    LEAT_TRY_VOID(client::cluster_options_of(s.admin));
    return {};
}

}  // namespace leat::streams
