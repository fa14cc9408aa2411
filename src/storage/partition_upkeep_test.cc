// SPDX-License-Identifier: Apache-2.0
//
// Method: one partition on a simulated disk, mostly without any room left. What deletes must go on,
// and no power cut on its way may cost what is not to be deleted.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "storage/testing/partition_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using std::chrono::seconds;
using testing::PartitionFixture;

constexpr std::int64_t kRecords = 30;
constexpr std::int64_t kPlenty = std::int64_t{1} << 40;

/// A partition with records of now.
struct OnDisk {
    explicit OnDisk(std::int32_t segment_bytes, std::uint64_t seed = 1,
                    testkit::SimDiskModel model = {})
        : f(seed, model) {
        f.topic.segment_bytes = segment_bytes;
        f.topic.retention_ms = 2'000;
        f.broker.retention_check_interval_ms = 500;
        EXPECT_OK(f.open());
        for (int i = 0; i < kRecords; ++i) EXPECT_EQ(f.append(100).error, Errc::kNone);
    }
    /// To the last byte.
    void fill() { f.disk.set_capacity(f.disk.space("/")->total_bytes - room()); }
    [[nodiscard]] std::int64_t room() { return f.disk.space("/")->usable_bytes; }
    Result<Offset> delete_before(std::int64_t offset) {
        return f.run<Result<Offset>>(
            [offset](Partition& p) { return p.delete_records(Offset{offset}); });
    }
    /// The machine starts again, with room.
    void start_again(testkit::Survival survival) {
        f.world.settle();  // What still runs would outlive its partition.
        f.cut_power(survival);
        f.disk.set_capacity(kPlenty);
        ASSERT_OK(f.open());
    }

    PartitionFixture f;
};

struct OnFullDisk : OnDisk {
    explicit OnFullDisk(std::int32_t segment_bytes) : OnDisk(segment_bytes) {
        fill();
        EXPECT_EQ(f.append(100).error, Errc::kKafkaStorageError);
    }
};

TEST(PartitionUpkeep, DeletesRecordsOnAFullDisk) {
    OnFullDisk full{1000};
    const Result<Offset> start = full.delete_before(20);
    ASSERT_OK(start);
    EXPECT_EQ(*start, Offset{20});
    EXPECT_EQ(full.f.read(19).error, Errc::kOffsetOutOfRange);
    EXPECT_GT(full.room(), 1000) << "their room is not free";
    EXPECT_EQ(full.f.append(100).error, Errc::kNone);
    full.start_again(testkit::Survival::kNothing);
    EXPECT_EQ(full.f.partition->log_start(), Offset{20});
    EXPECT_EQ(full.f.partition->log_end(), Offset{kRecords + 1});
}

// There is no room to be had from it, and none for the note of the new log start.
TEST(PartitionUpkeep, FullDiskRefusesToDeleteInsideTheOnlySegment) {
    OnFullDisk full{1 << 20};
    EXPECT_ERRC(full.delete_before(20), Errc::kKafkaStorageError);
    EXPECT_EQ(full.f.partition->log_start(), Offset{0});
    EXPECT_EQ(full.f.read(0).error, Errc::kNone);
    full.f.disk.set_capacity(kPlenty);
    EXPECT_OK(full.delete_before(20));
}

TEST(PartitionUpkeep, RetentionGoesOnOnAFullDisk) {
    // In many segments, and in one that is not even closed.
    for (const std::int32_t segment_bytes : {1000, 1 << 20}) {
        SCOPED_TRACE(segment_bytes);
        OnFullDisk full{segment_bytes};
        full.f.world.run_for(seconds{5});
        EXPECT_EQ(full.f.partition->log_start(), Offset{kRecords});
        EXPECT_EQ(full.f.partition->size_bytes(), 0);
        EXPECT_EQ(full.f.append(100).base_offset, Offset{kRecords});
        full.start_again(testkit::Survival::kNothing);
        EXPECT_EQ(full.f.partition->log_start(), Offset{kRecords});
        EXPECT_EQ(full.f.partition->log_end(), Offset{kRecords + 1});
    }
}

TEST(PartitionUpkeep, TopicIsDeletedOnAFullDisk) {
    OnFullDisk full{1000};
    full.f.disk.fail(testkit::DiskCall::kRename, 1, Errc::kNoSpace, true);
    full.f.executor.here([&] { full.f.partition->close(); });
    EXPECT_OK(full.f.run<Result<void>>([](Partition& p) { return p.destroy(); }));
    EXPECT_FALSE(*full.f.disk.exists(PartitionFixture::folder()));
    EXPECT_GT(full.room(), kRecords * 100);
}

struct Cuts {
    std::int32_t segment_bytes;
    std::int64_t deleted_to;
    bool is_full = true;
    bool sync_commits_names = true;  ///< Of the file system.
    testkit::Survival survival = testkit::Survival::kNothing;
};

