// SPDX-License-Identifier: Apache-2.0
#include "config/broker_config.h"

#include <algorithm>
#include <array>

#include "config/access_settings.h"
#include "config/bind.h"
#include "config/coordinator_settings.h"
#include "config/foreign_settings.h"
#include "config/log_settings.h"

namespace leat::config {
namespace {

constexpr std::string_view kIntMaxText = "2147483647";
using enum Type;
using enum Update;
using B = BrokerConfig;

/// Elements such as "10.0.0.7:50"; an address may have colons of its own.
std::string_view check_overrides(const Value& value) {
    for (const std::string& one : split_list(std::get<std::string>(value))) {
        if (one.empty()) continue;
        const std::size_t colon = std::min(one.rfind(':'), one.size() - 1);
        const std::size_t digits = one.size() - colon - 1;
        const bool is_count = one.find_first_not_of("0123456789", colon + 1) == std::string::npos;
        if (colon == 0 || digits < 1 || digits > 9 || !is_count)
            return "Value must be a list of address:count";
    }
    return "";
}

// Kafka's names, then ours. What topics can override comes from the topic table, see all_rows().
constexpr auto kRows = std::to_array<Setting>({
    {.name = "advertised.listeners",
     .type = kList,
     .doc = "Addresses told to clients, NAME://host:port, one for each listener that differs from "
            "its own.",
     .into_broker = into_broker<&B::advertised_listener_texts>},
    {.name = "auto.create.topics.enable",
     .type = kBoolean,
     .fallback = "true",
     .doc = "Create an unknown topic when a client asks for its metadata. Unless set, on only "
            "while every "
            "listener is on loopback without authentication.",
     .into_broker = into_broker<&B::auto_create_topics>},
    {.name = "broker.id",
     .type = kInt,
     .fallback = "-1",
     .min = -1,
     .doc = "Older name of node.id.",
     .into_broker = into_broker<&B::node_id>},
    {.name = "broker.rack",
     .type = kString,
     .doc = "Rack told to clients.",
     .into_broker = into_broker<&B::rack>},
    {.name = "connections.max.idle.ms",
     .type = kLong,
     .fallback = "600000",
     .doc = "A connection without a request for this long is closed; negative for never.",
     .into_broker = into_broker<&B::connections_max_idle_ms>},
    {.name = "default.replication.factor",
     .type = kInt,
     .fallback = "1",
     .min = 1,
     .doc = "Replicas of a topic that asks for the default. A single node has one.",
     .into_broker = into_broker<&B::default_replication_factor>},
    {.name = "delete.topic.enable",
     .type = kBoolean,
     .fallback = "true",
     .doc = "Allow topics to be deleted.",
     .into_broker = into_broker<&B::delete_topics>},
    {.name = "fetch.max.bytes",
     .type = kInt,
     .fallback = "57671680",
     .min = 1024,
     .doc = "Most bytes one fetch answer holds, whatever the client asks for.",
     .into_broker = into_broker<&B::fetch_max_bytes>},
    {.name = "listener.security.protocol.map",
     .type = kString,
     .fallback = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
     .doc = "Security protocol of each listener name.",
     .into_broker = into_broker<&B::listener_protocols>},
    {.name = "listeners",
     .type = kList,
     .fallback = "PLAINTEXT://127.0.0.1:9092",
     .doc = "Addresses to serve on, NAME://host:port; port 0 picks a free one, an empty host is "
            "every address.",
     .into_broker = into_broker<&B::listener_texts>},
    {.name = "max.connection.creation.rate",
     .type = kInt,
     .fallback = kIntMaxText,
     .min = 0,
     .doc = "New connections a second that are accepted; more wait in the kernel's queue. With a "
            "listener in front (listener.name.<name>.) those of it.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::max_connection_creation_rate>},
    {.name = "max.connections",
     .type = kInt,
     .fallback = kIntMaxText,
     .min = 0,
     .doc = "Open connections; more wait in the kernel's queue until one ends. With a listener in "
            "front (listener.name.<name>.) those of it. Whatever it says, no more than the "
            "process's limit of file descriptors leaves beside log files (leat.open.files.max) and "
            "a reserve: those are closed at once, and counted by reason descriptors.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::max_connections>},
    {.name = "max.connections.per.ip",
     .type = kInt,
     .fallback = kIntMaxText,
     .min = 0,
     .doc = "Open connections of one address; more are closed at once.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::max_connections_per_ip>},
    {.name = "max.connections.per.ip.overrides",
     .type = kString,
     .fallback = "",
     .doc = "Other limits for some addresses or names of hosts: address:count,...",
     .update = kClusterWide,
     .check = check_overrides,
     .into_broker = into_broker<&B::max_connections_per_ip_overrides>},
    {.name = "max.incremental.fetch.session.cache.slots",
     .type = kInt,
     .fallback = "1000",
     .min = 0,
     .doc = "Fetch sessions kept; a client without one sends its full list each time.",
     .into_broker = into_broker<&B::fetch_session_slots>},
    {.name = "max.request.partition.size.limit",
     .type = kInt,
     .fallback = "2000",
     .min = 1,
     .doc = "Most partitions in one DescribeTopicPartitions answer.",
     .into_broker = into_broker<&B::max_request_partitions>},
    {.name = "node.id",
     .type = kInt,
     .fallback = "1",
     .min = 0,
     .doc = "Number of this node, written into its data directory.",
     .into_broker = into_broker<&B::node_id>},
    {.name = "num.partitions",
     .type = kInt,
     .fallback = "1",
     .min = 1,
     .doc = "Partitions of a topic that does not say.",
     .into_broker = into_broker<&B::num_partitions>},
    {.name = "num.recovery.threads.per.data.dir",
     .type = kInt,
     .fallback = "2",
     .min = 1,
     .doc = "Logs recovered at once after an unclean stop.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::recovery_threads>},
    {.name = "producer.id.expiration.check.interval.ms",
     .type = kInt,
     .fallback = "600000",
     .min = 1,
     .doc = "How often idle producer ids are looked for.",
     .hidden = true,
     .into_broker = into_broker<&B::producer_id_expiration_check_ms>},
    {.name = "producer.id.expiration.ms",
     .type = kInt,
     .fallback = "86400000",
     .min = 1,
     .doc = "How long the state of an idle idempotent producer is kept.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::producer_id_expiration_ms>},
    {.name = "queued.max.request.bytes",
     .type = kLong,
     .fallback = "-1",
     .doc = "Bytes of requests in memory above which no large ones are read; -1: "
            "leat.request.memory.max.bytes.",
     .into_broker = into_broker<&B::queued_max_request_bytes>},
    {.name = "socket.listen.backlog.size",
     .type = kInt,
     .fallback = "50",
     .min = 1,
     .doc = "Connections the kernel holds before they are accepted.",
     .into_broker = into_broker<&B::socket_listen_backlog>},
    {.name = "socket.receive.buffer.bytes",
     .type = kInt,
     .fallback = "102400",
     .min = -1,
     .doc = "SO_RCVBUF of client connections; -1 leaves it to the kernel.",
     .into_broker = into_broker<&B::socket_receive_buffer_bytes>},
    {.name = "socket.request.max.bytes",
     .type = kInt,
     .fallback = "104857600",
     .min = 1,
     .doc = "Largest request; a longer one closes its connection.",
     .into_broker = into_broker<&B::socket_request_max_bytes>},
    {.name = "socket.send.buffer.bytes",
     .type = kInt,
     .fallback = "102400",
     .min = -1,
     .doc = "SO_SNDBUF of client connections; -1 leaves it to the kernel.",
     .into_broker = into_broker<&B::socket_send_buffer_bytes>},

    {.name = "leat.blocking.threads",
     .type = kInt,
     .fallback = "4",
     .min = 1,
     .max = 256,
     .doc = "Threads for work that may block: syncs, cold reads, compaction.",
     .into_broker = into_broker<&B::blocking_threads>},
    {.name = "leat.connection.creation.rate.per.ip",
     .type = kInt,
     .fallback = kIntMaxText,
     .min = 1,
     .doc = "New connections a second from one address; more wait, unserved, and are closed.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::max_connection_creation_rate_per_ip>},
    {.name = "leat.decompressed.max.bytes",
     .type = kLong,
     .fallback = "1073741824",
     .min = 1'024,
     .doc = "Largest size one batch may unpack to.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::decompressed_bytes_max>},
    {.name = "leat.delayed.connections.max",
     .type = kInt,
     .fallback = "1000",
     .min = 0,
     .doc = "Connections that came faster than their address may make them and wait to be closed; "
            "more are closed at once.",
     .into_broker = into_broker<&B::delayed_connections_max>},
    {.name = "leat.fetch.session.partitions.max",
     .type = kInt,
     .fallback = "200000",
     .min = 1,
     .doc =
         "Partitions that all fetch sessions remember together; a client whose list does not fit "
         "sends it each time.",
     .into_broker = into_broker<&B::fetch_session_partitions_max>},
    {.name = "leat.http.listen",
     .type = kString,
     .fallback = "127.0.0.1:8080",
     .doc = "Address of /metrics, /healthz and /readyz; port 0 picks a free one, empty turns them "
            "off.",
     .into_broker = into_broker<&B::http_listen>},
    {.name = "leat.http.unsent.max.bytes",
     .type = kLong,
     .fallback = "268435456",
     .min = 1'048'576,
     .doc = "What answers over HTTP may hold until their readers have taken them, those of all "
            "connections together. A larger /metrics (up to 800 bytes a partition) is answered "
            "with 503 and told in the log.",
     .into_broker = into_broker<&B::http_unsent_bytes_max>},
    {.name = "leat.insecure.allow.unauthenticated.network",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Start listeners that are open to the network without authentication.",
     .into_broker = into_broker<&B::allow_unauthenticated_network>},
    {.name = "leat.log.format",
     .type = kString,
     .fallback = "logfmt",
     .choices = "logfmt,json",
     .doc = "Form of log lines.",
     .into_broker = into_broker<&B::log_format>},
    {.name = "leat.log.level",
     .type = kString,
     .fallback = "info",
     .choices = "trace,debug,info,warn,error",
     .doc = "Least level that is logged.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::log_level>},
    {.name = "leat.open.files.max",
     .type = kInt,
     .fallback = "0",
     .min = 0,
     .doc = "Segment and index files kept open; 0 is a third of the process's limit of file "
            "descriptors. Three quarters of what that leaves beside a reserve at most, the rest is "
            "for connections: where more is asked for, the log says so at the start.",
     .into_broker = into_broker<&B::open_files_max>},
    {.name = "leat.partitions.max",
     .type = kInt,
     .fallback = "200000",
     .min = 1,
     .doc = "Most partitions on this node.",
     .into_broker = into_broker<&B::partitions_max>},
    {.name = "leat.producer.ids.idle.min.ms",
     .type = kLong,
     .fallback = "600000",
     .min = 0,
     .doc = "How long a producer has been idle that leat.producer.ids.max may make a partition "
            "forget. Keep it above the time in which clients send a batch again "
            "(delivery.timeout.ms): a batch that comes after would be stored twice.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::producer_ids_idle_min_ms>},
    {.name = "leat.producer.ids.max",
     .type = kInt,
     .fallback = "100000",
     .min = 1,
     .doc = "Most idempotent producers remembered in a partition. Beyond it the longest idle are "
            "forgotten, but none with an open transaction and none that wrote within "
            "leat.producer.ids.idle.min.ms; while there are no others, new producers get "
            "NOT_ENOUGH_REPLICAS, after which clients try again.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::producer_ids_max>},
    {.name = "leat.queued.response.max.bytes",
     .type = kLong,
     .fallback = "67108864",
     .min = 1,
     .doc = "Answers of one connection in memory above which its requests are not read.",
     .into_broker = into_broker<&B::queued_response_bytes_max>},
    {.name = "leat.queued.responses.max",
     .type = kInt,
     .fallback = "64",
     .min = 1,
     .doc = "Answers of one connection not yet written above which its requests are not read.",
     .into_broker = into_broker<&B::queued_responses_max>},
    {.name = "leat.record.errors.max",
     .type = kInt,
     .fallback = "100",
     .min = 1,
     .doc = "Most records that an answer to a refused batch names.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::record_errors_max>},
    {.name = "leat.replication.factor.clamp",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Accept topics that ask for more replicas than there are brokers and give them what "
            "there is.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::replication_factor_clamp>},
    {.name = "leat.request.memory.max.bytes",
     .type = kLong,
     .fallback = "1073741824",
     .min = 1'048'576,
     .doc = "Bytes of requests in memory above which only requests of at most 16 KiB are read, one "
            "of a connection at a time, and requests that only wait are answered; "
            "queued.max.request.bytes goes before it.",
     .into_broker = into_broker<&B::request_memory_bytes_max>},
    {.name = "leat.request.receive.timeout.ms",
     .type = kLong,
     .fallback = "30000",
     .min = 1,
     .doc = "A request that has begun to arrive must be whole within this time.",
     .into_broker = into_broker<&B::frame_timeout_ms>},
    {.name = "leat.response.max.bytes",
     .type = kInt,
     .fallback = "268435456",
     .min = 1'048'576,
     .doc = "Most bytes of an answer, the records of a Fetch not counted, and of memory to collect "
            "it. A request that asks for more gets its connection closed.",
     .into_broker = into_broker<&B::response_bytes_max>},
    {.name = "leat.response.memory.max.bytes",
     .type = kLong,
     .fallback = "1073741824",
     .min = 1'048'576,
     .doc = "Bytes that all requests are decoded into and answered with, until clients have the "
            "answers, above which no more requests are read or begun. At twice as much, requests "
            "that take much get their connections closed.",
     .into_broker = into_broker<&B::response_memory_bytes_max>},
    {.name = "leat.response.send.timeout.ms",
     .type = kLong,
     .fallback = "60000",
     .min = 1,
     .doc = "A client with answers waiting must read some bytes within this time.",
     .into_broker = into_broker<&B::send_timeout_ms>},
    {.name = "leat.shard.blocked.max.ms",
     .type = kLong,
     .fallback = "2",
     .min = 0,
     .max = 60'000,
     .doc = "How long a sync may hold the thread of a shard that has nothing else to do, before "
            "another thread goes on with the shard; twice that at most. 0: syncs always run on "
            "the threads of leat.blocking.threads.",
     .into_broker = into_broker<&B::shard_blocked_max_ms>},
    {.name = "leat.shards",
     .type = kInt,
     .fallback = "0",
     .min = 0,
     .max = 1'024,
     .doc = "Event loops, each on a thread; 0 is one per core.",
     .into_broker = into_broker<&B::shards>},
    {.name = "leat.shutdown.timeout.ms",
     .type = kLong,
     .fallback = "10000",
     .min = 0,
     .doc = "How long a stop waits for requests in work.",
     .into_broker = into_broker<&B::shutdown_timeout_ms>},
    {.name = "leat.slow.request.ms",
     .type = kLong,
     .fallback = "1000",
     .min = 0,
     .doc = "A request that takes longer is logged, waits it asked for not counted; 0 for none.",
     .update = kClusterWide,
     .into_broker = into_broker<&B::slow_request_ms>},
});

/// The broker's side of a topic setting.
Setting synonym_of(const Setting& topic) {
    Setting row = topic;
    row.name = topic.synonym;
    row.synonym = {};
    row.update = Update::kClusterWide;
    if (topic.synonym_null) row.fallback = std::nullopt;
    return row;
}

std::vector<Setting> all_rows() {
    std::vector<Setting> rows{kRows.begin(), kRows.end()};
    const auto security = security_settings();
    rows.insert(rows.end(), security.begin(), security.end());
    rows.insert(rows.end(), access_settings().begin(), access_settings().end());
    rows.insert(rows.end(), coordinator_settings().begin(), coordinator_settings().end());
    rows.insert(rows.end(), log_settings().begin(), log_settings().end());
    for (const Setting& topic : topic_settings())
        if (!topic.synonym.empty()) rows.push_back(synonym_of(topic));
    const std::vector<Setting> foreign = foreign_settings();
    rows.insert(rows.end(), foreign.begin(), foreign.end());
    std::ranges::sort(rows, {}, &Setting::name);
    return rows;
}

}  // namespace

std::span<const Setting> broker_settings() {
    static const std::vector<Setting> rows = all_rows();
    return rows;
}

const Setting* find_listener_limit(std::string_view name) {
    if (!name.starts_with("listener.name.")) return nullptr;
    for (const std::string_view limit : {"max.connections", "max.connection.creation.rate"})
        if (name.ends_with(limit) && name.size() > limit.size() &&
            name[name.size() - limit.size() - 1] == '.')
            return find_broker_setting(limit);
    return nullptr;
}

const Setting* find_broker_setting(std::string_view name) {
    const auto rows = broker_settings();
    const auto row = std::ranges::lower_bound(rows, name, {}, &Setting::name);
    return row != rows.end() && row->name == name ? &*row : nullptr;
}

}  // namespace leat::config
