// SPDX-License-Identifier: Apache-2.0
//
// Method: marks written into a real temporary directory and read back by another object; damage by
// changing bytes; failures by fault points.
#include "storage/durable_marks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "rt/fault_disk.h"
#include "rt/posix_disk.h"
#include "storage/directory_health.h"
#include "storage/testing/temp_dir.h"
#include "testkit/manual_executor.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using namespace std::chrono_literals;
using testing::TempDir;

PartitionId id(std::int32_t index) {
    return {.topic = Uuid::from_random(7, 9), .index = index};
}

struct Rig {
    explicit Rig(std::vector<rt::FaultPoint> faults = {}) : disk(posix, std::move(faults)) {}
    TempDir dir;
    rt::PosixDisk posix;
    rt::FaultDisk disk;
    DirectoryHealth health;

    std::unique_ptr<DurableMarks> open() {
        auto marks = DurableMarks::open(disk, dir.path(), health);
        EXPECT_OK(marks);
        return *std::move(marks);
    }
    void advance(DurableMarks& marks, std::int32_t index, std::int64_t offset) {
        const DurableMarks::Mark mark{id(index), Offset{offset}};
        marks.advance({&mark, 1});
    }
    std::vector<std::byte> file(int which) {
        return *rt::read_file(posix, dir / ("durable-marks." + std::to_string(which)), 1 << 24);
    }
    void put(int which, const std::vector<std::byte>& bytes) {
        ASSERT_OK(rt::replace_file(posix, dir / ("durable-marks." + std::to_string(which)), bytes));
    }
};

TEST(DurableMarks, AreReadBackByTheNextRun) {
    Rig rig;
    auto marks = rig.open();
    EXPECT_EQ(marks->mark(id(0)), std::nullopt);
    rig.advance(*marks, 0, 5);
    rig.advance(*marks, 1, 6);
    EXPECT_OK(marks->write_now());
    rig.advance(*marks, 0, 9);
    EXPECT_OK(marks->write_now());
    rig.advance(*marks, 1, 7);  // Never written.
    auto next = rig.open();
    EXPECT_EQ(next->mark(id(0)), Offset{9});
    EXPECT_EQ(next->mark(id(1)), Offset{6});
    EXPECT_EQ(next->mark(id(2)), Offset{0}) << "never synced";
}

TEST(DurableMarks, GoUpOnlyButForLower) {
    Rig rig;
    auto marks = rig.open();
    rig.advance(*marks, 0, 9);
    rig.advance(*marks, 0, 4);
    EXPECT_EQ(marks->mark(id(0)), Offset{9});
    EXPECT_OK(marks->lower(id(0), Offset{3}));
    EXPECT_EQ(rig.open()->mark(id(0)), Offset{3});
}

TEST(DurableMarks, AreWrittenOnceAnInterval) {
    Rig rig;
    testkit::ManualExecutor executor;
    testkit::ManualPool pool;
    auto marks = rig.open();
    executor.here([&] { marks->start(executor, pool, 100ms); });
    for (std::int64_t i = 1; i <= 10; ++i) rig.advance(*marks, 0, i);
    executor.run();
    executor.advance(99ms);
    EXPECT_EQ(pool.size(), 0U);
    executor.advance(1ms);
    EXPECT_EQ(pool.size(), 1U);
    rig.advance(*marks, 0, 11);
    pool.run_one();
    executor.run();
    EXPECT_EQ(rig.open()->mark(id(0)), Offset{11});
    rig.advance(*marks, 0, 12);
    executor.run();
    executor.advance(100ms);
    EXPECT_EQ(pool.size(), 1U);
}

TEST(DurableMarks, SurviveATornLastWriteAtEveryByte) {
    Rig rig;
    auto marks = rig.open();
    rig.advance(*marks, 0, 1);
    EXPECT_OK(marks->write_now());
    const auto before = rig.file(1).size();
    rig.advance(*marks, 0, 2);
    EXPECT_OK(marks->write_now());
    const auto whole = rig.file(1);
    ASSERT_GT(whole.size(), before);
    for (std::size_t size = before; size < whole.size(); ++size) {
        rig.put(1, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
        EXPECT_EQ(rig.open()->mark(id(0)), Offset{1}) << size;
    }
    for (std::size_t at = before; at < whole.size(); ++at) {
        auto bad = whole;
        bad[at] ^= std::byte{0x10};
        rig.put(1, bad);
        EXPECT_EQ(rig.open()->mark(id(0)), Offset{1}) << at;
    }
}

TEST(DurableMarks, FallBackToTheOtherFileWhenTheNewestHasNoWholeTable) {
    Rig rig;
    {
        auto marks = rig.open();
        rig.advance(*marks, 0, 1);
        EXPECT_OK(marks->write_now());
    }
    auto marks = rig.open();
    rig.advance(*marks, 0, 2);
    EXPECT_OK(marks->write_now());
    auto newest = rig.file(0);
    newest.resize(newest.size() - 1);
    rig.put(0, newest);
    EXPECT_EQ(rig.open()->mark(id(0)), Offset{1});
}

TEST(DurableMarks, StaySmallHoweverOftenTheyMove) {
    Rig rig({{.action = rt::FaultAction::kSkip, .call = "sync", .pattern = ""},
             {.action = rt::FaultAction::kSkip, .call = "sync-directory", .pattern = ""}});
    auto marks = rig.open();
    for (std::int64_t i = 1; i < 6'000; ++i) {
        rig.advance(*marks, 0, i);
        ASSERT_OK(marks->write_now());
    }
    EXPECT_LT(std::max(rig.file(0).size(), rig.file(1).size()), 80'000U);
    EXPECT_EQ(rig.open()->mark(id(0)), Offset{5'999});
}

TEST(DurableMarks, AreWrittenAgainWhenThereIsRoom) {
    Rig rig({{.action = rt::FaultAction::kNoSpace, .call = "write", .pattern = "durable-marks"}});
    auto marks = rig.open();
    rig.advance(*marks, 0, 1);
    EXPECT_ERRC(marks->write_now(), Errc::kNoSpace);
    EXPECT_FALSE(rig.health.is_failed());
    EXPECT_OK(marks->write_now());
    EXPECT_EQ(rig.open()->mark(id(0)), Offset{1});
}

TEST(DurableMarks, AreWrittenAgainWhenThereAreDescriptors) {
    for (const char* call : {"create", "sync-directory"}) {
        Rig rig({{.action = rt::FaultAction::kNoFile, .call = call, .pattern = ""}});
        auto marks = rig.open();
        rig.advance(*marks, 0, 1);
        EXPECT_ERRC(marks->write_now(), Errc::kTooManyOpenFiles);
        EXPECT_FALSE(rig.health.is_failed());
        EXPECT_OK(marks->write_now());
        EXPECT_EQ(rig.open()->mark(id(0)), Offset{1});
    }
}

TEST(DurableMarks, FailTheDirectoryWhenASyncFails) {
    Rig rig({{.action = rt::FaultAction::kIoError, .call = "sync", .pattern = "durable-marks"}});
    auto marks = rig.open();
    rig.advance(*marks, 0, 1);
    EXPECT_ERRC(marks->write_now(), Errc::kIoError);
    EXPECT_TRUE(rig.health.is_failed());
    EXPECT_ERRC(marks->write_now(), Errc::kOffline);
}

}  // namespace
}  // namespace leat::storage
