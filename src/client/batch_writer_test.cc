// SPDX-License-Identifier: Apache-2.0
// Method: brokers that the test plays keep what is written and check sequences, as real ones do.
#include "client/batch_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "client/testing/batch_writer_fixture.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BatchWriterTest;
using testing::PlayedBrokers;
using testing::PlayedPartition;
using testing::PlayedWrites;
using testing::Verdict;
using testing::Written;
using Reports = RecordWriter::Reports;

const TopicPartition kWhere{"topic", 0};
const TopicPartition kOther{"topic", 1};

TEST_F(BatchWriterTest, WritesInOrderAndTellsOfEachRecord) {
    PlayedWrites& writes = play(1, 2);
    open();
    for (int i = 0; i < 3; ++i) send(i);
    send(7, 1);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1", "2"}));
    EXPECT_EQ(writes.values(kOther), (Values{"7"}));
    EXPECT_EQ(writes.log(kWhere).size(), 1U);
    std::ranges::sort(told_);
    EXPECT_EQ(told_, (Told{"0 NONE 0@0", "1 NONE 0@1", "2 NONE 0@2", "7 NONE 1@0"}));
    send(3);
    flush();
    EXPECT_EQ(told_.back(), "3 NONE 0@3");
    const Written first = writes.log(kWhere).front();
    EXPECT_EQ(first.version, 13);
    EXPECT_EQ(first.header.base_timestamp, WallMs{1'000});
    EXPECT_EQ(first.header.max_timestamp, WallMs{1'002});
    EXPECT_FALSE(first.header.has_producer_id());
    EXPECT_FALSE(first.header.is_transactional());
}

TEST_F(BatchWriterTest, TheFirstMillisecondIsATimeAndNoneIsNow) {
    PlayedWrites& writes = play(1, 2);
    open();
    ASSERT_TRUE(writer_->send(
        "topic", {.key = std::nullopt, .value = "v", .partition = 0, .timestamp_ms = 0}));
    ASSERT_TRUE(writer_->send("topic", {.key = std::nullopt, .value = "v", .partition = 1}));
    flush();
    EXPECT_EQ(writes.log(kWhere).at(0).header.base_timestamp, WallMs{0});
    EXPECT_GT(writes.log(kOther).at(0).header.base_timestamp, WallMs{1'700'000'000'000});
}

TEST_F(BatchWriterTest, LeavesABrokerAloneThatIsBusy) {
    PlayedWrites& writes = play(1, 1);
    open();
    writes.throttle(milliseconds{200});
    send(0);
    flush();
    const auto begin = std::chrono::steady_clock::now();
    send(1);
    flush();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds{150});
}

TEST_F(BatchWriterTest, NamesTopicsToOldBrokers) {
    PlayedWrites& writes = play(1, 1, {3, 3});
    open();
    send(0);
    flush();
    EXPECT_EQ(writes.log(kWhere).at(0).version, 3);
}

TEST_F(BatchWriterTest, KeepsSilentAboutWhatWasWrittenUnlessAsked) {
    play(1, 1);
    open({}, Reports::kFailures);
    send(1);
    flush();
    EXPECT_TRUE(told_.empty());
}

TEST_F(BatchWriterTest, SendsWhatWaitedLongEnoughByItself) {
    PlayedWrites& writes = play(1, 1);
    open({{"linger.ms", "30", 0}});
    send(0);
    send(1);
    writes.await_requests(1);
    writer_->poll(seconds{10});
    EXPECT_EQ(told_, (Told{"0 NONE 0@0", "1 NONE 0@1"}));
}

TEST_F(BatchWriterTest, ClosesBatchesWhenTheyAreFull) {
    PlayedWrites& writes = play(1, 1);
    open({{"linger.ms", "60000", 0}, {"batch.num.messages", "2", 0}});
    for (int i = 0; i < 4; ++i) send(i);
    writes.await_requests(2);
    send(4);  // Waits.
    flush();
    const auto log = writes.log(kWhere);
    ASSERT_EQ(log.size(), 3U);
    EXPECT_EQ(log[0].values, (Values{"0", "1"}));
    EXPECT_EQ(log[2].values, (Values{"4"}));
    EXPECT_NE(log[0].request, log[1].request);
}

TEST_F(BatchWriterTest, ClosesBatchesBySize) {
    PlayedWrites& writes = play(1, 1);
    open({{"linger.ms", "60000", 0}, {"batch.size", "300", 0}});
    const std::string value(90, 'v');
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(writer_->send("topic", {.key = std::nullopt, .value = value, .partition = 0}));
    flush();
    const auto log = writes.log(kWhere);
    ASSERT_EQ(log.size(), 4U / 2);
    for (const Written& one : log) EXPECT_LE(one.header.size_bytes(), 300U);
}

TEST_F(BatchWriterTest, PutsBatchesOfSeveralPartitionsInOneRequest) {
    PlayedWrites& writes = play(1, 4);
    open({{"linger.ms", "60000", 0}});
    for (int i = 0; i < 4; ++i) send(i, i);
    flush();
    EXPECT_EQ(writes.requests(), 1);
}

TEST_F(BatchWriterTest, DeclinesWhenTheQueueIsFullAndTakesAgain) {
    PlayedWrites& writes = play(1, 1);
    open({{"linger.ms", "60000", 0}, {"queue.buffering.max.messages", "3", 0}});
    for (int i = 0; i < 3; ++i) send(i);
    const auto sent = writer_->send("topic", {.key = std::nullopt, .value = "3", .partition = 0});
    ASSERT_TRUE(sent);
    EXPECT_FALSE(*sent);
    EXPECT_EQ(writer_->in_flight(), 3U);
    writer_->poll(seconds{10});  // Does not wait for linger.ms.
    send(3);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1", "2", "3"}));
}

TEST_F(BatchWriterTest, RefusesWhatCannotBeWritten) {
    play(1, 2);
    open({{"message.max.bytes", "1000", 0}});
    send(0);
    const std::string large(1'001, 'v');
    auto sent = writer_->send("topic", {.key = std::nullopt, .value = large, .partition = 0});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code(), Errc::kMessageTooLarge);
    flush();
    sent = writer_->send("topic", {.key = std::nullopt, .value = "v", .partition = 2});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code(), Errc::kUnknownTopicOrPartition);
    send(1, 1);
    flush();
}

TEST_F(BatchWriterTest, TellsHowManyPartitionsThereAre) {
    play(1, 3);
    open();
    const auto count = writer_->partition_count("topic", seconds{10});
    ASSERT_TRUE(count) << count.error().detail();
    EXPECT_EQ(*count, 3);
    const auto none = writer_->partition_count("another", seconds{10});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::kUnknownTopicOrPartition);
}

TEST_F(BatchWriterTest, SendsAgainAfterALostConnectionAndWritesOnce) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}});
    int tries = 0;
    std::vector<std::int32_t> sequences;
    writes.judge([&](const Written& one) {
        sequences.push_back(one.header.base_sequence);
        ++tries;
        // Written and not answered, then not even written.
        return Verdict{.closes = tries == 2 || tries == 4, .keeps = tries != 4};
    });
    for (int i = 0; i < 3; ++i) {
        send(2 * i);
        send(2 * i + 1);
        flush();
    }
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1", "2", "3", "4", "5"}));
    EXPECT_EQ(sequences, (std::vector<std::int32_t>{0, 2, 2, 4, 4}));
    EXPECT_EQ(told_.size(), 6U);
    for (const std::string& one : told_) EXPECT_NE(one.find(" NONE "), std::string::npos) << one;
}

