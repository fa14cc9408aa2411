// SPDX-License-Identifier: Apache-2.0
#include "apps/next_step.h"

#include <algorithm>
#include <span>

namespace leat::apps {
namespace {

struct Advice {
    Errc code = Errc::kNone;
    std::string_view text;
};

constexpr std::string_view kRights =
    "log in as a user who may do this (--config FILE with its credentials)";
constexpr std::string_view kSettings =
    "'leat reference --print settings' lists the settings and their values";
constexpr std::string_view kReplicas =
    "lower the topic's min.insync.replicas or bring the missing brokers back";
constexpr std::string_view kBroker =
    "check that a broker listens there ('leat serve' starts one) or name another with -b HOST:PORT";
constexpr std::string_view kSlow =
    "check the broker's log and load, then try again; -b HOST:PORT names another broker";
constexpr std::string_view kOwnTokens = "'leat token list' shows your tokens";
constexpr std::string_view kTokenOwner = "log in as the token's owner, or as one who may renew it";

/// Those that mean the same to every command. Codes without an entry have no advice to give.
constexpr Advice kAdvice[] = {
    {Errc::kNetworkException, kBroker},
    {Errc::kBrokerNotAvailable, kBroker},
    {Errc::kTimedOut, kSlow},
    {Errc::kRequestTimedOut, kSlow},
    {Errc::kClosed,
     "the port may want TLS or a login: set security.protocol (SSL, SASL_SSL, SASL_PLAINTEXT) and "
     "what goes with it in the --config file"},
    {Errc::kSaslAuthenticationFailed,
     "check name, password or token and sasl.mechanism in the --config file; an administrator sees "
     "the users by 'leat user list'"},
    {Errc::kUnsupportedSaslMechanism,
     "set sasl.mechanism in the --config file to one that the broker offers"},
    {Errc::kIllegalSaslState,
     "this port takes no login: set security.protocol in the --config file to PLAINTEXT or SSL, or "
     "name another port with -b HOST:PORT"},
    {Errc::kUnknownTopicOrPartition,
     "'leat topic list' shows the topics, 'leat topic create NAME' makes one"},
    {Errc::kLeaderNotAvailable,
     "'leat topic describe NAME' shows the leaders; the broker's log says why a partition has "
     "none"},
    {Errc::kTopicAlreadyExists,
     "'leat topic describe NAME' shows it; choose another name or delete it first"},
    {Errc::kInvalidTopicException,
     "a topic name has 1 to 249 of: letters, digits, '.', '_', '-', and is not '.' or '..'; what "
     "is "
     "in internal topics (__consumer_offsets, __transaction_state) brokers alone write"},
    {Errc::kInvalidReplicationFactor,
     "'leat cluster brokers' counts the brokers; --replication-factor cannot be above it"},
    {Errc::kInvalidPartitions,
     "partitions can only be added: give more than 'leat topic describe NAME' shows"},
    {Errc::kInvalidConfig, kSettings},
    {Errc::kMessageTooLarge,
     "raise the topic's max.message.bytes ('leat config alter topic NAME --set "
     "max.message.bytes=...') or send smaller records"},
    {Errc::kInvalidRecord,
     "a compacted topic takes no record without a key; the broker's log says what else it refused"},
    {Errc::kInvalidTimestamp,
     "the topic bounds how far a record's time may be from now: message.timestamp.before.max.ms "
     "and message.timestamp.after.max.ms ('leat config describe topic NAME --all')"},
    {Errc::kNonEmptyGroup,
     "stop the group's members ('leat group describe GROUP' lists them), then try again"},
    {Errc::kGroupIdNotFound, "'leat group list' shows the groups"},
    {Errc::kNotEnoughReplicas, kReplicas},
    {Errc::kNotEnoughReplicasAfterAppend, kReplicas},
    {Errc::kTopicAuthorizationFailed, kRights},
    {Errc::kGroupAuthorizationFailed, kRights},
    {Errc::kClusterAuthorizationFailed, kRights},
    {Errc::kTransactionalIdAuthorizationFailed, kRights},
    {Errc::kDelegationTokenAuthorizationFailed, kRights},
    {Errc::kSecurityDisabled,
     "the broker keeps access rules once its authorizer.class.name is set; that takes a restart"},
    {Errc::kDelegationTokenAuthDisabled,
     "the broker has tokens once its delegation.token.secret.key is set; that takes a restart"},
    {Errc::kDelegationTokenNotFound, kOwnTokens},
    {Errc::kDelegationTokenExpired, "'leat token create' makes a new one"},
    {Errc::kDelegationTokenOwnerMismatch, kTokenOwner},
    {Errc::kDelegationTokenRequestNotAllowed,
     "tokens are for users who logged in by other means than a token: by SASL or by a certificate "
     "(--config FILE)"},
    {Errc::kTransactionalIdNotFound, "'leat txn list' shows the transactional ids"},
    {Errc::kInvalidUpdateVersion,
     "'leat cluster features' shows the levels that the brokers support, and those finalized"},
    {Errc::kUnknownMemberId, "'leat group describe GROUP' lists the members"},
    {Errc::kGroupSubscribedToTopic,
     "stop the members that subscribe to the topic ('leat group describe GROUP' lists them)"},
    {Errc::kResourceNotFound, "'leat user list' shows the users"},
    {Errc::kOffsetOutOfRange, "'leat topic describe NAME' shows the offsets that exist"},
    {Errc::kDataDirInUse,
     "stop the other process first; each broker needs a directory of its own (--data DIR)"},
    {Errc::kUnsupportedVersion,
     "the broker is too old or too new for this command; 'leat version' and 'leat cluster status' "
     "show both sides"},
};

constexpr std::string_view kTls =
    "in the --config file, ssl.truststore.location must hold who signed the broker's certificate, "
    "ssl.keystore.location your own if the broker asks for one, and security.protocol fit the port";

/// `leat serve` and others that talk to no cluster.
constexpr Advice kOfNode[] = {
    {Errc::kInvalidSetting, kSettings},
    {Errc::kAlreadyExists,
     "another process has that address: stop it, or choose another one with --listen, "
     "--http-listen or the setting listeners"},
};

constexpr Advice kOfClient[] = {
    {Errc::kInvalidSetting,
     "the --config file takes the settings of a Kafka client, by Java's names or librdkafka's"},
};

}  // namespace

std::string_view next_step(const Error& error, CommandKind kind) {
    const Errc code = error.code();
    const std::string_view detail = error.detail();
    // Words of our own channel and of librdkafka.
    if (code == Errc::kClosed && (detail.contains("TLS: ") || detail.contains("SSL_HANDSHAKE") ||
                                  detail.contains("alert certificate required")))
        return kTls;
    const auto found_in = [code](std::span<const Advice> some) -> std::string_view {
        const auto found = std::ranges::find(some, code, &Advice::code);
        return found == some.end() ? std::string_view{} : found->text;
    };
    const bool is_client = kind == CommandKind::kClient || kind == CommandKind::kDrawn;
    const std::string_view special = is_client ? found_in(kOfClient) : found_in(kOfNode);
    return special.empty() ? found_in(kAdvice) : special;
}

}  // namespace leat::apps
