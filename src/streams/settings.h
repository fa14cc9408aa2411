// SPDX-License-Identifier: Apache-2.0
//
// Settings of an application under Kafka Streams' names, with its defaults. Layer: streams (L6).
// Spec:  Kafka Streams' configs, by name, type and default.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/properties.h"
#include "config/setting.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/dsl_stores.h"
#include "rt/tls_context.h"
#include "streams/metrics.h"
#include "streams/racks.h"

namespace leat::streams {

using std::chrono::milliseconds;

/// Of the HTTP endpoint (src/stream_endpoint/). Threading: immutable.
struct EndpointSettings {
    std::string listen;   ///< HOST:PORT; empty: there is none.
    std::string address;  ///< application.server.
    bool allow_network = false;
    rt::TlsStore keys;     ///< Given: HTTPS, here and to other instances.
    rt::TlsStore trusted;  ///< Who other instances' certificates are from; empty: the system's.
    std::string user;      ///< That who asks gives with the password; empty: nobody is asked.
    std::string password;
    std::size_t threads = 2;
    std::size_t forward_threads = 4;
    milliseconds forward_timeout{5'000};
    std::size_t forward_bytes_max = 16'777'216;
    std::size_t rows_max = 10'000;
};

/// What is to be said of a setting that was given.
struct SettingNote {
    std::string name;
    std::string text;
};

/// Threading: immutable.
struct Settings {
    std::string application_id;
    std::string application_server;
    std::string client_id;  ///< Empty: the application's id and the process's.
    std::string bootstrap_servers;
    bool exactly_once = false;
    milliseconds commit_interval{30'000};
    milliseconds poll{100};
    milliseconds idle_max{0};
    milliseconds probing_interval{600'000};
    milliseconds task_timeout{300'000};
    milliseconds metadata_age{300'000};
    milliseconds purge_interval{30'000};
    std::int32_t threads = 1;
    std::int32_t standbys = 0;
    std::int32_t warmups_max = 2;
    std::int64_t acceptable_lag = 10'000;
    RackOptions racks;
    std::map<std::string, std::string> tags;  ///< client.tag., by key.
    std::int64_t window_extra_retention_ms = 86'400'000;
    std::int16_t replication_factor = -1;
    bool require_names = false;
    RecordingLevel recording = RecordingLevel::kInfo;
    SampleWindow samples;
    std::size_t topology_bytes_max = 65'536;  ///< Packed, as the group is told.
    std::string optimization;                 ///< As topology.optimization.
    StoreType dsl_store = StoreType::kRocksDb;
    std::string dsl_store_suppliers;  ///< One of Java's two, without package; empty: not set.
    detail::DefaultTime default_time = detail::DefaultTime::kFail;
    std::string dead_letter_topic;
    std::string state_dir;
    milliseconds cleanup_delay{600'000};
    std::int64_t state_memory_bytes = 0;
    std::string rocksdb_options;  ///< RocksDB's text; empty: none are set.
    bool continue_undecodable = false;
    bool continue_processing = false;
    bool continue_production = false;
    std::int64_t cache_bytes = 0;
    std::int64_t input_buffer_bytes = 0;  ///< Of one consumer.
    EndpointSettings endpoint;

    // Of the group, under the consumer's names.
    std::string instance_id;
    milliseconds session_timeout{45'000};
    milliseconds heartbeat_interval{3'000};
    milliseconds rebalance_timeout{300'000};
    std::string offset_reset = "earliest";  ///< latest, none, by_duration.
    milliseconds offset_reset_duration{0};  ///< Of by_duration: how long before now.

    std::vector<config::Property> consumer;          ///< Of the reader of input.
    std::vector<config::Property> restore_consumer;  ///< Beyond `consumer`, of changelogs.
    std::vector<config::Property> global_consumer;   ///< Beyond `consumer`, of global stores.
    std::vector<config::Property> producer;
    std::vector<config::Property> admin;                     ///< And of the group.
    std::vector<std::pair<std::string, std::string>> topic;  ///< "topic." for internal topics.

    std::map<std::string, std::string> given;  ///< All of them, as they came.
    std::vector<SettingNote> notes;            ///< For the log: what is without effect.
};

/// Names that are no setting of ours go to all clients; "consumer.", "main.consumer.", "producer.",
/// "admin." to one, "topic." to internal topics. The last of a name counts; one that nobody knows
/// is noted and left out. Errors: kInvalidSetting, naming setting and line.
Result<Settings> read_settings(const std::vector<config::Property>& properties);

struct SettingRow {
    config::Setting setting;
    void (*into)(Settings&, const config::Value&) = nullptr;
};
[[nodiscard]] std::span<const SettingRow> setting_rows();

}  // namespace leat::streams