TEST_F(BatchWriterTest, FollowsTheLeader) {
    PlayedWrites& writes = play(2, 1);
    open({{"enable.idempotence", "true", 0}});
    send(0);
    flush();
    brokers_->logs().change(kWhere, [](PlayedPartition& one) {
        one.leader = 1;
        ++one.epoch;
    });
    send(1);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
    EXPECT_EQ(writes.log(kWhere).back().node, 1);
}

TEST_F(BatchWriterTest, WaitsForRetriableTrouble) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}});
    int tries = 0;
    writes.judge([&](const Written&) {
        return Verdict{.code = ++tries < 3 ? Errc::kNotEnoughReplicas : Errc::kNone};
    });
    send(0);
    send(1);
    flush();
    EXPECT_EQ(tries, 3);
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
}

TEST_F(BatchWriterTest, TriesAsOftenAsItMay) {
    PlayedWrites& writes = play(1, 1);
    open({{"retries", "2", 0}});
    int tries = 0;
    writes.judge([&](const Written&) {
        ++tries;
        return Verdict{.code = Errc::kNotEnoughReplicas};
    });
    send(0);
    flush();
    EXPECT_EQ(tries, 3);
    EXPECT_EQ(told_, (Told{"0 NOT_ENOUGH_REPLICAS 0@-1"}));
}

