// SPDX-License-Identifier: Apache-2.0
// Method: a broker of two shards without sockets on a simulated disk; handlers are called as a
// connection would call them, and processes and power come and go.
#include "broker/group_host.h"

#include <gtest/gtest.h>

#include <deque>

#include "broker/broker.h"
#include "broker/handlers/find_coordinator.h"
#include "broker/handlers/group_members.h"
#include "broker/handlers/offset_commit.h"
#include "broker/handlers/offset_fetch.h"
#include "broker/handlers/topics.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"
#include "testkit/sim_executor.h"

namespace leat::broker {
namespace {

/// Metadata that outlives the broker, without a database.
class MemoryStore final : public metadata::MetadataStore {
  public:
    metadata::State state;

    Result<metadata::State> load() override { return state; }
    Result<void> commit(std::span<const metadata::Delta> deltas) override {
        for (const metadata::Delta& delta : deltas) {
            if (const auto* created = std::get_if<metadata::TopicCreated>(&delta)) {
                const metadata::Topic& topic = *created->topic;
                state.topics.push_back({.id = topic.id,
                                        .name = topic.name,
                                        .partition_count = topic.partition_count,
                                        .created_epoch = topic.created_epoch,
                                        .overrides = topic.overrides});
            } else if (const auto* deleted = std::get_if<metadata::TopicDeleted>(&delta)) {
                forget(deleted->topic->name);
            } else if (const auto* bumped = std::get_if<metadata::LeaderEpochsBumped>(&delta)) {
                state.unclean_starts = bumped->unclean_starts;
            }
        }
        return {};
    }
    void forget(const std::string& name) {
        std::erase_if(state.topics, [&name](const auto& topic) { return topic.name == name; });
    }
};

class GroupHostTest : public testing::Test {
  protected:
    GroupHostTest() {
        store_.state.cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
        executors_ = {&world_.add_executor(), &world_.add_executor()};
        pool_ = &world_.add_pool();
        start();
        create_topic("t");
        EXPECT_EQ(find("g"), Errc::kNone);
    }
    ~GroupHostTest() override {
        if (broker_ != nullptr) stop();
    }

    void start() {
        registry_ = std::make_unique<obs::Registry>(4);
        auto directory = storage::DataDirectory::open(disk_, "/data", 1);
        ASSERT_OK(directory);
        directory_ = *std::move(directory);
        BrokerParts parts{
            .disk = &disk_,
            .pool = pool_,
            .executors = {executors_.begin(), executors_.end()},
            .directory = directory_.get(),
            .store = &store_,
            .registry = registry_.get(),
            .layers = {},
            .faults = {},
            .make_groups = [](Shard& shard) { return std::make_unique<GroupHost>(shard); },
            .make_transactions = {}};
        parts.layers.command_line["offsets.topic.num.partitions"] = {"2", "test"};
        parts.layers.command_line["group.initial.rebalance.delay.ms"] = {"60000", "test"};
        auto broker = Broker::open(std::move(parts));
        ASSERT_OK(broker);
        broker_ = *std::move(broker);
        bool is_started = false;
        executors_[0]->here([&] { rt::start(set_when_done(broker_->start(), is_started)); });
        ASSERT_TRUE(world_.run_until([&] { return is_started; }));
    }
    void stop() {
        std::optional<Result<void>> stopped;
        executors_[0]->here(
            [&] { rt::start(broker_->stop(), [&](Result<void> r) { stopped = std::move(r); }); });
        ASSERT_TRUE(world_.run_until([&] { return stopped.has_value(); }));
        world_.settle();
        broker_.reset();
        directory_.reset();
    }
    /// The process dies; with `power`, so does the machine.
    void kill(bool power) {
        world_.cut_power();
        // What a dead process leaves behind is never destroyed, as its frames never end.
        static std::vector<std::shared_ptr<void>>& dead =
            *std::make_unique<std::vector<std::shared_ptr<void>>>().release();
        dead.emplace_back(broker_.release(), [](void*) {});
        dead.emplace_back(directory_.release(), [](void*) {});
        dead.emplace_back(registry_.release(), [](void*) {});
        if (power)
            disk_.crash();
        else
            disk_.restart_process();
    }

    template <class Response, class Message>
    using Handler = rt::Task<Response> (*)(Request&, const Message&);

    Request& request(std::int16_t version) {
        Request& out = requests_.emplace_back();
        out.shard = &broker_->shard(0);
        out.header.version = version;
        out.connection = std::make_shared<ConnectionFacts>();
        return out;
    }
    /// The answer arrives in the place that is returned.
    template <class Response, class Message>
    std::shared_ptr<std::optional<Response>> begin(Handler<Response, Message> handler,
                                                   Request& request, const Message& message) {
        auto out = std::make_shared<std::optional<Response>>();
        executors_[0]->here([&] {
            rt::start(handler(request, message),
                      [out](Response response) { out->emplace(std::move(response)); });
        });
        return out;
    }
    template <class Response, class Message>
    Response ask(Handler<Response, Message> handler, std::int16_t version, const Message& message) {
        auto out = begin(handler, request(version), message);
        EXPECT_TRUE(world_.run_until([&] { return out->has_value(); }));
        return out->value_or(Response{});
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
    Errc commit(std::int64_t offset) {
        wire::OffsetCommitRequest message;
        wire::OffsetCommitRequest::OffsetCommitRequestPartition partition;
        partition.committed_offset = offset;
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

    static rt::Task<void> set_when_done(rt::Task<void> task, bool& done) {
        co_await std::move(task);
        done = true;
    }

    testkit::SimWorld world_{7};
    testkit::SimDisk disk_{7};
    MemoryStore store_;
    std::vector<testkit::SimExecutor*> executors_;
    testkit::SimPool* pool_ = nullptr;
    std::unique_ptr<obs::Registry> registry_;
    std::unique_ptr<storage::DataDirectory> directory_;
    std::unique_ptr<Broker> broker_;
    std::deque<Request> requests_;
    bool was_loading_ = false;
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
