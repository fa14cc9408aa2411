// SPDX-License-Identifier: Apache-2.0
//
// Files and folders as core code sees them: the kernel's, or a simulated disk that loses what was
// not synced. Layer: rt (L1).
// Spec:  POSIX for the calls; docs/explanation/durability.md for what a sync promises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace leat::rt {

/// One open file. Closing is the destructor's; it never syncs.
///
/// Threading: reads may run beside each other and beside one writer; the caller orders writers.
/// Errors:    kIoError, kNoSpace (ENOSPC, EDQUOT); the detail names path, call and errno. A sync
///            that fails is never kTooManyOpenFiles.
class File {
  public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    /// Fills `to` from `at`; fewer bytes only at the end of the file.
    virtual Result<std::size_t> read_at(FilePos at, MutableBytes to) = 0;

    /// Whether a read of all of the `bytes` from `at` would find them in the page cache, as far as
    /// the system tells; never waits for the disk.
    [[nodiscard]] virtual bool is_cached(FilePos at, std::size_t bytes) const = 0;

    /// Writes all of `parts`, one after the other, from `at`; on an error any prefix may be there.
    virtual Result<void> write_at(FilePos at, std::span<const Bytes> parts) = 0;

    /// fdatasync. After one failure the file's unsynced bytes are in doubt for ever: never retry.
    virtual Result<void> sync() = 0;

    virtual Result<void> truncate(FilePos size) = 0;
    virtual Result<std::int64_t> size() = 0;

    /// For sendfile; -1 where there is none (simulation).
    [[nodiscard]] virtual int descriptor() const { return -1; }
};

enum class OpenMode : std::uint8_t {
    kRead,       ///< Must exist.
    kReadWrite,  ///< Must exist.
    kCreate,     ///< Read-write; created when missing.
    kCreateNew,  ///< Read-write; kAlreadyExists when it is there.
};

struct DirEntry {
    std::string name;
    bool is_directory = false;
};

struct DiskSpace {
    std::int64_t total_bytes = 0;
    std::int64_t usable_bytes = 0;
};

/// Threading: thread-safe. Paths are absolute, or relative to the process's directory.
/// Errors: kNotFound, kAlreadyExists, kNoSpace, kIoError; kTooManyOpenFiles of calls that need a
///         descriptor, before they did anything: of open() nothing was made, no sync was tried.
class Disk {
  public:
    Disk() = default;
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    virtual ~Disk() = default;

    virtual Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<void> remove_file(const std::string& path) = 0;
    /// Removes an empty directory.
    virtual Result<void> remove_directory(const std::string& path) = 0;
    /// kAlreadyExists when it is there.
    virtual Result<void> make_directory(const std::string& path) = 0;
    /// Entries without "." and "..", in name order.
    virtual Result<std::vector<DirEntry>> list(const std::string& path) = 0;
    virtual Result<bool> exists(const std::string& path) = 0;
    /// Makes the names in directory `path` durable.
    virtual Result<void> sync_directory(const std::string& path) = 0;
    /// syncfs: makes everything written to the file system that holds `path` durable.
    virtual Result<void> sync_file_system(const std::string& path) = 0;
    virtual Result<DiskSpace> space(const std::string& path) = 0;
    /// Takes the advisory lock of file `path`, made when missing, and holds it until the handle
    /// goes. Errors: kDataDirInUse when another process has it.
    virtual Result<std::shared_ptr<void>> lock_file(const std::string& path) = 0;
};

/// The whole content of `path`. Errors: kLimitExceeded when it has more than `bytes_max`.
Result<std::vector<std::byte>> read_file(Disk& disk, const std::string& path,
                                         std::int64_t bytes_max);

/// Replaces `path` so that a crash leaves the old content or the new: temporary file, sync, rename,
/// sync of the directory. Runs on: a thread that may block.
Result<void> replace_file(Disk& disk, const std::string& path, Bytes content);

}  // namespace leat::rt
