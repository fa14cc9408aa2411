// SPDX-License-Identifier: Apache-2.0
//
// Method: on a disk that counts the files that are open, because what the cache says of itself is
// not what the kernel counts; a file that went from the cache and is held by nobody must be closed.
#include "storage/file_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "storage/testing/log_fixture.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"

namespace leat::storage {
namespace {

/// Knows which of the files that it gave out are still open.
class CountingDisk final : public rt::Disk {
  public:
    [[nodiscard]] std::size_t open_files() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(given_, [](const auto& file) { return !file.expired(); }));
    }
    [[nodiscard]] std::size_t opens() const { return given_.size(); }

    Result<std::shared_ptr<rt::File>> open(const std::string& path, rt::OpenMode mode) override {
        LEAT_TRY(auto file, disk_.open(path, mode));
        given_.push_back(file);
        most_open = std::max(most_open, open_files());
        return file;
    }
    Result<void> rename(const std::string& from, const std::string& to) override {
        return disk_.rename(from, to);
    }
    Result<void> remove_file(const std::string& path) override { return disk_.remove_file(path); }
    Result<void> remove_directory(const std::string& path) override {
        return disk_.remove_directory(path);
    }
    Result<void> make_directory(const std::string& path) override {
        return disk_.make_directory(path);
    }
    Result<std::vector<rt::DirEntry>> list(const std::string& path) override {
        return disk_.list(path);
    }
    Result<bool> exists(const std::string& path) override { return disk_.exists(path); }
    Result<void> sync_directory(const std::string& path) override {
        return disk_.sync_directory(path);
    }
    Result<void> sync_file_system(const std::string& path) override {
        return disk_.sync_file_system(path);
    }
    Result<rt::DiskSpace> space(const std::string& path) override { return disk_.space(path); }
    Result<std::shared_ptr<void>> lock_file(const std::string& path) override {
        return disk_.lock_file(path);
    }

    std::size_t most_open = 0;

  private:
    testkit::SimDisk disk_{1};
    std::vector<std::weak_ptr<rt::File>> given_;
};

class FileCacheTest : public ::testing::Test {
  protected:
    static constexpr std::size_t kOpenMax = 3;

    FileCacheTest() { EXPECT_OK(disk.make_directory("d")); }

    CachedFile& add() {
        const std::string path = "d/" + std::to_string(files.size());
        EXPECT_OK(disk.open(path, rt::OpenMode::kCreateNew));
        return files.emplace_back(cache, path);
    }
    /// Whether opening it again would go to the disk.
    bool is_open(CachedFile& file) {
        const std::size_t before = disk.opens();
        EXPECT_OK(file.open());
        return disk.opens() == before;
    }

    CountingDisk disk;
    FileCache cache{disk, kOpenMax};
    std::deque<CachedFile> files;
};

TEST_F(FileCacheTest, AsManyFilesAreOpenAsMayBe) {
    for (int i = 0; i < 20; ++i) {
        ASSERT_OK(add().open());
        const std::size_t open = std::min<std::size_t>(files.size(), kOpenMax);
        EXPECT_EQ(cache.open_count(), open);
        EXPECT_EQ(disk.open_files(), open);
        EXPECT_EQ(cache.evictions(), files.size() - open);
    }
    // The new one is open before the oldest is closed.
    EXPECT_EQ(disk.most_open, kOpenMax + 1);
}

TEST_F(FileCacheTest, TheOneUsedLeastLatelyIsClosed) {
    for (int i = 0; i < 3; ++i) ASSERT_OK(add().open());
    ASSERT_OK(files[0].open());
    ASSERT_OK(add().open());
    EXPECT_TRUE(is_open(files[0]));
    EXPECT_TRUE(is_open(files[2]));
    EXPECT_TRUE(is_open(files[3]));
    EXPECT_FALSE(is_open(files[1]));
    EXPECT_EQ(cache.evictions(), 2U);
}

