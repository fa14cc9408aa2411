// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/topics.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config/describe.h"

namespace leat::broker::admin {
namespace {

using metadata::Outcome;

metadata::NewTopic asked_of(const wire::CreateTopicsRequest::CreatableTopic& topic) {
    metadata::NewTopic asked;
    asked.name = topic.name;
    asked.partitions = topic.num_partitions;
    asked.replication_factor = topic.replication_factor;
    for (const auto& assignment : topic.assignments)
        asked.assignments.push_back(
            {.partition = assignment.partition_index,
             .replicas = {assignment.broker_ids.begin(), assignment.broker_ids.end()}});
    for (const auto& setting : topic.configs)
        asked.settings.emplace_back(setting.name, setting.value);
    return asked;
}

using Created = wire::CreateTopicsResponse::CreatableTopicResult;
using CreatedSetting = wire::CreateTopicsResponse::CreatableTopicConfigs;

void tell_created(Created& result, const metadata::Topic& topic, const metadata::Image& image,
                  Arena& arena) {
    result.num_partitions = topic.partition_count;
    result.replication_factor = 1;
    const auto settings = config::describe_topic(image.layers(), topic.overrides);
    result.configs = arena.array<CreatedSetting>(settings.size());
    for (std::size_t i = 0; i < settings.size(); ++i) {
        CreatedSetting& told = (*result.configs)[i];
        told.name = arena.copy(settings[i].name);
        told.value.reset();
        if (settings[i].value) told.value = arena.copy(std::string_view{*settings[i].value});
        told.config_source = static_cast<std::int8_t>(settings[i].source);
        told.is_sensitive = settings[i].sensitive;
    }
}

/// Kafka's own words where the code alone would do.
std::string_view text_of(const Outcome& outcome) {
    if (!outcome.message.empty()) return outcome.message;
    if (outcome.error == Errc::kUnknownTopicOrPartition)
        return "This server does not host this topic-partition.";
    if (outcome.error == Errc::kUnknownTopicId) return "This server does not host this topic ID.";
    return "";
}

void tell_deleted(wire::DeleteTopicsResponse::DeletableTopicResult& result, const Outcome& outcome,
                  bool was_named, Arena& arena) {
    result.name.reset();
    if (!outcome.name.empty() || was_named)
        result.name = arena.copy(std::string_view{outcome.name});
    result.topic_id = outcome.id;
    result.error_code = code(outcome.error);
    result.error_message = message(text_of(outcome), arena);
}

std::vector<metadata::TopicRef> refs_of(const wire::DeleteTopicsRequest& request,
                                        std::int16_t version, const Deletable& deletable,
                                        const metadata::Image& image) {
    std::vector<metadata::TopicRef> refs;
    if (version < 6) {
        for (const std::string_view name : request.topic_names)
            refs.push_back({.name = std::string{name}, .id = {}});
    } else {
        for (const auto& topic : request.topics)
            refs.push_back(
                {.name = topic.name ? std::optional<std::string>{*topic.name} : std::nullopt,
                 .id = topic.topic_id});
    }
    for (metadata::TopicRef& ref : refs) {
        const metadata::Topic* topic = ref.name ? image.find(*ref.name) : image.find(ref.id);
        ref.is_there = topic != nullptr && deletable.contains(topic->id);
    }
    return refs;
}

/// delete.topic.enable is off.
std::vector<Outcome> refuse(const std::vector<metadata::TopicRef>& refs, std::int16_t version) {
    std::vector<Outcome> outcomes;
    for (const metadata::TopicRef& ref : refs) {
        Outcome& outcome = outcomes.emplace_back();
        outcome.name = ref.name.value_or("");
        outcome.id = ref.id;
        outcome.error = version < 3 ? Errc::kInvalidRequest : Errc::kTopicDeletionDisabled;
        outcome.message = "This cluster does not allow topics to be deleted.";
    }
    return outcomes;
}

}  // namespace

Change<wire::CreateTopicsResponse> create_topics(const wire::CreateTopicsRequest& request,
                                                 metadata::Controller& controller, Arena& arena) {
    Change<wire::CreateTopicsResponse> change;
    std::vector<metadata::NewTopic> asked;
    asked.reserve(request.topics.size());
    for (const auto& topic : request.topics) asked.push_back(asked_of(topic));
    const auto outcomes = controller.create_topics(asked, request.validate_only, change.deltas);
    change.response.topics = arena.array<Created>(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        Created& result = change.response.topics[i];
        result.name = arena.copy(outcomes[i].name);
        result.error_code = code(outcomes[i].error);
        result.error_message = message(outcomes[i].message, arena);
        if (outcomes[i].topic == nullptr) continue;
        result.topic_id = outcomes[i].id;
        tell_created(result, *outcomes[i].topic, controller.image(), arena);
    }
    return change;
}

Change<wire::DeleteTopicsResponse> delete_topics(const wire::DeleteTopicsRequest& request,
                                                 std::int16_t version, const Deletable& deletable,
                                                 metadata::Controller& controller, Arena& arena) {
    Change<wire::DeleteTopicsResponse> change;
    const auto refs = refs_of(request, version, deletable, controller.image());
    const auto outcomes = controller.image().broker().delete_topics
                              ? controller.delete_topics(refs, change.deltas)
                              : refuse(refs, version);
    change.response.responses =
        arena.array<wire::DeleteTopicsResponse::DeletableTopicResult>(outcomes.size());
    const bool has_nameless = std::ranges::any_of(
        refs, [](const metadata::TopicRef& ref) { return !ref.name && ref.id.is_zero(); });
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        tell_deleted(change.response.responses[i], outcomes[i],
                     outcomes[i].id.is_zero() && !has_nameless, arena);
    return change;
}

Change<wire::CreatePartitionsResponse> create_partitions(
    const wire::CreatePartitionsRequest& request, metadata::Controller& controller, Arena& arena) {
    Change<wire::CreatePartitionsResponse> change;
    std::vector<metadata::MorePartitions> asked;
    for (const auto& topic : request.topics) {
        metadata::MorePartitions& more = asked.emplace_back();
        more.name = topic.name;
        more.count = topic.count;
        if (!topic.assignments) continue;
        more.assignments.emplace();
        for (const auto& assignment : *topic.assignments)
            more.assignments->emplace_back(assignment.broker_ids.begin(),
                                           assignment.broker_ids.end());
    }
    const auto outcomes = controller.create_partitions(asked, request.validate_only, change.deltas);
    change.response.results =
        arena.array<wire::CreatePartitionsResponse::CreatePartitionsTopicResult>(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        auto& result = change.response.results[i];
        result.name = arena.copy(outcomes[i].name);
        result.error_code = code(outcomes[i].error);
        result.error_message = message(outcomes[i].message, arena);
    }
    return change;
}

}  // namespace leat::broker::admin
