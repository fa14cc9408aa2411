// SPDX-License-Identifier: Apache-2.0
//
// Method: each request once with each outcome; codes and texts are those a running Kafka 4.3.1 gave
// for the same request. Then random requests, checking that replaying the deltas gives the same
// image.
#include "metadata/controller.h"

#include <gtest/gtest.h>

#include "testkit/random.h"
#include "testkit/result_matchers.h"

namespace leat::metadata {
namespace {

Controller make(config::PlacedValues file = {}, State state = {}) {
    config::Layers layers;
    layers.file = std::move(file);
    auto image = Image::make(state, layers);
    EXPECT_OK(image);
    return Controller{*std::move(image),
                      [n = std::uint64_t{0}]() mutable { return ++n * 0x9E3779B97F4A7C15; }};
}

NewTopic topic(std::string name, std::int32_t partitions = 1, std::int32_t factor = 1) {
    return {.name = std::move(name),
            .partitions = partitions,
            .replication_factor = factor,
            .assignments = {},
            .settings = {}};
}

NewTopic assigned(std::vector<Assignment> assignments) {
    return {.name = "a",
            .partitions = -1,
            .replication_factor = -1,
            .assignments = std::move(assignments),
            .settings = {}};
}

NewTopic with(std::string name, std::optional<std::string> value) {
    NewTopic t = topic("a");
    t.settings.emplace_back(std::move(name), std::move(value));
    return t;
}

std::string told(const Outcome& o) {
    return std::string{info(o.error).name} + (o.message.empty() ? "" : ": " + o.message);
}

std::string create(Controller& controller, const NewTopic& asked, bool validate_only = false) {
    std::vector<Delta> deltas;
    const auto outcomes = controller.create_topics({&asked, 1}, validate_only, deltas);
    EXPECT_EQ(deltas.size(), outcomes[0].error == Errc::kNone && !validate_only ? 1U : 0U);
    return told(outcomes[0]);
}

TEST(CreateTopics, DefaultsComeFromTheBroker) {
    Controller c = make({{"num.partitions", {"3", "f:1"}}});
    EXPECT_EQ(create(c, topic("a", -1, -1)), "NONE");
    EXPECT_EQ(c.image().find("a")->partition_count, 3);
    EXPECT_EQ(c.image().find("a")->id.bytes[6] >> 4, 4);
    EXPECT_EQ(c.image().find(c.image().find("a")->id), c.image().find("a"));
}

TEST(CreateTopics, NamesAreKafkas) {
    Controller c = make();
    EXPECT_EQ(
        create(c, topic("a b")),
        "INVALID_TOPIC_EXCEPTION: Topic name is invalid: 'a b' contains one or more characters "
        "other than ASCII alphanumerics, '.', '_' and '-'");
    EXPECT_EQ(create(c, topic("..")),
              "INVALID_TOPIC_EXCEPTION: Topic name is invalid: '..' is not allowed");
    EXPECT_EQ(create(c, topic("")),
              "INVALID_TOPIC_EXCEPTION: Topic name is invalid: the empty string is not allowed");
    EXPECT_EQ(create(c, topic(std::string(250, 'x'))).substr(0, 24), "INVALID_TOPIC_EXCEPTION:");
    EXPECT_EQ(create(c, topic(std::string(249, 'x'))), "NONE");
    EXPECT_EQ(create(c, topic("k.a")), "NONE");
    EXPECT_EQ(create(c, topic("k.a", 0, 9)), "TOPIC_ALREADY_EXISTS: Topic 'k.a' already exists.");
    EXPECT_EQ(create(c, topic("k_a")),
              "INVALID_TOPIC_EXCEPTION: Topic 'k_a' collides with existing topic: k.a");
    EXPECT_EQ(create(c, topic("__cluster_metadata")),
              "INVALID_REQUEST: Creation of internal topic __cluster_metadata is prohibited.");
}

TEST(CreateTopics, CountsAreKafkas) {
    Controller c = make();
    const std::string partitions =
        "INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.";
    const std::string factor =
        "INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0, or -1 to use the "
        "default value.";
    EXPECT_EQ(create(c, topic("a", 0, 1)), partitions);
    EXPECT_EQ(create(c, topic("a", -2, 1)), partitions);
    EXPECT_EQ(create(c, topic("a", 0, 3)), partitions);
    EXPECT_EQ(create(c, topic("a", 1, 0)), factor);
    EXPECT_EQ(create(c, topic("a", 1, -2)), factor);
    EXPECT_TRUE(
        create(c, topic("a", 1, 3)).starts_with("INVALID_REPLICATION_FACTOR: Unable to replicate"));
    EXPECT_EQ(create(c, topic("a", 10'001)),
              "POLICY_VIOLATION: Excessively large number of partitions per request.");
    EXPECT_EQ(create(c, topic("a", 10'000), true), "NONE");
    EXPECT_EQ(c.image().find("a"), nullptr);
}

TEST(CreateTopics, ClampGivesWhatThereIs) {
    Controller c = make({{"leat.replication.factor.clamp", {"true", "f:1"}}});
    EXPECT_EQ(create(c, topic("a", 1, 3)), "NONE");
}

TEST(CreateTopics, ManualAssignmentsAreKafkas) {
    Controller c = make();
    EXPECT_EQ(create(c, assigned({{0, {1}}, {1, {1}}}), true), "NONE");
    const std::string bad = "INVALID_REPLICA_ASSIGNMENT: ";
    EXPECT_EQ(create(c, assigned({{0, {1}}, {2, {1}}})),
              bad + "partitions should be a consecutive 0-based integer sequence");
    EXPECT_EQ(create(c, assigned({{1, {1}}})),
              bad + "partitions should be a consecutive 0-based integer sequence");
    EXPECT_EQ(
        create(c, assigned({{0, {7}}})),
        bad +
            "The manual partition assignment includes broker 7, but no such broker is registered.");
    EXPECT_EQ(create(c, assigned({{0, {1, 1}}})),
              bad + "The manual partition assignment includes the broker 1 more than once.");
    EXPECT_EQ(create(c, assigned({{0, {}}})),
              bad + "The manual partition assignment includes an empty replica list.");
    NewTopic both = assigned({{0, {1}}});
    both.partitions = 1;
    EXPECT_EQ(create(c, both).substr(0, 16), "INVALID_REQUEST:");
}

TEST(CreateTopics, SettingsAreChecked) {
    Controller c = make();
    EXPECT_EQ(create(c, with("no.such", "1")),
              "INVALID_CONFIG: Unknown topic config name: no.such");
    EXPECT_EQ(
        create(c, with("segment.bytes", "1")),
        "INVALID_CONFIG: Invalid value 1 for configuration segment.bytes: Value must be at least "
        "1048576");
    EXPECT_EQ(create(c, with("segment.bytes", std::nullopt)),
              "INVALID_CONFIG: Null value not supported for topic configs: segment.bytes");
    EXPECT_EQ(create(c, with("segment.bytes", "2000000")), "NONE");
    EXPECT_EQ(c.image().find("a")->config->segment_bytes, 2'000'000);
}

TEST(CreateTopics, RepeatedNameIsRefusedOnceAndOthersGoOn) {
    Controller c = make();
    std::vector<Delta> deltas;
    const std::vector<NewTopic> asked{topic("a"), topic("b"), topic("a")};
    const auto outcomes = c.create_topics(asked, false, deltas);
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(told(outcomes[0]), "INVALID_REQUEST: Duplicate topic name.");
    EXPECT_EQ(told(outcomes[1]), "NONE");
    EXPECT_EQ(deltas.size(), 1U);
}

TEST(CreateTopics, PartitionsOfTheNodeAreBounded) {
    Controller c = make({{"leat.partitions.max", {"3", "f:1"}}});
    EXPECT_EQ(create(c, topic("a", 2)), "NONE");
    EXPECT_EQ(create(c, topic("b", 2)).substr(0, 17), "POLICY_VIOLATION:");
}

TEST(DeleteTopics, ByNameAndById) {
    Controller c = make();
    create(c, topic("a.x"));
    create(c, topic("b"));
    const Uuid old_id = c.image().find("a.x")->id;
    std::vector<Delta> deltas;
    const std::vector<TopicRef> asked{
        {.name = "a.x", .id = {}},   {.name = {}, .id = c.image().find("b")->id},
        {.name = "nope", .id = {}},  {.name = {}, .id = Uuid::from_random(1, 1)},
        {.name = "b", .id = old_id}, {.name = {}, .id = {}}};
    const auto outcomes = c.delete_topics(asked, deltas);
    std::vector<std::string> all;
    all.reserve(outcomes.size());
    for (const Outcome& o : outcomes) all.push_back(o.name + " " + told(o));
    EXPECT_EQ(all, (std::vector<std::string>{
                       "a.x NONE", "b NONE", "nope UNKNOWN_TOPIC_OR_PARTITION", " UNKNOWN_TOPIC_ID",
                       "b INVALID_REQUEST: You may not specify both topic name and topic id.",
                       " INVALID_REQUEST: Neither topic name nor id were specified."}));
    EXPECT_EQ(deltas.size(), 2U);
    // The name is free again, its collisions too, and the id is a new one.
    EXPECT_EQ(create(c, topic("a_x")), "NONE");
    EXPECT_NE(c.image().find("a_x")->id, old_id);
}

std::string grow(Controller& c, std::int32_t count,
                 std::optional<std::vector<std::vector<std::int32_t>>> assignments = {}) {
    std::vector<Delta> deltas;
    const MorePartitions asked{.name = "a", .count = count, .assignments = std::move(assignments)};
    return told(c.create_partitions({&asked, 1}, false, deltas)[0]);
}

TEST(CreatePartitions, LeaveInternalTopicsAlone) {
    Controller c = make();
    create(c, topic("__consumer_offsets", 5));
    std::vector<Delta> deltas;
    const MorePartitions asked{.name = "__consumer_offsets", .count = 6, .assignments = {}};
    EXPECT_EQ(c.create_partitions({&asked, 1}, false, deltas)[0].error, Errc::kInvalidRequest);
    EXPECT_TRUE(deltas.empty());
    EXPECT_EQ(c.image().find("__consumer_offsets")->partition_count, 5);
}

TEST(CreatePartitions, OnlyGrow) {
    Controller c = make();
    EXPECT_EQ(grow(c, 3), "UNKNOWN_TOPIC_OR_PARTITION");
    create(c, topic("a", 2));
    EXPECT_EQ(grow(c, 2), "INVALID_PARTITIONS: Topic already has 2 partition(s).");
    EXPECT_EQ(grow(c, -1),
              "INVALID_PARTITIONS: The topic a currently has 2 partition(s); -1 would not be an "
              "increase.");
    const std::string bad = "INVALID_REPLICA_ASSIGNMENT: ";
    using Lists = std::vector<std::vector<std::int32_t>>;
    EXPECT_EQ(
        grow(c, 4, Lists{{1}}),
        bad +
            "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
    EXPECT_EQ(
        grow(c, 3, Lists{{9}}),
        bad +
            "The manual partition assignment includes broker 9, but no such broker is registered.");
    EXPECT_EQ(grow(c, 3, Lists{{1}}), "NONE");
    EXPECT_EQ(grow(c, 20'000),
              "POLICY_VIOLATION: Excessively large number of partitions per request.");
    EXPECT_EQ(c.image().find("a")->partition_count, 3);
    EXPECT_EQ(c.image().partition_total(), 3);
}

std::string alter(Controller& c, ConfigChange change, bool validate_only = false) {
    std::vector<Delta> deltas;
    return told(c.alter_configs({&change, 1}, validate_only, deltas)[0]);
}

using config::AlterOp;

TEST(AlterConfigs, TopicSettings) {
    Controller c = make();
    create(c, with("segment.ms", "100"));
    const auto change = [](std::string name, AlterOp op, std::string value) {
        return ConfigChange{ResourceType::kTopic, "a", {{std::move(name), op, std::move(value)}}};
    };
    EXPECT_EQ(alter(c, change("cleanup.policy", AlterOp::kAppend, "compact")), "NONE");
    EXPECT_TRUE(c.image().find("a")->config->cleanup_compact);
    EXPECT_EQ(c.image().find("a")->config->segment_ms, 100);
    EXPECT_EQ(alter(c, change("no.such", AlterOp::kSet, "1")),
              "INVALID_CONFIG: Unknown topic config name: no.such");
    EXPECT_EQ(alter(c, change("retention.ms", AlterOp::kSet, "5"), true), "NONE");
    EXPECT_EQ(c.image().find("a")->config->retention_ms, 604'800'000);
    ConfigChange replace = change("retention.ms", AlterOp::kSet, "5");
    replace.replace_all = true;
    EXPECT_EQ(alter(c, replace), "NONE");
    EXPECT_EQ(c.image().find("a")->overrides, (config::Values{{"retention.ms", "5"}}));
}

TEST(AlterConfigs, ResourcesAreChecked) {
    Controller c = make();
    const auto on = [](ResourceType type, std::string name) {
        return ConfigChange{type, std::move(name), {{"segment.ms", AlterOp::kSet, "5"}}};
    };
    EXPECT_EQ(alter(c, on(ResourceType::kTopic, "nope")),
              "UNKNOWN_TOPIC_OR_PARTITION: The topic 'nope' does not exist.");
    EXPECT_EQ(alter(c, on(ResourceType::kTopic, "")),
              "INVALID_REQUEST: Default topic resources are not allowed.");
    EXPECT_EQ(alter(c, on(ResourceType::kTopic, "a b")).substr(0, 24), "INVALID_TOPIC_EXCEPTION:");
    EXPECT_EQ(alter(c, on(ResourceType::kBroker, "7")),
              "INVALID_REQUEST: Unexpected broker id, expected 1, but received 7");
    std::vector<Delta> deltas;
    const std::vector<ConfigChange> twice{on(ResourceType::kBroker, "1"),
                                          on(ResourceType::kBroker, "1")};
    for (const Outcome& o : c.alter_configs(twice, false, deltas))
        EXPECT_EQ(told(o), "INVALID_REQUEST: Each resource must appear at most once.");
    EXPECT_TRUE(deltas.empty());
}

TEST(AlterConfigs, BrokerSettingsReachTopicsWithoutTheirOwn) {
    Controller c = make();
    create(c, with("segment.bytes", "2000000"));
    create(c, topic("b"));
    const auto set = [&](std::string broker, std::string name, std::string value) {
        return alter(c, {ResourceType::kBroker,
                         std::move(broker),
                         {{std::move(name), AlterOp::kSet, std::move(value)}}});
    };
    EXPECT_EQ(set("", "log.segment.bytes", "3000000"), "NONE");
    EXPECT_EQ(c.image().find("a")->config->segment_bytes, 2'000'000);
    EXPECT_EQ(c.image().find("b")->config->segment_bytes, 3'000'000);
    EXPECT_EQ(set("1", "log.segment.bytes", "4000000"), "NONE");
    EXPECT_EQ(c.image().find("b")->config->segment_bytes, 4'000'000);
    EXPECT_EQ(set("", "num.partitions", "4"),
              "INVALID_REQUEST: Cannot update these configs dynamically: [num.partitions]");
    EXPECT_EQ(set("1", "log.retention.ms", "0"),
              "INVALID_REQUEST: log.retention.ms: must be -1 or at least 1");
}

TEST(Controller, ProducerIdsComeInBlocks) {
    Controller c = make();
    std::vector<Delta> deltas;
    EXPECT_EQ(c.allocate_producer_ids(deltas), 0);
    EXPECT_EQ(c.allocate_producer_ids(deltas), 1'000);
    EXPECT_EQ(c.image().next_producer_id(), 2'000);
}

TEST(Controller, LeaderEpochsCountFromATopicsCreation) {
    Controller c = make();
    std::vector<Delta> deltas;
    create(c, topic("a"));
    c.bump_leader_epochs(deltas);
    create(c, topic("b"));
    c.bump_leader_epochs(deltas);
    EXPECT_EQ(c.image().leader_epoch(*c.image().find("a")), 2);
    EXPECT_EQ(c.image().leader_epoch(*c.image().find("b")), 1);
}

TEST(Controller, RestoreForgetsWhatWasNotDurable) {
    Controller c = make();
    const Image durable = c.image().clone();
    create(c, topic("a.b"));
    c.restore(durable.clone());
    EXPECT_EQ(c.image().find("a.b"), nullptr);
    EXPECT_EQ(create(c, topic("a_b")), "NONE");
}

std::string dump(const Image& image) {
    std::string out;
    for (const auto& [name, t] : image.topics()) {
        out.append(name).append(" ").append(t->id.text()).append(" ");
        out += std::to_string(t->partition_count) + "/" + std::to_string(image.leader_epoch(*t)) +
               "/" + std::to_string(t->config->segment_ms);
        for (const auto& [k, v] : t->overrides) out.append(" ").append(k).append("=").append(v);
        out += '\n';
    }
    return out + std::to_string(image.partition_total()) + " " +
           std::to_string(image.next_producer_id());
}

TEST(Controller, ReplayedDeltasGiveTheSameImage) {
    testkit::Random random;
    Controller c = make();
    Image replayed = c.image().clone();
    for (int i = 0; i < 2'000; ++i) {
        const std::string name = "t" + std::to_string(random.between(0, 20));
        std::vector<Delta> deltas;
        const NewTopic fresh = topic(name, random.between(0, 4));
        const TopicRef gone{.name = name, .id = {}};
        const MorePartitions more{.name = name, .count = random.between(1, 8), .assignments = {}};
        const bool is_broker = random.between(0, 3) == 0;
        const ConfigChange change{is_broker ? ResourceType::kBroker : ResourceType::kTopic,
                                  is_broker ? "" : name,
                                  {{is_broker ? "log.roll.ms" : "segment.ms",
                                    random.between(0, 2) == 0 ? AlterOp::kDelete : AlterOp::kSet,
                                    std::to_string(random.between(1, 9))}}};
        switch (random.between(0, 5)) {
            case 0:
                c.create_topics({&fresh, 1}, false, deltas);
                break;
            case 1:
                c.delete_topics({&gone, 1}, deltas);
                break;
            case 2:
                c.create_partitions({&more, 1}, random.between(0, 1) == 0, deltas);
                break;
            case 3:
                c.alter_configs({&change, 1}, random.between(0, 1) == 0, deltas);
                break;
            case 4:
                c.bump_leader_epochs(deltas);
                break;
            default:
                c.allocate_producer_ids(deltas);
                break;
        }
        for (const Delta& delta : deltas) replayed.apply(delta);
        ASSERT_EQ(dump(replayed), dump(c.image()));
    }
}

}  // namespace
}  // namespace leat::metadata
