// SPDX-License-Identifier: Apache-2.0
#include "metadata/controller.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/check.h"

namespace leat::metadata {
namespace {

constexpr std::size_t kNameMax = 249;

Error fail(Errc code, const std::string& message) {
    return Error{code, message};
}

std::string collision_key(std::string_view name) {
    std::string key{name};
    std::ranges::replace(key, '.', '_');
    return key;
}

void set_error(Outcome& outcome, const Error& error) {
    outcome.error = error.code();
    outcome.message = error.detail();
}

/// Names that occur more than once; Kafka refuses each of them.
template <class Items, class Name>
std::set<std::string> repeated(const Items& items, Name name_of) {
    std::set<std::string> seen;
    std::set<std::string> twice;
    for (const auto& item : items)
        if (!seen.insert(name_of(item)).second) twice.insert(name_of(item));
    return twice;
}

Outcome duplicate(std::string name, std::string message) {
    Outcome outcome;
    outcome.name = std::move(name);
    outcome.error = Errc::kInvalidRequest;
    outcome.message = std::move(message);
    return outcome;
}

std::vector<Outcome> refuse_all(const auto& topics, const Error& error) {
    std::vector<Outcome> outcomes;
    for (const auto& topic : topics) {
        Outcome& outcome = outcomes.emplace_back();
        outcome.name = topic.name;
        set_error(outcome, error);
    }
    return outcomes;
}

Error too_many_partitions() {
    return fail(Errc::kPolicyViolation, "Excessively large number of partitions per request.");
}

}  // namespace

std::string topic_name_error(std::string_view name) {
    if (name.empty()) return "the empty string is not allowed";
    if (name == "." || name == "..") return "'" + std::string{name} + "' is not allowed";
    if (name.size() > kNameMax)
        return "the length of '" + std::string{name} + "' is longer than the max allowed length " +
               std::to_string(kNameMax);
    const bool is_good = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
    if (is_good) return "";
    return "'" + std::string{name} +
           "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
}

Controller::Controller(Image image, Random random)
    : image_(std::move(image)), random_(std::move(random)) {
    restore(std::move(image_));
}

void Controller::restore(Image durable) {
    image_ = std::move(durable);
    collision_keys_.clear();
    for (const auto& [name, topic] : image_.topics())
        if (name.find_first_of("._") != std::string_view::npos)
            collision_keys_.emplace(collision_key(name), name);
}

void Controller::apply(Delta delta, std::vector<Delta>& deltas) {
    if (const auto* created = std::get_if<TopicCreated>(&delta)) {
        const std::string& name = created->topic->name;
        if (name.find_first_of("._") != std::string::npos)
            collision_keys_.emplace(collision_key(name), name);
    } else if (const auto* deleted = std::get_if<TopicDeleted>(&delta)) {
        collision_keys_.erase(collision_key(deleted->topic->name));
    }
    image_.apply(delta);
    deltas.push_back(std::move(delta));
}

Uuid Controller::fresh_id() {
    for (;;) {
        const std::uint64_t high = random_();
        const std::uint64_t low = random_();
        const Uuid id = Uuid::from_random(high, low);
        if (id.is_usable() && image_.find(id) == nullptr) return id;
    }
}

std::optional<std::string> Controller::colliding_name(const std::string& name) const {
    if (name.find_first_of("._") == std::string::npos) return std::nullopt;
    const auto found = collision_keys_.find(collision_key(name));
    if (found == collision_keys_.end() || found->second == name) return std::nullopt;
    return found->second;
}

Result<void> Controller::check_room(std::int64_t more) const {
    if (image_.partition_total() + more > image_.broker().partitions_max)
        return fail(Errc::kPolicyViolation, "This broker holds at most " +
                                                std::to_string(image_.broker().partitions_max) +
                                                " partitions (leat.partitions.max).");
    return {};
}

Result<void> Controller::check_replicas(std::span<const std::int32_t> replicas) const {
    if (replicas.empty())
        return fail(Errc::kInvalidReplicaAssignment,
                    "The manual partition assignment includes an empty replica list.");
    std::set<std::int32_t> seen;
    for (const std::int32_t broker : replicas) {
        if (!seen.insert(broker).second)
            return fail(Errc::kInvalidReplicaAssignment,
                        "The manual partition assignment includes the broker " +
                            std::to_string(broker) + " more than once.");
        if (broker != image_.broker().node_id)
            return fail(Errc::kInvalidReplicaAssignment,
                        "The manual partition assignment includes broker " +
                            std::to_string(broker) + ", but no such broker is registered.");
    }
    return {};
}

Result<void> Controller::check_replication_factor(std::int32_t factor) const {
    if (factor < -1 || factor == 0)
        return fail(Errc::kInvalidReplicationFactor,
                    "Replication factor must be larger than 0, or -1 to use the default value.");
    const config::BrokerConfig& broker = image_.broker();
    const std::int32_t wanted = factor == -1 ? broker.default_replication_factor : factor;
    if (wanted > 1 && !broker.replication_factor_clamp)
        return fail(Errc::kInvalidReplicationFactor,
                    "Unable to replicate the partition " + std::to_string(wanted) +
                        " time(s): The target replication factor of " + std::to_string(wanted) +
                        " cannot be reached because only 1 broker(s) are registered.");
    return {};
}

Result<std::int32_t> Controller::checked_partition_count(const NewTopic& asked) const {
    if (asked.assignments.empty()) {
        if (asked.replication_factor < -1 || asked.replication_factor == 0)
            LEAT_TRY_VOID(check_replication_factor(asked.replication_factor));
        if (asked.partitions < -1 || asked.partitions == 0)
            return fail(Errc::kInvalidPartitions,
                        "Number of partitions was set to an invalid non-positive value.");
        LEAT_TRY_VOID(check_replication_factor(asked.replication_factor));
        return asked.partitions == -1 ? image_.broker().num_partitions : asked.partitions;
    }
    if (asked.replication_factor != -1)
        return fail(Errc::kInvalidRequest,
                    "A manual partition assignment was specified, but replication factor was not "
                    "set to -1.");
    if (asked.partitions != -1)
        return fail(Errc::kInvalidRequest,
                    "A manual partition assignment was specified, but numPartitions was not set to "
                    "-1.");
    std::set<std::int32_t> partitions;
    for (const Assignment& assignment : asked.assignments) {
        if (!partitions.insert(assignment.partition).second)
            return fail(Errc::kInvalidReplicaAssignment,
                        "Found multiple manual partition assignments for partition " +
                            std::to_string(assignment.partition));
        LEAT_TRY_VOID(check_replicas(assignment.replicas));
    }
    const auto count = static_cast<std::int32_t>(partitions.size());
    if (*partitions.begin() != 0 || *partitions.rbegin() != count - 1)
        return fail(Errc::kInvalidReplicaAssignment,
                    "partitions should be a consecutive 0-based integer sequence");
    return count;
}

Result<TopicPtr> Controller::checked_new_topic(const NewTopic& asked) {
    if (asked.name == "__cluster_metadata")
        return fail(Errc::kInvalidRequest,
                    "Creation of internal topic __cluster_metadata is prohibited.");
    if (const std::string why = topic_name_error(asked.name); !why.empty())
        return fail(Errc::kInvalidTopicException, "Topic name is invalid: " + why);
    if (image_.find(asked.name) != nullptr)
        return fail(Errc::kTopicAlreadyExists, "Topic '" + asked.name + "' already exists.");
    if (const auto other = colliding_name(asked.name))
        return fail(Errc::kInvalidTopicException,
                    "Topic '" + asked.name + "' collides with existing topic: " + *other);
    auto topic = std::make_shared<Topic>();
    for (const auto& [name, value] : asked.settings) {
        if (!value)
            return fail(Errc::kInvalidConfig,
                        "Null value not supported for topic configs: " + name);
        topic->overrides[name] = *value;
    }
    LEAT_TRY_VOID(config::check_topic_overrides(topic->overrides));
    LEAT_TRY(topic->partition_count, checked_partition_count(asked));
    LEAT_TRY_VOID(check_room(topic->partition_count));
    topic->name = asked.name;
    topic->id = fresh_id();
    topic->created_epoch = image_.unclean_starts();
    topic->config = config::resolve_topic(image_.broker(), topic->overrides);
    return TopicPtr{std::move(topic)};
}

std::vector<Outcome> Controller::create_topics(std::span<const NewTopic> topics, bool validate_only,
                                               std::vector<Delta>& deltas) {
    const auto name_of = [](const NewTopic& t) { return t.name; };
    const std::set<std::string> twice = repeated(topics, name_of);
    const auto count_of = [this](std::int64_t sum, const NewTopic& t) {
        const auto given = static_cast<std::int64_t>(t.assignments.size());
        if (given > 0) return sum + given;
        return sum +
               (t.partitions == -1 ? image_.broker().num_partitions : std::max(t.partitions, 0));
    };
    if (std::accumulate(topics.begin(), topics.end(), std::int64_t{0}, count_of) >
        kRequestPartitionsMax)
        return refuse_all(topics, too_many_partitions());
    std::vector<Outcome> outcomes;
    std::set<std::string> told;
    for (const NewTopic& asked : topics) {
        if (twice.contains(asked.name)) {  // One answer for all of a name.
            if (told.insert(asked.name).second)
                outcomes.push_back(duplicate(asked.name, "Duplicate topic name."));
            continue;
        }
        Outcome& outcome = outcomes.emplace_back();
        outcome.name = asked.name;
        auto topic = checked_new_topic(asked);
        if (!topic.has_value()) {
            set_error(outcome, topic.error());
            continue;
        }
        outcome.topic = *std::move(topic);
        outcome.id = outcome.topic->id;
        if (!validate_only) apply(TopicCreated{outcome.topic}, deltas);
    }
    return outcomes;
}

Result<TopicPtr> Controller::resolve(const TopicRef& ref) const {
    if (ref.name && !ref.id.is_zero())
        return fail(Errc::kInvalidRequest, "You may not specify both topic name and topic id.");
    if (!ref.name && ref.id.is_zero())
        return fail(Errc::kInvalidRequest, "Neither topic name nor id were specified.");
    if (TopicPtr topic = !ref.is_there ? nullptr
                         : ref.name    ? image_.share(*ref.name)
                                       : image_.share(ref.id))
        return topic;
    return Error{ref.name ? Errc::kUnknownTopicOrPartition : Errc::kUnknownTopicId};
}

std::vector<Outcome> Controller::delete_topics(std::span<const TopicRef> topics,
                                               std::vector<Delta>& deltas) {
    const auto key_of = [](const TopicRef& ref) { return ref.name ? *ref.name : ref.id.text(); };
    const std::set<std::string> twice = repeated(topics, key_of);
    std::vector<Outcome> outcomes;
    std::set<std::string> told;
    for (const TopicRef& ref : topics) {
        if (twice.contains(key_of(ref)) && !told.insert(key_of(ref)).second) continue;
        Outcome& outcome = outcomes.emplace_back();
        outcome.name = ref.name.value_or("");
        outcome.id = ref.id;
        if (twice.contains(key_of(ref))) {
            set_error(outcome, fail(Errc::kInvalidRequest,
                                    ref.name ? "Duplicate topic name." : "Duplicate topic id."));
            continue;
        }
        auto topic = resolve(ref);
        if (!topic.has_value()) {
            set_error(outcome, topic.error());
            continue;
        }
        outcome.topic = *std::move(topic);
        outcome.name = outcome.topic->name;
        outcome.id = outcome.topic->id;
        apply(TopicDeleted{outcome.topic}, deltas);
    }
    return outcomes;
}

Result<TopicPtr> Controller::checked_more_partitions(const MorePartitions& asked) const {
    const Topic* topic = image_.find(asked.name);
    if (topic == nullptr) return Error{Errc::kUnknownTopicOrPartition};
    // Kafka allows it, and loses sight of what groups have committed: their place follows from the
    // number of partitions.
    if (topic->is_internal() && asked.count > topic->partition_count)
        return fail(Errc::kInvalidRequest,
                    "The number of partitions of " + asked.name +
                        " decides where each group or transaction is kept; it cannot change.");
    if (asked.count == topic->partition_count)
        return fail(Errc::kInvalidPartitions,
                    "Topic already has " + std::to_string(asked.count) + " partition(s).");
    if (asked.count < topic->partition_count)
        return fail(Errc::kInvalidPartitions, "The topic " + asked.name + " currently has " +
                                                  std::to_string(topic->partition_count) +
                                                  " partition(s); " + std::to_string(asked.count) +
                                                  " would not be an increase.");
    const std::int32_t more = asked.count - topic->partition_count;
    if (more > kRequestPartitionsMax) return too_many_partitions();
    if (asked.assignments) {
        if (asked.assignments->size() != static_cast<std::size_t>(more))
            return fail(
                Errc::kInvalidReplicaAssignment,
                "Attempted to add " + std::to_string(more) + " additional partition(s), but only " +
                    std::to_string(asked.assignments->size()) + " assignment(s) were specified.");
        for (const auto& replicas : *asked.assignments) LEAT_TRY_VOID(check_replicas(replicas));
    }
    LEAT_TRY_VOID(check_room(more));
    auto grown = std::make_shared<Topic>(*topic);
    grown->partition_count = asked.count;
    return TopicPtr{std::move(grown)};
}

std::vector<Outcome> Controller::create_partitions(std::span<const MorePartitions> topics,
                                                   bool validate_only, std::vector<Delta>& deltas) {
    const auto name_of = [](const MorePartitions& t) { return t.name; };
    const std::set<std::string> twice = repeated(topics, name_of);
    std::vector<Outcome> outcomes;
    std::set<std::string> told;
    for (const MorePartitions& asked : topics) {
        if (twice.contains(asked.name)) {
            if (told.insert(asked.name).second)
                outcomes.push_back(duplicate(asked.name, "Duplicate topic name."));
            continue;
        }
        Outcome& outcome = outcomes.emplace_back();
        outcome.name = asked.name;
        auto grown = checked_more_partitions(asked);
        if (!grown.has_value()) {
            set_error(outcome, grown.error());
            continue;
        }
        outcome.topic = *std::move(grown);
        outcome.id = outcome.topic->id;
        const std::int32_t before = image_.find(asked.name)->partition_count;
        if (!validate_only) apply(PartitionsAdded{outcome.topic, before}, deltas);
    }
    return outcomes;
}

Result<Delta> Controller::checked_topic_change(const ConfigChange& change) const {
    if (change.name.empty())
        return fail(Errc::kInvalidRequest, "Default topic resources are not allowed.");
    if (const std::string why = topic_name_error(change.name); !why.empty())
        return fail(Errc::kInvalidTopicException, "Topic name is invalid: " + why);
    const Topic* topic = image_.find(change.name);
    if (topic == nullptr)
        return fail(Errc::kUnknownTopicOrPartition,
                    "The topic '" + change.name + "' does not exist.");
    auto changed = std::make_shared<Topic>(*topic);
    if (change.replace_all) changed->overrides.clear();
    for (const config::Alteration& alteration : change.alterations)
        LEAT_TRY_VOID(config::alter_topic(changed->overrides, alteration));
    LEAT_TRY_VOID(config::check_topic_overrides(changed->overrides));
    changed->config = config::resolve_topic(image_.broker(), changed->overrides);
    return Delta{TopicConfigChanged{std::move(changed)}};
}

Result<Delta> Controller::checked_broker_change(const ConfigChange& change) const {
    const bool is_default = change.name.empty();
    const std::string here = std::to_string(image_.broker().node_id);
    if (!is_default && change.name.find_first_not_of("-0123456789") != std::string::npos)
        return fail(Errc::kInvalidRequest, "Node id must be an integer, but it is: " + change.name);
    if (!is_default && change.name != here)
        return fail(Errc::kInvalidRequest,
                    "Unexpected broker id, expected " + here + ", but received " + change.name);
    auto layers = std::make_shared<config::Layers>(image_.layers());
    config::Values& values = is_default ? layers->dynamic_default : layers->dynamic_broker;
    if (change.replace_all) values.clear();
    for (const config::Alteration& alteration : change.alterations)
        LEAT_TRY_VOID(config::alter_broker(values, alteration, is_default));
    auto broker = config::resolve(*layers);
    if (!broker.has_value())
        return fail(Errc::kInvalidRequest, std::string{broker.error().detail()});
    return Delta{BrokerConfigChanged{std::move(layers), *std::move(broker)}};
}

std::vector<Outcome> Controller::alter_configs(std::span<const ConfigChange> changes,
                                               bool validate_only, std::vector<Delta>& deltas) {
    const auto key_of = [](const ConfigChange& c) {
        return std::to_string(static_cast<int>(c.type)) + "/" + c.name;
    };
    const std::set<std::string> twice = repeated(changes, key_of);
    const auto checked = [&](const ConfigChange& change) -> Result<Delta> {
        if (twice.contains(key_of(change)))
            return fail(Errc::kInvalidRequest, "Each resource must appear at most once.");
        LEAT_TRY_VOID(config::check_alterations(change.alterations));
        if (change.type == ResourceType::kTopic) return checked_topic_change(change);
        if (change.type == ResourceType::kBroker) return checked_broker_change(change);
        if (change.type == ResourceType::kClientMetrics || change.type == ResourceType::kGroup)
            return checked_resource_change(change);
        return fail(Errc::kInvalidRequest,
                    "Unknown resource type " + std::to_string(static_cast<int>(change.type)));
    };
    std::vector<Outcome> outcomes;
    for (const ConfigChange& change : changes) {
        Outcome& outcome = outcomes.emplace_back();
        outcome.name = change.name;
        auto delta = checked(change);
        if (!delta.has_value()) {
            set_error(outcome, delta.error());
        } else if (!validate_only && (!change.alterations.empty() || change.replace_all)) {
            apply(*std::move(delta), deltas);
        }
    }
    return outcomes;
}

std::int64_t Controller::allocate_producer_ids(std::vector<Delta>& deltas) {
    const std::int64_t first = image_.next_producer_id();
    apply(ProducerIdsAllocated{first + kProducerIdBlock}, deltas);
    return first;
}

void Controller::bump_leader_epochs(std::vector<Delta>& deltas) {
    apply(LeaderEpochsBumped{image_.unclean_starts() + 1}, deltas);
}

}  // namespace leat::metadata
