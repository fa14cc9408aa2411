// SPDX-License-Identifier: Apache-2.0
// Method: a broker of two shards without sockets on a simulated disk; handlers are called as a
// connection would call them, and processes and power come and go.
#include "broker/group_host.h"

#include <gtest/gtest.h>

#include "broker/handlers/find_coordinator.h"
#include "broker/handlers/group_members.h"
#include "broker/handlers/offset_commit.h"
#include "broker/handlers/offset_fetch.h"
#include "broker/handlers/topics.h"
#include "broker/testing/broker_rig.h"

namespace leat::broker {
namespace {

class GroupHostTest : public ::testing::Test, protected testing::BrokerRig {
  protected:
    explicit GroupHostTest(testkit::SimPoolOptions pool = {}) : BrokerRig(pool) {
        start();
        create_topic("t");
        EXPECT_EQ(find("g"), Errc::kNone);
    }

    void start() {
        BrokerRig::start({{"offsets.topic.num.partitions", "2"},
                          {"group.initial.rebalance.delay.ms", "60000"},
                          {"offsets.commit.timeout.ms", commit_timeout_ms_}},
                         [](Shard& shard) { return std::make_unique<GroupHost>(shard); });
    }

    void create_topic(std::string_view name) {
        wire::CreateTopicsRequest message;
        wire::CreateTopicsRequest::CreatableTopic topic;
        topic.name = name;
        topic.num_partitions = 1;
        topic.replication_factor = 1;
        message.topics = {&topic, 1};
        EXPECT_EQ(ask(handle_create_topics, 5, message).topics[0].error_code, 0);
    }
    Errc find(std::string_view group) {
        wire::FindCoordinatorRequest message;
        message.key = group;
        return errc_from_wire(ask(handle_find_coordinator, 3, message).error_code);
    }
    Errc commit(std::int64_t offset, std::string_view metadata = {}) {
        wire::OffsetCommitRequest message;
        wire::OffsetCommitRequest::OffsetCommitRequestPartition partition;
        partition.committed_offset = offset;
        partition.committed_metadata = metadata;
        wire::OffsetCommitRequest::OffsetCommitRequestTopic topic;
        topic.name = "t";
        topic.partitions = {&partition, 1};
        message.group_id = "g";
        message.topics = {&topic, 1};
        const auto out = ask(handle_offset_commit, 8, message);
        return errc_from_wire(out.topics[0].partitions[0].error_code);
    }
    /// The group's offset, -1 when it has none; waits while the coordinator loads.
    std::int64_t committed() {
        wire::OffsetFetchRequest message;
        message.group_id = "g";
        message.topics.reset();
        for (;;) {
            const auto out = ask(handle_offset_fetch, 7, message);
            if (errc_from_wire(out.error_code) == Errc::kCoordinatorLoadInProgress) {
                was_loading_ = true;
                world_.run_for(std::chrono::milliseconds{1});
                continue;
            }
            EXPECT_EQ(out.error_code, 0);
            return out.topics.empty() ? -1 : out.topics[0].partitions[0].committed_offset;
        }
    }
    wire::JoinGroupRequest joining() {
        static wire::JoinGroupRequest::JoinGroupRequestProtocol protocol{.name = "range",
                                                                         .metadata = {}};
        wire::JoinGroupRequest message;
        message.group_id = "g";
        message.session_timeout_ms = 10'000;
        message.rebalance_timeout_ms = 90'000;
        message.protocol_type = "consumer";
        message.protocols = {&protocol, 1};
        return message;
    }

