// SPDX-License-Identifier: Apache-2.0
//
// The settings of the broker, typed and ready to use. Layer: config (L1). Pure.
// Spec:  Kafka broker configuration 4.3; docs/reference/settings.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/listener.h"
#include "config/security.h"
#include "config/setting.h"
#include "config/topic_config.h"

namespace leat::config {

enum class AuditScope : std::uint8_t { kNone, kChanges, kAll };  ///< Of what was allowed.
enum class LogFormat : std::uint8_t { kLogfmt, kJson };
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

/// Threading: immutable; a shared_ptr to it is replaced when a dynamic setting changes.
struct BrokerConfig {
    // Who and where.
    std::int32_t node_id = 1;
    std::optional<std::string> rack;
    std::vector<std::string> listener_texts{"PLAINTEXT://127.0.0.1:9092"};
    std::vector<std::string> advertised_listener_texts;
    std::string listener_protocols;
    std::vector<Listener> listeners;
    std::vector<Listener> advertised_listeners;        ///< By name; empty: the bound addresses.
    std::map<std::string, ListenerSecurity> security;  ///< By listener.
    std::optional<std::string> http_listen;            ///< "127.0.0.1:8080"; nullopt: off.
    std::int64_t http_unsent_bytes_max = 268'435'456;
    bool allow_unauthenticated_network = false;
    std::vector<std::string> log_dirs;  ///< At most one; empty: the command line's default.
    std::int32_t shards = 0;            ///< 0: one per core.
    std::int32_t blocking_threads = 4;
    std::int64_t shard_blocked_max_ms = 2;

    // Delegation tokens.
    std::string token_secret_key;
    std::string token_master_key;
    std::int64_t token_lifetime_max_ms = 604'800'000;
    std::int64_t token_expiry_ms = 86'400'000;
    std::int64_t token_expiry_check_ms = 3'600'000;
    std::int32_t tokens_max = 10'000;
    std::int32_t tokens_per_owner_max = 500;
    std::int32_t token_renewers_max = 100;
    std::int32_t token_names_max_bytes = 16'384;

    // Topics.
    TopicConfig topic;  ///< What a topic without settings of its own has.
    std::int32_t num_partitions = 1;
    std::int32_t default_replication_factor = 1;
    bool replication_factor_clamp = false;
    std::optional<bool> auto_create_topics;  ///< nullopt: on for loopback without authentication.
    bool delete_topics = true;
    std::int32_t partitions_max = 200'000;

    // Connections and requests.
    std::int32_t max_connections = 2'147'483'647;
    std::int32_t max_connections_per_ip = 2'147'483'647;
    std::string max_connections_per_ip_overrides;                        ///< "host:count,..."
    std::int32_t max_connection_creation_rate = 2'147'483'647;           ///< Per second.
    std::int32_t max_connection_creation_rate_per_ip = 2'147'483'647;    ///< Per second.
    std::map<std::string, ListenerLimits, std::less<>> listener_limits;  ///< By name, of each.
    std::int32_t delayed_connections_max = 1'000;    ///< Above their rate, not yet closed.
    std::int64_t connections_max_idle_ms = 600'000;  ///< Negative: never.
    std::int32_t socket_request_max_bytes = 104'857'600;
    std::int32_t socket_send_buffer_bytes = 102'400;     ///< -1: the kernel's choice.
    std::int32_t socket_receive_buffer_bytes = 102'400;  ///< -1: the kernel's choice.
    std::int32_t socket_listen_backlog = 50;
    std::int64_t queued_max_request_bytes = -1;  ///< All requests in memory; -1: the next one.
    std::int64_t request_memory_bytes_max = 1'073'741'824;
    std::int32_t queued_responses_max = 64;  ///< Per connection, answers not yet written.
    std::int64_t queued_response_bytes_max = 67'108'864;     ///< Per connection.
    std::int32_t response_bytes_max = 268'435'456;           ///< One answer, without records.
    std::int64_t response_memory_bytes_max = 1'073'741'824;  ///< All answers and arenas.
    std::int64_t frame_timeout_ms = 30'000;       ///< A begun request must arrive whole within.
    std::int64_t send_timeout_ms = 60'000;        ///< A peer must take some bytes within.
    std::int32_t max_request_partitions = 2'000;  ///< DescribeTopicPartitions: per answer.
    std::int64_t slow_request_ms = 1'000;         ///< 0: none is logged.
    std::int64_t shutdown_timeout_ms = 10'000;

    // Produce and fetch.
    std::int32_t fetch_max_bytes = 57'671'680;
    std::int32_t fetch_session_slots = 1'000;
    std::int32_t fetch_session_partitions_max = 200'000;
    std::int32_t tail_buffer_bytes = 65'536;  ///< Per partition: recent appends kept in memory.
    std::int64_t decompressed_bytes_max = 1'073'741'824;  ///< One batch, unpacked.
    std::int32_t record_errors_max = 100;                 ///< Listed of one batch.
    std::int32_t producer_id_expiration_ms = 86'400'000;
    std::int32_t producer_id_expiration_check_ms = 600'000;
    std::int32_t producer_ids_max = 100'000;  ///< Per partition.
    std::int64_t producer_ids_idle_min_ms = 600'000;

