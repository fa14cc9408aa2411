// SPDX-License-Identifier: Apache-2.0
//
// Method: targets that count, an executor and a pool that run only when the test says so, a disk
// that counts syncs and fails on demand.
#include "storage/flusher.h"

#include <gtest/gtest.h>

#include <memory>

#include "obs/metrics.h"
#include "rt/fault_disk.h"
#include "rt/posix_disk.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/metrics.h"
#include "storage/testing/temp_dir.h"
#include "testkit/manual_executor.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

class Target final : public SyncTarget {
  public:
    explicit Target(std::int32_t index, std::string folder)
        : id_{.topic = Uuid::from_random(1, 2), .index = index}, folder_(std::move(folder)) {}

    std::optional<Log::Unsynced> take_unsynced() override {
        if (busy) return std::nullopt;
        ++taken;
        Log::Unsynced out;
        out.end = end;
        out.files = files;
        out.names = names;
        return out;
    }
    void on_synced(Offset to) override { synced = to; }
    void on_sync_ended() override { ++over; }
    void on_directory_failed() override { failed = true; }
    std::shared_ptr<void> hold() override { return nullptr; }
    [[nodiscard]] const PartitionId& id() const override { return id_; }
    [[nodiscard]] const std::string& folder() const override { return folder_; }

    Offset end{0};
    Offset synced{0};
    std::vector<std::shared_ptr<rt::File>> files;
    bool names = false;
    bool busy = false;
    bool failed = false;
    int taken = 0;
    int over = 0;

  private:
    PartitionId id_;
    std::string folder_;
};

struct Rig {
    explicit Rig(std::size_t count, std::vector<rt::FaultPoint> points = {}, Faults faults = {},
                 std::chrono::nanoseconds short_sync = {})
        : disk(posix, std::move(points)) {
        marks = *DurableMarks::open(posix, dir.path(), health);
        flusher = std::make_unique<Flusher>(Flusher::Parts{.disk = &disk,
                                                           .executor = &executor,
                                                           .pool = &pool,
                                                           .marks = marks.get(),
                                                           .health = &health,
                                                           .metrics = &metrics,
                                                           .data_directory = dir.path()},
                                            Flusher::Options{.syncfs_threshold = 4,
                                                             .parallel_max = 2,
                                                             .short_sync = short_sync,
                                                             .faults = faults});
        for (std::size_t i = 0; i < count; ++i) {
            targets.push_back(std::make_unique<Target>(static_cast<std::int32_t>(i), dir.path()));
            targets[i]->files.push_back(
                *disk.open(dir / ("log-" + std::to_string(i)), rt::OpenMode::kCreate));
            flusher->attach(*targets[i]);
        }
    }
    void append(std::size_t i) {
        ++targets[i]->end.value;
        flusher->request(*targets[i]);
    }
    void run_all() {
        while (executor.run() || pool.run_one()) {
        }
    }
    [[nodiscard]] std::int64_t synced(std::size_t i) const { return targets[i]->synced.value; }

    testing::TempDir dir;
    rt::PosixDisk posix;
    rt::FaultDisk disk;
    testkit::ManualExecutor executor;
    testkit::ManualPool pool;
    obs::Registry registry{1};
    Metrics metrics{registry};
    DirectoryHealth health;
    std::unique_ptr<DurableMarks> marks;
    std::vector<std::unique_ptr<Target>> targets;
    std::unique_ptr<Flusher> flusher;
};

TEST(Flusher, GathersWhatComesDuringASyncIntoTheNextOne) {
    Rig rig(1);
    rig.append(0);
    rig.append(0);
    rig.executor.run();
    EXPECT_EQ(rig.targets[0]->taken, 1);
    for (int i = 0; i < 10; ++i) rig.append(0);
    EXPECT_EQ(rig.synced(0), 0);
    rig.pool.run_one();
    rig.executor.run();
    EXPECT_EQ(rig.synced(0), 2) << "no more than what was there when it began";
    rig.run_all();
    EXPECT_EQ(rig.synced(0), 12);
    EXPECT_EQ(rig.targets[0]->taken, 2);
    EXPECT_TRUE(rig.flusher->is_idle());
    EXPECT_EQ(rig.marks->mark(rig.targets[0]->id()), Offset{12});
}