TEST_F(BatchWriterTest, SplitsWhatIsTooLarge) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}, {"compression.type", "zstd", 0}});
    writes.judge([](const Written& one) {
        return Verdict{.code = one.values.size() > 2 ? Errc::kMessageTooLarge : Errc::kNone};
    });
    for (int i = 0; i < 7; ++i) send(i);
    flush();
    send(7);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1", "2", "3", "4", "5", "6", "7"}));
    EXPECT_EQ(told_.size(), 8U);
    EXPECT_EQ(told_.front(), "0 NONE 0@0");
    EXPECT_EQ(told_.back(), "7 NONE 0@7");
    EXPECT_EQ(writes.log(kWhere).front().header.max_timestamp, WallMs{1'000});
}

TEST_F(BatchWriterTest, ARefusedBatchLeavesNoGap) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}});
    writes.judge([](const Written& one) {
        return Verdict{.code = one.values.front() == "1" ? Errc::kInvalidRecord : Errc::kNone};
    });
    for (int i = 0; i < 3; ++i) {
        send(i);
        flush();
    }
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "2"}));
    EXPECT_EQ(told_, (Told{"0 NONE 0@0", "1 INVALID_RECORD 0@-1", "2 NONE 0@1"}));
    EXPECT_EQ(writes.log(kWhere).back().header.producer_epoch, 0);
}

TEST_F(BatchWriterTest, GivesUpInTimeAndBeginsWithANewEpoch) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0},
          {"message.timeout.ms", "300", 0},
          {"linger.ms", "0", 0}});
    writes.judge([](const Written& one) {
        return Verdict{.is_silent = one.values.front() == "1", .keeps = false};
    });
    send(0);
    writes.judge([](const Written& one) {
        const bool is_silent = one.values.front() == "1";
        return Verdict{.is_silent = is_silent, .keeps = !is_silent};
    });
    flush();
    send(1);
    flush();
    EXPECT_EQ(told_.back(), "1 TIMED_OUT 0@-1");
    send(2);
    flush();
    EXPECT_EQ(told_.back(), "2 NONE 0@1");
    const Written last = writes.log(kWhere).back();
    EXPECT_EQ(last.values, (Values{"2"}));
    EXPECT_EQ(last.header.producer_epoch, 1);
    EXPECT_EQ(last.header.base_sequence, 0);
}

TEST_F(BatchWriterTest, ANewEpochFollowsLostCount) {
    PlayedWrites& writes = play(1, 2);
    open({{"enable.idempotence", "true", 0}});
    send(0);
    send(10, 1);
    flush();
    writes.forget_producers();  // And does not take what does not begin.
    send(1);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
    const Written last = writes.log(kWhere).back();
    EXPECT_EQ(last.header.producer_epoch, 1);
    EXPECT_EQ(last.header.base_sequence, 0);
}

TEST_F(BatchWriterTest, EndsWhereNobodyGivesItAnId) {
    PlayedWrites& writes = play(1, 1);
    brokers_->on<wire::InitProducerIdRequest>(
        {0, 4},
        [](int, const wire::RequestHeader& header,
           const wire::InitProducerIdRequest&) -> testing::PlayedAnswer {
            const wire::InitProducerIdResponse out{
                .error_code = static_cast<std::int16_t>(Errc::kClusterAuthorizationFailed)};
            return wire::response_frame(out, header.version, header.correlation_id);
        });
    open({{"enable.idempotence", "true", 0}});
    send(0);
    flush();
    EXPECT_EQ(told_, (Told{"0 CLUSTER_AUTHORIZATION_FAILED 0@-1"}));
    EXPECT_TRUE(writer_->is_fatal());
    const auto sent = writer_->send("topic", {.key = std::nullopt, .value = "v", .partition = 0});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code(), Errc::kClusterAuthorizationFailed);
    EXPECT_EQ(writes.requests(), 0);
}

