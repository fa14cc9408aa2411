// SPDX-License-Identifier: Apache-2.0
//
// What goes over the group protocol and comes back; what Kafka Streams keeps with an offset.
#include "streams/cluster/group_data.h"

#include <gtest/gtest.h>

#include "base/arena.h"
#include "client/member_assignment.h"
#include "streams/cluster/commit_metadata.h"
#include "streams/settings.h"
#include "wire/records/consumer_protocol_subscription.h"
#include "wire/versioned.h"

namespace leat::streams {
namespace {

TEST(GroupData, MemberComesBackAsItWas) {
    const MemberData data{
        .process = "p",
        .endpoint = "h:1",
        .generation = 7,
        .state = {
            .threads = 3, .active = {{0, 1}, {2, 3}}, .standby = {{1, 0}}, .lags = {{{1, 0}, 42}}}};
    const auto back = decode_member(encode_member(data, {"a", "b"}, true));
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->wants_shutdown);
    EXPECT_EQ(back->data.process, "p");
    EXPECT_EQ(back->data.endpoint, "h:1");
    EXPECT_EQ(back->data.generation, 7);
    EXPECT_EQ(back->data.state.threads, 3);
    EXPECT_EQ(back->data.state.active, data.state.active);
    EXPECT_EQ(back->data.state.standby, data.state.standby);
    EXPECT_EQ(back->data.state.lags, data.state.lags);
}

TEST(GroupData, ShapesComeBackAndOlderOnesHaveNone) {
    MemberData member;
    member.process = "p";
    MemberOrders orders;
    orders.topology = {std::byte{1}};
    EXPECT_EQ(decode_member(encode_member(member, {"a"}, false))->data.shape, std::nullopt);
    EXPECT_EQ(decode_orders(encode_orders(orders, {}))->shape, std::nullopt);
    member.shape = orders.shape = -42;
    EXPECT_EQ(decode_member(encode_member(member, {"a"}, false))->data.shape, -42);
    EXPECT_EQ(decode_orders(encode_orders(orders, {}))->shape, -42);
    EXPECT_EQ(decode_orders(encode_orders(orders, {}))->topology, orders.topology);
}

/// A subscription whose user data lacks its last bytes, as versions wrote it that told less.
std::vector<std::byte> without_end(const std::vector<std::byte>& subscription, std::size_t bytes) {
    Arena arena;
    wire::Reader in{Bytes{subscription}, arena};
    wire::ConsumerProtocolSubscription message;
    EXPECT_TRUE(wire::decode_versioned(in, wire::NewerVersion::kReadAsNewest, message));
    const Bytes mine = message.user_data.value_or(Bytes{});
    message.user_data = mine.first(mine.size() - bytes);
    return wire::encode_versioned(message, 1);
}

TEST(GroupData, TagsAndRackComeBack) {
    MemberData member;
    member.process = "p";
    member.shape = 7;
    member.state.tags = {{"cluster", "k1"}, {"zone", "eu-1a"}};
    member.state.rack = "eu-1a";
    const auto back = decode_member(encode_member(member, {"a"}, false));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->data.shape, 7);
    EXPECT_EQ(back->data.state.tags, member.state.tags);
    EXPECT_EQ(back->data.state.rack, "eu-1a");
    member.state.tags.clear();
    member.state.rack.clear();
    const auto none = decode_member(encode_member(member, {"a"}, false));
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->data.state.tags.empty());
    EXPECT_EQ(none->data.state.rack, "");
}

TEST(GroupData, MemberOfAVersionWithoutTagsIsUnderstood) {
    MemberData member;
    member.process = "p";
    member.shape = 7;
    member.state.lags = {{{0, 1}, 5}};
    const auto bytes = encode_member(member, {"a"}, false);
    // A count of no tags and an empty rack.
    const auto older = decode_member(without_end(bytes, 4 + 2));
    ASSERT_TRUE(older) << older.error().detail();
    EXPECT_EQ(older->data.shape, 7);
    EXPECT_EQ(older->data.state.lags, member.state.lags);
    EXPECT_TRUE(older->data.state.tags.empty());
    EXPECT_EQ(older->data.state.rack, "");
    // The one before that did not tell its shape either.
    EXPECT_EQ(decode_member(without_end(bytes, 4 + 2 + 8))->data.shape, std::nullopt);
    for (std::size_t bytes_cut = 1; bytes_cut < 4 + 2; ++bytes_cut)
        EXPECT_FALSE(decode_member(without_end(bytes, bytes_cut))) << bytes_cut;
}

TEST(GroupData, MembersOfAnotherShapeAreTakenOut) {
    std::map<std::string, DecodedMember> members;
    members["same"].data.shape = 1;
    members["other"].data.shape = 2;
    members["old"].data.shape.reset();
    EXPECT_EQ(take_out_foreign(members, 1), std::vector<std::string>{"other"});
    EXPECT_EQ(members.size(), 2U);
    EXPECT_FALSE(members.contains("other"));
}