/// Cuts the power after each call that `work` makes, one by one.
void expect_nothing_lost_of(const Cuts& cuts, const std::function<void(OnDisk&)>& work) {
    bool is_cut = true;
    std::uint64_t calls = 0;
    for (; is_cut; ++calls) {
        SCOPED_TRACE("power goes after " + std::to_string(calls) + " calls");
        OnDisk disk{cuts.segment_bytes, calls + 1, {.sync_commits_names = cuts.sync_commits_names}};
        if (cuts.is_full) disk.fill();
        disk.f.disk.cut_power_after(calls);
        work(disk);
        is_cut = !disk.f.disk.has_power();
        disk.start_again(cuts.survival);
        const Partition& partition = *disk.f.partition;
        EXPECT_FALSE(partition.is_offline());
        EXPECT_EQ(partition.log_end(), Offset{kRecords});
        EXPECT_LE(partition.log_start(), Offset{cuts.deleted_to});
        if (!is_cut) EXPECT_EQ(partition.log_start(), Offset{cuts.deleted_to});
        for (std::int64_t at = partition.log_start().value; at < kRecords; ++at)
            EXPECT_GT(disk.f.read(at).size_bytes, 0U) << at;
        if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GT(calls, 5U);
}

void expect_nothing_lost(Cuts cuts, const std::function<void(OnDisk&)>& work) {
    for (const bool sync_commits_names : {true, false}) {
        for (const auto survival : {testkit::Survival::kNothing, testkit::Survival::kRandom,
                                    testkit::Survival::kEverything}) {
            cuts.sync_commits_names = sync_commits_names;
            cuts.survival = survival;
            expect_nothing_lost_of(cuts, work);
        }
    }
}

void delete_before_20(OnDisk& disk) {
    ignore(disk.delete_before(20), "the power may go");
}
void wait_for_retention(OnDisk& disk) {
    disk.f.world.run_for(seconds{5});
}

TEST(PartitionUpkeep, PowerCutWhileRecordsAreDeletedOnAFullDiskLosesNoOthers) {
    expect_nothing_lost({.segment_bytes = 1000, .deleted_to = 20}, delete_before_20);
}

TEST(PartitionUpkeep, PowerCutDuringRetentionOnAFullDiskLosesNoOthers) {
    for (const std::int32_t segment_bytes : {1000, 1 << 20})
        expect_nothing_lost({.segment_bytes = segment_bytes, .deleted_to = kRecords},
                            wait_for_retention);
}

TEST(PartitionUpkeep, PowerCutWhileManySegmentsGoLosesNoOthers) {
    constexpr std::int32_t kSegmentBytes = 400;  // Two records each.
    expect_nothing_lost({.segment_bytes = kSegmentBytes, .deleted_to = 20, .is_full = false},
                        delete_before_20);
    expect_nothing_lost({.segment_bytes = kSegmentBytes, .deleted_to = kRecords, .is_full = false},
                        wait_for_retention);
}

TEST(PartitionUpkeep, ManySegmentsGoWithoutASyncOfTheFolderForEach) {
    for (const bool is_retention : {false, true}) {
        SCOPED_TRACE(is_retention ? "retention" : "DeleteRecords");
        OnDisk disk{400};
        const std::uint64_t before = disk.f.disk.calls(testkit::DiskCall::kSyncDirectory);
        is_retention ? wait_for_retention(disk) : delete_before_20(disk);
        EXPECT_EQ(disk.f.partition->log_start(), Offset{is_retention ? kRecords : 20});
        // Of the file that has the start, and of a new active segment.
        EXPECT_LE(disk.f.disk.calls(testkit::DiskCall::kSyncDirectory) - before, 3U);
    }
}

TEST(PartitionUpkeep, BackoffWithoutEndEndsWhenItIsLowered) {
    PartitionFixture f;
    f.topic.cleanup_delete = false;
    f.topic.cleanup_compact = true;
    f.topic.min_cleanable_dirty_ratio = 0;
    f.topic.segment_bytes = 1'000;
    f.broker.cleaner_backoff_ms = config::kNever;
    ASSERT_OK(f.open());
    const testing::TestBatch batch{
        .records = {
            {.timestamp = f.world.wall_now().value, .key = "k", .value = std::string(100, 'x')}}};
    for (int i = 0; i < kRecords; ++i) ASSERT_EQ(f.append(batch).error, Errc::kNone);
    const std::int64_t before = f.partition->size_bytes();
    f.world.run_for(std::chrono::minutes{10});
    EXPECT_EQ(f.partition->size_bytes(), before);
    f.broker.cleaner_backoff_ms = 1'000;
    f.context().broker = std::make_shared<config::BrokerConfig>(f.broker);
    f.executor.here(
        [&] { f.partition->set_config(std::make_shared<config::TopicConfig>(f.topic)); });
    f.world.run_for(seconds{10});
    EXPECT_LT(f.partition->size_bytes(), before / 2);
}

TEST(PartitionUpkeep, NothingIsDeletedFromWhatIsQuarantined) {
    for (const bool is_compacted : {false, true}) {
        PartitionFixture f;
        f.topic.cleanup_compact = is_compacted;
        f.topic.cleanup_delete = !is_compacted;
        ASSERT_OK(f.open());
        for (int i = 0; i < 4; ++i) ASSERT_EQ(f.append().error, Errc::kNone);
        ASSERT_TRUE(f.stop());
        auto file = f.disk.open(PartitionFixture::folder() + "/00000000000000000000.log",
                                rt::OpenMode::kReadWrite);
        ASSERT_OK(file);
        ASSERT_OK((*file)->truncate(FilePos{10}));
        file->reset();
        ASSERT_OK(f.open());
        EXPECT_TRUE(f.partition->is_quarantined());
        EXPECT_TRUE(f.partition->is_offline());
        EXPECT_ERRC(
            f.run<Result<Offset>>([](Partition& p) { return p.delete_records(Offset{-1}); }),
            Errc::kKafkaStorageError);
        EXPECT_EQ(f.read(0).error, Errc::kKafkaStorageError);
    }
}

}  // namespace
}  // namespace leat::storage
