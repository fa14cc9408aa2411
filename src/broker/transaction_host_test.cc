// SPDX-License-Identifier: Apache-2.0
//
// Method: a broker of two shards without sockets on a simulated disk is killed with a transaction
// open in a log that no coordinator knows; what becomes of it after the next start.
#include "broker/transaction_host.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "broker/handlers/topics.h"
#include "broker/metrics.h"
#include "broker/testing/broker_rig.h"
#include "wire/batch_builder.h"

namespace leat::broker {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testkit::DiskCall;

constexpr std::int64_t kProducer = 4711;
constexpr std::string_view kLog = "/data/t-0/00000000000000000000.log";

class TransactionHostTest : public ::testing::Test, protected testing::BrokerRig {
  protected:
    TransactionHostTest() {
        make_transactions_ = [](Shard& shard) { return std::make_unique<TransactionHost>(shard); };
        start();
        create_topic("t");
        create_topic(kTransactionsTopic);
        append("t", true);
        // The coordinator's own log is not to be empty.
        append(kTransactionsTopic, false);
        world_.run_for(seconds{2});
        EXPECT_TRUE(is_open());
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
    PartitionPtr partition(std::string_view topic) {
        const storage::PartitionId id{broker_->shard(0).image().find(topic)->id, 0};
        return broker_->shard_of(id).find_partition(id);
    }
    void append(std::string_view topic, bool is_transactional) {
        wire::BatchOptions options;
        if (is_transactional) {
            options.producer_id = kProducer;
            options.producer_epoch = 0;
            options.base_sequence = 0;
            options.transactional = true;
        }
        wire::BatchBuilder builder{options};
        const std::string_view text = "x";
        builder.add({.timestamp = world_.wall_now(),
                     .key = std::as_bytes(std::span{text}),
                     .value = std::as_bytes(std::span{text}),
                     .headers = {}});
        std::vector<std::byte> batch = *builder.finish();
        const PartitionPtr to = partition(topic);
        std::optional<storage::Appended> out;
        testkit::SimExecutor& executor = *executors_.at(broker_->shard_of(to->spec().id).index());
        executor.here([&] {
            const auto guard = to->transaction_guard(kProducer);
            rt::start(to->append(batch, storage::Origin::kCoordinator, -1, guard),
                      [&out](storage::Appended appended) { out = std::move(appended); });
        });
        EXPECT_TRUE(world_.run_until([&] { return out.has_value(); }));
        EXPECT_EQ(out->error, Errc::kNone);
    }
    bool is_open() { return partition("t")->open_transaction(kProducer).has_value(); }
    std::int64_t hanging() {
        for (const obs::Metric& metric : metrics_table())
            if (metric.name == "leat_hanging_transactions") return registry_->value(metric);
        return -1;
    }
};

TEST_F(TransactionHostTest, WhatNoCoordinatorKnowsIsAbortedAtTheNextStart) {
    kill(false);
    start();
    world_.run_for(seconds{5});
    EXPECT_FALSE(is_open());
    EXPECT_EQ(partition("t")->last_stable(), partition("t")->log_end());
}

TEST_F(TransactionHostTest, AbortThatHadNoRoomIsTriedAgain) {
    kill(false);
    int refused = 0;
    disk_.set_observer([this, &refused](DiskCall call, const std::string& path) {
        if (call != DiskCall::kWrite || path != kLog || refused == 3) return;
        ++refused;
        disk_.fail(DiskCall::kWrite, 1, Errc::kNoSpace);
    });
    start();
    world_.run_for(seconds{30});
    disk_.set_observer({});
    EXPECT_EQ(refused, 3);
    EXPECT_FALSE(is_open());
}

// The coordinator that cannot be asked may have decided to commit it.
TEST_F(TransactionHostTest, WithoutItsCoordinatorATransactionStaysAndIsReported) {
    stop();
    {
        const auto file =
            disk_.open("/data/" + std::string{kTransactionsTopic} + "-0/00000000000000000000.log",
                       rt::OpenMode::kReadWrite);
        ASSERT_OK(file);
        ASSERT_OK((*file)->truncate(FilePos{10}));
    }
    start();
    world_.run_for(seconds{60});
    EXPECT_TRUE(is_open());
    EXPECT_EQ(hanging(), 0);
    world_.run_for(hours{1});
    EXPECT_TRUE(is_open());
    EXPECT_EQ(hanging(), 1);
}

}  // namespace
}  // namespace leat::broker
