// SPDX-License-Identifier: Apache-2.0
//
// The kernel's files behind the Disk interface. Layer: rt (L1).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rt/disk.h"

namespace leat::rt {

/// Calls are repeated after EINTR, short reads and writes are continued. The detail of an error is
/// "<call> <path>: <errno text>".
///
/// Threading: thread-safe, but for hold(), which comes before the threads.
/// Failure:   a sync that succeeds is checked by a change to the times of what was synced: kIoError
///            when the file system gave up while it ran (docs/decisions/0013-sync-is-checked.md).
class PosixDisk final : public Disk {
  public:
    PosixDisk() : PosixDisk{true} {}
    ~PosixDisk() override;
    /// Believes every sync. For the crash harness, which must find that out.
    static PosixDisk trusting() { return PosixDisk{false}; }

    /// Keeps `directory` open: from then on no sync of it, of its file system or of a directory
    /// below it fails for want of a descriptor. Errors: kNotFound, kTooManyOpenFiles, kIoError.
    Result<void> hold(const std::string& directory);

    Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove_file(const std::string& path) override;
    Result<void> remove_directory(const std::string& path) override;
    Result<void> make_directory(const std::string& path) override;
    Result<std::vector<DirEntry>> list(const std::string& path) override;
    Result<bool> exists(const std::string& path) override;
    Result<void> sync_directory(const std::string& path) override;
    Result<void> sync_file_system(const std::string& path) override;
    Result<DiskSpace> space(const std::string& path) override;
    /// An open-file-description lock: a Kafka broker's own lock of the same file excludes it.
    Result<std::shared_ptr<void>> lock_file(const std::string& path) override;

    /// Takes the same lock together with other readers, and writes nothing. Null when there is no
    /// such file. Errors: kDataDirInUse.
    static Result<std::shared_ptr<void>> share_lock_file(const std::string& path);

  private:
    class Held;
    explicit PosixDisk(bool is_sync_checked);
    [[nodiscard]] Result<void> sync_names(int fd, const std::string& path) const;
    [[nodiscard]] Result<void> sync_all(int fd, const std::string& path) const;

    bool is_sync_checked_ = true;
    std::unique_ptr<Held> held_;
};

}  // namespace leat::rt
