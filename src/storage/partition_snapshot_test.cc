// SPDX-License-Identifier: Apache-2.0
//
// Method: one partition whose producer snapshots cannot be written. Segments are deleted, the power
// goes, and a producer must be able to go on where it was.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

#include "storage/testing/partition_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using std::chrono::seconds;
using testing::PartitionFixture;

constexpr std::int64_t kRecords = 30;
constexpr std::int64_t kRare = 6;
constexpr std::int64_t kBusy = 5;

Appended append_to(PartitionFixture& f, std::int64_t producer, std::int64_t sequence) {
    auto bytes =
        testing::TestBatch{
            .base = sequence,
            .records = {{.timestamp = f.world.wall_now().value, .value = std::string(100, 'x')}},
            .producer_id = producer}
            .build();
    wire::set_base_offset(bytes, Offset{0});  // The fixture makes the sequence of it.
    return f.run<Appended>([&](Partition& p) { return p.append(bytes, Origin::kClient, -1); });
}

struct WithoutSnapshots {
    WithoutSnapshots() {
        f.topic.segment_bytes = 1000;
        f.disk.set_observer([this](testkit::DiskCall call, const std::string& path) {
            const bool is_snapshot = path.find(".window") != std::string::npos ||
                                     path.find(".snapshot") != std::string::npos;
            if (is_refusing && is_snapshot && call == testkit::DiskCall::kWrite)
                f.disk.fail(call, 1, Errc::kNoSpace);
        });
    }
    ~WithoutSnapshots() {
        f.world.settle();  // What still runs would outlive its partition.
        f.disk.set_observer({});
    }
    WithoutSnapshots(const WithoutSnapshots&) = delete;
    WithoutSnapshots& operator=(const WithoutSnapshots&) = delete;

    Appended append(std::int64_t producer, std::int64_t sequence) {
        return append_to(f, producer, sequence);
    }
    /// The rare producer's first record is in a snapshot, its second in none.
    void write() {
        std::int64_t sequence = 0;
        EXPECT_EQ(append(kRare, 0).error, Errc::kNone);
        while (!has_file("00000000000000000005.log") && sequence < 20)
            EXPECT_EQ(append(kBusy, sequence++).error, Errc::kNone);
        f.world.settle();
        ASSERT_TRUE(has_file("00000000000000000005.snapshot"));
        is_refusing = true;
        EXPECT_EQ(append(kRare, 1).error, Errc::kNone);
        while (f.partition->log_end().value < kRecords)
            EXPECT_EQ(append(kBusy, sequence++).error, Errc::kNone);
        f.world.settle();
    }
    [[nodiscard]] bool has_file(const char* name) {
        return *f.disk.exists(PartitionFixture::folder() + "/" + name);
    }
    Result<Offset> delete_before(std::int64_t offset) {
        return f.run<Result<Offset>>(
            [offset](Partition& p) { return p.delete_records(Offset{offset}); });
    }

    PartitionFixture f;
    bool is_refusing = false;
};

TEST(PartitionSnapshot, SegmentsThatAloneKnowOfAProducerStayOverACrash) {
    WithoutSnapshots p;
    ASSERT_OK(p.f.open());
    p.write();
    ASSERT_OK(p.delete_before(kRecords - 1));
    EXPECT_EQ(p.f.partition->log_start(), Offset{kRecords - 1});
    EXPECT_EQ(p.f.read(kRecords - 2).error, Errc::kOffsetOutOfRange);
    EXPECT_FALSE(p.has_file("00000000000000000000.log")) << "the snapshot covers it";
    EXPECT_TRUE(p.has_file("00000000000000000005.log"));
    p.f.world.settle();
    p.f.cut_power();
    ASSERT_OK(p.f.open());
    EXPECT_EQ(p.f.partition->log_start(), Offset{kRecords - 1});
    EXPECT_EQ(p.append(kRare, 2).error, Errc::kNone);
}

TEST(PartitionSnapshot, SegmentsGoOnceASnapshotCoversThem) {
    WithoutSnapshots p;
    ASSERT_OK(p.f.open());
    p.write();
    ASSERT_OK(p.delete_before(kRecords - 1));
    p.f.world.run_for(seconds{120});
    EXPECT_TRUE(p.has_file("00000000000000000005.log"));
    p.is_refusing = false;
    p.f.world.run_for(seconds{120});
    EXPECT_FALSE(p.has_file("00000000000000000005.log"));
    p.f.cut_power();
    ASSERT_OK(p.f.open());
    EXPECT_EQ(p.f.partition->log_start(), Offset{kRecords - 1});
    EXPECT_EQ(p.append(kRare, 2).error, Errc::kNone);
}

