// SPDX-License-Identifier: Apache-2.0
#include "rt/page_cache.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "rt/os_error.h"

namespace leat::rt {
namespace {

constexpr std::int64_t kProbeStep = std::int64_t{128} << 10;

/// One number for all machines; headers before Linux 6.5 do not have it.
constexpr long kCachestat = 451;

struct CachestatRange {
    std::uint64_t at = 0;
    std::uint64_t bytes = 0;
};

struct Cachestat {
    std::uint64_t cached = 0;  ///< Pages, as the others.
    std::uint64_t dirty = 0;
    std::uint64_t writeback = 0;
    std::uint64_t evicted = 0;
    std::uint64_t recently_evicted = 0;
};

std::int64_t page_bytes() {
    static const std::int64_t bytes = ::sysconf(_SC_PAGESIZE);
    return bytes;
}

enum class Probe : std::uint8_t { kThere, kMissing, kUnknown };

/// kUnknown: the file system does not know RWF_NOWAIT, as tmpfs.
Probe probe(int fd, std::int64_t at) {
    std::byte byte{};
    const iovec part{&byte, 1};
    const auto got = retry_eintr([&] { return ::preadv2(fd, &part, 1, at, RWF_NOWAIT); });
    if (got == 1) return Probe::kThere;
    return got < 0 && errno == EOPNOTSUPP ? Probe::kUnknown : Probe::kMissing;
}

/// How many pages of the range are in the cache; 0 also when the kernel does not say, as of a file
/// of overlayfs, whose pages belong to the file below.
std::int64_t cached_pages(int fd, std::int64_t at, std::size_t bytes) {
    CachestatRange range{.at = static_cast<std::uint64_t>(at), .bytes = bytes};
    Cachestat found;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the C library has no function for it yet.
    if (::syscall(kCachestat, fd, &range, &found, 0U) != 0) return 0;
    return static_cast<std::int64_t>(found.cached);
}

}  // namespace

bool is_in_page_cache_by_probes(int fd, FilePos at, std::size_t bytes) {
    const std::int64_t end = at.value + static_cast<std::int64_t>(bytes);
    for (std::int64_t next = at.value; next < end; next += kProbeStep)
        if (probe(fd, next) != Probe::kThere) return false;
    return bytes == 0 || probe(fd, end - 1) == Probe::kThere;
}

bool is_in_page_cache(int fd, FilePos at, std::size_t bytes) {
    if (bytes == 0) return true;
    const std::int64_t last = at.value + static_cast<std::int64_t>(bytes) - 1;
    const std::int64_t cached = cached_pages(fd, at.value, bytes);
    if (cached == 0) return is_in_page_cache_by_probes(fd, at, bytes);
    const std::int64_t pages = last / page_bytes() - at.value / page_bytes() + 1;
    // A page that is being read ahead counts as cached; the last one is read last.
    return cached == pages && probe(fd, last) != Probe::kMissing;
}

}  // namespace leat::rt