TEST_F(FileCacheTest, AFileThatSomebodyHoldsStaysOpen) {
    std::vector<std::shared_ptr<rt::File>> held;
    for (int i = 0; i < 5; ++i) {
        Result<std::shared_ptr<rt::File>> file = add().open();
        ASSERT_OK(file);
        held.push_back(*std::move(file));
    }
    EXPECT_EQ(cache.open_count(), 5U);
    EXPECT_EQ(cache.evictions(), 0U);
    for (std::size_t i = 0; i < 5; ++i) {
        const Result<std::shared_ptr<rt::File>> again = files[i].open();
        ASSERT_OK(again);
        EXPECT_EQ(*again, held[i]) << i;  // The same descriptor: its sync tells of what failed.
    }
    // Nobody holds them any more: the next file to be opened makes room for all of it.
    held.clear();
    ASSERT_OK(add().open());
    EXPECT_EQ(cache.open_count(), kOpenMax);
    EXPECT_EQ(disk.open_files(), kOpenMax);
    EXPECT_EQ(cache.evictions(), 3U);
}

TEST_F(FileCacheTest, ManyHeldFilesDoNotKeepOthersOpenForEver) {
    std::vector<std::shared_ptr<rt::File>> held;
    constexpr std::size_t kHeld = 100;  // More than one call passes over.
    for (std::size_t i = 0; i < kHeld; ++i) held.push_back(*add().open());
    for (int i = 0; i < 20; ++i) ASSERT_OK(add().open());
    // Each call passes over 32, so four see all; no more than those stay.
    EXPECT_LE(cache.open_count(), kHeld + 4);
    EXPECT_GE(cache.open_count(), kHeld);
    EXPECT_EQ(disk.open_files(), cache.open_count());
}

TEST_F(FileCacheTest, ClosedAndGoneFilesLeaveTheCache) {
    ASSERT_OK(add().open());
    ASSERT_OK(add().open());
    files[0].close();
    EXPECT_EQ(cache.open_count(), 1U);
    EXPECT_EQ(disk.open_files(), 1U);
    files[0].close();
    files.clear();
    EXPECT_EQ(cache.open_count(), 0U);
    EXPECT_EQ(disk.open_files(), 0U);
    EXPECT_EQ(cache.evictions(), 0U);
}

TEST_F(FileCacheTest, AFileThatCannotBeOpenedIsNotCounted) {
    CachedFile& gone = files.emplace_back(cache, "d/none");
    EXPECT_ERRC(gone.open(), Errc::kNotFound);
    EXPECT_EQ(cache.open_count(), 0U);
    ASSERT_OK(gone.open(rt::OpenMode::kCreate));
    EXPECT_EQ(cache.open_count(), 1U);
}

TEST_F(FileCacheTest, LogsOfManySegmentsStayWithinTheBound) {
    testing::LogFixture fixture{disk, "d/log-0", kOpenMax};
    ASSERT_OK(disk.make_directory("d/log-0"));
    fixture.config.segment_bytes = 1'000;
    ASSERT_OK(fixture.open());
    disk.most_open = 0;
    for (int i = 0; i < 40; ++i) {
        ASSERT_OK(fixture.append(300));
        ASSERT_OK(fixture.sync());
    }
    ASSERT_GT(fixture.log->segments().size(), 10U);
    const Result<std::vector<std::int64_t>> bases = fixture.read_all({0});
    ASSERT_OK(bases);
    EXPECT_EQ(bases->size(), 40U);
    // Above the bound only by what one append holds until its sync: a segment that it closes, one
    // that it opens, and what both have beside the log.
    EXPECT_LE(disk.most_open, 3 * kOpenMax);
    EXPECT_LE(disk.open_files(), kOpenMax + 1);
}

TEST(OpenFilesMax, IsTheSettingOrAThirdOfWhatTheProcessMayOpen) {
    EXPECT_EQ(open_files_max(7, 20'000), 7U);
    EXPECT_EQ(open_files_max(0, 20'001), 6'667U);
    EXPECT_EQ(open_files_max(0, 10), 16U);       // Below that nothing could be served.
    EXPECT_EQ(open_files_max(0, -1), 333'333U);  // RLIM_INFINITY.
    EXPECT_EQ(open_files_max(0, INT64_MAX), 333'333U);
}

}  // namespace
}  // namespace leat::storage
