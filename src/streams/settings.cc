// SPDX-License-Identifier: Apache-2.0
#include "streams/settings.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bounded_time.h"
#include "client/client_properties.h"
#include "streams/client_settings.h"
#include "streams/settings_checks.h"
#include "streams/settings_without_effect.h"
#include "streams/state/rocksdb_options.h"

namespace leat::streams {
namespace {

using config::Property;
using config::Type;
using config::Value;

std::string text_in(const Value& value) {
    return config::text_of(value).value_or("");
}
std::int64_t number_in(const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number == nullptr ? 0 : *number;
}
bool continues(const Value& value) {
    return text_in(value).starts_with("LogAndContinue");
}
milliseconds time_in(const Value& value) {
    return bounded_ms(number_in(value));
}
std::size_t size_in(const Value& value) {
    return static_cast<std::size_t>(number_in(value));
}
std::vector<std::string> list_in(const Value& value) {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    return list == nullptr ? std::vector<std::string>{} : *list;
}

RackStrategy rack_strategy_of(std::string_view name) {
    if (name == "min_traffic") return RackStrategy::kMinTraffic;
    return name == "none" ? RackStrategy::kNone : RackStrategy::kBalanceSubtopology;
}

detail::DefaultTime default_time_of(std::string_view extractor) {
    using detail::DefaultTime;
    if (extractor.starts_with("LogAndSkip")) return DefaultTime::kSkip;
    if (extractor.starts_with("UsePartitionTime")) return DefaultTime::kPartitionTime;
    return extractor.starts_with("Wallclock") ? DefaultTime::kWallClock : DefaultTime::kFail;
}

constexpr double kMaxCount = 9e15;
/// In front of the key of a tag.
constexpr std::string_view kTag = "client.tag.";

constexpr SettingRow row(std::string_view name, Type type, std::optional<std::string_view> fallback,
                         std::string_view doc, void (*into)(Settings&, const Value&),
                         double min = config::kNoMin) {
    return {{.name = name,
             .type = type,
             .fallback = fallback,
             .min = min,
             .max = type == Type::kLong && !name.ends_with(".ms") ? kMaxCount : config::kNoMax,
             .choices = {},
             .doc = doc,
             .effective = true},
            into};
}

constexpr SettingRow one_of(std::string_view choices, SettingRow row) {
    row.setting.choices = choices;
    return row;
}

constexpr SettingRow at_most(double max, SettingRow row) {
    row.setting.max = max;
    return row;
}

constexpr auto kRows = std::to_array<SettingRow>({
    row("application.id", Type::kString, std::nullopt,
        "Names the application: its group, and what stands in front of its internal topics.",
        [](Settings& s, const Value& v) { s.application_id = text_in(v); }),
    row("bootstrap.servers", Type::kList, std::nullopt, "HOST:PORT of brokers, comma-separated.",
        [](Settings& s, const Value& v) { s.bootstrap_servers = text_in(v); }),
    row(
        "acceptable.recovery.lag", Type::kLong, "10000",
        "Records by which a state may be behind and still be caught up.",
        [](Settings& s, const Value& v) { s.acceptable_lag = number_in(v); }, 0),
    row("application.server", Type::kString, "",
        "HOST:PORT by which this instance is found by queries of others.",
        [](Settings& s, const Value& v) {
            s.application_server = text_in(v);
            s.endpoint.address = s.application_server;
        }),
    one_of("LogAndFailExceptionHandler,LogAndContinueExceptionHandler",
           row("deserialization.exception.handler", Type::kString, "LogAndFailExceptionHandler",
               "What becomes of records that cannot be decoded: LogAndFailExceptionHandler or "
               "LogAndContinueExceptionHandler; functions go into Application::Options::handlers.",
               [](Settings& s, const Value& v) { s.continue_undecodable = continues(v); })),
    one_of(
        "LogAndFailProcessingExceptionHandler,LogAndContinueProcessingExceptionHandler",
        row("processing.exception.handler", Type::kString, "LogAndFailProcessingExceptionHandler",
            "What becomes of records whose processing fails: LogAndFailProcessingExceptionHandler "
            "or LogAndContinueProcessingExceptionHandler.",
            [](Settings& s, const Value& v) { s.continue_processing = continues(v); })),
    one_of("DefaultProductionExceptionHandler,LogAndContinueProductionExceptionHandler",
           row("production.exception.handler", Type::kString, "DefaultProductionExceptionHandler",
               "What becomes of output that is not taken: DefaultProductionExceptionHandler "
               "(fails), or LogAndContinueProductionExceptionHandler, which is ours.",
               [](Settings& s, const Value& v) { s.continue_production = continues(v); })),
    one_of("rocksDB,in_memory",
           row("default.dsl.store", Type::kString, "rocksDB",
               "Where stores of the DSL's operators are that do not say so "
               "(Materialized::persistent), unless dsl.store.suppliers.class is set: on disk or in "
               "memory.",
               [](Settings& s, const Value& v) {
                   s.dsl_store =
                       text_in(v) == "rocksDB" ? StoreType::kRocksDb : StoreType::kInMemory;
               })),
    one_of("FailOnInvalidTimestamp,LogAndSkipOnInvalidTimestamp,"
           "UsePartitionTimeOnInvalidTimestamp,WallclockTimestampExtractor",
           row("default.timestamp.extractor", Type::kString, "FailOnInvalidTimestamp",
               "What time records have of sources that do not say so (Consumed::time).",
               [](Settings& s, const Value& v) { s.default_time = default_time_of(text_in(v)); })),
    row("dsl.store.suppliers.class", Type::kString, "",
        "The same by Kafka Streams' two classes, RocksDBDslStoreSuppliers or "
        "InMemoryDslStoreSuppliers; a function goes into Application::Options::dsl_stores.",
        [](Settings& s, const Value& v) { s.dsl_store_suppliers = text_in(v); }),
    row("client.id", Type::kString, "", "In front of the names of threads and clients.",
        [](Settings& s, const Value& v) { s.client_id = text_in(v); }),
    row(kTag, Type::kString, "",
        "A tag of this instance, as the zone it stands in: at most 5, with keys of at most 20 "
        "characters and values of at most 30. Counts when rack.aware.assignment.tags names KEY.",
        [](Settings& /*settings*/, const Value& /*value*/) {}),  // By the rest of its name.
    row(
        "commit.interval.ms", Type::kLong, "30000",
        "How often positions are committed; 100 with exactly_once_v2 unless set.",
        [](Settings& s, const Value& v) { s.commit_interval = time_in(v); }, 0),
    row("ensure.explicit.internal.resource.naming", Type::kBoolean, "false",
        "Refuses topologies whose internal topics or stores have numbered names.",
        [](Settings& s, const Value& v) { s.require_names = text_in(v) == "true"; }),
    row("errors.dead.letter.queue.topic.name", Type::kString, "",
        "Topic for records that handlers skip; none unless set.",
        [](Settings& s, const Value& v) { s.dead_letter_topic = text_in(v); }),
    row(
        client::kInputBufferBytes, Type::kLong, "268435456",
        "Bytes, as brokers send them, that a consumer fetches ahead of processing, over all of its "
        "partitions; beyond that it fetches only partitions of which nothing waits. Each stream "
        "thread has a consumer; those of restores and of global stores may have a value of their "
        "own, with restore.consumer. or global.consumer. in front.",
        [](Settings& s, const Value& v) { s.input_buffer_bytes = number_in(v); }, 0),
    row(
        "max.task.idle.ms", Type::kLong, "0",
        "How long a task waits for an empty partition before it goes on with the others.",
        [](Settings& s, const Value& v) { s.idle_max = time_in(v); }, -1),
    row(
        "max.warmup.replicas", Type::kInt, "2", "States that may be built up ahead of a move.",
        [](Settings& s, const Value& v) { s.warmups_max = static_cast<int>(number_in(v)); }, 1),
    row(
        "metadata.max.age.ms", Type::kLong, "300000",
        "How often is looked whether source topics have come, gone or grown.",
        [](Settings& s, const Value& v) { s.metadata_age = time_in(v); }, 0),
    row(
        "metrics.num.samples", Type::kInt, "2",
        "Samples that rates, averages and extremes are over; at most 8.",
        [](Settings& s, const Value& v) {
            s.samples.samples = std::clamp<std::int64_t>(number_in(v), 1, Sensor::kSamplesMax);
            if (number_in(v) > Sensor::kSamplesMax)
                s.notes.push_back({"metrics.num.samples",
                                   "at most " + std::to_string(Sensor::kSamplesMax) + " count"});
        },
        1),
    one_of("INFO,DEBUG,TRACE",
           row("metrics.recording.level", Type::kString, "INFO", "Which metrics are recorded.",
               [](Settings& s, const Value& v) {
                   const std::string level = text_in(v);
                   s.recording = level == "INFO"    ? RecordingLevel::kInfo
                                 : level == "DEBUG" ? RecordingLevel::kDebug
                                                    : RecordingLevel::kTrace;
               })),
    row(
        "metrics.sample.window.ms", Type::kLong, "30000", "How long such a sample is.",
        [](Settings& s, const Value& v) { s.samples.length_ms = time_in(v).count(); }, 1),
    row(
        "num.standby.replicas", Type::kInt, "0", "Copies of each state kept on other instances.",
        [](Settings& s, const Value& v) { s.standbys = static_cast<int>(number_in(v)); }, 0),
    row(
        "num.stream.threads", Type::kInt, "1", "Threads that process.",
        [](Settings& s, const Value& v) { s.threads = static_cast<int>(number_in(v)); }, 1),
    row(
        "poll.ms", Type::kLong, "100", "How long a thread without work waits for records.",
        [](Settings& s, const Value& v) { s.poll = time_in(v); }, 0),
    row(
        "probing.rebalance.interval.ms", Type::kLong, "600000",
        "How often is asked whether a state has caught up, so that its task can move.",
        [](Settings& s, const Value& v) { s.probing_interval = time_in(v); }, 1000),
    one_of(
        "at_least_once,exactly_once_v2",
        row("processing.guarantee", Type::kString, "at_least_once",
            "exactly_once_v2: output, state and positions in transactions.",
            [](Settings& s, const Value& v) { s.exactly_once = text_in(v) == "exactly_once_v2"; })),
    row(
        "rack.aware.assignment.non_overlap_cost", Type::kInt, "1",
        "With rack.aware.assignment.strategy: what it costs to move a task with state.",
        [](Settings& s, const Value& v) { s.racks.non_overlap_cost = number_in(v); }, 0),
    one_of(
        "none,min_traffic,balance_subtopology",
        row("rack.aware.assignment.strategy", Type::kString, "none",
            "min_traffic: tasks go where the partitions that they read have a replica in the "
            "instance's client.rack, as far as instances then have as many tasks as otherwise; "
            "balance_subtopology: those of each sub-topology are spread besides. All instances "
            "need client.rack, all brokers broker.rack.",
            [](Settings& s, const Value& v) { s.racks.strategy = rack_strategy_of(text_in(v)); })),
    row("rack.aware.assignment.tags", Type::kList, "",
        "Keys of the tags by which standbys are kept apart from their active task and from each "
        "other; each must be there as client.tag.KEY. When none is given and all instances have a "
        "client.rack, they are kept apart by that.",
        [](Settings& s, const Value& v) { s.racks.tags = list_in(v); }),
    row(
        "rack.aware.assignment.traffic_cost", Type::kInt, "10",
        "With rack.aware.assignment.strategy: what it costs to read a partition from another rack.",
        [](Settings& s, const Value& v) { s.racks.traffic_cost = number_in(v); }, 0),
    row(
        "repartition.purge.interval.ms", Type::kLong, "30000",
        "How often records of repartition topics that are processed and committed are deleted.",
        [](Settings& s, const Value& v) { s.purge_interval = time_in(v); }, 0),
    at_most(
        std::numeric_limits<std::int16_t>::max(),
        row(
            "replication.factor", Type::kInt, "-1", "Of internal topics; -1: the broker's default.",
            [](Settings& s, const Value& v) {
                s.replication_factor = static_cast<std::int16_t>(number_in(v));
            },
            -1)),
    row(
        "state.cleanup.delay.ms", Type::kLong, "600000",
        "How long state on disk is kept that no task of this instance uses.",
        [](Settings& s, const Value& v) { s.cleanup_delay = time_in(v); }, 0),
    row("state.dir", Type::kString, "/tmp/kafka-streams",
        "Folder of the state on disk, below it a folder for the application. Instances on one "
        "machine need one each.",
        [](Settings& s, const Value& v) { s.state_dir = text_in(v); }),
    row(
        "leat.state.memory.max.bytes", Type::kLong, "268435456",
        "Memory of all stores on disk together: blocks, indexes, filters, write buffers.",
        [](Settings& s, const Value& v) { s.state_memory_bytes = number_in(v); }, 1048576),
    row("leat.rocksdb.options", Type::kString, "",
        "Options for RocksDB, which keeps the state of all tasks on disk, as NAME=VALUE in its own "
        "notation: "
        "write_buffer_size=8388608;compression=kZSTD;block_based_table_factory={block_size=16384}. "
        "Options with which rows would not be found again, a commit could be lost or damage go "
        "unnoticed are refused at the start, as are those that other settings are for.",
        [](Settings& s, const Value& v) { s.rocksdb_options = text_in(v); }),
    row(
        "statestore.cache.max.bytes", Type::kLong, "10485760",
        "Bytes of updates that stores hold back until a commit, divided over the threads.",
        [](Settings& s, const Value& v) { s.cache_bytes = number_in(v); }, 0),
    row(
        "task.timeout.ms", Type::kLong, "300000",
        "How long a task tries again what may pass before it fails.",
        [](Settings& s, const Value& v) { s.task_timeout = time_in(v); }, 0),
    row("topology.optimization", Type::kString, "none",
        "none, all, or a list of reuse.ktable.source.topics, merge.repartition.topics and "
        "single.store.self.join.",
        [](Settings& s, const Value& v) { s.optimization = text_in(v); }),
    row(
        "windowstore.changelog.additional.retention.ms", Type::kLong, "86400000",
        "Added to the retention of windowed changelogs.",
        [](Settings& s, const Value& v) { s.window_extra_retention_ms = number_in(v); }, 0),
    row(
        "leat.topology.description.max.bytes", Type::kInt, "65536",
        "How large, compressed, the description of the topology may be that the group keeps for "
        "'leat stream'; a larger one is not told. 0: none.",
        [](Settings& s, const Value& v) {
            s.topology_bytes_max = static_cast<std::size_t>(number_in(v));
        },
        0),
    row("leat.endpoint.listen", Type::kString, "",
        "HOST:PORT where the HTTP endpoint answers (metrics, health, queries), when the program "
        "opens one; nothing listens unless it is set. Others find it by application.server.",
        [](Settings& s, const Value& v) { s.endpoint.listen = text_in(v); }),
    row("leat.endpoint.allow.network", Type::kBoolean, "false",
        "Allows addresses of the endpoint that other machines reach without TLS and a password.",
        [](Settings& s, const Value& v) { s.endpoint.allow_network = text_in(v) == "true"; }),
    row("leat.endpoint.ssl.keystore.location", Type::kString, "",
        "PEM or PKCS12 file with the endpoint's key and certificates. With it, or with the two "
        "texts, the endpoint speaks HTTPS alone and asks other instances by HTTPS.",
        [](Settings& s, const Value& v) { s.endpoint.keys.file = text_in(v); }),
    row("leat.endpoint.ssl.keystore.key", Type::kPassword, "",
        "The endpoint's key as PEM text, instead of a file.",
        [](Settings& s, const Value& v) { s.endpoint.keys.key_text = text_in(v); }),
    row("leat.endpoint.ssl.keystore.certificate.chain", Type::kPassword, "",
        "The endpoint's certificate and those above it as PEM text.",
        [](Settings& s, const Value& v) { s.endpoint.keys.certificates_text = text_in(v); }),
    row("leat.endpoint.ssl.keystore.password", Type::kPassword, "", "Of a PKCS12 file.",
        [](Settings& s, const Value& v) { s.endpoint.keys.password = text_in(v); }),
    row("leat.endpoint.ssl.key.password", Type::kPassword, "", "Of an encrypted key.",
        [](Settings& s, const Value& v) { s.endpoint.keys.key_password = text_in(v); }),
    row("leat.endpoint.ssl.truststore.location", Type::kString, "",
        "PEM or PKCS12 file with the authorities that certificates of other instances must be "
        "from; without it and without the text, the system's.",
        [](Settings& s, const Value& v) { s.endpoint.trusted.file = text_in(v); }),
    row("leat.endpoint.ssl.truststore.certificates", Type::kPassword, "",
        "Those authorities as PEM text.",
        [](Settings& s, const Value& v) { s.endpoint.trusted.certificates_text = text_in(v); }),
    row("leat.endpoint.ssl.truststore.password", Type::kPassword, "", "Of a PKCS12 file.",
        [](Settings& s, const Value& v) { s.endpoint.trusted.password = text_in(v); }),
    row("leat.endpoint.user", Type::kString, "",
        "Who asks the endpoint must give this name and leat.endpoint.password (HTTP Basic), but "
        "for /healthz and /readyz. All instances have the same.",
        [](Settings& s, const Value& v) { s.endpoint.user = text_in(v); }),
    row("leat.endpoint.password", Type::kPassword, "", "The password to leat.endpoint.user.",
        [](Settings& s, const Value& v) { s.endpoint.password = text_in(v); }),
    row(
        "leat.endpoint.threads", Type::kInt, "2", "Threads of the endpoint that read stores.",
        [](Settings& s, const Value& v) { s.endpoint.threads = size_in(v); }, 1),
    row(
        "leat.endpoint.forward.threads", Type::kInt, "4",
        "Threads of the endpoint that wait for other instances.",
        [](Settings& s, const Value& v) { s.endpoint.forward_threads = size_in(v); }, 1),
    row(
        "leat.endpoint.forward.timeout.ms", Type::kLong, "5000",
        "How long the endpoint waits for another instance's answer.",
        [](Settings& s, const Value& v) { s.endpoint.forward_timeout = time_in(v); }, 1),
    row(
        "leat.endpoint.forward.max.bytes", Type::kLong, "16777216",
        "How large another instance's answer may be.",
        [](Settings& s, const Value& v) { s.endpoint.forward_bytes_max = size_in(v); }, 1024),
    row(
        "leat.endpoint.rows.max", Type::kInt, "10000",
        "Rows that the endpoint answers of one partition; more are an error.",
        [](Settings& s, const Value& v) { s.endpoint.rows_max = size_in(v); }, 1),
    // The group's, which librdkafka does not see.
    row("group.instance.id", Type::kString, "", "Makes this instance a static member.",
        [](Settings& s, const Value& v) { s.instance_id = text_in(v); }),
    row(
        "session.timeout.ms", Type::kInt, "45000",
        "Silence after which an instance's tasks go to others.",
        [](Settings& s, const Value& v) { s.session_timeout = time_in(v); }, 1),
    row(
        "heartbeat.interval.ms", Type::kInt, "3000", "How often an instance gives a sign of life.",
        [](Settings& s, const Value& v) { s.heartbeat_interval = time_in(v); }, 1),
    row(
        "max.poll.interval.ms", Type::kInt, "300000",
        "How long the group waits for an instance to come back in a rebalance; and how long a "
        "thread may be at one record: then its tasks go to others, until it goes on.",
        [](Settings& s, const Value& v) { s.rebalance_timeout = time_in(v); }, 1),
    row("auto.offset.reset", Type::kString, "earliest",
        "Where reading starts without a committed position: earliest, latest, none, or "
        "by_duration:PT1H, with what is not older than that (ISO 8601, days to seconds).",
        [](Settings& s, const Value& v) { s.offset_reset = text_in(v); }),
});

const SettingRow* find_row(std::string_view name) {
    const auto at =
        std::ranges::find(kRows, name, [](const SettingRow& r) { return r.setting.name; });
    return at == kRows.end() ? nullptr : &*at;
}

Error invalid(const Property& property, std::string_view why) {
    const std::string line =
        property.line > 0 ? " (line " + std::to_string(property.line) + ")" : "";
    return Error{Errc::kInvalidSetting, property.name + line + ": " + std::string{why}};
}

Result<void> apply(const SettingRow& row, const Property& property, Settings& out) {
    const Result<Value> value = config::parse(row.setting, property.value);
    if (!value) return invalid(property, value.error().detail());
    row.into(out, *value);
    return {};
}

/// Checks it, and notes that it changes nothing if it says another thing than the default.
Result<void> pass_over(const config::Setting& known, const Property& property, Settings& out) {
    const Result<Value> value = config::parse(known, property.value);
    if (!value) return invalid(property, value.error().detail());
    if (property.value != known.fallback.value_or(""))
        out.notes.push_back({property.name, "has no effect: " + std::string{known.doc}});
    return {};
}

/// Kafka Streams' classes, as a file of a Java application has them.
Property as_ours(Property property, std::string_view name) {
    constexpr std::string_view kHandlers = "org.apache.kafka.streams.errors.";
    constexpr std::string_view kProcessor = "org.apache.kafka.streams.processor.";
    constexpr std::string_view kStores = "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$";
    if (name.ends_with(".exception.handler") && property.value.starts_with(kHandlers))
        property.value.erase(0, kHandlers.size());
    if (name == "dsl.store.suppliers.class" && property.value.starts_with(kStores))
        property.value.erase(0, kStores.size());
    if (name == "default.timestamp.extractor" && property.value.starts_with(kProcessor))
        property.value.erase(0, kProcessor.size());
    return property;
}

/// Older names of settings.
std::string_view newer(std::string_view name) {
    constexpr std::string_view kDefault = "default.";
    constexpr std::string_view kHandler = ".exception.handler";
    if (name.starts_with(kDefault) && name.ends_with(kHandler)) name.remove_prefix(kDefault.size());
    if (name == "cache.max.bytes.buffering") return "statestore.cache.max.bytes";
    return name;
}

}  // namespace

std::span<const SettingRow> setting_rows() {
    return kRows;
}

Result<Settings> read_settings(const std::vector<Property>& properties) {
    Settings out;
    for (const SettingRow& row : kRows)
        if (row.setting.fallback)
            LEAT_TRY_VOID(apply(
                row, {std::string{row.setting.name}, std::string{*row.setting.fallback}, 0}, out));
    bool has_interval = false;
    for (const Property& property : properties) {
        out.given.insert_or_assign(property.name, property.value);
        std::string name{newer(property.name)};
        // The newer of two names counts, wherever it stands.
        if (name != property.name &&
            std::ranges::find(properties, name, &Property::name) != properties.end())
            continue;
        // The group is ours, so its settings are taken from where Kafka Streams has them.
        for (const std::string_view prefix : {"consumer.", "main.consumer."})
            if (auto rest = behind(prefix, name);
                rest && (find_row(*rest) != nullptr || find_without_effect(*rest) != nullptr))
                name = *rest;
        if (auto key = behind(kTag, name)) {
            out.tags.insert_or_assign(*std::move(key), property.value);
        } else if (const SettingRow* row = find_row(name)) {
            LEAT_TRY_VOID(apply(*row, as_ours(property, name), out));
            if (name == "metadata.max.age.ms") give_to_clients(property, out);  // The clients' too.
            has_interval = has_interval || name == "commit.interval.ms";
        } else if (const config::Setting* known = find_without_effect(name)) {
            LEAT_TRY_VOID(pass_over(*known, property, out));
        } else {
            give_to_clients(property, out);
        }
    }
    if (out.exactly_once && !has_interval) out.commit_interval = milliseconds{100};
    if (out.application_id.empty())
        return Error{Errc::kInvalidSetting, "application.id: it must be set"};
    if (out.bootstrap_servers.empty())
        return Error{Errc::kInvalidSetting, "bootstrap.servers: it must be set"};
    complete_clients(out);
    LEAT_TRY_VOID(check_client_settings(out));
    LEAT_TRY_VOID(check_together(out));
    LEAT_TRY_VOID(check_clients_open(out));
    LEAT_TRY_VOID(detail::check_rocksdb_options(out.rocksdb_options));
    return out;
}

}  // namespace leat::streams