TEST(GroupData, OrdersAboutAnotherTopologyAreForeign) {
    MemberOrders orders;
    orders.share = {.active = {{1, 0}}, .standby = {{0, 3}}};
    EXPECT_FALSE(is_foreign(orders, 1, 2));
    EXPECT_TRUE(is_foreign(orders, 1, 1)) << "a sub-topology that is not known";
    orders.share = {.active = {}, .standby = {{-1, 0}}};
    EXPECT_TRUE(is_foreign(orders, 1, 2));
    orders.share = {};
    orders.shape = 1;
    EXPECT_FALSE(is_foreign(orders, 1, 2));
    EXPECT_TRUE(is_foreign(orders, 2, 2));
}

TEST(GroupData, LaterGenerationKeepsATaskThatTwoClaim) {
    std::map<std::string, DecodedMember> members;
    members["away"].data.generation = 3;
    members["away"].data.state.active = {{0, 0}, {0, 1}};
    members["there"].data.generation = 5;
    members["there"].data.state.active = {{0, 0}};
    settle_claims(members);
    EXPECT_EQ(members["away"].data.state.active, (std::set<TaskId>{{0, 1}}));
    EXPECT_EQ(members["there"].data.state.active, (std::set<TaskId>{{0, 0}}));
}

TEST(GroupData, FailureOrderTellsWhichOne) {
    MemberOrders orders;
    orders.order = GroupOrder::kFail;
    orders.code = Errc::kInvalidReplicationFactor;
    orders.reason = "replication.factor 3";
    const auto back = decode_orders(encode_orders(orders, {}));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->order, GroupOrder::kFail);
    EXPECT_EQ(back->code, Errc::kInvalidReplicationFactor);
    EXPECT_EQ(back->reason, "replication.factor 3");
    // Without a code it could not be told from one that was cut off.
    orders.order = GroupOrder::kKeep;
    EXPECT_EQ(decode_orders(encode_orders(orders, {}))->code, Errc::kNone);
}

TEST(GroupData, OrdersComeBackAndShowPartitionsToTools) {
    MemberOrders orders;
    orders.reason = "why";
    orders.ask_again = true;
    orders.share = {.active = {{0, 0}}, .standby = {{0, 1}}};
    orders.others["h:1"] = {.active = {{1, 1}}, .standby = {}};
    orders.task_counts = {2, 3};
    const auto bytes = encode_orders(orders, {{"t", 4}, {"t", 5}});
    const auto back = decode_orders(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->share, orders.share);
    EXPECT_EQ(back->others, orders.others);
    EXPECT_EQ(back->task_counts, orders.task_counts);
    EXPECT_TRUE(back->ask_again);
    EXPECT_EQ(client::parse_member_assignment(bytes),
              (std::vector<client::TopicPartition>{{"t", 4}, {"t", 5}}));
}

TEST(GroupData, LeaderKeepsTheTopologyForTools) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "    Source: a (topics: [b])\n";
    MemberOrders orders;
    orders.topology = pack_topology(text, 1000);
    ASSERT_FALSE(orders.topology.empty());
    const auto back = decode_orders(encode_orders(orders, {}));
    ASSERT_TRUE(back);
    const auto unpacked = unpack_topology(back->topology);
    ASSERT_TRUE(unpacked);
    EXPECT_EQ(*unpacked, text);
    EXPECT_TRUE(pack_topology(text, 10).empty());
    EXPECT_FALSE(unpack_topology(Bytes{orders.topology}.first(9)));
}

TEST(GroupData, TopologyThatUnpacksToTooMuchIsRefused) {
    const std::string large(17U << 20, 'x');
    const auto unpacked = unpack_topology(pack_topology(large, SIZE_MAX));
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().code(), Errc::kLimitExceeded);
}

TEST(GroupData, ForeignOrCutBytesAreRefused) {
    EXPECT_FALSE(decode_member({}));
    auto bytes = encode_member(MemberData{}, {"a"}, false);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_member(Bytes{bytes}.first(size))) << size;
    EXPECT_TRUE(decode_orders({}));
}

TEST(CommitMetadata, HasTheTextThatKafkaStreamsWrites) {
    // TopicPartitionMetadata.encode() of Kafka Streams 4.2.1 printed this and the one below.
    EXPECT_EQ(encode_commit_metadata({.partition_time = 5}), "AgAAAAAAAAAF");
    EXPECT_EQ(decode_commit_metadata("AgAAAAAAAAAF").partition_time, 5);
}

TEST(CommitMetadata, KeepsWhatOperatorsRemember) {
    const CommitMetadata data{.partition_time = 1'700'000'000'000, .remembered = {{"store", 9}}};
    EXPECT_EQ(encode_commit_metadata(data), "AgAAAYvP5WgAAAAAAQAAAAVzdG9yZQAAAAAAAAAJ");
    EXPECT_EQ(decode_commit_metadata(encode_commit_metadata(data)), data);
}

