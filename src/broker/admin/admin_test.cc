// SPDX-License-Identifier: Apache-2.0
//
// Method: requests as clients send them against a controller with a topic "a" of two partitions;
// the codes are those of a running Kafka 4.3.1 for the same request.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "broker/admin/cluster.h"
#include "broker/admin/configs.h"
#include "broker/admin/replicas.h"
#include "broker/admin/topics.h"
#include "testkit/result_matchers.h"

namespace leat::broker::admin {
namespace {

struct Rig {
    explicit Rig(config::PlacedValues file = {}) : controller(make(std::move(file))) {
        create("a", 2);
    }
    static metadata::Controller make(config::PlacedValues file) {
        config::Layers layers;
        layers.file = std::move(file);
        metadata::State state;
        state.cluster_id = "cluster-1";
        auto image = metadata::Image::make(state, layers);
        EXPECT_OK(image);
        return {*std::move(image),
                [n = std::uint64_t{0}]() mutable { return ++n * 0x9E3779B97F4A7C15; }};
    }
    Change<wire::CreateTopicsResponse> create(std::string_view name, std::int32_t partitions,
                                              bool validate_only = false) {
        wire::CreateTopicsRequest request;
        request.topics = arena.array<wire::CreateTopicsRequest::CreatableTopic>(1);
        request.topics[0].name = name;
        request.topics[0].num_partitions = partitions;
        request.topics[0].replication_factor = 1;
        request.validate_only = validate_only;
        return admin::create_topics(request, controller, arena);
    }
    const metadata::Image& image() const { return controller.image(); }