    std::string commit_timeout_ms_ = "5000";
    bool was_loading_ = false;
};

/// On a disk that takes some milliseconds for each sync.
class SlowGroupHostTest : public GroupHostTest {
  protected:
    SlowGroupHostTest()
        : GroupHostTest({.shortest = std::chrono::milliseconds{20},
                         .longest = std::chrono::milliseconds{40}}) {}
};

TEST_F(GroupHostTest, OffsetsAreKeptThroughCleanAndUncleanStarts) {
    EXPECT_EQ(committed(), -1);
    EXPECT_EQ(commit(5), Errc::kNone);
    EXPECT_EQ(committed(), 5);
    stop();
    start();
    EXPECT_EQ(committed(), 5);
    EXPECT_EQ(commit(6), Errc::kNone);
    kill(false);
    start();
    EXPECT_EQ(committed(), 6);
}

TEST_F(GroupHostTest, AcknowledgedOffsetsSurviveThePower) {
    for (std::int64_t offset = 1; offset <= 10; ++offset) {
        ASSERT_EQ(commit(offset), Errc::kNone);
        kill(true);
        start();
        ASSERT_EQ(committed(), offset);
    }
    EXPECT_TRUE(was_loading_);
}

TEST_F(GroupHostTest, OffsetsOfADeletedTopicAreForgottenThoughACrashCameBetween) {
    ASSERT_EQ(commit(5), Errc::kNone);
    store_.forget("t");
    kill(false);
    start();
    // They go once their tombstones are durable.
    world_.run_for(std::chrono::seconds{1});
    EXPECT_EQ(committed(), -1);
    create_topic("t");
    EXPECT_EQ(committed(), -1);
}

TEST_F(SlowGroupHostTest, OffsetsAreNotThoseOfATopicThatIsMadeWhileTheyLoad) {
    // Much to read.
    for (std::int64_t offset = 1; offset <= 600; ++offset)
        ASSERT_EQ(commit(offset, std::string(4'000, 'm')), Errc::kNone);
    store_.forget("t");
    kill(false);
    start();
    create_topic("t");
    was_loading_ = false;
    committed();
    ASSERT_TRUE(was_loading_);
    // They go once their tombstones are durable.
    world_.run_for(std::chrono::seconds{1});
    EXPECT_EQ(committed(), -1);
    EXPECT_EQ(commit(7), Errc::kNone);
    stop();
    start();
    EXPECT_EQ(committed(), 7);
}

TEST_F(GroupHostTest, TopicOfOffsetsThatWasMadeOnAFullDiskServesOnceThereIsRoom) {
    wire::DeleteTopicsRequest message;
    std::string_view name = "__consumer_offsets";
    message.topic_names = {&name, 1};
    ASSERT_EQ(ask(handle_delete_topics, 5, message).responses[0].error_code, 0);
    disk_.set_capacity(disk_.space("/")->total_bytes - disk_.space("/")->usable_bytes);
    find("g");  // Makes the topic again.
    wire::OffsetFetchRequest fetch;
    fetch.group_id = "g";
    fetch.topics.reset();
    EXPECT_EQ(errc_from_wire(ask(handle_offset_fetch, 7, fetch).error_code),
              Errc::kCoordinatorNotAvailable);
    disk_.set_capacity(std::int64_t{1} << 40);
    world_.run_for(std::chrono::seconds{5});
    EXPECT_EQ(commit(7), Errc::kNone);
    EXPECT_EQ(committed(), 7);
}

TEST_F(GroupHostTest, AFailedDiskEndsTheCoordinator) {
    ASSERT_EQ(commit(5), Errc::kNone);
    disk_.fail(testkit::DiskCall::kSync, 1, Errc::kIoError, true);
    EXPECT_EQ(commit(6), Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(find("g"), Errc::kCoordinatorNotAvailable);
    disk_.heal();
    kill(false);
    start();
    EXPECT_EQ(find("g"), Errc::kNone);
    EXPECT_GE(committed(), 5);
}

TEST_F(SlowGroupHostTest, CommitThatIsNotDurableInTimeIsAnsweredAndStays) {
    ASSERT_EQ(commit(5), Errc::kNone);
    stop();
    commit_timeout_ms_ = "1";
    start();
    EXPECT_EQ(committed(), 5);
    EXPECT_EQ(commit(6), Errc::kCoordinatorNotAvailable);
    world_.run_for(std::chrono::seconds{1});
    EXPECT_EQ(committed(), 6);
}

TEST_F(GroupHostTest, WhoWaitsIsAnsweredWhenTheHostStops) {
    const wire::JoinGroupRequest message = joining();
    const auto answer = begin(handle_join_group, request(3), message);
    world_.settle();
    ASSERT_FALSE(answer->has_value());
    stop();
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ(errc_from_wire((*answer)->error_code), Errc::kNotCoordinator);
}

TEST_F(GroupHostTest, WhoseConnectionIsGoneDoesNotWait) {
    const wire::JoinGroupRequest message = joining();
    Request& waiting = request(3);
    const auto answer = begin(handle_join_group, waiting, message);
    world_.settle();
    ASSERT_FALSE(answer->has_value());
    executors_[0]->here([&waiting] { waiting.hurry(); });
    world_.settle();
    ASSERT_TRUE(answer->has_value());
    // The coordinator's own answer has nowhere to go.
    world_.run_for(std::chrono::minutes{2});
}

}  // namespace
}  // namespace leat::broker
