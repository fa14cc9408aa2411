// SPDX-License-Identifier: Apache-2.0
// Method: as batch_writer_test.cc; brokers that are wrong, slow to learn, or gone.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "client/testing/batch_writer_fixture.h"
#include "client/write_board.h"
#include "rt/descriptor.h"

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

const TopicPartition kWhere{"topic", 0};
const TopicPartition kOther{"topic", 1};

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

TEST_F(BatchWriterTest, ALeaderThatAnAnswerNamesIsNotLookedUp) {
    for (const auto newest : std::to_array<std::int16_t>({13, 12, 10})) {
        writer_.reset();
        PlayedWrites& writes = play(2, 1, {3, newest});
        open({{"enable.idempotence", "true", 0},
              {"linger.ms", "0", 0},
              {"retry.backoff.ms", "60000", 0}});
        send(0);
        flush();
        brokers_->logs().change(kWhere, [](PlayedPartition& one) {
            one.leader = 1;
            one.epoch = 2;
        });
        brokers_->name_leader({.node = 1, .epoch = 2});
        const int before = brokers_->lookups();
        send(1);
        flush();  // No backoff either.
        EXPECT_EQ(writes.values(kWhere), (Values{"0", "1"})) << newest;
        EXPECT_EQ(writes.log(kWhere).back().node, 1);
        EXPECT_EQ(brokers_->lookups(), before);
        EXPECT_EQ(writes.requests(), 3);
        // And on from there: the first one again, in the next epoch.
        brokers_->logs().change(kWhere, [](PlayedPartition& one) {
            one.leader = 0;
            one.epoch = 3;
        });
        brokers_->name_leader({.node = 0, .epoch = 3});
        send(2);
        flush();
        EXPECT_EQ(writes.log(kWhere).back().node, 0);
        EXPECT_EQ(brokers_->lookups(), before);
    }
}