TEST(CommitMetadata, TextOfOthersIsNothing) {
    for (const char* text : {"", "x", "hello world!", "AAAAAAAAAAAA", "====", "A==="})
        EXPECT_EQ(decode_commit_metadata(text), CommitMetadata{}) << text;
}

std::vector<config::Property> with(std::vector<config::Property> more) {
    more.push_back({"application.id", "app", 0});
    more.push_back({"bootstrap.servers", "h:1", 0});
    return more;
}

TEST(StreamsSettings, HaveKafkaStreamsDefaults) {
    const auto settings = read_settings(with({}));
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->commit_interval.count(), 30'000);
    EXPECT_EQ(settings->idle_max.count(), 0);
    EXPECT_EQ(settings->threads, 1);
    EXPECT_FALSE(settings->exactly_once);
}

TEST(StreamsSettings, ExactlyOnceCommitsOften) {
    const auto settings = read_settings(with({{"processing.guarantee", "exactly_once_v2", 0}}));
    ASSERT_TRUE(settings);
    EXPECT_TRUE(settings->exactly_once);
    EXPECT_EQ(settings->commit_interval.count(), 100);
    const auto slow = read_settings(
        with({{"processing.guarantee", "exactly_once_v2", 0}, {"commit.interval.ms", "5", 0}}));
    EXPECT_EQ(slow->commit_interval.count(), 5);
}

TEST(StreamsSettings, WrongValueIsNamed) {
    const auto settings = read_settings(with({{"num.stream.threads", "none", 3}}));
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code(), Errc::kInvalidSetting);
    EXPECT_NE(settings.error().detail().find("num.stream.threads (line 3)"),
              std::string_view::npos);
    EXPECT_FALSE(read_settings({{"bootstrap.servers", "h:1", 0}}));
    EXPECT_FALSE(read_settings(with({{"processing.guarantee", "exactly_once", 0}})));
}

TEST(StreamsSettings, HandlersAreNamedAsInKafka) {
    const auto settings = read_settings(
        with({{"default.deserialization.exception.handler",
               "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler", 0},
              {"processing.exception.handler", "LogAndContinueProcessingExceptionHandler", 0},
              {"errors.dead.letter.queue.topic.name", "dead", 0}}));
    ASSERT_TRUE(settings) << settings.error().detail();
    EXPECT_TRUE(settings->continue_undecodable);
    EXPECT_TRUE(settings->continue_processing);
    EXPECT_FALSE(settings->continue_production);
    EXPECT_EQ(settings->dead_letter_topic, "dead");
    EXPECT_FALSE(read_settings(with({{"processing.exception.handler", "com.example.Own", 0}})));
}

TEST(StreamsSettings, TransactionsMustOutlastTheCommitInterval) {
    const config::Property exact{"processing.guarantee", "exactly_once_v2", 0};
    EXPECT_FALSE(read_settings(with({exact, {"commit.interval.ms", "10000", 0}})));
    EXPECT_TRUE(read_settings(with({exact,
                                    {"commit.interval.ms", "10000", 0},
                                    {"producer.transaction.timeout.ms", "20000", 0}})));
    EXPECT_TRUE(read_settings(with({{"commit.interval.ms", "10000", 0}})));
}

TEST(StreamsSettings, OffsetResetIsAPlaceOrALengthOfTime) {
    EXPECT_EQ(read_settings(with({}))->offset_reset, "earliest");
    EXPECT_EQ(read_settings(with({{"auto.offset.reset", "latest", 0}}))->offset_reset, "latest");
    // As a file of a Java application may have it.
    const auto hour = read_settings(with({{"consumer.auto.offset.reset", "by_duration:PT1H", 0}}));
    ASSERT_TRUE(hour) << hour.error().detail();
    EXPECT_EQ(hour->offset_reset, "by_duration");
    EXPECT_EQ(hour->offset_reset_duration.count(), 3'600'000);
    for (const char* wrong :
         {"by_duration", "by_duration:", "by_duration:1h", "by_duration:-PT1H", "sometimes", ""})
        EXPECT_FALSE(read_settings(with({{"auto.offset.reset", wrong, 0}}))) << wrong;
}

TEST(StreamsSettings, OfTheRestoreConsumerAreItsOwn) {
    const auto settings = read_settings(with({{"restore.consumer.fetch.max.bytes", "7", 0}}));
    ASSERT_TRUE(settings);
    ASSERT_EQ(settings->restore_consumer.size(), 1U);
    EXPECT_EQ(settings->restore_consumer.front().name, "fetch.max.bytes");
}

TEST(StreamsSettings, OfTheGlobalConsumerAreItsOwn) {
    const auto settings = read_settings(with({{"global.consumer.fetch.max.bytes", "7", 0}}));
    ASSERT_TRUE(settings);
    ASSERT_EQ(settings->global_consumer.size(), 1U);
    EXPECT_EQ(settings->global_consumer.front().name, "fetch.max.bytes");
}

}  // namespace
}  // namespace leat::streams