TEST(Flusher, SyncsAFewLogsBesideEachOther) {
    Rig rig(3);
    for (std::size_t i = 0; i < 3; ++i) rig.append(i);
    rig.executor.run();
    EXPECT_EQ(rig.pool.size(), 2U) << "parallel_max";
    rig.run_all();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rig.synced(i), 1);
}

TEST(Flusher, SyncsOneLogAfterTheOtherWhileSyncsAreShort) {
    Rig rig(3, {}, {}, std::chrono::milliseconds{1});
    for (std::size_t i = 0; i < 3; ++i) rig.append(i);
    rig.executor.run();
    EXPECT_EQ(rig.pool.size(), 1U);
    rig.executor.advance(std::chrono::seconds{1});
    rig.pool.run_one();
    rig.executor.run();
    EXPECT_EQ(rig.pool.size(), 2U) << "one took long: no log waits behind another one";
    rig.run_all();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rig.synced(i), 1);
}

TEST(Flusher, AsksTheShardToMakeSyncsThatAreKnownToBeShort) {
    Rig rig(1, {}, {}, std::chrono::milliseconds{1});
    const auto sync = [&](std::chrono::microseconds takes) {
        const std::size_t before = rig.executor.works_asked();
        rig.append(0);
        rig.executor.run();
        rig.executor.advance(takes);
        rig.run_all();
        EXPECT_EQ(rig.synced(0), rig.targets[0]->end.value);
        return rig.executor.works_asked() > before;
    };
    EXPECT_FALSE(sync(std::chrono::microseconds{100})) << "not known yet";
    EXPECT_TRUE(sync(std::chrono::microseconds{100}));
    EXPECT_TRUE(sync(std::chrono::seconds{1})) << "nobody could know";
    EXPECT_FALSE(sync(std::chrono::microseconds{100}));
}

TEST(Flusher, ServesManyLogsByOneSyncOfTheFileSystem) {
    Rig rig(6);
    for (std::size_t i = 0; i < 6; ++i) rig.append(i);
    rig.executor.run();
    EXPECT_EQ(rig.pool.size(), 1U);
    for (std::size_t i = 0; i < 6; ++i) rig.append(i);
    rig.executor.run();
    EXPECT_EQ(rig.pool.size(), 1U) << "what comes meanwhile waits";
    rig.pool.run_one();
    rig.executor.run();
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(rig.synced(i), 1);
    rig.run_all();
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(rig.synced(i), 2);
}

TEST(Flusher, FollowsItsThresholdWhileItRuns) {
    Rig rig(6);
    rig.flusher->set_syncfs_threshold(6);
    for (std::size_t i = 0; i < 6; ++i) rig.append(i);
    rig.executor.run();
    EXPECT_EQ(rig.pool.size(), 2U) << "no more wait than the threshold: each by itself";
    rig.run_all();
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(rig.synced(i), 1);
}

TEST(Flusher, LeavesALogAloneThatCannotBeAsked) {
    Rig rig(1);
    rig.targets[0]->busy = true;
    rig.append(0);
    rig.run_all();
    EXPECT_TRUE(rig.flusher->is_idle(*rig.targets[0]));
    EXPECT_EQ(rig.targets[0]->over, 1);  // Or who waits for it would wait for ever.
    rig.targets[0]->busy = false;
    rig.append(0);
    rig.run_all();
    EXPECT_EQ(rig.synced(0), 2);
}

