// SPDX-License-Identifier: Apache-2.0
// Method: files of properties as Java applications have them.
#include "streams/settings.h"

#include <gmock/gmock.h>

#include <array>
#include <limits>

#include "base/bounded_time.h"
#include "client/client_properties.h"
#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/serdes.h"
#include "streams/settings_without_effect.h"
#include "streams/state/store_fixture.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

Result<Settings> read(std::vector<config::Property> more) {
    more.push_back({"application.id", "app", 0});
    more.push_back({"bootstrap.servers", "h:1", 0});
    return read_settings(more);
}

std::vector<string> noted(const Settings& settings) {
    std::vector<string> out;
    out.reserve(settings.notes.size());
    for (const SettingNote& note : settings.notes) out.push_back(note.name);
    return out;
}

TEST(SettingsOfJava, AreAllTakenAndThoseWithoutEffectNoted) {
    const auto settings = read({
        {"default.key.serde", "org.apache.kafka.common.serialization.Serdes$StringSerde", 0},
        {"group.protocol", "streams", 0},
        {"rocksdb.config.setter", "com.example.Tuned", 0},
        {"processor.wrapper.class", "com.example.Wrapper", 0},
        {"upgrade.from", "", 0},  // The default.
        {"consumer.group.protocol", "classic", 0},
    });
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_THAT(noted(*settings), ElementsAre("default.key.serde", "group.protocol",
                                              "rocksdb.config.setter", "processor.wrapper.class"));
    EXPECT_THAT(settings->notes.front().text, HasSubstr("Serdes are those of the types"));
    EXPECT_EQ(client::find_property(settings->consumer, "group.protocol"), "");
    EXPECT_EQ(settings->given.at("rocksdb.config.setter"), "com.example.Tuned");
}

TEST(SettingsOfJava, AValueThatIsNoneIsRefused) {
    EXPECT_FALSE(read({{"group.protocol", "raft", 0}}));
    EXPECT_FALSE(read({{"buffered.records.per.partition", "0", 0}}));
    EXPECT_FALSE(read({{"default.timestamp.extractor", "com.example.Own", 0}}));
}

TEST(SettingsOfJava, TheLongestTimeIsTakenAndStillFitsAnInstant) {
    const string never = std::to_string(std::numeric_limits<std::int64_t>::max());
    for (const SettingRow& row : setting_rows()) {
        if (row.setting.type != config::Type::kLong || !row.setting.name.ends_with(".ms")) continue;
        const auto settings = read({{string{row.setting.name}, never, 0}});
        EXPECT_TRUE(settings) << row.setting.name << ": " << settings.error().detail();
    }
    const auto settings = read({{"commit.interval.ms", never, 0}});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->commit_interval, bounded_ms(kLongestMs));
    EXPECT_GT(Instant{std::chrono::hours{24}} + settings->commit_interval, Instant{});
}

