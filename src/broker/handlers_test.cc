// SPDX-License-Identifier: Apache-2.0
//
// Method: requests by their bytes through the table of APIs, to a broker of two shards without
// sockets; answers decoded again. What Kafka answers to the same is compared in tests/interop.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "broker/testing/broker_rig.h"
#include "wire/batch_builder.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"
#include "wire/messages/offset_for_leader_epoch_request.h"
#include "wire/messages/offset_for_leader_epoch_response.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"
#include "wire/record_reader.h"

namespace leat::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int16_t kAll = -1;

std::vector<std::byte> batch_of(std::string_view value, WallMs at,
                                codec::Codec codec = codec::Codec::kNone) {
    wire::BatchBuilder builder{wire::BatchOptions{.codec = codec}};
    builder.add(
        {.timestamp = at, .key = {}, .value = std::as_bytes(std::span{value}), .headers = {}});
    return *builder.finish();
}

constexpr const char* kCleanMark = "/data/.kafka_cleanshutdown";

class HandlersTest : public ::testing::Test, protected testing::BrokerRig {
  protected:
    HandlersTest() {
        start();
        create("t");
    }

    Errc create(std::string_view name, std::int32_t partitions = 1,
                std::string_view compression = "producer") {
        wire::CreateTopicsRequest message;
        wire::CreateTopicsRequest::CreatableTopic topic;
        topic.name = name;
        topic.num_partitions = partitions;
        topic.replication_factor = 1;
        wire::CreateTopicsRequest::CreatableTopicConfig config{.name = "compression.type",
                                                               .value = compression};
        topic.configs = {&config, 1};
        message.topics = {&topic, 1};
        const auto out = tell<wire::CreateTopicsResponse>(message, 7);
        return errc_from_wire(out.message.topics[0].error_code);
    }

    using Produced = testing::Told<wire::ProduceResponse>;
    Produced produce(std::vector<std::byte> records, std::int16_t acks = kAll,
                     std::string_view topic = "t", std::int32_t partition = 0) {
        wire::ProduceRequest::PartitionProduceData data{.index = partition, .records = {}};
        data.records = wire::Records{Bytes{records}};
        wire::ProduceRequest::TopicProduceData of_topic;
        of_topic.name = topic;
        of_topic.partition_data = {&data, 1};
        wire::ProduceRequest message;
        message.acks = acks;
        message.timeout_ms = 1000;
        message.topic_data = {&of_topic, 1};
        return tell<wire::ProduceResponse>(message, 9);
    }
    Produced produce(std::string_view value) { return produce(batch_of(value, world_.wall_now())); }
    static const wire::ProduceResponse::PartitionProduceResponse& one(const Produced& produced) {
        return produced.message.responses[0].partition_responses[0];
    }
    static Errc error(const Produced& produced) { return errc_from_wire(one(produced).error_code); }