TEST_F(BatchWriterTest, TakesANewIdBehindTheHighestEpoch) {
    PlayedWrites& writes = play(1, 1);
    int ids = 0;
    brokers_->on<wire::InitProducerIdRequest>(
        {0, 4},
        [&ids](int, const wire::RequestHeader& header,
               const wire::InitProducerIdRequest&) -> testing::PlayedAnswer {
            const wire::InitProducerIdResponse out{
                .producer_id = 50 + ids++,
                .producer_epoch = static_cast<std::int16_t>(ids == 1 ? INT16_MAX : 0)};
            return wire::response_frame(out, header.version, header.correlation_id);
        });
    open({{"enable.idempotence", "true", 0}});
    send(0);
    flush();
    writes.forget_producers();
    send(1);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
    const Written last = writes.log(kWhere).back();
    EXPECT_EQ(last.header.producer_id, 51);
    EXPECT_EQ(last.header.producer_epoch, 0);
    EXPECT_EQ(last.header.base_sequence, 0);
}

TEST_F(BatchWriterTest, ADuplicateIsWritten) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}});
    writes.judge([](const Written&) { return Verdict{.code = Errc::kDuplicateSequenceNumber}; });
    send(0);
    flush();
    EXPECT_EQ(told_, (Told{"0 NONE 0@-1"}));
}

TEST_F(BatchWriterTest, DoesNotWaitForAnswersThatNobodyWants) {
    PlayedWrites& writes = play(1, 1);
    open({{"acks", "0", 0}});
    send(0);
    flush();
    send(1);
    flush();
    writes.await_requests(2);
    EXPECT_EQ(told_, (Told{"0 NONE 0@-1", "1 NONE 0@-1"}));
}

