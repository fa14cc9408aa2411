// SPDX-License-Identifier: Apache-2.0
//
// SQLite's files behind rt::Disk: what the metadata store reads, writes and syncs passes through
// the same interface as the logs, with its faults and its checked syncs. Layer: metadata (L4).
// Private to the store. Spec:  https://sqlite.org/vfs.html, I/O methods of version 1.
#pragma once

#include <memory>
#include <string>

#include "rt/disk.h"

namespace leat::metadata {

/// A registered SQLite VFS over one disk. Connections opened with its name use it.
///
/// There is no shared memory: WAL needs locking_mode=EXCLUSIVE before the first access. A lock of
/// any strength is the disk's exclusive lock of the database file, so a second process is refused.
/// Temporary files without a name, which hold nothing that must last, stay the operating system's.
///
/// Threading: as its one connection; registration is thread-safe.
/// Memory:    `disk` outlives it; it outlives the connection.
class SqliteDisk {
  public:
    explicit SqliteDisk(rt::Disk& disk);
    ~SqliteDisk();
    SqliteDisk(const SqliteDisk&) = delete;
    SqliteDisk& operator=(const SqliteDisk&) = delete;

    [[nodiscard]] const char* name() const noexcept;
    /// What the disk said last when a call failed: SQLite keeps only a number. Empty when none has.
    [[nodiscard]] const std::string& last_failure() const noexcept;
    /// The code of that; kNone when none has.
    [[nodiscard]] Errc last_code() const noexcept;

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace leat::metadata