    // Log.
    std::int64_t retention_check_interval_ms = 300'000;
    std::int32_t flush_mark_interval_ms = 100;  ///< Durable mark behind the last sync.
    std::int32_t flush_syncfs_threshold = 4;    ///< When more logs wait, one syncfs serves all.
    std::int64_t flush_interval_default_ms = 1'000;  ///< durability=interval without flush.ms.
    std::int32_t open_files_max = 0;                 ///< 0: a third of the process's limit.
    std::int32_t recovery_threads = 2;
    bool cleaner_enable = true;
    std::int32_t cleaner_threads = 1;
    std::int64_t cleaner_dedupe_buffer_bytes = 134'217'728;
    std::int32_t cleaner_io_buffer_bytes = 524'288;
    double cleaner_load_factor = 0.9;
    double cleaner_io_max_bytes_per_second = 1.7976931348623157e308;
    std::int64_t cleaner_backoff_ms = 15'000;
    std::int64_t scrub_interval_ms = 604'800'000;  ///< 0: never.
    std::int64_t scrub_bytes_per_second = 16'777'216;

    // Groups.
    std::int32_t group_min_session_timeout_ms = 6'000;
    std::int32_t group_max_session_timeout_ms = 1'800'000;
    std::int32_t group_initial_rebalance_delay_ms = 3'000;
    std::int32_t group_max_size = 2'147'483'647;
    std::int32_t groups_max = 100'000;  ///< Per partition of __consumer_offsets.
    std::int64_t group_bytes_max = 67'108'864;
    std::int64_t groups_bytes_max = 1'073'741'824;  ///< Of all groups of the node.
    std::int32_t group_member_bytes_max = 1'048'576;
    std::int32_t group_member_protocols_max = 64;
    std::int32_t group_offsets_max = 1'000'000;
    std::int32_t group_pending_members_max = 1'000;

    // Groups of the consumer protocol.
    std::vector<std::string> group_protocols{"classic", "consumer", "streams"};
    std::vector<std::string> consumer_assignors{"uniform", "range"};
    std::string consumer_migration_policy = "bidirectional";
    std::int32_t consumer_session_timeout_ms = 45'000;
    std::int32_t consumer_session_timeout_min_ms = 45'000;
    std::int32_t consumer_session_timeout_max_ms = 60'000;
    std::int32_t consumer_heartbeat_interval_ms = 5'000;
    std::int32_t consumer_heartbeat_interval_min_ms = 5'000;
    std::int32_t consumer_heartbeat_interval_max_ms = 15'000;
    std::int32_t consumer_assignment_interval_ms = 1'000;
    std::int32_t consumer_assignment_interval_min_ms = 0;
    std::int32_t consumer_assignment_interval_max_ms = 15'000;
    std::int32_t consumer_group_max_size = 2'147'483'647;
    std::int32_t consumer_regex_refresh_interval_ms = 600'000;
    std::int32_t consumer_unsettled_heartbeat_ms = 100;
    std::int32_t consumer_patterns_at_once_max = 100;
    std::int32_t offsets_topic_partitions = 50;
    std::int32_t offsets_topic_segment_bytes = 104'857'600;
    std::int32_t offsets_retention_minutes = 10'080;
    std::int64_t offsets_retention_check_ms = 600'000;
    std::int32_t offset_metadata_max_bytes = 4'096;
    std::int32_t offsets_commit_timeout_ms = 5'000;

    // Rights.
    std::string authorizer_class;  ///< One of Kafka's names; "": on when a listener authenticates.
    std::string super_users;       ///< "User:a;User:b".
    bool allow_without_acls = false;
    std::int32_t acls_max = 100'000;
    std::string audit_path;  ///< "": the process's log.
    AuditScope audit_allowed = AuditScope::kChanges;
    std::int32_t audit_denials_per_second = 10;  ///< Of one kind.
    std::int32_t audit_denials_total_per_second = 100;
    std::int64_t audit_file_bytes_max = 104'857'600;
    std::int32_t audit_files_max = 5;
    bool telemetry = true;
    std::int32_t telemetry_bytes_max = 1'048'576;  ///< One push, packed.
    std::int32_t telemetry_inflated_max = 16'777'216;
    std::int32_t telemetry_clients_max = 1'000;
    std::int32_t telemetry_values_max = 500;  ///< Of one client.
    std::int32_t quotas_max = 100'000;        ///< Entities.
    std::int32_t quota_burst_ms = 100;        ///< How far ahead of its rate a client may be.
    std::int32_t quota_window_seconds = 1;    ///< The longest wait for request time.
    std::int32_t mutation_window_count = 11;
    std::int32_t mutation_window_seconds = 1;

    // Transactions.
    std::int32_t transaction_max_timeout_ms = 900'000;
    std::int32_t transaction_timeout_check_ms = 10'000;
    std::int32_t transactional_id_expiration_ms = 604'800'000;
    std::int32_t transactional_id_expiration_check_ms = 3'600'000;
    std::int32_t transaction_enrolment_wait_ms = 100;
    bool transaction_verification = true;
    std::int32_t transactions_topic_partitions = 50;
    std::int32_t transactions_topic_segment_bytes = 104'857'600;
    std::int32_t transactional_ids_max = 100'000;  ///< Per partition of __transaction_state.

    // Seeing it run.
    LogLevel log_level = LogLevel::kInfo;
    LogFormat log_format = LogFormat::kLogfmt;
};

/// Every broker setting, in name order; the one of a name, nullptr when there is none.
std::span<const Setting> broker_settings();
const Setting* find_broker_setting(std::string_view name);

/// The row of the limit that "listener.name.<name>.max.connections" or the like is; else nullptr.
const Setting* find_listener_limit(std::string_view name);

}  // namespace leat::config