TEST_F(BatchWriterTest, CompressesByTheCodecThatIsSet) {
    PlayedWrites& writes = play(1, 1);
    open({{"compression.type", "zstd", 0}});
    const std::string value(1'000, 'v');
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(writer_->send("topic", {.key = "k", .value = value, .partition = 0}));
    flush();
    const Written one = writes.log(kWhere).at(0);
    EXPECT_EQ(one.header.codec(), codec::Codec::kZstd);
    EXPECT_LT(one.header.size_bytes(), 1'000U);
    EXPECT_EQ(one.values, Values(10, value));
    EXPECT_EQ(one.keys.front(), "k");
}

TEST_F(BatchWriterTest, RecordsWithAKeyGoWhereItBelongs) {
    PlayedWrites& writes = play(1, 8);
    open({{"partitioner", "murmur2_random", 0}});
    for (int i = 0; i < 20; ++i)
        ASSERT_TRUE(writer_->send("topic", {.key = "foobar", .value = "v"}));
    flush();
    EXPECT_EQ(writes.values({"topic", (-790332482 & 0x7FFFFFFF) % 8}).size(), 20U);
}

TEST_F(BatchWriterTest, RecordsWithoutAKeyStayTogetherAsLongAsABatchTakesThem) {
    PlayedWrites& writes = play(1, 64);
    open({{"linger.ms", "60000", 0}, {"batch.num.messages", "10", 0}});
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(writer_->send("topic", {.key = std::nullopt, .value = "v"}));
    flush();
    int used = 0;
    std::size_t batches = 0;
    for (int i = 0; i < 64; ++i) {
        const auto log = writes.log({"topic", i});
        batches += log.size();
        if (!log.empty()) ++used;
    }
    EXPECT_EQ(batches, 10U);
    EXPECT_GT(used, 1);
}

TEST_F(BatchWriterTest, NothingSticksWhereThatIsSwitchedOff) {
    PlayedWrites& writes = play(1, 64);
    open({{"linger.ms", "60000", 0}, {"sticky.partitioning.linger.ms", "0", 0}});
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(writer_->send("topic", {.key = std::nullopt, .value = "v"}));
    flush();
    int used = 0;
    for (int i = 0; i < 64; ++i)
        if (!writes.values({"topic", i}).empty()) ++used;
    EXPECT_GT(used, 10);
}

TEST_F(BatchWriterTest, KeepsWhatATopicThatComesLaterIsSent) {
    PlayedWrites& writes = play(1, 1);
    open();
    for (const char* value : {"a", "b"})
        ASSERT_TRUE(writer_->send("late", {.key = std::nullopt, .value = value}));
    writes.make_topic("late", 1);
    ASSERT_TRUE(writer_->send("late", {.key = std::nullopt, .value = "c"}));
    flush();
    EXPECT_EQ(writes.values({"late", 0}), (Values{"a", "b", "c"}));
}

TEST_F(BatchWriterTest, GivesUpATopicThatNeverComes) {
    play(1, 1);
    open({{"topic.metadata.propagation.max.ms", "100", 0}});
    ASSERT_TRUE(writer_->send("late", {.key = std::nullopt, .value = "a", .tag = 1}));
    ASSERT_TRUE(
        writer_->send("late", {.key = std::nullopt, .value = "b", .partition = 0, .tag = 2}));
    flush();
    std::ranges::sort(told_);
    EXPECT_EQ(told_,
              (Told{"1 UNKNOWN_TOPIC_OR_PARTITION -1@-1", "2 UNKNOWN_TOPIC_OR_PARTITION 0@-1"}));
}

TEST_F(BatchWriterTest, TellsOfAMissingPartitionThatWasSentToBlindly) {
    play(1, 1);
    loss_patience_ = milliseconds{300};
    open();
    send(1, 5);
    flush();
    EXPECT_EQ(told_, (Told{"1 UNKNOWN_TOPIC_OR_PARTITION 5@-1"}));
}

TEST_F(BatchWriterTest, GivesUpWithoutBrokers) {
    open({{"bootstrap.servers", "127.0.0.1:1", 0}, {"message.timeout.ms", "100", 0}});
    ASSERT_TRUE(writer_->send("topic", {.key = std::nullopt, .value = "v", .tag = 7}));
    send(8);
    EXPECT_FALSE(writer_->flush(milliseconds{1}));
    flush();
    std::ranges::sort(told_);
    EXPECT_EQ(told_, (Told{"7 TIMED_OUT -1@-1", "8 TIMED_OUT 0@-1"}));
}

TEST_F(BatchWriterTest, ATopicMadeAnewIsWrittenTo) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}});
    send(0);
    flush();
    brokers_->logs().set_topic_number(2);
    send(1);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
}

TEST_F(BatchWriterTest, EndsAtOnceWhileABrokerIsSilent) {
    PlayedWrites& writes = play(1, 1);
    open({{"linger.ms", "0", 0}});
    writes.judge([](const Written&) { return Verdict{.is_silent = true}; });
    send(0);
    writes.await_requests(1);
    const auto begin = std::chrono::steady_clock::now();
    writer_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{5});
    EXPECT_TRUE(told_.empty());
}

TEST_F(BatchWriterTest, ManyBatchesStayInOrderThroughTrouble) {
    PlayedWrites& writes = play(2, 2);
    open({{"enable.idempotence", "true", 0}, {"batch.num.messages", "7", 0}});
    int tries = 0;
    writes.judge([&](const Written&) {
        ++tries;
        return Verdict{.closes = tries % 11 == 0, .keeps = tries % 22 == 0 || tries % 11 != 0};
    });
    Values expected;
    for (int i = 0; i < 2'000; ++i) {
        send(i, i % 2);
        if (i % 2 == 0) expected.push_back(std::to_string(i));
        if (i % 500 == 250)
            brokers_->logs().change(kWhere, [&](PlayedPartition& one) {
                one.leader = 1 - one.leader;
                ++one.epoch;
            });
        writer_->poll(milliseconds{0});
    }
    flush();
    EXPECT_EQ(writes.values(kWhere), expected);
    EXPECT_EQ(writes.values(kOther).size(), 1'000U);
    EXPECT_EQ(told_.size(), 2'000U);
}

}  // namespace
}  // namespace leat::client