    /// A fetch without a session.
    struct Fetch {
        std::int64_t from = 0;
        std::int32_t min_bytes = 0;
        std::int32_t max_wait_ms = 0;
        std::string_view topic = "t";
        std::int32_t partition = 0;
        std::int32_t leader_epoch = -1;
        std::int16_t version = 12;
    };
    std::shared_ptr<std::optional<Answer>> send_fetch(const Fetch& fetch) {
        wire::FetchRequest::FetchPartition partition;
        partition.partition = fetch.partition;
        partition.fetch_offset = fetch.from;
        partition.partition_max_bytes = 1 << 20;
        partition.current_leader_epoch = fetch.leader_epoch;
        wire::FetchRequest::FetchTopic topic;
        topic.topic = fetch.topic;
        topic.partitions = {&partition, 1};
        wire::FetchRequest message;
        message.min_bytes = fetch.min_bytes;
        message.max_wait_ms = fetch.max_wait_ms;
        message.topics = {&topic, 1};
        return send(message, fetch.version);
    }
    testing::Told<wire::FetchResponse> fetch(const Fetch& fetch) {
        const auto answer = send_fetch(fetch);
        EXPECT_TRUE(world_.run_until([&] { return answer->has_value(); }));
        return testing::told<wire::FetchResponse>(**answer, fetch.version);
    }
    static const wire::FetchResponse::PartitionData& one(
        const testing::Told<wire::FetchResponse>& fetched) {
        return fetched.message.responses[0].partitions[0];
    }
    static std::vector<std::string> values_of(const testing::Told<wire::FetchResponse>& fetched) {
        std::vector<std::string> out;
        wire::BatchCursor cursor{one(fetched).records.bytes()};
        for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) {
            auto records = wire::RecordReader::open(**batch, 1 << 20);
            for (auto record = records->next(); record && *record; record = records->next())
                out.emplace_back(reinterpret_cast<const char*>((*record)->value->data()),
                                 (*record)->value->size());
        }
        return out;
    }

    testing::Told<wire::ListOffsetsResponse> list(std::int64_t timestamp,
                                                  std::string_view name = "t") {
        wire::ListOffsetsRequest::ListOffsetsPartition partition;
        partition.timestamp = timestamp;
        wire::ListOffsetsRequest::ListOffsetsTopic topic;
        topic.name = name;
        topic.partitions = {&partition, 1};
        wire::ListOffsetsRequest message;
        message.replica_id = -1;
        message.topics = {&topic, 1};
        return tell<wire::ListOffsetsResponse>(message, 7);
    }
    std::int64_t offset_at(std::int64_t timestamp) {
        const auto listed = list(timestamp);
        EXPECT_EQ(listed.message.topics[0].partitions[0].error_code, 0);
        return listed.message.topics[0].partitions[0].offset;
    }

    wire::DeleteRecordsResponse::DeleteRecordsPartitionResult erase(std::int64_t before) {
        wire::DeleteRecordsRequest::DeleteRecordsPartition partition{.partition_index = 0,
                                                                     .offset = before};
        wire::DeleteRecordsRequest::DeleteRecordsTopic topic;
        topic.name = "t";
        topic.partitions = {&partition, 1};
        wire::DeleteRecordsRequest message;
        message.topics = {&topic, 1};
        const auto out = tell<wire::DeleteRecordsResponse>(message, 2);
        return out.message.topics[0].partitions[0];
    }

    Errc erase_topic(std::string_view name) {
        wire::DeleteTopicsRequest message;
        message.topic_names = {&name, 1};
        const auto out = tell<wire::DeleteTopicsResponse>(message, 5);
        return errc_from_wire(out.message.responses[0].error_code);
    }

    wire::OffsetForLeaderEpochResponse::EpochEndOffset end_of(std::int32_t epoch) {
        wire::OffsetForLeaderEpochRequest::OffsetForLeaderPartition partition;
        partition.leader_epoch = epoch;
        wire::OffsetForLeaderEpochRequest::OffsetForLeaderTopic topic;
        topic.topic = "t";
        topic.partitions = {&partition, 1};
        wire::OffsetForLeaderEpochRequest message;
        message.topics = {&topic, 1};
        const auto out = tell<wire::OffsetForLeaderEpochResponse>(message, 4);
        return out.message.topics[0].partitions[0];
    }
};

