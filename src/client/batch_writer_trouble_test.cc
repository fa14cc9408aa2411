// SPDX-License-Identifier: Apache-2.0
// Method: as batch_writer_test.cc; brokers that are wrong, slow to learn, or gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "client/testing/batch_writer_fixture.h"
#include "client/write_board.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BatchWriterTest;
using testing::PlayedPartition;
using testing::PlayedWrites;
using testing::Verdict;
using testing::Written;

const TopicPartition kWhere{"topic", 0};

TEST_F(BatchWriterTest, WhatWasLostBeforeSaysNothingOfWhatIsSentLater) {
    PlayedWrites& writes = play(1, 1);
    open({{"topic.metadata.propagation.max.ms", "100", 0}});
    const auto send_late = [this](std::int32_t partition, std::uint64_t tag) {
        const auto sent = writer_->send(
            "late", {.key = std::nullopt, .value = "v", .partition = partition, .tag = tag});
        ASSERT_TRUE(sent && *sent);
    };
    send_late(-1, 1);
    flush();
    send_late(0, 2);  // Needs no number of partitions, so nothing of it is kept aside.
    flush();
    writes.make_topic("late", 1);
    send_late(-1, 3);
    flush();
    EXPECT_EQ(told_.back(), "3 NONE 0@0");
    EXPECT_EQ(writes.values({"late", 0}), (Values{"v"}));
}

TEST_F(BatchWriterTest, ASequenceThatMayBeUsedIsNotUsedAgain) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0},
          {"message.timeout.ms", "300", 0},
          {"linger.ms", "0", 0}});
    // Leadership went while it waited for replicas: it is in the log all the same.
    writes.judge([](const Written& one) {
        return Verdict{.says =
                           one.values.front() == "0" ? Errc::kNotLeaderOrFollower : Errc::kNone};
    });
    send(0);
    flush();
    EXPECT_EQ(told_.back(), "0 TIMED_OUT 0@-1");
    send(1);
    flush();
    EXPECT_EQ(told_.back(), "1 NONE 0@1");
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
}

TEST_F(BatchWriterTest, ALeaderThatOnlyHangsUpIsNotAskedForEver) {
    PlayedWrites& writes = play(2, 1);
    open({{"acks", "0", 0}, {"linger.ms", "0", 0}});
    send(0);
    flush();
    writes.judge([](const Written& one) { return Verdict{.closes = one.node == 0}; });
    brokers_->logs().change(kWhere, [](PlayedPartition& one) {
        one.leader = 1;
        ++one.epoch;
    });
    const auto end = std::chrono::steady_clock::now() + seconds{10};
    int tag = 1;
    while (writes.values(kWhere).size() < 2 && std::chrono::steady_clock::now() < end) {
        send(tag++);
        flush();
        writer_->poll(milliseconds{5});
    }
    EXPECT_GE(writes.values(kWhere).size(), 2U);
}

TEST_F(BatchWriterTest, WithoutALeaderOneBatchWaitsAndTheNextFills) {
    PlayedWrites& writes = play(1, 1);
    brokers_->logs().change(kWhere, [](PlayedPartition& one) { one.leader = -1; });
    open({{"linger.ms", "0", 0}});
    constexpr int kSent = 30;
    for (int i = 0; i < kSent; ++i) {
        send(i);
        writer_->poll(milliseconds{2});  // Longer than linger.ms.
    }
    brokers_->logs().change(kWhere, [](PlayedPartition& one) {
        one.leader = 0;
        ++one.epoch;
    });
    flush();
    EXPECT_EQ(writes.values(kWhere).size(), static_cast<std::size_t>(kSent));
    EXPECT_LE(writes.log(kWhere).size(), 2U);
}

TEST_F(BatchWriterTest, ManyNewPartitionsAreLookedUpOnce) {
    constexpr int kPartitions = 200;
    PlayedWrites& writes = play(1, kPartitions);
    open();
    ASSERT_TRUE(writer_->partition_count("topic", seconds{10}));
    const int before = brokers_->lookups();
    for (int i = 0; i < kPartitions; ++i) send(i, i);
    flush();
    EXPECT_EQ(writes.values({"topic", kPartitions - 1}), (Values{"199"}));
    EXPECT_EQ(brokers_->lookups(), before);
}

TEST_F(BatchWriterTest, ALeaderThatGivesNoIdIsLookedForAgain) {
    PlayedWrites& writes = play(2, 1);
    std::atomic<int> asked = 0;
    brokers_->on<wire::InitProducerIdRequest>(
        {0, 4},
        [&](int node, const wire::RequestHeader& header,
            const wire::InitProducerIdRequest&) -> testing::PlayedAnswer {
            if (node == 0) {
                if (++asked == 2)
                    brokers_->logs().change(kWhere, [](PlayedPartition& one) {
                        one.leader = 1;
                        ++one.epoch;
                    });
                return std::nullopt;
            }
            const wire::InitProducerIdResponse out{.producer_id = 5, .producer_epoch = 0};
            return wire::response_frame(out, header.version, header.correlation_id);
        });
    open({{"enable.idempotence", "true", 0}});
    send(0);
    flush();
    EXPECT_EQ(told_.back(), "0 NONE 0@0");
    EXPECT_EQ(writes.log(kWhere).front().node, 1);
}

TEST_F(BatchWriterTest, WhatIsInDoubtIsSplitAllTheSame) {
    PlayedWrites& writes = play(1, 1);
    open({{"enable.idempotence", "true", 0}, {"linger.ms", "60000", 0}});
    int tries = 0;
    writes.judge([&](const Written& one) {
        if (++tries == 1) return Verdict{.closes = true, .keeps = false};
        return Verdict{.code = one.values.size() > 1 ? Errc::kMessageTooLarge : Errc::kNone};
    });
    send(0);
    send(1);
    flush();
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"}));
    EXPECT_EQ(told_, (Told{"0 NONE 0@0", "1 NONE 0@1"}));
}

TEST_F(BatchWriterTest, WhatIsKeptEndsWithTheWriter) {
    play(1, 1);
    brokers_->on<wire::InitProducerIdRequest>(
        {0, 4},
        [](int, const wire::RequestHeader& header,
           const wire::InitProducerIdRequest&) -> testing::PlayedAnswer {
            const wire::InitProducerIdResponse out{
                .error_code = static_cast<std::int16_t>(Errc::kClusterAuthorizationFailed)};
            return wire::response_frame(out, header.version, header.correlation_id);
        });
    open({{"enable.idempotence", "true", 0}});
    ASSERT_TRUE(writer_->send("late", {.key = std::nullopt, .value = "v", .tag = 9}));
    send(0);
    flush();
    std::ranges::sort(told_);
    EXPECT_EQ(told_, (Told{"0 CLUSTER_AUTHORIZATION_FAILED 0@-1",
                           "9 CLUSTER_AUTHORIZATION_FAILED -1@-1"}));
}

TEST(WriteBoard, WhatIsPutTooLateIsToldAtOnce) {
    const WriteSettings settings;
    WriteBoard board{settings, true};
    WriteLane& lane = board.writer_lane(board.writer_topic("topic"), kWhere);
    board.fail(Error{Errc::kProducerFenced, "another one has its name"});
    const OutgoingRecord record{.key = std::nullopt, .value = "v", .partition = 0, .tag = 4};
    board.writer_put(lane, record, 1, WriteBatch::weight_of(record));
    std::vector<WriteOutcome> told;
    board.writer_take(told);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().code, Errc::kProducerFenced);
    EXPECT_EQ(told.front().tags.front().tag, 4U);
}

}  // namespace
}  // namespace leat::client