TEST(Flusher, FailsEveryTargetAfterOneFailedSyncAndNeverSyncsAgain) {
    Rig rig(2, {{.action = rt::FaultAction::kIoError, .call = "sync", .pattern = "log-0"}});
    rig.append(0);
    rig.append(1);
    rig.run_all();
    EXPECT_EQ(rig.synced(0), 0);
    EXPECT_TRUE(rig.targets[0]->failed);
    EXPECT_TRUE(rig.targets[1]->failed);
    EXPECT_EQ(rig.targets[0]->over, 1);
    EXPECT_TRUE(rig.health.is_failed());
    EXPECT_FALSE(rig.health.reason().empty());
    EXPECT_EQ(rig.marks->mark(rig.targets[0]->id()), std::nullopt);
    const int taken = rig.targets[0]->taken;
    rig.append(0);
    rig.run_all();
    EXPECT_EQ(rig.targets[0]->taken, taken);
    EXPECT_TRUE(rig.flusher->is_idle());
}

TEST(Flusher, CountsNoSyncThatRanBesideTheFailureOfAnotherShard) {
    Rig rig(1);
    rig.append(0);
    rig.executor.run();
    rig.health.fail(Error{Errc::kIoError, "elsewhere"});
    rig.run_all();
    EXPECT_EQ(rig.synced(0), 0);
    EXPECT_TRUE(rig.targets[0]->failed);
}

TEST(Flusher, SyncsNewNamesToo) {
    Rig rig(1, {{.action = rt::FaultAction::kIoError, .call = "sync-directory", .pattern = ""}});
    rig.targets[0]->names = true;
    rig.append(0);
    rig.run_all();
    EXPECT_TRUE(rig.targets[0]->failed);
}

// What needs a descriptor and has none was not tried: nothing is in doubt.
TEST(Flusher, TriesASyncAgainThatHadNoDescriptor) {
    const auto without = [](const char* call, std::size_t logs) {
        Rig rig(logs, {{.action = rt::FaultAction::kNoFile, .call = call, .pattern = ""}});
        for (std::size_t i = 0; i < logs; ++i) {
            rig.targets[i]->names = true;
            rig.append(i);
        }
        rig.run_all();
        EXPECT_EQ(rig.synced(0), 0);
        EXPECT_EQ(rig.targets[0]->over, 0);
        EXPECT_FALSE(rig.flusher->is_idle());
        rig.append(0);
        rig.executor.advance(std::chrono::milliseconds{100});
        rig.run_all();
        EXPECT_FALSE(rig.health.is_failed());
        for (std::size_t i = 1; i < logs; ++i) EXPECT_EQ(rig.synced(i), 1);
        EXPECT_EQ(rig.synced(0), 2);
        EXPECT_EQ(rig.targets[0]->taken, 2);
        EXPECT_TRUE(rig.flusher->is_idle());
    };
    without("sync-directory", 1);
    without("sync-file-system", 6);
}

TEST(Flusher, GivesUpASyncThatWaitsForADescriptorOnceTheDirectoryHasFailed) {
    Rig rig(1, {{.action = rt::FaultAction::kNoFiles, .call = "sync-directory", .pattern = ""}});
    rig.targets[0]->names = true;
    rig.append(0);
    rig.run_all();
    rig.health.fail(Error{Errc::kIoError, "elsewhere"});
    rig.executor.advance(std::chrono::milliseconds{100});
    rig.run_all();
    EXPECT_EQ(rig.synced(0), 0);
    EXPECT_TRUE(rig.targets[0]->failed);
    EXPECT_EQ(rig.targets[0]->over, 1);
    EXPECT_TRUE(rig.flusher->is_idle());
}

TEST(Flusher, DropsATargetThatWaits) {
    Rig rig(2);
    rig.append(0);
    rig.append(1);
    rig.flusher->detach(*rig.targets[0]);
    rig.targets[0].reset();
    rig.run_all();
    EXPECT_EQ(rig.synced(1), 1);
}

TEST(Flusher, KnowsWhenMuchWasLeftToTheKernel) {
    Rig rig(0);
    const Instant start{std::chrono::hours{1}};
    EXPECT_FALSE(rig.flusher->is_write_pressure_high(start));
    rig.flusher->note_unsynced(std::size_t{600} << 20, start);
    EXPECT_TRUE(rig.flusher->is_write_pressure_high(start));
    EXPECT_FALSE(rig.flusher->is_write_pressure_high(start + std::chrono::minutes{1}));
}

}  // namespace
}  // namespace leat::storage