TEST_F(HandlersTest, ProduceIsReadAgain) {
    const Produced first = produce("a");
    EXPECT_EQ(error(first), Errc::kNone);
    EXPECT_EQ(one(first).base_offset, 0);
    EXPECT_EQ(one(produce("b")).base_offset, 1);
    const auto fetched = fetch({.from = 0});
    EXPECT_EQ(one(fetched).high_watermark, 2);
    EXPECT_EQ(values_of(fetched), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(values_of(fetch({.from = 1})), (std::vector<std::string>{"b"}));
}

TEST_F(HandlersTest, AcknowledgedRecordsOutliveThePower) {
    EXPECT_EQ(error(produce("a")), Errc::kNone);
    kill(true);
    start();
    EXPECT_EQ(values_of(fetch({.from = 0})), (std::vector<std::string>{"a"}));
}

TEST_F(HandlersTest, CleanMarkIsNotPutBackOnceLogsAreOpened) {
    stop();
    start();
    ASSERT_TRUE(directory_->was_clean());
    EXPECT_EQ(error(produce("a")), Errc::kNone);
    ASSERT_OK(directory_->leave_as_found());
    EXPECT_FALSE(*disk_.exists(kCleanMark));
    kill(true);
    start();
    EXPECT_FALSE(directory_->was_clean());
    EXPECT_EQ(values_of(fetch({.from = 0})), (std::vector<std::string>{"a"}));
}

TEST_F(HandlersTest, StartThatFailsCostsNothingWhereverThePowerGoes) {
    EXPECT_EQ(error(produce("a")), Errc::kNone);
    bool is_cut = true;
    for (std::uint64_t calls = 0; is_cut; ++calls) {
        stop();
        ASSERT_TRUE(*disk_.exists(kCleanMark));
        disk_.cut_power_after(calls);
        if (auto opened = storage::DataDirectory::open(disk_, "/data", 1); opened.has_value())
            static_cast<void>((*opened)->leave_as_found());
        is_cut = !disk_.has_power();
        disk_.crash();
        start();
        EXPECT_TRUE(is_cut || directory_->was_clean());
        EXPECT_EQ(values_of(fetch({.from = 0})), (std::vector<std::string>{"a"})) << calls;
    }
}

TEST_F(HandlersTest, ProduceWithoutAcksIsNotAnswered) {
    const Produced quiet = produce(batch_of("a", world_.wall_now()), 0);
    EXPECT_EQ(quiet.kind, Answer::Kind::kNothing);
    // What would be an error closes the connection: there is nowhere else to tell.
    const Produced refused = produce(batch_of("a", world_.wall_now()), 0, "nobody");
    EXPECT_EQ(refused.kind, Answer::Kind::kClose);
}

TEST_F(HandlersTest, ProduceNamesWhatIsWrong) {
    const auto good = [this] { return batch_of("a", world_.wall_now()); };
    EXPECT_EQ(error(produce(good(), kAll, "nobody")), Errc::kUnknownTopicOrPartition);
    EXPECT_EQ(error(produce(good(), kAll, "t", 7)), Errc::kUnknownTopicOrPartition);
    EXPECT_EQ(error(produce(good(), 2)), Errc::kInvalidRequiredAcks);
    auto damaged = good();
    damaged.back() ^= std::byte{1};
    EXPECT_EQ(error(produce(damaged)), Errc::kCorruptMessage);
    EXPECT_EQ(error(produce(std::vector<std::byte>{})), Errc::kInvalidRecord);
    EXPECT_EQ(offset_at(-1), 0);
}

TEST_F(HandlersTest, FetchAnswersErrorsForEachPartition) {
    EXPECT_EQ(one(fetch({.from = 5})).error_code, wire_code(Errc::kOffsetOutOfRange));
    EXPECT_EQ(one(fetch({.topic = "nobody"})).error_code,
              wire_code(Errc::kUnknownTopicOrPartition));
    EXPECT_EQ(one(fetch({.leader_epoch = 99})).error_code, wire_code(Errc::kUnknownLeaderEpoch));
}

// KIP-951, as Kafka does it: addresses are for consumers only, and of replicas none is the
// partition's.
TEST_F(HandlersTest, FetchNamesTheLeaderToWhoAskedByAnOldEpochOrTheWrongBroker) {
    wire::CreateTopicsRequest::CreatableTopic wanted{
        .name = "led", .num_partitions = 1, .replication_factor = 1};
    wire::CreateTopicsRequest creation;
    creation.topics = {&wanted, 1};
    const auto made = tell<wire::CreateTopicsResponse>(creation, 7);
    kill(false);
    start();  // Another epoch.
    wire::FetchRequest::FetchPartition partition;
    partition.partition_max_bytes = 1 << 20;
    wire::FetchRequest::FetchTopic topic;
    topic.topic_id = made.message.topics[0].topic_id;
    topic.topic = "led";
    topic.partitions = {&partition, 1};
    using Case = std::tuple<bool, std::int32_t, Errc>;
    for (const auto& [is_replica, epoch, error] :
         {Case{false, 0, Errc::kFencedLeaderEpoch}, Case{true, 0, Errc::kFencedLeaderEpoch},
          Case{true, 1, Errc::kUnknownLeaderEpoch}, Case{true, -1, Errc::kNotLeaderOrFollower},
          Case{true, 2, Errc::kUnknownLeaderEpoch}}) {
        wire::FetchRequest message;
        message.topics = {&topic, 1};
        partition.current_leader_epoch = epoch;
        if (is_replica) message.replica_id = message.replica_state.replica_id = 5;
        for (const std::int16_t version : {std::int16_t{15}, std::int16_t{16}}) {
            const auto told = tell<wire::FetchResponse>(message, version);
            EXPECT_EQ(one(told).error_code, wire_code(error));
            const bool is_told = version >= 16 && error != Errc::kUnknownLeaderEpoch;
            EXPECT_EQ(one(told).current_leader.leader_id, is_told ? 1 : -1);
            EXPECT_EQ(one(told).current_leader.leader_epoch, is_told ? 1 : -1);
            ASSERT_EQ(told.message.node_endpoints.size(), is_told && !is_replica ? 1U : 0U);
            if (is_told && !is_replica) EXPECT_EQ(told.message.node_endpoints[0].node_id, 1);
        }
    }
}

// Kafka 3 answered UNSUPPORTED_COMPRESSION_TYPE below version 10 for a topic that is set to zstd.
// Kafka 4 gives what there is, as it does of what producers compressed: see tests/interop.
TEST_F(HandlersTest, FetchFromBeforeZstdIsGivenItAsItIs) {
    create("z", 1, "zstd");
    EXPECT_EQ(error(produce(batch_of("a", world_.wall_now()), kAll, "z")), Errc::kNone);
    EXPECT_EQ(error(produce(batch_of("b", world_.wall_now(), codec::Codec::kZstd))), Errc::kNone);
    for (const std::int16_t version : {std::int16_t{4}, std::int16_t{9}}) {
        EXPECT_EQ(values_of(fetch({.topic = "z", .version = version})),
                  (std::vector<std::string>{"a"}));
        EXPECT_EQ(values_of(fetch({.version = version})), (std::vector<std::string>{"b"}));
    }
}

TEST_F(HandlersTest, PartitionNamedAgainInAFetchIsReadOnceAsItWasNamedLast) {
    for (const char* value : {"a", "b", "c"}) produce(value);
    create("u");
    const auto partition = [](std::int64_t from) {
        wire::FetchRequest::FetchPartition out;
        out.fetch_offset = from;
        out.partition_max_bytes = 1 << 20;
        return out;
    };
    std::vector<wire::FetchRequest::FetchPartition> first{partition(0), partition(1)};
    std::vector<wire::FetchRequest::FetchPartition> other{partition(0)};
    std::vector<wire::FetchRequest::FetchPartition> last{partition(2)};
    std::array<wire::FetchRequest::FetchTopic, 3> topics;
    topics[0].topic = topics[2].topic = "t";
    topics[1].topic = "u";
    topics[0].partitions = first;
    topics[1].partitions = other;
    topics[2].partitions = last;
    wire::FetchRequest message;
    message.topics = topics;
    const auto fetched = tell<wire::FetchResponse>(message, 12);
    ASSERT_EQ(fetched.message.responses.size(), 2U);
    EXPECT_EQ(fetched.message.responses[0].topic, "t");
    EXPECT_EQ(fetched.message.responses[0].partitions.size(), 1U);
    EXPECT_EQ(values_of(fetched), (std::vector<std::string>{"c"}));
    EXPECT_EQ(fetched.message.responses[1].partitions.size(), 1U);
}

TEST_F(HandlersTest, FetchWaitsForRecords) {
    const auto waiting = send_fetch({.min_bytes = 1, .max_wait_ms = 60'000});
    world_.run_for(seconds{5});
    ASSERT_FALSE(waiting->has_value());
    produce("late");
    ASSERT_TRUE(world_.run_until([&] { return waiting->has_value(); }, seconds{5}));
    EXPECT_EQ(values_of(testing::told<wire::FetchResponse>(**waiting, 12)),
              (std::vector<std::string>{"late"}));
}

TEST_F(HandlersTest, FetchDoesNotWaitForLongerThanAsked) {
    const auto waiting = send_fetch({.min_bytes = 1, .max_wait_ms = 500});
    world_.run_for(milliseconds{450});
    EXPECT_FALSE(waiting->has_value());
    world_.run_for(milliseconds{100});
    ASSERT_TRUE(waiting->has_value());
    EXPECT_EQ(one(testing::told<wire::FetchResponse>(**waiting, 12)).error_code, 0);
    // What came on top, on the way to other shards and back, was not asked for: it may be slow.
    EXPECT_GT(requests_.back().asked_wait, milliseconds{400});
    EXPECT_LE(requests_.back().asked_wait, milliseconds{500});
}

TEST_F(HandlersTest, DeletedTopicEndsTheWait) {
    const auto waiting = send_fetch({.min_bytes = 1, .max_wait_ms = 60'000});
    wire::DeleteTopicsRequest message;
    std::string_view name = "t";
    message.topic_names = {&name, 1};
    EXPECT_EQ(tell<wire::DeleteTopicsResponse>(message, 5).message.responses[0].error_code, 0);
    ASSERT_TRUE(world_.run_until([&] { return waiting->has_value(); }, seconds{5}));
    EXPECT_EQ(one(testing::told<wire::FetchResponse>(**waiting, 12)).error_code,
              wire_code(Errc::kUnknownTopicOrPartition));
    EXPECT_EQ(tell<wire::DeleteTopicsResponse>(message, 5).message.responses[0].error_code,
              wire_code(Errc::kUnknownTopicOrPartition));
}

TEST_F(HandlersTest, OffsetsAreFoundByTime) {
    const std::int64_t now = world_.wall_now().value;
    for (int i = 0; i < 3; ++i) produce(batch_of("v", WallMs{now + std::int64_t{i} * 1000}));
    EXPECT_EQ(offset_at(-2), 0);
    EXPECT_EQ(offset_at(-1), 3);
    EXPECT_EQ(offset_at(now + 500), 1);
    EXPECT_EQ(offset_at(now + 2'000), 2);
    EXPECT_EQ(offset_at(now + 2'001), -1);
    EXPECT_EQ(offset_at(-3), 2);
    EXPECT_EQ(list(-1, "nobody").message.topics[0].partitions[0].error_code,
              wire_code(Errc::kUnknownTopicOrPartition));
}

TEST_F(HandlersTest, RecordsAreDeleted) {
    for (int i = 0; i < 3; ++i) produce("v");
    EXPECT_EQ(erase(2).low_watermark, 2);
    EXPECT_EQ(erase(9).error_code, wire_code(Errc::kOffsetOutOfRange));
    EXPECT_EQ(offset_at(-2), 2);
    EXPECT_EQ(one(fetch({.from = 1})).error_code, wire_code(Errc::kOffsetOutOfRange));
    EXPECT_EQ(erase(-1).low_watermark, 3);
}

TEST_F(HandlersTest, EpochsEndWhereTheNextBegins) {
    produce("a");
    kill(false);
    start();
    produce("b");
    EXPECT_EQ(end_of(0).end_offset, 1);
    EXPECT_EQ(end_of(1).end_offset, 2);
    EXPECT_EQ(end_of(2).end_offset, -1);
}

// Damage below the durable mark: what a log that is not there would say of itself moves consumers.
TEST_F(HandlersTest, WhatIsQuarantinedAnswersAStorageErrorToEverything) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(error(produce("v")), Errc::kNone);
    stop();
    {
        const auto file =
            disk_.open("/data/t-0/00000000000000000000.log", rt::OpenMode::kReadWrite);
        ASSERT_OK(file);
        ASSERT_OK((*file)->truncate(FilePos{10}));
    }
    start();
    const std::int16_t storage_error = wire_code(Errc::kKafkaStorageError);
    for (const std::int64_t from : {0, 3, 5, 99}) {
        SCOPED_TRACE(from);
        EXPECT_EQ(one(fetch({.from = from})).error_code, storage_error);
        EXPECT_EQ(one(fetch({.from = from, .leader_epoch = 99})).error_code, storage_error);
    }
    for (const std::int64_t timestamp : {-1, -2, -3, 0}) {
        SCOPED_TRACE(timestamp);
        const auto listed = list(timestamp);
        EXPECT_EQ(listed.message.topics[0].partitions[0].error_code, storage_error);
        EXPECT_EQ(listed.message.topics[0].partitions[0].offset, -1);
    }
    const Produced produced = produce("v");
    EXPECT_EQ(error(produced), Errc::kKafkaStorageError);
    EXPECT_EQ(one(produced).base_offset, -1);
    EXPECT_EQ(one(produced).log_start_offset, -1);
    EXPECT_FALSE(one(produced).error_message) << "what is damaged is told in the log alone";
    for (const std::int64_t before : {-1, 0, 3}) {
        EXPECT_EQ(erase(before).error_code, storage_error);
        EXPECT_EQ(erase(before).low_watermark, -1);
    }
    EXPECT_EQ(end_of(0).error_code, storage_error);
    EXPECT_EQ(end_of(0).end_offset, -1);
}

TEST_F(HandlersTest, TopicThatWasMadeOnAFullDiskServesOnceThereIsRoom) {
    const std::int64_t room = disk_.space("/")->usable_bytes;
    disk_.set_capacity(disk_.space("/")->total_bytes - room);
    EXPECT_EQ(create("late", 3), Errc::kNone);
    EXPECT_EQ(create("never"), Errc::kNone);
    const auto produce_late = [this](std::int32_t partition) {
        return error(produce(batch_of("a", world_.wall_now()), kAll, "late", partition));
    };
    EXPECT_EQ(produce_late(0), Errc::kKafkaStorageError);
    world_.run_for(seconds{100});
    EXPECT_EQ(produce_late(0), Errc::kKafkaStorageError);
    EXPECT_EQ(erase_topic("never"), Errc::kNone);
    EXPECT_FALSE(*disk_.exists("/data/never-0")) << "it would come back as a stray folder";
    disk_.set_capacity(std::int64_t{1} << 40);
    world_.run_for(seconds{31});
    for (std::int32_t partition = 0; partition < 3; ++partition)
        EXPECT_EQ(produce_late(partition), Errc::kNone) << partition;
    kill(true);
    start();
    EXPECT_EQ(values_of(fetch({.topic = "late", .partition = 2})), (std::vector<std::string>{"a"}));
}

TEST_F(HandlersTest, TopicsAreMadeOnceAndGrow) {
    EXPECT_EQ(create("t"), Errc::kTopicAlreadyExists);
    EXPECT_EQ(create("bad/name"), Errc::kInvalidTopicException);
    const auto grow = [this](std::int32_t count) {
        wire::CreatePartitionsRequest::CreatePartitionsTopic topic;
        topic.name = "t";
        topic.count = count;
        topic.assignments.reset();
        wire::CreatePartitionsRequest message;
        message.topics = {&topic, 1};
        const auto out = tell<wire::CreatePartitionsResponse>(message, 3);
        return errc_from_wire(out.message.results[0].error_code);
    };
    EXPECT_EQ(grow(1), Errc::kInvalidPartitions);
    EXPECT_EQ(grow(4), Errc::kNone);
    EXPECT_EQ(error(produce(batch_of("a", world_.wall_now()), kAll, "t", 3)), Errc::kNone);
}

TEST_F(HandlersTest, BodyThatIsNoneClosesTheConnection) {
    Request& asked = request(12);
    const std::vector<std::byte> rubbish(7, std::byte{0xFF});
    asked.body = rubbish;
    asked.api = find_served(wire::ApiKey::kFetch);
    std::optional<Answer> out;
    executors_[0]->here([&] {
        rt::start(asked.api->handle(&asked), [&out](Answer answer) { out = std::move(answer); });
    });
    ASSERT_TRUE(world_.run_until([&] { return out.has_value(); }));
    EXPECT_EQ(out->kind, Answer::Kind::kClose);
    EXPECT_EQ(out->close_reason, "malformed");
}

TEST_F(HandlersTest, UnservedApisAreNotInTheTable) {
    EXPECT_EQ(find_served(wire::ApiKey{4}), nullptr);  // LeaderAndIsr, between brokers.
    EXPECT_NE(find_served(wire::ApiKey::kProduce), nullptr);
}

}  // namespace
}  // namespace leat::broker