TEST_F(BatchWriterTest, ALeaderThatIsNamedByWhoIsBehindIsLookedUp) {
    PlayedWrites& writes = play(3, 1);
    brokers_->logs().change(kWhere, [](PlayedPartition& one) { one.epoch = 5; });
    std::atomic<int> strays = 0;
    writes.judge([&](const Written& one) {
        if (one.node == 1) ++strays;
        return Verdict{};
    });
    open({{"linger.ms", "0", 0}});
    send(0);
    flush();
    int tag = 1;
    // Of this epoch, of one before, of none; and a node that nobody knows the address of.
    for (const NamedLeader named : {NamedLeader{1, 5}, {1, 4}, {1, -1}, {77, 9}}) {
        brokers_->logs().change(kWhere, [](PlayedPartition& one) { one.leader = 2 - one.leader; });
        brokers_->name_leader(named);
        const int before = brokers_->lookups();
        send(tag++);
        flush();
        EXPECT_GT(brokers_->lookups(), before) << named.node << " " << named.epoch;
    }
    EXPECT_EQ(writes.values(kWhere), (Values{"0", "1", "2", "3", "4"}));
    EXPECT_EQ(strays, 0);
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

TEST_F(BatchWriterTest, ARequestIsNotLargerThanItMayBe) {
    constexpr int kPartitions = 20;
    PlayedWrites& writes = play(1, kPartitions);
    std::map<int, std::size_t> sizes;  // Of requests, by their number.
    writes.judge([&](const Written& one) {
        sizes[one.request] += one.header.size_bytes();
        return Verdict{};
    });
    open({{"max.request.size", "3000", 0}, {"linger.ms", "50", 0}});
    for (std::int32_t i = 0; i < kPartitions; ++i) {
        const std::string value(900, 'x');
        ASSERT_TRUE(writer_->send("topic", {.key = std::nullopt, .value = value, .partition = i}));
    }
    flush();
    EXPECT_EQ(told_.size(), static_cast<std::size_t>(kPartitions));
    EXPECT_GE(sizes.size(), 7U);
    for (const auto& [number, size] : sizes) EXPECT_LE(size, 3'000U) << number;
    // They are not one by one either.
    EXPECT_LT(sizes.size(), 14U);
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

/// A socket whose queue is full: who connects waits.
class FullDoor {
  public:
    FullDoor() {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof where;
        auto* address = reinterpret_cast<sockaddr*>(&where);
        LEAT_CHECK(::bind(door_.get(), address, size) == 0 && ::listen(door_.get(), 0) == 0);
        LEAT_CHECK(::getsockname(door_.get(), address, &size) == 0);
        port_ = ntohs(where.sin_port);
        for (rt::Descriptor& one : queue_)
            LEAT_CHECK(::connect(one.get(), address, size) == 0 || errno == EINPROGRESS);
    }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    static rt::Descriptor make() {
        return rt::Descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    }
    rt::Descriptor door_ = make();
    std::array<rt::Descriptor, 4> queue_{make(), make(), make(), make()};
    std::uint16_t port_ = 0;
};

TEST_F(BatchWriterTest, WhatWaitsForALeaderThatDoesNotLetInEndsInTime) {
    PlayedWrites& writes = play(2, 1);
    brokers_->logs().change(kOther, [](PlayedPartition& one) { one.leader = 1; });
    brokers_->silence(1);
    open({{"delivery.timeout.ms", "300", 0}, {"linger.ms", "0", 0}});
    send(0, 1);
    flush();  // Not when the connection is given up, after 30 s.
    EXPECT_EQ(told_.back(), "0 TIMED_OUT 1@-1");
    send(1);
    flush();
    EXPECT_EQ(told_.back(), "1 NONE 0@0");
    // Without flush(), too.
    send(2, 1);
    while (told_.size() < 3) writer_->poll(milliseconds{0});
    EXPECT_EQ(told_.back(), "2 TIMED_OUT 1@-1");
    brokers_->silence(-1);
    brokers_->hang_up();
    const auto end = std::chrono::steady_clock::now() + seconds{10};
    for (int tag = 3; writes.values(kOther).empty() && std::chrono::steady_clock::now() < end;) {
        send(tag++, 1);
        flush();
    }
    EXPECT_FALSE(writes.values(kOther).empty());
}

TEST_F(BatchWriterTest, WhatWaitsForABootstrapServerThatDoesNotLetInEndsInTime) {
    const FullDoor door;
    PlayedBrokers silent{1};
    silent.silence(0);
    for (const std::string& address : {door.address(), silent.address()}) {
        open({{"bootstrap.servers", address, 0},
              {"delivery.timeout.ms", "300", 0},
              {"linger.ms", "200", 0}});
        send(0);
        flush();
        EXPECT_EQ(told_.back(), "0 TIMED_OUT 0@-1");
        writer_.reset();
    }
}

TEST_F(BatchWriterTest, WhatWaitsForALeaderThatDoesNotLetInGoesToTheNext) {
    PlayedWrites& writes = play(2, 1);
    brokers_->logs().change(kOther, [](PlayedPartition& one) { one.leader = 1; });
    brokers_->silence(1);
    open({{"metadata.max.age.ms", "100", 0}, {"linger.ms", "0", 0}});
    send(0, 1);
    writer_->poll(milliseconds{50});
    brokers_->logs().change(kOther, [](PlayedPartition& one) {
        one.leader = 0;
        ++one.epoch;
    });
    flush();
    EXPECT_EQ(writes.log(kOther).front().node, 0);
}

TEST_F(BatchWriterTest, AConnectionThatIsOpenedAnewDoesNotHoldBatchesLonger) {
    PlayedWrites& writes = play(1, 1);
    open({{"delivery.timeout.ms", "500", 0}, {"linger.ms", "0", 0}});
    send(0);
    flush();
    brokers_->silence(0);
    brokers_->hang_up();
    send(1);
    flush();
    EXPECT_EQ(told_.back(), "1 TIMED_OUT 0@-1");
    EXPECT_EQ(writes.values(kWhere), (Values{"0"}));
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
    EXPECT_EQ(told.front().topic, "topic");
    EXPECT_EQ(told.front().tags.front().tag, 4U);
}

}  // namespace
}  // namespace leat::client
