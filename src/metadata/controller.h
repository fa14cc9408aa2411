// SPDX-License-Identifier: Apache-2.0
//
// Validates and executes changes to the metadata. Layer: metadata (L4). Pure: no I/O, no clock.
// Spec:  Kafka's CreateTopics, DeleteTopics, CreatePartitions, (Incremental)AlterConfigs; codes and
//        texts compared with Kafka 4.3.1.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "config/alter.h"
#include "metadata/image.h"

namespace leat::metadata {

/// Replicas of one partition as a client asks for them.
struct Assignment {
    std::int32_t partition = 0;
    std::vector<std::int32_t> replicas;
};

struct NewTopic {
    std::string name;
    std::int32_t partitions = -1;          ///< -1: num.partitions.
    std::int32_t replication_factor = -1;  ///< -1: default.replication.factor.
    std::vector<Assignment> assignments;   ///< Given: both numbers above must be -1.
    std::vector<std::pair<std::string, std::optional<std::string>>> settings;
};

/// Names a topic by one of both.
struct TopicRef {
    std::optional<std::string> name;
    Uuid id;
    bool is_there = true;  ///< False: to be answered as a topic that does not exist.
};

struct MorePartitions {
    std::string name;
    std::int32_t count = 0;  ///< Of all partitions afterwards.
    /// Replicas of the new partitions, in order; nullopt: the broker chooses.
    std::optional<std::vector<std::vector<std::int32_t>>> assignments;
};

struct ConfigChange {
    ResourceType type = ResourceType::kTopic;
    std::string name;
    std::vector<config::Alteration> alterations;
    /// AlterConfigs: what is not in the list goes back to its default.
    bool replace_all = false;
};

/// Limits of one entity that change.
struct QuotaChange {
    auth::QuotaEntity entity;
    std::vector<std::pair<std::string, std::optional<double>>> values;  ///< nullopt: taken away.
    bool has_repeated_type = false;  ///< The request named a type of entity twice.
    bool has_unknown_host = false;   ///< The name of an address is none, and no host's.
};

struct ScramDeletion {
    std::string user;
    auth::ScramMechanism mechanism = auth::ScramMechanism::kSha256;
};
struct ScramUpsertion {
    std::string user;
    auth::ScramMechanism mechanism = auth::ScramMechanism::kSha256;
    std::int32_t iterations = 0;
    ScramPtr credential;  ///< Null: salt or password is missing, or it may not be taken anyway.
};

/// What of `wanted` can be judged without its credential is as it must be.
[[nodiscard]] bool may_be_taken(const ScramUpsertion& wanted);

/// Renews a delegation token, or takes it away.
struct TokenDeadline {
    std::string hmac;
    auth::Principal who;
    WallMs now;
    WallMs until;
    bool removes = false;
};

/// What became of one item, in the order of the request.
struct Outcome {
    std::string name;
    Uuid id;
    Errc error = Errc::kNone;
    std::string message;  ///< "" when the code says it all.
    TopicPtr topic;       ///< As it is (or, only validating, would be) afterwards.
};

/// Executes requests against its own image, which runs ahead of the durable one: a request sees
/// what earlier ones did though their commits are on the way. The caller commits the deltas, then
/// applies them to the shards' images, in order.
///
/// Threading: shard-local.
/// Failure:   when a commit fails, call restore() with the durable image before the next request.
class Controller {
  public:
    using Random = std::move_only_function<std::uint64_t()>;
    static constexpr std::int32_t kRequestPartitionsMax = 10'000;  ///< As in Kafka.
    static constexpr std::int64_t kProducerIdBlock = 1'000;

    Controller(Image image, Random random);

    [[nodiscard]] const Image& image() const noexcept { return image_; }
    void restore(Image durable);

    /// Deltas of what succeeded are appended to `deltas`; none when only validating.
    std::vector<Outcome> create_topics(std::span<const NewTopic> topics, bool validate_only,
                                       std::vector<Delta>& deltas);
    std::vector<Outcome> delete_topics(std::span<const TopicRef> topics,
                                       std::vector<Delta>& deltas);
    std::vector<Outcome> create_partitions(std::span<const MorePartitions> topics,
                                           bool validate_only, std::vector<Delta>& deltas);
    std::vector<Outcome> alter_configs(std::span<const ConfigChange> changes, bool validate_only,
                                       std::vector<Delta>& deltas);

    /// One outcome for each rule; one that is there already is a success.
    std::vector<Outcome> create_acls(std::span<const auth::Acl> acls, std::vector<Delta>& deltas);
    /// What each filter removed; one rule that several filters match is told by each.
    std::vector<std::vector<auth::Acl>> delete_acls(std::span<const auth::AclFilter> filters,
                                                    std::vector<Delta>& deltas);

    /// One outcome for each change, in order.
    std::vector<Outcome> alter_quotas(std::span<const QuotaChange> changes, bool validate_only,
                                      std::vector<Delta>& deltas);
    /// One outcome a user; either all that is asked of a user is done, or nothing.
    std::vector<Outcome> alter_scram(std::span<const ScramDeletion> deletions,
                                     std::span<const ScramUpsertion> upsertions,
                                     std::vector<Delta>& deltas);
    /// Of those that are there, the ones that have ended by the time `token` is issued make room.
    /// Errors: kPolicyViolation: too many, of all owners or of this one.
    [[nodiscard]] Errc put_token(TokenPtr token, std::vector<Delta>& deltas);
    /// `expires` is when the token ends afterwards.
    Errc change_token(const TokenDeadline& asked, std::vector<Delta>& deltas, WallMs& expires);
    void drop_expired_tokens(WallMs now, std::vector<Delta>& deltas);

    /// Sets finalized levels of features; the caller has checked them.
    void set_feature_levels(const std::map<std::string, std::int16_t>& levels,
                            std::vector<Delta>& deltas);

    /// First of kProducerIdBlock new producer ids; to be used only once the delta is durable.
    std::int64_t allocate_producer_ids(std::vector<Delta>& deltas);

    /// After an unclean stop, before anything is served.
    void bump_leader_epochs(std::vector<Delta>& deltas);

  private:
    void apply(Delta delta, std::vector<Delta>& deltas);
    Result<TopicPtr> checked_new_topic(const NewTopic& asked);
    [[nodiscard]] Result<std::int32_t> checked_partition_count(const NewTopic& asked) const;
    [[nodiscard]] Result<void> check_replicas(std::span<const std::int32_t> replicas) const;
    [[nodiscard]] Result<void> check_replication_factor(std::int32_t factor) const;
    [[nodiscard]] Result<void> check_room(std::int64_t more) const;
    Result<TopicPtr> checked_more_partitions(const MorePartitions& asked) const;
    Result<TopicPtr> resolve(const TopicRef& ref) const;
    Result<Delta> checked_topic_change(const ConfigChange& change) const;
    [[nodiscard]] Result<Delta> checked_resource_change(const ConfigChange& change) const;
    Result<Delta> checked_broker_change(const ConfigChange& change) const;
    [[nodiscard]] std::optional<std::string> colliding_name(const std::string& name) const;
    Uuid fresh_id();
    [[nodiscard]] bool has_room_for(const auth::DelegationToken& token) const;
    void drop_super_if_gone(const std::string& user, std::vector<Delta>& deltas);

    Image image_;
    Random random_;
    /// Names with '.' read as '_', for names that hold either: two such may not differ only there.
    std::unordered_map<std::string, std::string> collision_keys_;
};

/// Kafka's rule for topic names; "" when `name` is good, else what is wrong with it.
std::string topic_name_error(std::string_view name);

}  // namespace leat::metadata
