// SPDX-License-Identifier: Apache-2.0
//
// Bounds the descriptors that all logs of the process hold. Layer: storage (L3).
// Spec:  docs/reference/formats/log.md for the files; leat.open.files.max for the bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "rt/disk.h"

namespace leat::storage {

class CachedFile;

/// The descriptors for logs when `setting` is as configured: 0 is a third of what the process
/// may open: with a hard limit of 20,000 that leaves room for 10,000 connections and what they
/// need.
[[nodiscard]] std::size_t open_files_max(std::int32_t setting, std::int64_t process_limit) noexcept;

/// Closes the file that was used least lately when too many are open. A file that somebody holds
/// is never closed: who has written keeps holding it until its sync, because the kernel reports a
/// failed write-back to the descriptors that were open then.
///
/// Threading: thread-safe.
/// Memory:    outlives the CachedFiles.
/// Limits:    above `open_max` only while that many files are held at the same time.
class FileCache {
  public:
    FileCache(rt::Disk& disk, std::size_t open_max) : disk_(disk), open_max_(open_max) {}
    FileCache(const FileCache&) = delete;
    FileCache& operator=(const FileCache&) = delete;
    ~FileCache();

    [[nodiscard]] rt::Disk& disk() const noexcept { return disk_; }
    [[nodiscard]] std::size_t open_count() const;
    /// Files closed to make room for others.
    [[nodiscard]] std::uint64_t evictions() const;

  private:
    friend class CachedFile;
    using Lru = std::list<CachedFile*>;

    std::shared_ptr<rt::File> find(CachedFile& entry);
    std::shared_ptr<rt::File> insert(CachedFile& entry, std::shared_ptr<rt::File> file);
    std::shared_ptr<rt::File> take(CachedFile& entry);
    std::list<std::shared_ptr<rt::File>> make_room();

    rt::Disk& disk_;
    mutable std::mutex mutex_;
    std::size_t open_max_;
    std::uint64_t evictions_ = 0;
    Lru lru_;  ///< The open ones, the one used last in front.
};

/// One file that is opened when it is used and may be closed between uses.
///
/// Threading: not synchronised; the cache may close it at any time from another thread.
class CachedFile {
  public:
    CachedFile(FileCache& cache, std::string path) : cache_(cache), path_(std::move(path)) {}
    CachedFile(const CachedFile&) = delete;
    CachedFile& operator=(const CachedFile&) = delete;
    ~CachedFile() { close(); }

    /// The file, read-write. Hold the result only while using it. Errors: as rt::Disk::open().
    Result<std::shared_ptr<rt::File>> open(rt::OpenMode mode = rt::OpenMode::kReadWrite);
    /// Leaves the cache.
    void close();
    /// The file has another name from now on; an open descriptor stays what it is.
    void set_path(std::string path) { path_ = std::move(path); }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] FileCache& cache() const noexcept { return cache_; }

  private:
    friend class FileCache;

    FileCache& cache_;
    std::string path_;
    // Both belong to the cache's mutex.
    std::shared_ptr<rt::File> file_;
    FileCache::Lru::iterator at_;
};

}  // namespace leat::storage
