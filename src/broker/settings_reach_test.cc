// SPDX-License-Identifier: Apache-2.0
//
// Method: each setting that has an effect is given a value of its own through the parser; then the
// field that its module reads must have that value, and what every other setting fills must be as
// it was. Two lines that fill each other's fields, and a setting that nobody expects anything of,
// fail here.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "auth/quota.h"
#include "broker/group_host.h"
#include "broker/group_partition.h"
#include "broker/handlers/topic_creation.h"
#include "broker/quotas.h"
#include "broker/transaction_host.h"
#include "broker/transaction_partition.h"
#include "config/access_settings.h"
#include "config/layers.h"
#include "config/resource_config.h"
#include "storage/file_cache.h"
#include "storage/producer_state.h"
#include "testkit/result_matchers.h"

namespace leat::broker {
namespace {

using B = config::BrokerConfig;
using T = config::TopicConfig;
using std::chrono::milliseconds;

std::string show(bool value) {
    return value ? "true" : "false";
}
std::string show(double value) {
    return std::to_string(value);
}
std::string show(const std::string& value) {
    return value;
}
template <std::integral Number>
std::string show(Number value) {
    return std::to_string(value);
}
template <class Rep, class Period>
std::string show(std::chrono::duration<Rep, Period> value) {
    return std::to_string(std::chrono::duration_cast<milliseconds>(value).count());
}
/// Enumerators by their number.
template <class E>
    requires std::is_enum_v<E>
std::string show(E value) {
    return "#" + std::to_string(static_cast<int>(value));
}
template <class V>
std::string show(const std::optional<V>& value) {
    return value ? show(*value) : "none";
}
std::string show(const config::Listener& listener) {
    return text_of(listener);
}
template <class Range>
    requires requires(const Range& range) {
        range.begin();
        range.size();
        requires !std::convertible_to<Range, std::string>;
    }
std::string show(const Range& range) {
    std::string out;
    for (const auto& one : range) out += (out.empty() ? "" : ",") + show(one);
    return out;
}

/// What a module has of a setting.
using Reading = std::string (*)(const B&);

template <auto Field>
std::string broker(const B& config) {
    return show(config.*Field);
}
template <auto Field>
std::string topic(const B& config) {
    return show(config.topic.*Field);
}
template <auto Field>
std::string groups(const B& config) {
    return show(group_settings(config).*Field);
}
template <auto Field>
std::string transactions(const B& config) {
    return show(transaction_settings(config).*Field);
}
template <auto Field>
std::string producers(const B& config) {
    return show(storage::producer_limits(config).*Field);
}
template <auth::QuotaKind Kind>
std::string burst(const B& config) {
    return show(burst_of(config, Kind));
}
std::string longest(const B& config) {
    return show(longest_wait(config, auth::QuotaKind::kRequest));
}
constexpr std::string_view kAssignment = "assignment.interval.ms";
constexpr std::string_view kHeartbeat = "heartbeat.interval.ms";
constexpr std::string_view kSession = "session.timeout.ms";
template <const std::string_view& Name, auto Field>
std::string bound(const B& config) {
    for (const config::GroupBound& one : config::group_bounds(config))
        if (one.name == Name) return show(one.*Field);
    return "missing";
}
template <const std::string_view& Name>
std::string partitions_of(const B& config) {
    return show(topic_on_demand(std::string{Name}, config).partitions);
}
template <const std::string_view& Name>
std::string segment_of(const B& config) {
    for (const auto& [name, text] : topic_on_demand(std::string{Name}, config).settings)
        if (name == "segment.bytes") return text.value_or("none");
    return "missing";
}

// Of the one listener that kBase has.
template <auto Field>
std::string listener(const B& config) {
    return show(config.security.at("SASL_SSL").*Field);
}
template <auto Field>
std::string tls(const B& config) {
    return show(config.security.at("SASL_SSL").tls.*Field);
}
template <auto Field>
std::string key_store(const B& config) {
    return show(config.security.at("SASL_SSL").tls.key_store.*Field);
}
template <auto Field>
std::string trust_store(const B& config) {
    return show(config.security.at("SASL_SSL").tls.trust_store.*Field);
}
template <auto Field>
std::string sasl(const B& config) {
    return show(config.security.at("SASL_SSL").sasl.*Field);
}
template <auto Field>
std::string oauth(const B& config) {
    return show(config.security.at("SASL_SSL").sasl.oauth.*Field);
}
template <auto Field>
std::string kerberos(const B& config) {
    return show(config.security.at("SASL_SSL").sasl.kerberos.*Field);
}

std::string cleanup(const B& config) {
    return "delete " + show(config.topic.cleanup_delete) + " compact " +
           show(config.topic.cleanup_compact);
}
std::string open_files(const B& config) {
    return show(storage::open_files_max(config.open_files_max, 30'000));
}
std::string administrators(const B& config) {
    return show(config::super_users(config));
}
std::string plain_user(const B& config) {
    const auto& users = config.security.at("SASL_SSL").sasl.plain_users;
    const auto found = users.find("seven");
    return found != users.end() ? found->second : "none";
}
std::string reauthentication(const B& config) {
    return show(config.security.at("SASL_SSL").sasl.reauth_ms.at("PLAIN"));
}

struct Expectation {
    std::string_view setting;
    std::string_view text;  ///< Not the default.
    Reading reading;
    /// What is read then; "": the text.
    std::string_view reads = {};
    /// Under which name it is set; "": its own.
    std::string_view set_as = {};
};

/// Node settings of topics, and by their synonyms of all topics.
constexpr auto kTopicRows = std::to_array<Expectation>({
    {"cleanup.policy", "compact", cleanup, "delete false compact true"},
    {"compression.gzip.level", "7", topic<&T::compression_gzip_level>},
    {"compression.lz4.level", "7", topic<&T::compression_lz4_level>},
    {"compression.type", "lz4", topic<&T::compression>, "#4"},
    {"compression.zstd.level", "7", topic<&T::compression_zstd_level>},
    {"delete.retention.ms", "7001", topic<&T::delete_retention_ms>},
    {"file.delete.delay.ms", "7001", topic<&T::file_delete_delay_ms>},
    {"flush.messages", "7001", topic<&T::flush_messages>},
    {"flush.ms", "7001", topic<&T::flush_ms>},
    {"index.interval.bytes", "7001", topic<&T::index_interval_bytes>},
    {"internal.segment.bytes", "7001", topic<&T::segment_bytes>},
    {"leat.durability", "os", topic<&T::durability>, "#2"},
    {"max.compaction.lag.ms", "7001", topic<&T::max_compaction_lag_ms>},
    {"max.message.bytes", "7001", topic<&T::max_message_bytes>},
    {"message.timestamp.after.max.ms", "7001", topic<&T::timestamp_after_max_ms>},
    {"message.timestamp.before.max.ms", "7001", topic<&T::timestamp_before_max_ms>},
    {"message.timestamp.type", "LogAppendTime", topic<&T::timestamp_type>, "#1"},
    {"min.cleanable.dirty.ratio", "0.75", topic<&T::min_cleanable_dirty_ratio>, "0.750000"},
    {"min.compaction.lag.ms", "7001", topic<&T::min_compaction_lag_ms>},
    {"preallocate", "true", topic<&T::preallocate>},
    {"retention.bytes", "7001", topic<&T::retention_bytes>},
    {"retention.ms", "7001", topic<&T::retention_ms>},
    {"segment.bytes", "7000001", topic<&T::segment_bytes>},
    {"segment.index.bytes", "7001", topic<&T::segment_index_bytes>},
    {"segment.jitter.ms", "7001", topic<&T::segment_jitter_ms>},
    {"segment.ms", "7001", topic<&T::segment_ms>},
});

using G = groups::Settings;
using X = transactions::Settings;
using L = storage::ProducerLimits;
using config::GroupBound;

constexpr auto kNodeRows = std::to_array<Expectation>({
    {"advertised.listeners", "SASL_SSL://example.org:7001", broker<&B::advertised_listeners>},
    {"auto.create.topics.enable", "true", broker<&B::auto_create_topics>},
    {"broker.id", "7", broker<&B::node_id>},
    {"broker.rack", "seven", broker<&B::rack>},
    {"connections.max.idle.ms", "7001", broker<&B::connections_max_idle_ms>},
    {"default.replication.factor", "7", broker<&B::default_replication_factor>},
    {"delete.topic.enable", "false", broker<&B::delete_topics>},
    {"fetch.max.bytes", "7001", broker<&B::fetch_max_bytes>},
    {"listener.security.protocol.map", "SASL_SSL:SASL_SSL", broker<&B::listener_protocols>},
    {"listeners", "SASL_SSL://127.0.0.1:7001", broker<&B::listeners>},
    {"max.connection.creation.rate", "7", broker<&B::max_connection_creation_rate>},
    {"max.connections", "7", broker<&B::max_connections>},
    {"max.connections.per.ip", "7", broker<&B::max_connections_per_ip>},
    {"max.connections.per.ip.overrides", "h:7", broker<&B::max_connections_per_ip_overrides>},
    {"max.incremental.fetch.session.cache.slots", "7", broker<&B::fetch_session_slots>},
    {"max.request.partition.size.limit", "7", broker<&B::max_request_partitions>},
    {"node.id", "7", broker<&B::node_id>},
    {"num.partitions", "7", broker<&B::num_partitions>},
    {"num.recovery.threads.per.data.dir", "7", broker<&B::recovery_threads>},
    {"producer.id.expiration.check.interval.ms", "7001",
     broker<&B::producer_id_expiration_check_ms>},
    {"producer.id.expiration.ms", "7001", producers<&L::expiration_ms>},
    {"queued.max.request.bytes", "7001", broker<&B::queued_max_request_bytes>},
    {"socket.listen.backlog.size", "7", broker<&B::socket_listen_backlog>},
    {"socket.receive.buffer.bytes", "7001", broker<&B::socket_receive_buffer_bytes>},
    {"socket.request.max.bytes", "7001", broker<&B::socket_request_max_bytes>},
    {"socket.send.buffer.bytes", "7001", broker<&B::socket_send_buffer_bytes>},
    {"leat.blocking.threads", "7", broker<&B::blocking_threads>},
    {"leat.connection.creation.rate.per.ip", "7", broker<&B::max_connection_creation_rate_per_ip>},
    {"leat.decompressed.max.bytes", "7001", broker<&B::decompressed_bytes_max>},
    {"leat.delayed.connections.max", "7", broker<&B::delayed_connections_max>},
    {"leat.fetch.session.partitions.max", "7", broker<&B::fetch_session_partitions_max>},
    {"leat.http.listen", "127.0.0.1:7001", broker<&B::http_listen>},
    {"leat.http.unsent.max.bytes", "7000001", broker<&B::http_unsent_bytes_max>},
    {"leat.insecure.allow.unauthenticated.network", "true",
     broker<&B::allow_unauthenticated_network>},
    {"leat.log.format", "json", broker<&B::log_format>, "#1"},
    {"leat.log.level", "warn", broker<&B::log_level>, "#3"},
    {"leat.open.files.max", "7", open_files},
    {"leat.partitions.max", "7", broker<&B::partitions_max>},
    {"leat.producer.ids.idle.min.ms", "7001", producers<&L::idle_min_ms>},
    {"leat.producer.ids.max", "7", producers<&L::ids_max>},
    {"leat.queued.response.max.bytes", "7001", broker<&B::queued_response_bytes_max>},
    {"leat.queued.responses.max", "7", broker<&B::queued_responses_max>},
    {"leat.record.errors.max", "7", broker<&B::record_errors_max>},
    {"leat.replication.factor.clamp", "true", broker<&B::replication_factor_clamp>},
    {"leat.request.memory.max.bytes", "70000001", broker<&B::request_memory_bytes_max>},
    {"leat.request.receive.timeout.ms", "7001", broker<&B::frame_timeout_ms>},
    {"leat.response.send.timeout.ms", "7001", broker<&B::send_timeout_ms>},
    {"leat.response.max.bytes", "7000001", broker<&B::response_bytes_max>},
    {"leat.response.memory.max.bytes", "70000001", broker<&B::response_memory_bytes_max>},
    {"leat.shard.blocked.max.ms", "7001", broker<&B::shard_blocked_max_ms>},
    {"leat.shards", "7", broker<&B::shards>},
    {"leat.shutdown.timeout.ms", "7001", broker<&B::shutdown_timeout_ms>},
    {"leat.slow.request.ms", "7001", broker<&B::slow_request_ms>},

    // Rights, quotas, what clients say of themselves.
    {"allow.everyone.if.no.acl.found", "true", broker<&B::allow_without_acls>},
    {"authorizer.class.name", "kafka.security.authorizer.AclAuthorizer",
     broker<&B::authorizer_class>},
    {"controller.quota.window.num", "7", burst<auth::QuotaKind::kMutation>, "7000"},
    {"controller.quota.window.size.seconds", "7", burst<auth::QuotaKind::kMutation>, "77000"},
    {"leat.acls.max", "7", broker<&B::acls_max>},
    {"leat.audit.allowed", "all", broker<&B::audit_allowed>, "#2"},
    {"leat.audit.denials.per.second", "7", broker<&B::audit_denials_per_second>},
    {"leat.audit.denials.total.per.second", "7", broker<&B::audit_denials_total_per_second>},
    {"leat.audit.log", "/seven", broker<&B::audit_path>},
    {"leat.audit.log.files.max", "7", broker<&B::audit_files_max>},
    {"leat.audit.log.max.bytes", "7001", broker<&B::audit_file_bytes_max>},
    {"leat.client.telemetry", "false", broker<&B::telemetry>},
    {"leat.client.telemetry.clients.max", "7", broker<&B::telemetry_clients_max>},
    {"leat.client.telemetry.inflated.max.bytes", "7001", broker<&B::telemetry_inflated_max>},
    {"leat.client.telemetry.values.max", "7", broker<&B::telemetry_values_max>},
    {"leat.delegation.token.names.max.bytes", "7", broker<&B::token_names_max_bytes>},
    {"leat.delegation.token.renewers.max", "7", broker<&B::token_renewers_max>},
    {"leat.delegation.tokens.max", "7", broker<&B::tokens_max>},
    {"leat.delegation.tokens.per.owner.max", "7", broker<&B::tokens_per_owner_max>},
    {"leat.quota.burst.ms", "7001", burst<auth::QuotaKind::kProduce>},
    {"leat.quotas.max", "7", broker<&B::quotas_max>},
    {"quota.window.size.seconds", "7", longest, "7000"},
    {"super.users", "User:seven", administrators},
    {"telemetry.max.bytes", "7001", broker<&B::telemetry_bytes_max>},

    // Groups.
    {"group.consumer.assignment.interval.ms", "7001", groups<&G::consumer_assignment_interval>},
    {"group.consumer.assignors", "range", groups<&G::consumer_assignors>, "#1"},
    {"group.consumer.heartbeat.interval.ms", "7001", groups<&G::consumer_heartbeat_interval>},
    {"group.consumer.max.assignment.interval.ms", "17001", bound<kAssignment, &GroupBound::max>},
    {"group.consumer.max.heartbeat.interval.ms", "17001", bound<kHeartbeat, &GroupBound::max>},
    {"group.consumer.max.session.timeout.ms", "70001", bound<kSession, &GroupBound::max>},
    {"group.consumer.max.size", "7", groups<&G::consumer_members_max>},
    {"group.consumer.migration.policy", "upgrade", groups<&G::migration>, "#1"},
    {"group.consumer.min.assignment.interval.ms", "7", bound<kAssignment, &GroupBound::min>},
    {"group.consumer.min.heartbeat.interval.ms", "7", bound<kHeartbeat, &GroupBound::min>},
    {"group.consumer.min.session.timeout.ms", "7", bound<kSession, &GroupBound::min>},
    {"group.consumer.regex.refresh.interval.ms", "70001", groups<&G::regex_refresh_interval>},
    {"group.consumer.session.timeout.ms", "47001", groups<&G::consumer_session_timeout>},
    {"group.coordinator.rebalance.protocols", "classic", broker<&B::group_protocols>},
    {"group.initial.rebalance.delay.ms", "7", groups<&G::initial_rebalance_delay>},
    {"group.max.session.timeout.ms", "70001", groups<&G::session_timeout_max>},
    {"group.max.size", "7", groups<&G::members_max>},
    {"group.min.session.timeout.ms", "7", groups<&G::session_timeout_min>},
    {"offset.metadata.max.bytes", "7", groups<&G::offset_metadata_bytes_max>},
    {"offsets.commit.timeout.ms", "7001", broker<&B::offsets_commit_timeout_ms>},
    {"offsets.retention.check.interval.ms", "7001", groups<&G::retention_check_interval>},
    {"offsets.retention.minutes", "7", groups<&G::offsets_retention>, "420000"},
    {"offsets.topic.num.partitions", "7", partitions_of<kOffsetsTopic>},
    {"offsets.topic.segment.bytes", "7001", segment_of<kOffsetsTopic>},
    {"leat.group.consumer.patterns.at.once.max", "7", groups<&G::patterns_at_once_max>},
    {"leat.group.consumer.unsettled.heartbeat.ms", "7", groups<&G::unsettled_heartbeat_interval>},
    {"leat.group.max.bytes", "7001", groups<&G::group_bytes_max>},
    {"leat.group.member.max.bytes", "7001", groups<&G::member_bytes_max>},
    {"leat.group.member.protocols.max", "7", groups<&G::protocols_max>},
    {"leat.group.offsets.max", "7", groups<&G::offsets_max>},
    {"leat.group.pending.members.max", "7", groups<&G::pending_members_max>},
    {"leat.groups.max", "7", groups<&G::groups_max>},
    {"leat.groups.max.bytes", "7001", groups<&G::all_groups_bytes_max>},

    // Transactions.
    {"add.partitions.to.txn.retry.backoff.max.ms", "7", transactions<&X::enrolment_wait>},
    {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "7",
     transactions<&X::timeout_check_interval>},
    {"transaction.max.timeout.ms", "7001", transactions<&X::timeout_max>},
    {"transaction.partition.verification.enable", "false", broker<&B::transaction_verification>},
    {"transaction.remove.expired.transaction.cleanup.interval.ms", "7",
     transactions<&X::id_expiration_check_interval>},
    {"transaction.state.log.num.partitions", "7", partitions_of<kTransactionsTopic>},
    {"transaction.state.log.segment.bytes", "7001", segment_of<kTransactionsTopic>},
    {"transactional.id.expiration.ms", "7001", transactions<&X::id_expiration>},
    {"leat.transactional.ids.max", "7", transactions<&X::ids_max>},

    // The log.
    {"log.cleaner.backoff.ms", "7001", broker<&B::cleaner_backoff_ms>},
    {"log.cleaner.dedupe.buffer.size", "7000001", broker<&B::cleaner_dedupe_buffer_bytes>},
    {"log.cleaner.enable", "false", broker<&B::cleaner_enable>},
    {"log.cleaner.io.buffer.load.factor", "0.75", broker<&B::cleaner_load_factor>, "0.750000"},
    {"log.cleaner.io.buffer.size", "7001", broker<&B::cleaner_io_buffer_bytes>},
    {"log.cleaner.io.max.bytes.per.second", "7001", broker<&B::cleaner_io_max_bytes_per_second>,
     "7001.000000"},
    {"log.cleaner.threads", "7", broker<&B::cleaner_threads>},
    {"log.dir", "/seven", broker<&B::log_dirs>},
    {"log.dirs", "/seven", broker<&B::log_dirs>},
    {"log.flush.scheduler.interval.ms", "7001", topic<&T::flush_ms>},
    {"log.retention.check.interval.ms", "7001", broker<&B::retention_check_interval_ms>},
    {"log.retention.hours", "7", topic<&T::retention_ms>, "25200000"},
    {"log.retention.minutes", "7", topic<&T::retention_ms>, "420000"},
    {"log.roll.hours", "7", topic<&T::segment_ms>, "25200000"},
    {"log.roll.jitter.hours", "7", topic<&T::segment_jitter_ms>, "25200000"},
    {"leat.flush.interval.default.ms", "7001", broker<&B::flush_interval_default_ms>},
    {"leat.flush.mark.interval.ms", "7001", broker<&B::flush_mark_interval_ms>},
    {"leat.flush.syncfs.threshold", "7", broker<&B::flush_syncfs_threshold>},
    {"leat.scrub.interval.ms", "7001", broker<&B::scrub_interval_ms>},
    {"leat.scrub.max.bytes.per.second", "7001", broker<&B::scrub_bytes_per_second>},
    {"leat.tail.buffer.bytes", "7001", broker<&B::tail_buffer_bytes>},

    // Delegation tokens.
    {"delegation.token.expiry.check.interval.ms", "7001", broker<&B::token_expiry_check_ms>},
    {"delegation.token.expiry.time.ms", "7001", broker<&B::token_expiry_ms>},
    {"delegation.token.master.key", "seven", broker<&B::token_master_key>},
    {"delegation.token.max.lifetime.ms", "7001", broker<&B::token_lifetime_max_ms>},
    {"delegation.token.secret.key", "seven", broker<&B::token_secret_key>},

    // Listeners.
    {"connection.failed.authentication.delay.ms", "7",
     sasl<&config::SaslSettings::failure_delay_ms>},
    {"connections.max.reauth.ms", "7001", reauthentication},
    {"sasl.enabled.mechanisms", "PLAIN,OAUTHBEARER,GSSAPI,SCRAM-SHA-256",
     sasl<&config::SaslSettings::mechanisms>},
    {"sasl.jaas.config", "org.seven.PlainLoginModule required user_seven=\"secret\";", plain_user,
     "secret", "listener.name.sasl_ssl.plain.sasl.jaas.config"},
    {"sasl.kerberos.principal.to.local.rules", "RULE:[1:$1]",
     kerberos<&config::KerberosSettings::to_local_rules>},
    {"sasl.kerberos.service.name", "seven", kerberos<&config::KerberosSettings::service_name>},
    {"sasl.oauthbearer.clock.skew.seconds", "7", oauth<&config::OAuthSettings::clock_skew_seconds>},
    {"sasl.oauthbearer.expected.audience", "seven", oauth<&config::OAuthSettings::audiences>},
    {"sasl.oauthbearer.expected.issuer", "seven", oauth<&config::OAuthSettings::issuer>},
    {"sasl.oauthbearer.jwks.endpoint.refresh.ms", "7001",
     oauth<&config::OAuthSettings::refresh_ms>},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "70001",
     oauth<&config::OAuthSettings::retry_backoff_max_ms>},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "7",
     oauth<&config::OAuthSettings::retry_backoff_ms>},
    {"sasl.oauthbearer.jwks.endpoint.url", "file:/seven", oauth<&config::OAuthSettings::jwks_url>},
    {"sasl.oauthbearer.scope.claim.name", "seven", oauth<&config::OAuthSettings::scope_claim>},
    {"sasl.oauthbearer.sub.claim.name", "seven", oauth<&config::OAuthSettings::subject_claim>},
    {"sasl.server.max.receive.size", "7001", sasl<&config::SaslSettings::receive_bytes_max>},
    {"ssl.cipher.suites", "TLS_AES_256_GCM_SHA384", tls<&config::TlsSettings::cipher_suites>},
    {"ssl.client.auth", "requested", tls<&config::TlsSettings::client_auth>, "#1",
     "listener.name.sasl_ssl.ssl.client.auth"},
    {"ssl.enabled.protocols", "TLSv1.3", tls<&config::TlsSettings::protocols>},
    {"ssl.key.password", "seven", key_store<&config::StoreSettings::key_password>},
    {"ssl.keystore.certificate.chain", "seven",
     key_store<&config::StoreSettings::certificates_text>},
    {"ssl.keystore.key", "seven", key_store<&config::StoreSettings::key_text>},
    {"ssl.keystore.location", "/seven", key_store<&config::StoreSettings::location>},
    {"ssl.keystore.password", "seven", key_store<&config::StoreSettings::password>},
    {"ssl.keystore.type", "PEM", key_store<&config::StoreSettings::type>},
    {"ssl.principal.mapping.rules", "RULE:a/b/", tls<&config::TlsSettings::principal_rules>},
    {"ssl.truststore.certificates", "seven",
     trust_store<&config::StoreSettings::certificates_text>},
    {"ssl.truststore.location", "/seven", trust_store<&config::StoreSettings::location>},
    {"ssl.truststore.password", "seven", trust_store<&config::StoreSettings::password>},
    {"ssl.truststore.type", "PEM", trust_store<&config::StoreSettings::type>},
    {"leat.authentication.timeout.ms", "7001",
     listener<&config::ListenerSecurity::authentication_timeout_ms>},
    {"leat.oauthbearer.algorithms", "RS512", oauth<&config::OAuthSettings::algorithms>},
    {"leat.tls.reload.interval.ms", "7001", tls<&config::TlsSettings::reload_interval_ms>},
});

/// A node whose one listener has all that can be set of one.
config::Layers base() {
    config::Layers layers;
    for (const auto& [name, text] : std::map<std::string, std::string>{
             {"listeners", "SASL_SSL://127.0.0.1:9093"},
             {"sasl.enabled.mechanisms", "PLAIN,OAUTHBEARER,GSSAPI"},
             {"sasl.oauthbearer.jwks.endpoint.url", "file:/keys"},
             {"sasl.oauthbearer.expected.issuer", "issuer"},
             {"sasl.oauthbearer.expected.audience", "audience"},
             {"listener.name.sasl_ssl.gssapi.sasl.jaas.config",
              "org.seven.Krb5LoginModule required keyTab=\"/table\" principal=\"kafka/host\";"},
             {"ssl.keystore.location", "/store"},
             {"ssl.truststore.location", "/trusted"}})
        layers.file[name] = {text, "base"};
    return layers;
}

std::vector<std::string> readings(const B& config) {
    std::vector<std::string> out;
    out.reserve(std::size(kTopicRows) + std::size(kNodeRows));
    for (const Expectation& row : kTopicRows) out.push_back(row.reading(config));
    for (const Expectation& row : kNodeRows) out.push_back(row.reading(config));
    return out;
}

/// `with` differs from `before` in what `row` says and in nothing else.
void expect_only(const Expectation& row, const std::vector<std::string>& before, const B& with) {
    const std::vector<std::string> after = readings(with);
    const std::string_view reads = row.reads.empty() ? row.text : row.reads;
    for (std::size_t i = 0; i < after.size(); ++i) {
        const bool is_topic = i < kTopicRows.size();
        const Expectation& other =
            is_topic ? kTopicRows.at(i) : kNodeRows.at(i - kTopicRows.size());
        if (other.reading == row.reading) {
            EXPECT_EQ(after[i], reads) << row.setting;
            EXPECT_NE(before[i], reads) << row.setting << " is given what it is anyway";
        } else {
            EXPECT_EQ(after[i], before[i]) << row.setting << " changes " << other.setting;
        }
    }
}

std::shared_ptr<const B> resolved(const config::Layers& layers, std::string_view why) {
    auto config = config::resolve(layers);
    if (config) return *config;
    ADD_FAILURE() << why << ": " << config.error().detail();
    return nullptr;
}

TEST(SettingsReach, EveryEffectiveSettingHasAnExpectationAndNoOther) {
    std::set<std::string_view> expected;
    for (const Expectation& row : kTopicRows)
        EXPECT_TRUE(expected.insert(row.setting).second) << row.setting;
    for (const config::Setting& row : config::topic_settings())
        EXPECT_EQ(expected.contains(row.name), row.effective) << row.name;
    EXPECT_EQ(expected.size(), static_cast<std::size_t>(std::ranges::count_if(
                                   config::topic_settings(), &config::Setting::effective)));
    expected.clear();
    for (const config::Setting& row : config::topic_settings())
        if (row.effective && !row.synonym.empty()) expected.insert(row.synonym);
    for (const Expectation& row : kNodeRows)
        EXPECT_TRUE(expected.insert(row.setting).second) << row.setting;
    for (const config::Setting& row : config::broker_settings())
        EXPECT_EQ(expected.contains(row.name), row.effective) << row.name;
    EXPECT_EQ(expected.size(), static_cast<std::size_t>(std::ranges::count_if(
                                   config::broker_settings(), &config::Setting::effective)));
}

TEST(SettingsReach, EachNodeSettingFillsItsFieldAndNoOther) {
    const auto before = resolved(base(), "base");
    ASSERT_NE(before, nullptr);
    const std::vector<std::string> read_before = readings(*before);
    for (const Expectation& row : kNodeRows) {
        config::Layers layers = base();
        const std::string name{row.set_as.empty() ? row.setting : row.set_as};
        layers.file[name] = {std::string{row.text}, "test"};
        if (const auto with = resolved(layers, row.setting)) expect_only(row, read_before, *with);
    }
}

TEST(SettingsReach, EachSynonymFillsItsFieldOfAllTopicsAndNoOther) {
    const auto before = resolved(base(), "base");
    ASSERT_NE(before, nullptr);
    const std::vector<std::string> read_before = readings(*before);
    for (const Expectation& row : kTopicRows) {
        const config::Setting* setting = config::find_topic_setting(row.setting);
        ASSERT_NE(setting, nullptr) << row.setting;
        if (setting->synonym.empty()) continue;
        config::Layers layers = base();
        layers.file[std::string{setting->synonym}] = {std::string{row.text}, "test"};
        if (const auto with = resolved(layers, setting->synonym))
            expect_only(row, read_before, *with);
    }
}

TEST(SettingsReach, EachTopicSettingFillsItsFieldOfOneTopicAndNoOther) {
    const auto node = resolved(base(), "base");
    ASSERT_NE(node, nullptr);
    const std::vector<std::string> read_before = readings(*node);
    for (const Expectation& row : kTopicRows) {
        B with = *node;
        with.topic =
            *config::resolve_topic(*node, {{std::string{row.setting}, std::string{row.text}}});
        expect_only(row, read_before, with);
    }
}

}  // namespace
}  // namespace leat::broker
