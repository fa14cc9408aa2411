// SPDX-License-Identifier: Apache-2.0
//
// Method: one partition whose appends do not wait for the disk, on a simulated one; then the power
// goes and keeps nothing that was not synced.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "storage/testing/partition_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using config::Durability;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::PartitionFixture;
using testing::TestBatch;
using testing::TestRecord;

struct Flushed {
    explicit Flushed(Durability durability) { f.topic.durability = durability; }

    void open() {
        ASSERT_OK(f.open());
        before_ = syncs();
    }
    void append() {
        ASSERT_EQ(f.append().error, Errc::kNone);
        // Neither the answer nor readers have waited for the disk.
        EXPECT_EQ(f.partition->high_watermark(), f.partition->log_end());
    }
    void append_batch(std::size_t records) {
        const TestRecord one{.timestamp = f.world.wall_now().value};
        ASSERT_EQ(f.append(TestBatch{.records = std::vector<TestRecord>(records, one)}).error,
                  Errc::kNone);
    }
    [[nodiscard]] std::int64_t made() const { return syncs() - before_; }
    /// How many records are left.
    std::int64_t after_a_power_cut() {
        f.world.settle();
        f.cut_power();
        EXPECT_OK(f.open());
        return f.partition->log_end().value;
    }

    PartitionFixture f;

  private:
    [[nodiscard]] std::int64_t syncs() const {
        return f.metric("leat_log_syncs_total") + f.metric("leat_log_syncs_whole_total");
    }
    std::int64_t before_ = 0;
};

class PartitionFlush : public ::testing::TestWithParam<Durability> {};

TEST_P(PartitionFlush, SyncsWhatHasWaitedForFlushMs) {
    Flushed log{GetParam()};
    log.f.topic.flush_ms = 500;
    log.open();
    log.append();
    log.f.world.run_for(milliseconds{300});
    log.append();
    EXPECT_EQ(log.made(), 0);
    log.f.world.run_for(milliseconds{250});
    EXPECT_EQ(log.made(), 1) << "the oldest is that old";
    EXPECT_EQ(log.after_a_power_cut(), 2);
}

TEST_P(PartitionFlush, LosesAtMostWhatCameSinceFlushMs) {
    Flushed log{GetParam()};
    log.f.topic.flush_ms = 500;
    log.open();
    log.append();
    log.f.world.run_for(milliseconds{600});
    log.append();
    EXPECT_EQ(log.made(), 1);
    EXPECT_EQ(log.after_a_power_cut(), 1);
}

TEST_P(PartitionFlush, SyncsAfterFlushMessagesRecords) {
    Flushed log{GetParam()};
    log.f.topic.flush_messages = 3;
    log.f.broker.flush_interval_default_ms = 3'600'000;
    log.open();
    log.append();
    log.append();
    log.f.world.settle();
    EXPECT_EQ(log.made(), 0);
    log.append();
    log.f.world.settle();
    EXPECT_EQ(log.made(), 1);
    log.append();
    EXPECT_EQ(log.after_a_power_cut(), 3) << "the count begins anew with the sync";
}

TEST_P(PartitionFlush, CountsRecordsAndNotBatches) {
    Flushed log{GetParam()};
    log.f.topic.flush_messages = 3;
    log.f.broker.flush_interval_default_ms = 3'600'000;
    log.open();
    log.append_batch(5);
    log.f.world.settle();
    log.append_batch(2);
    EXPECT_EQ(log.after_a_power_cut(), 5);
}

TEST_P(PartitionFlush, FollowsASettingThatIsChanged) {
    Flushed log{GetParam()};
    log.f.broker.flush_interval_default_ms = 3'600'000;
    log.open();
    log.append();
    auto changed = std::make_shared<config::TopicConfig>(log.f.topic);
    changed->flush_ms = 100;
    log.f.executor.here([&] { log.f.partition->set_config(changed); });
    log.f.world.run_for(milliseconds{200});
    EXPECT_EQ(log.made(), 1);
    EXPECT_EQ(log.after_a_power_cut(), 1);
}

INSTANTIATE_TEST_SUITE_P(WithoutWaiting, PartitionFlush,
                         ::testing::Values(Durability::kInterval, Durability::kOs));

TEST(PartitionFlushDefaults, IntervalSyncsOnceASecond) {
    Flushed log{Durability::kInterval};
    log.open();
    log.append();
    log.f.world.run_for(milliseconds{900});
    EXPECT_EQ(log.made(), 0);
    log.f.world.run_for(milliseconds{200});
    EXPECT_EQ(log.made(), 1);
    EXPECT_EQ(log.after_a_power_cut(), 1);
}

TEST(PartitionFlushDefaults, OsLeavesItToTheKernel) {
    Flushed log{Durability::kOs};
    log.open();
    for (int i = 0; i < 50; ++i) log.append();
    log.f.world.run_for(minutes{10});
    EXPECT_EQ(log.made(), 0);
    EXPECT_EQ(log.after_a_power_cut(), 0);
}

TEST(PartitionOfAFailedDirectory, StopsThoughItsSyncIsDropped) {
    Flushed log{Durability::kSync};
    log.open();
    auto batch = TestBatch{}.build();
    std::optional<Errc> answer;
    std::optional<Result<void>> stopped;
    log.f.executor.here([&] {
        // Told of in the next turn, when the sync waits to be begun.
        log.f.context().flusher.health().fail(Error{Errc::kIoError, "the disk is gone"});
        rt::start(log.f.partition->append(batch, Origin::kClient, -1),
                  [&](const Appended& done) { answer = done.error; });
        log.f.partition->close();
        rt::start(log.f.partition->shut_down(),
                  [&](Result<void> done) { stopped.emplace(std::move(done)); });
    });
    ASSERT_FALSE(stopped.has_value()) << "the sync does not wait";
    EXPECT_TRUE(log.f.world.run_until([&] { return stopped.has_value() && answer.has_value(); }));
    EXPECT_EQ(answer, Errc::kNotEnoughReplicasAfterAppend);
    ASSERT_TRUE(stopped.has_value());
    ASSERT_FALSE(stopped->has_value());
    EXPECT_EQ(stopped->error().code(), Errc::kOffline);
}

}  // namespace
}  // namespace leat::storage