TEST(SettingsOfJava, ANameThatNobodyKnowsIsLeftOutAndNotedOnce) {
    const auto settings = read({{"my.own", "1", 0},
                                {"consumer.interceptor.classes", "com.example.Spy", 0},
                                {"queued.max.messages.kbytes", "4096", 0}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_THAT(noted(*settings), UnorderedElementsAre("my.own", "interceptor.classes"));
    EXPECT_EQ(client::find_property(settings->consumer, "my.own"), "");
    EXPECT_EQ(client::find_property(settings->consumer, "queued.max.messages.kbytes"), "4096");
}

TEST(SettingsOfConsumers, WhatIsFetchedAheadIsSetForAllOrForOne) {
    const string name = "leat.input.buffer.max.bytes";
    const auto plain = read({});
    ASSERT_TRUE(plain) << plain.error().detail();
    EXPECT_EQ(client::find_property(plain->consumer, name), "268435456");
    const auto settings = read({{name, "7000000", 0}, {"restore.consumer." + name, "9000000", 0}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_TRUE(settings->notes.empty());
    EXPECT_EQ(client::find_property(settings->consumer, name), "7000000");
    EXPECT_EQ(client::find_property(settings->restore_consumer, name), "9000000");
    EXPECT_EQ(client::find_property(settings->global_consumer, name), "");  // As the others.
    EXPECT_EQ(client::find_property(read({{"consumer." + name, "5", 0}})->consumer, name), "5");
    EXPECT_FALSE(read({{name, "-1", 0}}));
    EXPECT_FALSE(read({{"restore.consumer." + name, "some", 0}}));
}

TEST(SettingsOfJava, WrongValuesOfClientsAreFoundAtOnce) {
    const auto wrong = read({{"producer.linger.ms", "soon", 0}});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), Errc::kInvalidSetting);
    EXPECT_THAT(string{wrong.error().detail()}, HasSubstr("linger.ms"));
}

TEST(SettingsOfJava, WhatContradictsItselfIsFoundAtOnce) {
    using Given = std::vector<config::Property>;
    const config::Property exactly{"processing.guarantee", "exactly_once_v2", 0};
    const std::vector<std::pair<Given, string>> wrong{
        {{exactly, {"producer.acks", "0", 0}}, "acks"},
        {{exactly, {"retries", "0", 0}}, "retries"},
        {{{"enable.idempotence", "true", 0}, {"acks", "1", 0}}, "acks"},
        {{{"admin.request.timeout.ms", "x", 0}}, "request.timeout.ms"},
        {{{"admin.security.protocol", "BOGUS", 0}}, "security.protocol"},
        {{{"heartbeat.interval.ms", "6000", 0}, {"session.timeout.ms", "6000", 0}},
         "heartbeat.interval.ms: 6000 is not less than session.timeout.ms: 6000"},
        {{{"application.server", "foo", 0}}, "application.server: 'foo' is no HOST:PORT"},
        {{{"application.server", "a:1,b:2", 0}}, "application.server"},
        {{{"application.server", "host:80x", 0}}, "application.server: 'host:80x' is no HOST:PORT"},
        {{{"application.server", "host:080", 0}}, "application.server: 'host:080' is no HOST:PORT"},
        {{{"application.server", "host:80/", 0}}, "application.server: 'host:80/' is no HOST:PORT"},
        {{{"application.server", "http://host:80", 0}}, "application.server"},
        {{{"replication.factor", "65537", 0}}, "replication.factor"},
    };
    for (const auto& [given, named] : wrong) {
        const auto settings = read(given);
        ASSERT_FALSE(settings) << named;
        EXPECT_EQ(settings.error().code(), Errc::kInvalidSetting);
        EXPECT_THAT(string{settings.error().detail()}, HasSubstr(named));
    }
}

TEST(SettingsOfJava, WhatJavaTakesIsTaken) {
    const auto acks = read({{"producer.acks", "0", 0}});
    ASSERT_TRUE(acks) << acks.error().detail();
    EXPECT_EQ(client::find_property(acks->producer, "enable.idempotence"), "false");
    const auto retries = read({{"producer.retries", "0", 0}});
    ASSERT_TRUE(retries) << retries.error().detail();
    EXPECT_EQ(client::find_property(retries->producer, "enable.idempotence"), "false");
    // By librdkafka's names too.
    for (const auto& [name, value, idempotent] :
         std::vector<std::array<string, 3>>{{"request.required.acks", "1", "false"},
                                            {"request.required.acks", "-1", "true"},
                                            {"message.send.max.retries", "0", "false"},
                                            {"message.send.max.retries", "9", "true"}}) {
        const auto own = read({{"producer." + name, value, 0}});
        ASSERT_TRUE(own) << name << ": " << own.error().detail();
        EXPECT_EQ(client::find_property(own->producer, "enable.idempotence"), idempotent) << name;
    }
    // A time to deliver beyond the transaction's: Java's own default is 120 s.
    const auto delivery = read({{"processing.guarantee", "exactly_once_v2", 0},
                                {"delivery.timeout.ms", "120000", 0},
                                {"enable.idempotence", "false", 0}});
    ASSERT_TRUE(delivery) << delivery.error().detail();
    EXPECT_EQ(client::find_property(delivery->producer, "delivery.timeout.ms"), "10000");
    EXPECT_EQ(client::find_property(delivery->producer, "enable.idempotence"), "true");
    EXPECT_THAT(noted(*delivery),
                UnorderedElementsAre("delivery.timeout.ms", "enable.idempotence"));
    EXPECT_EQ(read({{"application.server", "[::1]:7070", 0}})->application_server, "[::1]:7070");
}

TEST(SettingsOfJava, WhatTheEngineDecidesIsNoted) {
    const auto settings = read({{"consumer.group.id", "mine", 0},
                                {"consumer.enable.auto.commit", "false", 0},  // As it is.
                                {"main.consumer.auto.commit.interval.ms", "5", 0},
                                {"isolation.level", "read_committed", 0},
                                {"max.poll.records", "7", 0},
                                {"metrics.num.samples", "100", 0},
                                {"producer.transactional.id", "mine", 0},
                                {"receive.buffer.bytes", "65536", 0}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_THAT(noted(*settings),
                UnorderedElementsAre("consumer.group.id", "main.consumer.auto.commit.interval.ms",
                                     "isolation.level", "max.poll.records", "metrics.num.samples",
                                     "producer.transactional.id", "receive.buffer.bytes"));
    EXPECT_EQ(client::find_property(settings->producer, "transactional.id"), "");
    EXPECT_EQ(settings->samples.samples, 8);
}

TEST(SettingsOfConsumers, WhoRestoresReadsByTheGuaranteeToo) {
    const auto settings = read({{"processing.guarantee", "exactly_once_v2", 0},
                                {"restore.consumer.isolation.level", "read_uncommitted", 0},
                                {"global.consumer.isolation.level", "read_uncommitted", 0}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_THAT(noted(*settings), UnorderedElementsAre("restore.consumer.isolation.level",
                                                       "global.consumer.isolation.level"));
    EXPECT_TRUE(settings->restore_consumer.empty());
    EXPECT_TRUE(settings->global_consumer.empty());
    EXPECT_EQ(client::find_property(settings->consumer, "isolation.level"), "read_committed");
}

TEST(SettingsOfState, OptionsOfRocksDbAreLookedAtAtOnce) {
    const auto good = read({{"leat.rocksdb.options", "write_buffer_size=1048576", 0}});
    ASSERT_TRUE(good) << good.error().detail();
    EXPECT_EQ(good->rocksdb_options, "write_buffer_size=1048576");
    const auto wrong = read({{"leat.rocksdb.options", "no_such_option=1", 0}});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), Errc::kInvalidSetting);
    EXPECT_THAT(string{wrong.error().detail()}, HasSubstr("leat.rocksdb.options"));
    EXPECT_THAT(string{wrong.error().detail()}, HasSubstr("no_such_option"));
}

TEST(SettingsOfJava, OfTwoNamesTheNewerCounts) {
    EXPECT_EQ(read({{"cache.max.bytes.buffering", "7", 0}})->cache_bytes, 7);
    EXPECT_EQ(read({{"statestore.cache.max.bytes", "5", 0}, {"cache.max.bytes.buffering", "7", 0}})
                  ->cache_bytes,
              5);
}

TEST(SettingsOfJava, EachWithoutEffectIsFoundByItsName) {
    for (const config::Setting& known : settings_without_effect()) {
        EXPECT_EQ(find_without_effect(known.name), &known);
        for (const SettingRow& row : setting_rows()) EXPECT_NE(row.setting.name, known.name);
    }
    EXPECT_EQ(find_without_effect("client.tag.zone"), nullptr);
}

TEST(RackSettings, AreReadAndHaveKafkaStreamsDefaults) {
    const auto plain = read({});
    ASSERT_TRUE(plain);
    EXPECT_TRUE(plain->tags.empty());
    EXPECT_TRUE(plain->racks.tags.empty());
    EXPECT_EQ(plain->racks.strategy, RackStrategy::kNone);
    EXPECT_EQ(plain->racks.traffic_cost, 10);
    EXPECT_EQ(plain->racks.non_overlap_cost, 1);
    const auto settings = read({{"rack.aware.assignment.tags", "zone, cluster", 0},
                                {"client.tag.zone", "eu-1a", 0},
                                {"client.tag.cluster", "k1", 0},
                                {"rack.aware.assignment.strategy", "balance_subtopology", 0},
                                {"rack.aware.assignment.traffic_cost", "7", 0},
                                {"rack.aware.assignment.non_overlap_cost", "0", 0}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_THAT(settings->racks.tags, ElementsAre("zone", "cluster"));
    EXPECT_EQ(settings->tags, (std::map<string, string>{{"cluster", "k1"}, {"zone", "eu-1a"}}));
    EXPECT_EQ(settings->racks.strategy, RackStrategy::kBalanceSubtopology);
    EXPECT_EQ(settings->racks.traffic_cost, 7);
    EXPECT_EQ(settings->racks.non_overlap_cost, 0);
    EXPECT_THAT(noted(*settings), ElementsAre());
    EXPECT_EQ(read({{"rack.aware.assignment.strategy", "min_traffic", 0}})->racks.strategy,
              RackStrategy::kMinTraffic);
}

TEST(RackSettings, TagThatIsNotNamedIsNoted) {
    const auto settings = read({{"client.tag.zone", "eu-1a", 0}});
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_THAT(noted(*settings), ElementsAre("client.tag.zone"));
}

TEST(RackSettings, TagsAreBoundedAsInKafkaStreams) {
    const string key(20, 'k');
    const string value(30, 'v');
    const auto tag = [](const string& name, const string& text) {
        return config::Property{"client.tag." + name, text, 0};
    };
    EXPECT_TRUE(read({tag(key, value)}));
    // Characters count, not bytes.
    string umlauts;
    for (int i = 0; i < 30; ++i) umlauts += "\xC3\xA4";
    EXPECT_TRUE(read({tag("zone", umlauts)}));
    const auto long_key = read({tag(key + "k", "v")});
    ASSERT_FALSE(long_key);
    EXPECT_EQ(long_key.error().code(), Errc::kInvalidSetting);
    EXPECT_THAT(string{long_key.error().detail()}, HasSubstr("longer than 20"));
    const auto long_value = read({tag("zone", value + "v")});
    ASSERT_FALSE(long_value);
    EXPECT_THAT(string{long_value.error().detail()}, HasSubstr("client.tag.zone: the value"));
    std::vector<config::Property> tags;
    for (const char* name : {"a", "b", "c", "d", "e"}) tags.push_back(tag(name, "v"));
    EXPECT_TRUE(read(tags));
    tags.push_back(tag("f", "v"));
    const auto many = read(tags);
    ASSERT_FALSE(many);
    EXPECT_THAT(string{many.error().detail()}, HasSubstr("more than 5"));
}

TEST(RackSettings, WrongOnesAreRefused) {
    const auto unset =
        read({{"rack.aware.assignment.tags", "zone,cluster", 0}, {"client.tag.zone", "eu-1a", 0}});
    ASSERT_FALSE(unset);
    EXPECT_THAT(string{unset.error().detail()}, HasSubstr("there is no client.tag.cluster"));
    EXPECT_FALSE(read({{"rack.aware.assignment.strategy", "nearest", 0}}));
    EXPECT_FALSE(read({{"rack.aware.assignment.traffic_cost", "-1", 0}}));
    EXPECT_FALSE(read({{"rack.aware.assignment.non_overlap_cost", "much", 0}}));
}

Result<std::int64_t> stamped(std::string_view extractor, std::int64_t own,
                             std::int64_t partition_time) {
    const auto settings = read({{"default.timestamp.extractor", string{extractor}, 0}});
    if (!settings) return Error{Errc::kInvalidSetting, string{settings.error().detail()}};
    detail::TypedSource<string, string> source{"s", serde_for<string>(), serde_for<string>()};
    detail::NotingTask task;
    EXPECT_TRUE(source.open(task));
    source.set_default_time(settings->default_time);
    return source.stamp({.topic = "in", .timestamp = own, .partition_time = partition_time});
}

TEST(DefaultTimestampExtractor, IsChosenByJavasName) {
    EXPECT_EQ(*stamped("FailOnInvalidTimestamp", 5, 9), 5);
    EXPECT_FALSE(stamped("FailOnInvalidTimestamp", -1, 9));
    EXPECT_EQ(*stamped("org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp", -1, 9),
              -1);
    EXPECT_EQ(*stamped("UsePartitionTimeOnInvalidTimestamp", -1, 9), 9);
    EXPECT_FALSE(stamped("UsePartitionTimeOnInvalidTimestamp", -1, -1));
    EXPECT_EQ(*stamped("WallclockTimestampExtractor", 5, 9), 0);  // The task's clock stands at 0.
}

TEST(DefaultTimestampExtractor, OfASourceThatNamesOneIsNotAsked) {
    detail::TypedSource<string, string> source{
        "s", serde_for<string>(), serde_for<string>(),
        TimestampExtractor<string, string>{LogAndSkipOnInvalidTimestamp{}}};
    detail::NotingTask task;
    ASSERT_TRUE(source.open(task));
    source.set_default_time(detail::DefaultTime::kFail);
    EXPECT_EQ(*source.stamp({.topic = "in", .timestamp = -1}), -1);
}

}  // namespace
}  // namespace leat::streams