    Arena arena;
    metadata::Controller controller;
};

std::string name_of(std::int16_t code) {
    return std::string{info(errc_from_wire(code)).name};
}

TEST(AdminTopics, CreatedTopicTellsIdCountAndSettings) {
    Rig rig;
    const auto change = rig.create("b", 3);
    const auto& told = change.response.topics[0];
    EXPECT_EQ(told.error_code, 0);
    EXPECT_EQ(told.error_message, std::nullopt);
    EXPECT_EQ(told.topic_id, rig.image().find("b")->id);
    EXPECT_EQ(told.num_partitions, 3);
    EXPECT_EQ(told.replication_factor, 1);
    ASSERT_GE(told.configs->size(), 33U);
    EXPECT_EQ((*told.configs)[0].name, "cleanup.policy");
    EXPECT_EQ((*told.configs)[0].value, "delete");
    EXPECT_EQ((*told.configs)[0].config_source, 5);
    EXPECT_EQ(change.deltas.size(), 1U);
}

TEST(AdminTopics, ValidateOnlyTellsAndChangesNothing) {
    Rig rig;
    const auto change = rig.create("b", 3, true);
    EXPECT_EQ(change.response.topics[0].num_partitions, 3);
    // As in Kafka: an id that the topic will not have.
    EXPECT_FALSE(change.response.topics[0].topic_id.is_zero());
    EXPECT_TRUE(change.deltas.empty());
    EXPECT_EQ(rig.image().find("b"), nullptr);
}

TEST(AdminTopics, RevokeTurnsOnlySuccessIntoAnError) {
    Rig rig;
    auto change = rig.create("b", 3);
    revoke(change.response.topics, Errc::kNoSpace);
    EXPECT_EQ(name_of(change.response.topics[0].error_code), "KAFKA_STORAGE_ERROR");
    auto refused = rig.create("a", 3);
    revoke(refused.response.topics, Errc::kNoSpace);
    EXPECT_EQ(name_of(refused.response.topics[0].error_code), "TOPIC_ALREADY_EXISTS");
}

TEST(AdminTopics, DeleteByNameBeforeVersion6ByIdAfter) {
    Rig rig;
    const Uuid id = rig.image().find("a")->id;
    std::array<std::string_view, 2> names{"a", "nope"};
    wire::DeleteTopicsRequest old_request;
    old_request.topic_names = names;
    const auto by_name = delete_topics(old_request, 5, {id}, rig.controller, rig.arena);
    EXPECT_EQ(by_name.response.responses[0].error_code, 0);
    EXPECT_EQ(name_of(by_name.response.responses[1].error_code), "UNKNOWN_TOPIC_OR_PARTITION");
    wire::DeleteTopicsRequest request;
    request.topics = rig.arena.array<wire::DeleteTopicsRequest::DeleteTopicState>(1);
    request.topics[0].name.reset();
    request.topics[0].topic_id = id;
    const auto by_id = delete_topics(request, 6, {id}, rig.controller, rig.arena);
    EXPECT_EQ(name_of(by_id.response.responses[0].error_code), "UNKNOWN_TOPIC_ID");
    EXPECT_EQ(by_id.response.responses[0].name, std::nullopt);
    EXPECT_EQ(by_id.response.responses[0].topic_id, id);
}

// The controller knows of a topic before any shard does, on which its deleter's rights are asked.
TEST(AdminTopics, WhatNobodysRightsWereAskedForIsNotDeleted) {
    Rig rig;
    const Uuid id = rig.image().find("a")->id;
    std::array<std::string_view, 1> names{"a"};
    wire::DeleteTopicsRequest by_name;
    by_name.topic_names = names;
    const auto first = delete_topics(by_name, 5, {}, rig.controller, rig.arena);
    EXPECT_EQ(name_of(first.response.responses[0].error_code), "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_TRUE(first.deltas.empty());
    wire::DeleteTopicsRequest by_id;
    by_id.topics = rig.arena.array<wire::DeleteTopicsRequest::DeleteTopicState>(1);
    by_id.topics[0].name.reset();
    by_id.topics[0].topic_id = id;
    const auto second = delete_topics(by_id, 6, {}, rig.controller, rig.arena);
    EXPECT_EQ(name_of(second.response.responses[0].error_code), "UNKNOWN_TOPIC_ID");
    EXPECT_NE(rig.image().find("a"), nullptr);
    EXPECT_EQ(delete_topics(by_id, 6, {id}, rig.controller, rig.arena).deltas.size(), 1U);
}

TEST(AdminTopics, DeletionCanBeOff) {
    Rig rig{{{"delete.topic.enable", {"false", "f:1"}}}};
    std::array<std::string_view, 1> names{"a"};
    wire::DeleteTopicsRequest request;
    request.topic_names = names;
    EXPECT_EQ(name_of(delete_topics(request, 5, {}, rig.controller, rig.arena)
                          .response.responses[0]
                          .error_code),
              "TOPIC_DELETION_DISABLED");
    EXPECT_EQ(name_of(delete_topics(request, 2, {}, rig.controller, rig.arena)
                          .response.responses[0]
                          .error_code),
              "INVALID_REQUEST");
}

TEST(AdminTopics, PartitionsGrow) {
    Rig rig;
    wire::CreatePartitionsRequest request;
    request.topics = rig.arena.array<wire::CreatePartitionsRequest::CreatePartitionsTopic>(1);
    request.topics[0].name = "a";
    request.topics[0].assignments.reset();
    request.topics[0].count = 2;
    EXPECT_EQ(
        name_of(
            create_partitions(request, rig.controller, rig.arena).response.results[0].error_code),
        "INVALID_PARTITIONS");
    request.topics[0].count = 5;
    EXPECT_EQ(create_partitions(request, rig.controller, rig.arena).deltas.size(), 1U);
    EXPECT_EQ(rig.image().find("a")->partition_count, 5);
}

wire::DescribeConfigsResponse::DescribeConfigsResult describe(
    Rig& rig, std::int8_t type, std::string_view name, std::vector<std::string_view> keys = {}) {
    wire::DescribeConfigsRequest request;
    request.include_synonyms = true;
    request.include_documentation = true;
    request.resources = rig.arena.array<wire::DescribeConfigsRequest::DescribeConfigsResource>(1);
    request.resources[0].resource_type = type;
    request.resources[0].resource_name = name;
    if (keys.empty()) {
        request.resources[0].configuration_keys.reset();
    } else {
        request.resources[0].configuration_keys = keys;
    }
    return describe_configs(request, rig.image(), rig.arena).results[0];
}

TEST(AdminConfigs, ResourcesOfEachKindAreTold) {
    Rig rig;
    EXPECT_GE(describe(rig, 2, "a").configs.size(), 33U);
    EXPECT_GE(describe(rig, 4, "1").configs.size(), 100U);
    EXPECT_TRUE(describe(rig, 4, "").configs.empty());
    EXPECT_EQ(describe(rig, 8, "1").configs.size(), obs::kComponents.size() + 1);
    EXPECT_EQ(describe(rig, 32, "g").error_code, 0);
    EXPECT_EQ(name_of(describe(rig, 2, "nope").error_code), "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_EQ(name_of(describe(rig, 2, "a b").error_code), "INVALID_TOPIC_EXCEPTION");
    EXPECT_EQ(name_of(describe(rig, 4, "7").error_code), "INVALID_REQUEST");
    EXPECT_EQ(name_of(describe(rig, 8, "").error_code), "INVALID_REQUEST");
    EXPECT_EQ(name_of(describe(rig, 99, "x").error_code), "INVALID_REQUEST");
}

TEST(AdminConfigs, KeysFilterAndEntriesAreWhole) {
    Rig rig;
    const auto told = describe(rig, 2, "a", {"segment.bytes", "no.such"});
    ASSERT_EQ(told.configs.size(), 1U);
    const auto& entry = told.configs[0];
    EXPECT_EQ(entry.value, "1073741824");
    EXPECT_TRUE(entry.is_default);
    EXPECT_EQ(entry.config_type, 3);
    EXPECT_TRUE(entry.documentation.has_value());
    ASSERT_EQ(entry.synonyms.size(), 1U);
    EXPECT_EQ(entry.synonyms[0].name, "log.segment.bytes");
}

wire::IncrementalAlterConfigsResponse::AlterConfigsResourceResponse alter(
    Rig& rig, std::int8_t type, std::string_view resource, std::string_view name, std::int8_t op,
    std::optional<std::string_view> value, std::vector<LogLevelChange>* levels = nullptr) {
    wire::IncrementalAlterConfigsRequest request;
    request.resources =
        rig.arena.array<wire::IncrementalAlterConfigsRequest::AlterConfigsResource>(1);
    request.resources[0].resource_type = type;
    request.resources[0].resource_name = resource;
    request.resources[0].configs =
        rig.arena.array<wire::IncrementalAlterConfigsRequest::AlterableConfig>(1);
    request.resources[0].configs[0] = {.name = name, .config_operation = op, .value = value};
    const auto change = incremental_alter_configs(request, rig.controller, rig.arena);
    if (levels != nullptr) *levels = change.log_levels;
    return change.response.responses[0];
}

TEST(AdminConfigs, IncrementalChangesAreSeenByDescribe) {
    Rig rig;
    EXPECT_EQ(alter(rig, 2, "a", "cleanup.policy", 2, "compact").error_code, 0);
    const auto told = describe(rig, 2, "a", {"cleanup.policy"}).configs[0];
    EXPECT_EQ(told.value, "delete,compact");
    EXPECT_EQ(told.config_source, 1);
    EXPECT_EQ(alter(rig, 4, "", "log.retention.ms", 0, "5000").error_code, 0);
    EXPECT_EQ(describe(rig, 2, "a", {"retention.ms"}).configs[0].value, "5000");
    EXPECT_EQ(describe(rig, 4, "").configs.size(), 1U);
    EXPECT_EQ(name_of(alter(rig, 2, "a", "no.such", 0, "1").error_code), "INVALID_CONFIG");
    EXPECT_EQ(name_of(alter(rig, 2, "a", "segment.ms", 7, "1").error_code), "INVALID_REQUEST");
    EXPECT_EQ(name_of(alter(rig, 32, "g", "x", 0, "1").error_code), "INVALID_CONFIG");
}

TEST(AdminConfigs, LogLevelsAreLoggersOfTheirOwn) {
    Rig rig;
    std::vector<LogLevelChange> levels;
    const auto set = [&](std::string_view logger, std::int8_t op,
                         std::optional<std::string_view> value) {
        return name_of(alter(rig, 8, "1", logger, op, value, &levels).error_code);
    };
    EXPECT_EQ(set("root", 0, "DEBUG"), "NONE");
    ASSERT_EQ(levels.size(), 1U);
    EXPECT_EQ(levels[0].component, "");
    EXPECT_EQ(levels[0].level, obs::Level::kDebug);
    EXPECT_EQ(set("storage", 0, "TRACE"), "NONE");
    ASSERT_EQ(levels.size(), 1U);
    EXPECT_EQ(levels[0].component, "storage");
    EXPECT_EQ(levels[0].level, obs::Level::kTrace);
    EXPECT_EQ(set("storage", 1, {}), "NONE");
    ASSERT_EQ(levels.size(), 1U);
    EXPECT_EQ(levels[0].level, std::nullopt);
    EXPECT_EQ(set("root", 0, "LOUD"), "INVALID_CONFIG");
    EXPECT_TRUE(levels.empty());
    EXPECT_EQ(set("kafka", 0, "INFO"), "INVALID_CONFIG");
    EXPECT_EQ(set("kafka", 1, {}), "INVALID_CONFIG");
    EXPECT_EQ(set("root", 1, {}), "INVALID_REQUEST");
    EXPECT_EQ(set("storage", 2, "DEBUG"), "INVALID_REQUEST");
}

TEST(AdminConfigs, EachLoggerIsDescribed) {
    Rig rig;
    obs::set_level("groups", obs::Level::kTrace);
    wire::DescribeConfigsRequest request;
    request.resources = rig.arena.array<wire::DescribeConfigsRequest::DescribeConfigsResource>(1);
    request.resources[0].resource_type = 8;
    request.resources[0].resource_name = "1";
    const auto described = describe_configs(request, rig.image(), rig.arena).results[0];
    obs::set_level("groups", std::nullopt);
    EXPECT_EQ(described.error_code, 0);
    ASSERT_EQ(described.configs.size(), obs::kComponents.size() + 1);
    for (const auto& one : described.configs)
        EXPECT_TRUE((one.value == "TRACE") == (one.name == "groups") && one.documentation == "")
            << one.name;
    EXPECT_EQ(described.configs.back().name, "root");
}

TEST(AdminConfigs, AlterReplacesTheWholeSet) {
    Rig rig;
    alter(rig, 2, "a", "segment.ms", 0, "77");
    wire::AlterConfigsRequest request;
    request.resources = rig.arena.array<wire::AlterConfigsRequest::AlterConfigsResource>(1);
    request.resources[0].resource_type = 2;
    request.resources[0].resource_name = "a";
    request.resources[0].configs = rig.arena.array<wire::AlterConfigsRequest::AlterableConfig>(1);
    request.resources[0].configs[0].name = "retention.ms";
    request.resources[0].configs[0].value = "5";
    EXPECT_EQ(alter_configs(request, rig.controller, rig.arena).response.responses[0].error_code,
              0);
    EXPECT_EQ(rig.image().find("a")->overrides, (config::Values{{"retention.ms", "5"}}));
}

TEST(AdminConfigs, ResourcesAreListedByType) {
    Rig rig;
    const auto list = [&](std::vector<std::int8_t> types, std::int16_t version) {
        wire::ListConfigResourcesRequest request;
        request.resource_types = types;
        const auto response = list_config_resources(request, version, rig.image(), rig.arena);
        std::string out = name_of(response.error_code);
        for (const auto& one : response.config_resources)
            out.append(" ")
                .append(std::to_string(one.resource_type))
                .append("/")
                .append(one.resource_name);
        return out;
    };
    EXPECT_EQ(list({}, 1), "NONE 8/1 4/1 2/a");
    EXPECT_EQ(list({2}, 1), "NONE 2/a");
    EXPECT_EQ(list({}, 0), "NONE");
    EXPECT_EQ(list({5}, 1), "UNSUPPORTED_VERSION");
}

constexpr Endpoint kEndpoint{.listener = "PLAINTEXT", .host = "127.0.0.1", .port = 9092};

TEST(AdminCluster, OneBrokerAtTheClientsEndpoint) {
    Rig rig{{{"broker.rack", {"r1", "f:1"}}}};
    wire::DescribeClusterRequest request;
    request.include_cluster_authorized_operations = true;
    const auto told = describe_cluster(request, rig.image(), kEndpoint, rig.arena);
    EXPECT_EQ(told.cluster_id, "cluster-1");
    EXPECT_EQ(told.controller_id, 1);
    ASSERT_EQ(told.brokers.size(), 1U);
    EXPECT_EQ(told.brokers[0].port, 9092);
    EXPECT_EQ(told.brokers[0].rack, "r1");
    request.endpoint_type = 2;
    EXPECT_EQ(name_of(describe_cluster(request, rig.image(), kEndpoint, rig.arena).error_code),
              "MISMATCHED_ENDPOINT_TYPE");
    EXPECT_EQ(describe_cluster(request, rig.image(), kEndpoint, rig.arena).cluster_id, "");
    request.endpoint_type = 3;
    EXPECT_EQ(name_of(describe_cluster(request, rig.image(), kEndpoint, rig.arena).error_code),
              "UNSUPPORTED_ENDPOINT_TYPE");
}

/// Follows cursors to the end; "a0 a1|b0" is two pages.
std::string paged(Rig& rig, std::vector<std::string_view> names, std::int32_t limit) {
    std::string out;
    wire::DescribeTopicPartitionsRequest::Cursor cursor;
    wire::DescribeTopicPartitionsRequest request;
    request.response_partition_limit = limit;
    request.topics =
        rig.arena.array<wire::DescribeTopicPartitionsRequest::TopicRequest>(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) request.topics[i].name = names[i];
    for (int page = 0; page < 100; ++page) {
        const auto told = describe_topic_partitions(
            request, rig.image(), [](std::string_view) { return std::optional{3576}; }, rig.arena);
        for (const auto& topic : told.topics) {
            if (topic.error_code != 0)
                out.append(topic.name.value_or("?"))
                    .append("!")
                    .append(name_of(topic.error_code))
                    .append(" ");
            for (const auto& p : topic.partitions)
                out.append(topic.name.value_or("?"))
                    .append(std::to_string(p.partition_index))
                    .append(" ");
        }
        if (told.next_cursor == nullptr) return out;
        cursor.topic_name = told.next_cursor->topic_name;
        cursor.partition_index = told.next_cursor->partition_index;
        request.cursor = &cursor;
        out += "| ";
    }
    return out + "...";
}

TEST(AdminCluster, PagesCoverEachPartitionOnce) {
    Rig rig;
    rig.create("c", 3);
    rig.create("b", 1);
    EXPECT_EQ(paged(rig, {}, 2000), "a0 a1 b0 c0 c1 c2 ");
    EXPECT_EQ(paged(rig, {}, 2), "a0 a1 | b0 c0 | c1 c2 ");
    EXPECT_EQ(paged(rig, {}, 4), "a0 a1 b0 c0 | c1 c2 ");
    EXPECT_EQ(paged(rig, {}, 1), "a0 | a1 | b0 | c0 | c1 | c2 ");
    EXPECT_EQ(paged(rig, {}, -5), "a0 | a1 | b0 | c0 | c1 | c2 ");
    EXPECT_EQ(paged(rig, {"c", "nope", "a", "a", "x y"}, 4),
              "a0 a1 c0 c1 | c2 nope!UNKNOWN_TOPIC_OR_PARTITION x y!INVALID_TOPIC_EXCEPTION ");
}

TEST(AdminCluster, QuorumHasOneVoter) {
    Rig rig;
    wire::DescribeQuorumRequest request;
    request.topics = rig.arena.array<wire::DescribeQuorumRequest::TopicData>(1);
    request.topics[0].topic_name = "__cluster_metadata";
    for (auto& topic : request.topics)
        topic.partitions = rig.arena.array<wire::DescribeQuorumRequest::PartitionData>(1);
    const auto told = describe_quorum(request, rig.image(), kEndpoint, 1234, rig.arena);
    EXPECT_EQ(told.topics[0].partitions[0].leader_id, 1);
    ASSERT_EQ(told.topics[0].partitions[0].current_voters.size(), 1U);
    EXPECT_EQ(told.topics[0].partitions[0].current_voters[0].last_fetch_timestamp, 1234);
    EXPECT_EQ(told.nodes[0].listeners[0].port, 9092);
}

// As in Kafka, also of the topic that there is.
TEST(AdminCluster, QuorumIsToldToWhoAsksForItAlone) {
    Rig rig;
    wire::DescribeQuorumRequest request;
    const auto expect_nothing = [&] {
        for (auto& topic : request.topics)
            if (topic.partitions.empty())
                topic.partitions = rig.arena.array<wire::DescribeQuorumRequest::PartitionData>(1);
        const auto told = describe_quorum(request, rig.image(), kEndpoint, 1234, rig.arena);
        ASSERT_EQ(told.topics.size(), request.topics.size());
        for (const auto& topic : told.topics)
            for (const auto& partition : topic.partitions)
                EXPECT_EQ(name_of(partition.error_code), "UNKNOWN_TOPIC_OR_PARTITION");
        EXPECT_TRUE(told.nodes.empty());
    };
    request.topics = rig.arena.array<wire::DescribeQuorumRequest::TopicData>(1);
    request.topics[0].topic_name = "a";
    expect_nothing();
    request.topics = rig.arena.array<wire::DescribeQuorumRequest::TopicData>(2);
    request.topics[0].topic_name = "__cluster_metadata";
    request.topics[1].topic_name = "a";
    expect_nothing();
    request.topics = rig.arena.array<wire::DescribeQuorumRequest::TopicData>(1);
    request.topics[0].topic_name = "__cluster_metadata";
    request.topics[0].partitions = rig.arena.array<wire::DescribeQuorumRequest::PartitionData>(2);
    expect_nothing();
}

TEST(AdminCluster, FeatureLevelsAreThoseOfTheAdministrator) {
    Rig rig;
    constexpr std::array kFeatures{Feature{"group.version", 0, 1, 1},
                                   Feature{"metadata.version", 7, 27, 27, true},
                                   Feature{"kraft.version", 0, 1, 0, false, true}};
    const auto update = [&](std::string_view name, std::int16_t level, std::int8_t type) {
        wire::UpdateFeaturesRequest request;
        request.feature_updates = rig.arena.array<wire::UpdateFeaturesRequest::FeatureUpdateKey>(1);
        request.feature_updates[0] = {
            .feature = name, .max_version_level = level, .upgrade_type = type};
        const auto change = update_features(request, 1, kFeatures, rig.controller, rig.arena);
        const auto& told = change.response;
        return name_of(told.error_code) +
               std::string{told.error_message.value_or("")}.substr(0, 40);
    };
    EXPECT_EQ(update("group.version", 1, 1), "NONE");
    EXPECT_EQ(update("group.version", 9, 1).substr(0, 22), "INVALID_UPDATE_VERSION");
    EXPECT_EQ(update("no.such", 1, 1).substr(0, 22), "INVALID_UPDATE_VERSION");
    EXPECT_EQ(update("group.version", 0, 1).substr(0, 22), "INVALID_UPDATE_VERSION");
    EXPECT_EQ(update("metadata.version", 7, 2).substr(0, 22), "INVALID_UPDATE_VERSION");
    EXPECT_EQ(update("kraft.version", 0, 2), "NONE");
    EXPECT_EQ(update("kraft.version", 1, 2).substr(0, 22), "INVALID_UPDATE_VERSION");
    EXPECT_EQ(rig.image().feature_changes(), 0);
    EXPECT_EQ(update("group.version", 0, 2), "NONE");
    EXPECT_EQ(finalized_features(kFeatures, rig.image())[0].finalized, 0);
    EXPECT_EQ(rig.image().feature_changes(), 1);
    EXPECT_EQ(update("group.version", 1, 1), "NONE");
    EXPECT_EQ(finalized_features(kFeatures, rig.image())[0].finalized, 1);
    EXPECT_EQ(update("kraft.version", 1, 1), "NONE");
    EXPECT_EQ(update("kraft.version", 0, 3).substr(0, 22), "INVALID_UPDATE_VERSION");
    EXPECT_EQ(finalized_features(kFeatures, rig.image())[2].finalized, 1);
}

TEST(AdminReplicas, ElectionIsNeverNeeded) {
    Rig rig;
    wire::ElectLeadersRequest request;
    request.topic_partitions.reset();
    for (const auto& topic :
         elect_leaders(request, rig.image(), rig.arena).replica_election_results)
        EXPECT_TRUE(topic.partition_result.empty()) << topic.topic;
    std::array<std::int32_t, 2> partitions{0, 9};
    request.topic_partitions = rig.arena.array<wire::ElectLeadersRequest::TopicPartitions>(2);
    (*request.topic_partitions)[0] = {.topic = "a", .partitions = partitions};
    (*request.topic_partitions)[1] = {.topic = "nope",
                                      .partitions = std::span{partitions}.first(1)};
    const auto told = elect_leaders(request, rig.image(), rig.arena);
    EXPECT_EQ(name_of(told.replica_election_results[0].partition_result[0].error_code),
              "ELECTION_NOT_NEEDED");
    EXPECT_EQ(told.replica_election_results[0].partition_result[1].error_message,
              "No such partition as a-9");
    EXPECT_EQ(told.replica_election_results[1].partition_result[0].error_message,
              "No such topic as nope");
    request.election_type = 2;
    EXPECT_EQ(name_of(elect_leaders(request, rig.image(), rig.arena).error_code),
              "INVALID_REQUEST");
}

// Both as Apache Kafka 4.3.1 answers for a partition in a log directory that went offline.
TEST(AdminReplicas, WhatIsQuarantinedHasNobodyToElect) {
    Rig rig;
    const Uuid a = rig.image().find("a")->id;
    const PartitionTest is_quarantined = [&a](const Uuid& topic, std::int32_t index) {
        return topic == a && index == 0;
    };
    const auto elect = [&](const wire::ElectLeadersRequest& request) {
        return elect_leaders(request, rig.image(), rig.arena, is_quarantined);
    };
    const std::array kinds{
        std::tuple{std::int8_t{0}, "PREFERRED_LEADER_NOT_AVAILABLE",
                   std::string_view{"The preferred leader was not available."}},
        std::tuple{std::int8_t{1}, "ELIGIBLE_LEADERS_NOT_AVAILABLE",
                   std::string_view{"Eligible topic partition leaders are not available."}}};
    for (const auto& [type, error, text] : kinds) {
        SCOPED_TRACE(error);
        std::array<std::int32_t, 2> partitions{0, 1};
        wire::ElectLeadersRequest request;
        request.election_type = type;
        request.topic_partitions = rig.arena.array<wire::ElectLeadersRequest::TopicPartitions>(1);
        (*request.topic_partitions)[0] = {.topic = "a", .partitions = partitions};
        const auto named = elect(request);
        const auto& told = named.replica_election_results[0].partition_result;
        EXPECT_EQ(name_of(told[0].error_code), error);
        EXPECT_EQ(told[0].error_message, text);
        EXPECT_EQ(name_of(told[1].error_code), "ELECTION_NOT_NEEDED");
        request.topic_partitions.reset();
        std::size_t failed = 0;
        for (const auto& topic : elect(request).replica_election_results) {
            failed += topic.partition_result.size();
            if (topic.topic != "a") continue;
            ASSERT_EQ(topic.partition_result.size(), 1U);
            EXPECT_EQ(topic.partition_result[0].partition_id, 0);
            EXPECT_EQ(name_of(topic.partition_result[0].error_code), error);
        }
        EXPECT_EQ(failed, 1U);
    }
}

TEST(AdminReplicas, OnlyTheCurrentReplicasAreAccepted) {
    Rig rig;
    const auto reassign = [&](std::string_view topic, std::int32_t partition,
                              std::optional<std::vector<std::int32_t>> replicas) {
        wire::AlterPartitionReassignmentsRequest request;
        request.topics =
            rig.arena.array<wire::AlterPartitionReassignmentsRequest::ReassignableTopic>(1);
        request.topics[0].name = topic;
        request.topics[0].partitions =
            rig.arena.array<wire::AlterPartitionReassignmentsRequest::ReassignablePartition>(1);
        request.topics[0].partitions[0].partition_index = partition;
        if (replicas) request.topics[0].partitions[0].replicas = *replicas;
        return name_of(alter_partition_reassignments(request, rig.image(), rig.arena)
                           .responses[0]
                           .partitions[0]
                           .error_code);
    };
    using List = std::vector<std::int32_t>;
    EXPECT_EQ(reassign("a", 0, List{1}), "NONE");
    EXPECT_EQ(reassign("a", 0, List{1, 2}), "INVALID_REPLICA_ASSIGNMENT");
    EXPECT_EQ(reassign("a", 0, List{1, 1}), "INVALID_REPLICA_ASSIGNMENT");
    EXPECT_EQ(reassign("a", 0, List{}), "INVALID_REPLICA_ASSIGNMENT");
    EXPECT_EQ(reassign("a", 9, List{1}), "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_EQ(reassign("nope", 0, {}), "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_EQ(reassign("a", 0, {}), "NO_REASSIGNMENT_IN_PROGRESS");
    EXPECT_TRUE(list_partition_reassignments().topics.empty());
}

TEST(AdminReplicas, OnlyTheDataDirectoryIsKnown) {
    Rig rig;
    const auto move = [&](std::string_view path, std::string_view topic) {
        std::array<std::int32_t, 1> partitions{0};
        wire::AlterReplicaLogDirsRequest request;
        request.dirs = rig.arena.array<wire::AlterReplicaLogDirsRequest::AlterReplicaLogDir>(1);
        request.dirs[0].path = path;
        request.dirs[0].topics =
            rig.arena.array<wire::AlterReplicaLogDirsRequest::AlterReplicaLogDirTopic>(1);
        request.dirs[0].topics[0] = {.name = topic, .partitions = partitions};
        return name_of(alter_replica_log_dirs(request, "/data", rig.image(), rig.arena)
                           .results[0]
                           .partitions[0]
                           .error_code);
    };
    EXPECT_EQ(move("/data", "a"), "NONE");
    EXPECT_EQ(move("/other", "a"), "LOG_DIR_NOT_FOUND");
    EXPECT_EQ(move("/data", "nope"), "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_EQ(move("/other", "nope"), "LOG_DIR_NOT_FOUND");
}

TEST(AdminReplicas, LogDirListsPartitionsByTopic) {
    Rig rig;
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    const auto asks = [&](std::string_view topic, std::int32_t partition) {
        return AskedPartitions{request, rig.image()}.has(topic, partition);
    };
    EXPECT_TRUE(asks("a", 1));
    std::array<std::int32_t, 4> partitions{1, 1, -1, 1'000'000};
    request.topics = rig.arena.array<wire::DescribeLogDirsRequest::DescribableLogDirTopic>(2);
    (*request.topics)[0] = {.topic = "a", .partitions = partitions};
    (*request.topics)[1] = {.topic = "nope", .partitions = partitions};
    EXPECT_TRUE(asks("a", 1));
    EXPECT_FALSE(asks("a", 0));
    EXPECT_FALSE(asks("a", -1));
    EXPECT_FALSE(asks("a", 1'000'000));
    EXPECT_FALSE(asks("b", 1));
    EXPECT_FALSE(asks("nope", 1));
    const std::array sizes{PartitionSize{"a", 0, 10}, PartitionSize{"a", 1, 20},
                           PartitionSize{"b", 0, 30}};
    const auto told =
        describe_log_dirs({.path = "/data", .total_bytes = 5, .usable_bytes = 4}, sizes, rig.arena);
    ASSERT_EQ(told.results.size(), 1U);
    ASSERT_EQ(told.results[0].topics.size(), 2U);
    EXPECT_EQ(told.results[0].topics[0].partitions[1].partition_size, 20);
    EXPECT_EQ(told.results[0].usable_bytes, 4);
}

}  // namespace
}  // namespace leat::broker::admin
