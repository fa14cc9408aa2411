// SPDX-License-Identifier: Apache-2.0
//
// Method: every name, type, default and synonym of tests/fixtures/kafka-configs-4.3.txt, which a
// running Kafka 4.3.1 told, against ours; then examples of each source.
#include "config/describe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace leat::config {
namespace {

const Described* find(const std::vector<Described>& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &Described::name);
    return found != all.end() ? &*found : nullptr;
}

std::string synonyms_of(const std::vector<Described>& all, std::string_view name) {
    std::string out;
    for (const Synonym& s : find(all, name)->synonyms)
        out += s.name + "=" + s.value.value_or("null") + "@" +
               std::to_string(static_cast<int>(s.source)) + ";";
    return out;
}

struct KafkaRow {
    std::string resource, name, type, value, read_only, synonym;
};

std::vector<KafkaRow> kafka_rows() {
    std::ifstream file{"tests/fixtures/kafka-configs-4.3.txt"};
    std::vector<KafkaRow> rows;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream in{line};
        KafkaRow row;
        for (std::string* field :
             {&row.resource, &row.name, &row.type, &row.value, &row.read_only, &row.synonym})
            std::getline(in, *field, '|');
        rows.push_back(row);
    }
    return rows;
}

TEST(Describe, EveryTopicSettingOfKafkaIsTheSameHere) {
    const auto ours = describe_topic({}, {});
    int compared = 0;
    for (const KafkaRow& kafka : kafka_rows()) {
        if (kafka.resource != "topic") continue;
        const Described* one = find(ours, kafka.name);
        ASSERT_NE(one, nullptr) << kafka.name;
        EXPECT_EQ(name_of(one->type), kafka.type) << kafka.name;
        EXPECT_EQ(one->value.value_or("null"), kafka.value) << kafka.name;
        EXPECT_FALSE(one->read_only || one->sensitive) << kafka.name;
        EXPECT_EQ(one->synonyms.empty() ? "" : one->synonyms[0].name, kafka.synonym) << kafka.name;
        ++compared;
    }
    EXPECT_EQ(compared, 33);
}

TEST(Describe, BrokerSettingsThatKafkaHasAreTheSameHere) {
    const auto ours = describe_broker({});
    // Ours listens on loopback only, takes less from strangers, and the data directory has another
    // default.
    const std::set<std::string_view> other{"listeners", "log.dir", "sasl.server.max.receive.size"};
    int compared = 0;
    for (const KafkaRow& kafka : kafka_rows()) {
        if (other.contains(kafka.name)) continue;
        const Described* one = find(ours, kafka.name);
        if (kafka.resource != "broker" || one == nullptr) continue;
        EXPECT_EQ(name_of(one->type), kafka.type) << kafka.name;
        EXPECT_EQ(one->value.value_or("null"), kafka.value) << kafka.name;
        // A setting without effect can be read-only here and dynamic there.
        if (!one->read_only) EXPECT_EQ(kafka.read_only, "ro=false") << kafka.name;
        ++compared;
    }
    EXPECT_GT(compared, 100);
}

TEST(Describe, NearestSourceIsFirstAndGivesTheValue) {
    Layers layers;
    layers.file["log.segment.bytes"] = {"1500000", "f:1"};
    layers.dynamic_default["log.segment.bytes"] = "3097152";
    layers.dynamic_broker["log.segment.bytes"] = "2097152";
    const auto topic = describe_topic(layers, {{"segment.bytes", " 4000000"}});
    EXPECT_EQ(synonyms_of(topic, "segment.bytes"),
              "segment.bytes=4000000@1;log.segment.bytes=2097152@2;log.segment.bytes=3097152@3;"
              "log.segment.bytes=1500000@4;log.segment.bytes=1073741824@5;");
    EXPECT_EQ(find(topic, "segment.bytes")->value, "4000000");
    EXPECT_EQ(find(topic, "segment.bytes")->source, Source::kTopic);
    EXPECT_FALSE(find(topic, "segment.bytes")->is_default());
}

TEST(Describe, CoarserUnitsAreListedOnlyBehindTheFinest) {
    Layers layers;
    layers.file["log.retention.hours"] = {"24", "f:1"};
    EXPECT_EQ(synonyms_of(describe_topic(layers, {}), "retention.ms"), "");
    EXPECT_EQ(find(describe_topic(layers, {}), "retention.ms")->value, "86400000");
    layers.dynamic_default["log.retention.ms"] = "7200000";
    EXPECT_EQ(synonyms_of(describe_topic(layers, {}), "retention.ms"),
              "log.retention.ms=7200000@3;log.retention.hours=24@4;log.retention.hours=168@5;");
    EXPECT_EQ(find(describe_broker(layers), "log.retention.hours")->value, "24");
}

TEST(Describe, UnknownNamesShowNoValue) {
    Layers layers;
    layers.file["no.such.thing"] = {"secret", "f:1"};
    const Described one = *find(describe_broker(layers), "no.such.thing");
    EXPECT_EQ(one.value, std::nullopt);
    EXPECT_TRUE(one.sensitive && one.read_only);
    EXPECT_EQ(one.type, Type::kUnknown);
}

TEST(Describe, ClusterDefaultListsOnlyWhatWasSet) {
    Layers layers;
    layers.dynamic_default["log.retention.ms"] = "7200000";
    const auto all = describe_broker_default(layers);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(synonyms_of(all, "log.retention.ms"), "log.retention.ms=7200000@3;");
}

TEST(Describe, GroupHasItsOwnValueBeforeTheBrokers) {
    Layers layers;
    layers.file["group.consumer.session.timeout.ms"] = {"46000", "f:1"};
    const auto all = describe_group(layers, {{"consumer.session.timeout.ms", "50000"}});
    EXPECT_EQ(synonyms_of(all, "consumer.session.timeout.ms"),
              "consumer.session.timeout.ms=50000@8;group.consumer.session.timeout.ms=46000@4;"
              "group.consumer.session.timeout.ms=45000@5;");
    EXPECT_EQ(find(all, "consumer.heartbeat.interval.ms")->value, "5000");
    EXPECT_TRUE(find(all, "consumer.heartbeat.interval.ms")->is_default());
}

TEST(SettingsReference, HasWhatDescribeConfigsLeavesOut) {
    const std::string page = settings_reference();
    for (const char* name : {"super.users", "allow.everyone.if.no.acl.found"}) {
        EXPECT_TRUE(page.contains("| `" + std::string{name} + "` |")) << name;
        EXPECT_EQ(find(describe_broker({}), name), nullptr) << name;
    }
    EXPECT_FALSE(page.contains("internal.segment.bytes"));
}

TEST(Describe, ShowsTheLimitsOfAListener) {
    Layers layers;
    layers.dynamic_broker["listener.name.plaintext.max.connections"] = "5";
    layers.file["listener.name.plaintext.of.mine"] = {"secret", "f:1"};
    const std::vector<Described> all = describe_broker(layers);
    const auto one =
        std::ranges::find(all, "listener.name.plaintext.max.connections", &Described::name);
    ASSERT_NE(one, all.end());
    EXPECT_EQ(one->value, "5");
    EXPECT_EQ(one->type, Type::kInt);
    EXPECT_FALSE(one->read_only || one->sensitive);
    const auto other = std::ranges::find(all, "listener.name.plaintext.of.mine", &Described::name);
    ASSERT_NE(other, all.end());
    EXPECT_EQ(other->value, std::nullopt);
}

}  // namespace
}  // namespace leat::config
