// SPDX-License-Identifier: Apache-2.0
#include "rt/page_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "rt/descriptor.h"

namespace leat::rt {
namespace {

constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kFileBytes = std::int64_t{1} << 20;

/// A file of 1 MiB, written a page at a time, synced, whose pages can be dropped.
class CachedFile {
  public:
    CachedFile() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-cache-XXXXXX").string();
        fd_ = Descriptor{::mkostemp(name.data(), O_CLOEXEC)};
        ::unlink(name.c_str());
        const std::vector<std::byte> page(kPage, std::byte{7});
        for (std::int64_t at = 0; at < kFileBytes; at += kPage)
            EXPECT_EQ(::pwrite(fd_.get(), page.data(), page.size(), at), kPage);
        EXPECT_EQ(::fdatasync(fd_.get()), 0);
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Asks the kernel to drop the pages; whether it does, is_there() tells. All others are there:
    /// a probe that finds nothing makes the kernel read ahead.
    void drop(std::int64_t at, std::int64_t bytes) const {
        std::vector<std::byte> all(kFileBytes);
        EXPECT_EQ(::pread(fd_.get(), all.data(), all.size(), 0), kFileBytes);
        EXPECT_EQ(::posix_fadvise(fd_.get(), at, bytes, POSIX_FADV_DONTNEED), 0);
    }

    /// Whether all pages of the range are there, by mincore().
    [[nodiscard]] bool is_there(std::int64_t at, std::int64_t bytes) const {
        const std::int64_t from = at / kPage * kPage;
        const auto length = static_cast<std::size_t>(at + bytes - from);
        void* map = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd_.get(), from);
        std::vector<unsigned char> pages((length + kPage - 1) / kPage);
        EXPECT_EQ(::mincore(map, length, pages.data()), 0);
        EXPECT_EQ(::munmap(map, length), 0);
        return std::ranges::all_of(pages, [](unsigned char page) { return (page & 1U) != 0; });
    }

  private:
    Descriptor fd_;
};

TEST(PageCache, SaysWhatIsThere) {
    const CachedFile file;
    EXPECT_TRUE(file.is_there(0, kFileBytes));
    EXPECT_TRUE(is_in_page_cache(file.fd(), FilePos{0}, kFileBytes));
    EXPECT_TRUE(is_in_page_cache(file.fd(), FilePos{5}, 1));
    EXPECT_TRUE(is_in_page_cache(file.fd(), FilePos{kFileBytes}, 0));
    // A file system that does not know RWF_NOWAIT tells nothing of any byte.
    EXPECT_EQ(is_in_page_cache_by_probes(file.fd(), FilePos{0}, kFileBytes),
              is_in_page_cache_by_probes(file.fd(), FilePos{0}, 1));
}

TEST(PageCache, MissesWhatIsPastTheEndOfTheFile) {
    const CachedFile file;
    EXPECT_FALSE(is_in_page_cache(file.fd(), FilePos{kFileBytes - 1}, 2));
    EXPECT_FALSE(is_in_page_cache(file.fd(), FilePos{kFileBytes}, 1));
    EXPECT_FALSE(is_in_page_cache_by_probes(file.fd(), FilePos{0}, kFileBytes + 1));
}

// A hole as wide as what the probes step over: both ways see it.
TEST(PageCache, MissesWhatWasDropped) {
    const CachedFile file;
    struct Range {
        std::int64_t at, bytes;
    };
    for (const auto& [at, bytes] : std::to_array<Range>({{0, 256 << 10},
                                                         {0, kFileBytes},
                                                         {0, (256 << 10) + 1},
                                                         {300'000, 10},
                                                         {(512 << 10) - 1, 2},
                                                         {512 << 10, 512 << 10}})) {
        for (const auto look : {is_in_page_cache, is_in_page_cache_by_probes}) {
            if (!look(file.fd(), FilePos{0}, 1)) continue;  // As above.
            file.drop(256 << 10, 256 << 10);
            const bool is_there = file.is_there(at, bytes);
            const bool found = look(file.fd(), FilePos{at}, static_cast<std::size_t>(bytes));
            // A probe that finds nothing starts a read, which a quick disk ends while it looks.
            EXPECT_TRUE(found ? file.is_there(at, bytes) : !is_there) << at;
        }
    }
    EXPECT_FALSE(is_in_page_cache(-1, FilePos{0}, 1));
}

}  // namespace
}  // namespace leat::rt
