// SPDX-License-Identifier: Apache-2.0
//
// Method: each call on a real temporary directory; errors by provoking the kernel's.
#include "rt/posix_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "rt/descriptor.h"
#include "rt/thread_pool.h"
#include "testkit/bytes.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

using testkit::hex;

class TempDir {
  public:
    TempDir() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-disk-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~TempDir() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// While it lives this process can open nothing.
class NoDescriptors {
  public:
    NoDescriptors() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        rlimit tight = before_;
        const Descriptor lowest_free{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        tight.rlim_cur = static_cast<rlim_t>(lowest_free.get());
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    }
    ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

  private:
    rlimit before_{};
};

TEST(PosixDisk, ReadsBackManyPartsWrittenAtAPosition) {
    const TempDir dir;
    PosixDisk disk;
    auto file = disk.open(dir / "a", OpenMode::kCreateNew);
    ASSERT_OK(file);
    std::vector<std::vector<std::byte>> chunks;
    std::vector<std::byte> want(3);
    for (int i = 0; i < 40; ++i) {
        chunks.emplace_back(static_cast<std::size_t>(i % 5), static_cast<std::byte>(i));
        want.insert(want.end(), chunks.back().begin(), chunks.back().end());
    }
    std::vector<Bytes> parts{chunks.begin(), chunks.end()};
    ASSERT_OK((*file)->write_at(FilePos{3}, parts));
    ASSERT_OK((*file)->sync());
    std::vector<std::byte> got(want.size() + 10);
    const auto count = (*file)->read_at(FilePos{0}, got);
    ASSERT_OK(count);
    got.resize(*count);
    EXPECT_EQ(got, want);
    EXPECT_EQ(*(*file)->size(), static_cast<std::int64_t>(want.size()));
    ASSERT_OK((*file)->truncate(FilePos{5}));
    EXPECT_EQ(*(*file)->size(), 5);
    EXPECT_FALSE((*file)->is_cached(FilePos{0}, 6));
}

TEST(PosixDisk, ErrorsNameCallAndPath) {
    const TempDir dir;
    PosixDisk disk;
    const auto missing = disk.open(dir / "none", OpenMode::kReadWrite);
    EXPECT_ERRC(missing, Errc::kNotFound);
    EXPECT_NE(missing.error().detail().find("/none"), std::string::npos);
    ASSERT_OK(disk.open(dir / "a", OpenMode::kCreate));
    EXPECT_ERRC(disk.open(dir / "a", OpenMode::kCreateNew), Errc::kAlreadyExists);
    EXPECT_ERRC(disk.remove_file(dir / "none"), Errc::kNotFound);
    ASSERT_OK(disk.make_directory(dir / "d"));
    EXPECT_ERRC(disk.make_directory(dir / "d"), Errc::kAlreadyExists);
    EXPECT_ERRC(disk.open("/dev/full", OpenMode::kReadWrite).has_value()
                    ? (*disk.open("/dev/full", OpenMode::kReadWrite))
                          ->write_at(FilePos{0}, std::array{Bytes{hex("01")}})
                    : Result<void>{Error{Errc::kNoSpace}},
                Errc::kNoSpace);
}

TEST(PosixDisk, ListsNamesInOrderWithoutDots) {
    const TempDir dir;
    PosixDisk disk;
    ASSERT_OK(disk.make_directory(dir / "b"));
    ASSERT_OK(disk.open(dir / "c", OpenMode::kCreate));
    ASSERT_OK(disk.open(dir / "a", OpenMode::kCreate));
    const auto entries = disk.list(dir.path());
    ASSERT_OK(entries);
    ASSERT_EQ(entries->size(), 3U);
    EXPECT_EQ((*entries)[0].name, "a");
    EXPECT_TRUE((*entries)[1].is_directory);
    EXPECT_FALSE((*entries)[2].is_directory);
    ASSERT_OK(disk.sync_directory(dir.path()));
    EXPECT_TRUE(*disk.exists(dir / "a"));
    EXPECT_FALSE(*disk.exists(dir / "z"));
    const auto space = disk.space(dir.path());
    ASSERT_OK(space);
    EXPECT_GE(space->total_bytes, space->usable_bytes);
}

TEST(PosixDisk, WithoutADescriptorNothingIsMadeAndNoSyncIsTried) {
    const TempDir dir;
    PosixDisk disk;
    ASSERT_OK(disk.sync_directory(dir.path()));
    // The first time that it meets a type the sanitizer wants descriptors of its own.
    EXPECT_ERRC(disk.list(dir / "none"), Errc::kNotFound);
    {
        const NoDescriptors none;
        EXPECT_ERRC(disk.open(dir / "a", OpenMode::kCreateNew), Errc::kTooManyOpenFiles);
        EXPECT_ERRC(disk.list(dir.path()), Errc::kTooManyOpenFiles);
        EXPECT_ERRC(disk.lock_file(dir / "l"), Errc::kTooManyOpenFiles);
        EXPECT_ERRC(disk.sync_directory(dir.path()), Errc::kTooManyOpenFiles);
        EXPECT_ERRC(disk.sync_file_system(dir.path()), Errc::kTooManyOpenFiles);
    }
    EXPECT_EQ(disk.list(dir.path())->size(), 0U);
    EXPECT_OK(disk.sync_file_system(dir.path()));
}

TEST(PosixDisk, SyncsAHeldDirectoryAndBelowItWithoutADescriptor) {
    const TempDir dir;
    PosixDisk disk;
    ASSERT_OK(disk.make_directory(dir / "held"));
    ASSERT_OK(disk.make_directory(dir / "held/d"));
    ASSERT_OK(disk.make_directory(dir / "held-not"));
    EXPECT_ERRC(disk.hold(dir / "none"), Errc::kNotFound);
    ASSERT_OK(disk.hold(dir / "held"));
    ASSERT_OK(disk.sync_directory(dir / "held/d"));
    constexpr std::size_t kAtOnce = 8;
    std::array<bool, kAtOnce> done{};
    const auto sync = [&](std::size_t i) {
        done[i] = disk.sync_directory(dir / "held").has_value();
    };
    run_beside(kAtOnce, kAtOnce, sync);  // For the sanitizer, as above.
    done = {};
    {
        const NoDescriptors none;
        EXPECT_OK(disk.sync_directory(dir / "held"));
        EXPECT_OK(disk.sync_directory(dir / "held/d"));
        EXPECT_OK(disk.sync_file_system(dir / "held"));
        EXPECT_ERRC(disk.sync_directory(dir / "held-not"), Errc::kTooManyOpenFiles);
        // There is one for all of them.
        run_beside(kAtOnce, kAtOnce, sync);
    }
    EXPECT_EQ(done, (std::array<bool, kAtOnce>{true, true, true, true, true, true, true, true}));
    EXPECT_OK(disk.sync_directory(dir / "held-not"));
}

TEST(PosixDisk, SecondLockOfAFileIsRefusedUntilTheFirstGoes) {
    const TempDir dir;
    PosixDisk disk;
    auto first = disk.lock_file(dir / ".lock");
    ASSERT_OK(first);
    EXPECT_ERRC(disk.lock_file(dir / ".lock"), Errc::kDataDirInUse);
    first->reset();
    EXPECT_OK(disk.lock_file(dir / ".lock"));
}

TEST(Files, ReplaceFileLeavesNewContentAndNoTemporary) {
    const TempDir dir;
    PosixDisk disk;
    ASSERT_OK(replace_file(disk, dir / "f", hex("01 02 03")));
    ASSERT_OK(replace_file(disk, dir / "f", hex("04")));
    const auto content = read_file(disk, dir / "f", 10);
    ASSERT_OK(content);
    EXPECT_EQ(*content, hex("04"));
    EXPECT_EQ(disk.list(dir.path())->size(), 1U);
    ASSERT_OK(replace_file(disk, dir / "f", hex("01 02 03")));
    EXPECT_ERRC(read_file(disk, dir / "f", 2), Errc::kLimitExceeded);
}

}  // namespace
}  // namespace leat::rt