// Of a topic without traffic no snapshot would be due.
TEST(PartitionSnapshot, RetentionTakesOneForTheLastSegment) {
    PartitionFixture f;
    f.topic.retention_ms = 2'000;
    f.broker.retention_check_interval_ms = 500;
    ASSERT_OK(f.open());
    EXPECT_EQ(append_to(f, kBusy, 0).error, Errc::kNone);
    EXPECT_EQ(append_to(f, kBusy, 1).error, Errc::kNone);
    f.world.run_for(seconds{5});
    EXPECT_EQ(f.partition->log_start(), Offset{2});
    f.cut_power();
    ASSERT_OK(f.open());
    EXPECT_EQ(f.partition->log_start(), Offset{2});
    const auto again = append_to(f, kBusy, 1);
    EXPECT_EQ(again.error, Errc::kNone);
    EXPECT_EQ(again.base_offset, Offset{1}) << "not taken for what was written before";
}

// There must be room again some time, and what a snapshot needs can only come from the segments.
TEST(PartitionSnapshot, RetentionGoesOnOnADiskWithoutRoomForOne) {
    WithoutSnapshots p;
    p.f.topic.segment_bytes = 1 << 20;
    p.f.topic.retention_ms = 2'000;
    p.f.broker.retention_check_interval_ms = 500;
    ASSERT_OK(p.f.open());
    for (std::int64_t i = 0; i < kRecords; ++i) ASSERT_EQ(p.append(kBusy, i).error, Errc::kNone);
    p.f.disk.set_capacity(p.f.disk.space("/")->total_bytes - p.f.disk.space("/")->usable_bytes);
    EXPECT_EQ(p.append(kBusy, kRecords).error, Errc::kKafkaStorageError);
    p.f.world.run_for(seconds{5});
    EXPECT_EQ(p.f.partition->log_start(), Offset{kRecords});
    EXPECT_EQ(p.append(kBusy, kRecords).error, Errc::kNone);
    p.f.world.run_for(seconds{120});
    p.f.cut_power();
    ASSERT_OK(p.f.open());
    EXPECT_EQ(p.append(kBusy, kRecords + 1).error, Errc::kNone);
}

// The log has moved its start then, and nobody was told.
TEST(PartitionSnapshot, ReadsBelowAStartThatADeletionCouldNotReachAreRefused) {
    WithoutSnapshots p;
    ASSERT_OK(p.f.open());
    p.write();
    p.f.disk.fail(testkit::DiskCall::kRename, 2, Errc::kIoError);  // The first stores the start.
    EXPECT_ERRC(p.delete_before(kRecords - 1), Errc::kKafkaStorageError);
    EXPECT_EQ(p.f.partition->log_start(), Offset{0});
    EXPECT_EQ(p.f.read(10).error, Errc::kKafkaStorageError);
}

// A disk that fails for a moment, or that no descriptor is left for, must not cost what the
// producers may send again.
TEST(PartitionSnapshot, StaysWhenItCannotBeReadForAMoment) {
    constexpr std::array kFaults{std::pair{testkit::DiskCall::kOpen, Errc::kIoError},
                                 std::pair{testkit::DiskCall::kOpen, Errc::kTooManyOpenFiles},
                                 std::pair{testkit::DiskCall::kRead, Errc::kIoError}};
    for (const auto& [call, code] : kFaults) {
        for (const std::string ending : {".snapshot", ".window"}) {
            SCOPED_TRACE(ending + " " + std::string{info(code).name});
            PartitionFixture f;
            ASSERT_OK(f.open());
            ASSERT_EQ(append_to(f, kBusy, 0).error, Errc::kNone);
            ASSERT_TRUE(f.stop());
            const std::string path = PartitionFixture::folder() + "/00000000000000000001" + ending;
            ASSERT_TRUE(*f.disk.exists(path));
            bool has_failed = false;
            f.disk.set_observer(
                [&, strikes = call, with = code](testkit::DiskCall made, const std::string& at) {
                    if (has_failed || made != strikes || at != path) return;
                    has_failed = true;
                    f.disk.fail(strikes, 1, with);
                });
            EXPECT_ERRC(f.open(), code);
            EXPECT_TRUE(has_failed);
            f.disk.set_observer({});
            EXPECT_TRUE(*f.disk.exists(path));
            f.kill();
            ASSERT_OK(f.open());
            EXPECT_EQ(append_to(f, kBusy, 0).base_offset, Offset{0});
            EXPECT_EQ(append_to(f, kBusy, 1).base_offset, Offset{1});
        }
    }
}

TEST(PartitionSnapshot, GoesWhenItIsCorrupt) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(append_to(f, kBusy, 0).error, Errc::kNone);
    ASSERT_TRUE(f.stop());
    const std::string path = PartitionFixture::folder() + "/00000000000000000001.snapshot";
    f.disk.flip_bit(path, 12, 3);
    ASSERT_OK(f.open());
    EXPECT_FALSE(*f.disk.exists(path));
    EXPECT_EQ(append_to(f, kBusy, 0).base_offset, Offset{0});
}

}  // namespace
}  // namespace leat::storage
