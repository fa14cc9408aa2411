// SPDX-License-Identifier: Apache-2.0
//
// A disk that fails, or ends the process, at a call of one's choice: for the crash harness.
// Layer: rt (L1).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rt/disk.h"

namespace leat::rt {

enum class FaultAction : std::uint8_t {
    kKillBefore,  ///< SIGKILL to this process instead of the call.
    kKillAfter,   ///< The call, then SIGKILL.
    kIoError,     ///< kIoError once.
    kIoErrors,    ///< kIoError from this call on.
    kNoSpace,     ///< kNoSpace once.
    kNoSpaces,    ///< kNoSpace from this call on.
    kNoFile,      ///< kTooManyOpenFiles once.
    kNoFiles,     ///< kTooManyOpenFiles from this call on.
    kSkip,        ///< The call does nothing and succeeds, from this one on.
    kDelay,       ///< From this call on each takes kFaultDelay longer.
    kTrace,       ///< Names each kind of call once, "fault-disk: met CALL PATH", on stderr.
};

inline constexpr std::chrono::milliseconds kFaultDelay{100};

/// "ACTION:CALL:PATTERN:N": at the N-th (from 1) CALL on a path that contains PATTERN.
/// ACTION: kill-before, kill-after, io-error, io-errors, no-space, no-spaces, no-file, no-files,
/// skip, delay, trace.
/// CALL: open, create, read, write, sync, truncate, rename, remove, make-directory,
///       remove-directory, list, sync-directory, sync-file-system, or "any".
struct FaultPoint {
    FaultAction action = FaultAction::kIoError;
    std::string call;
    std::string pattern;
    std::uint64_t nth = 1;
};

/// Several, divided by commas. Errors: kInvalidSetting.
Result<std::vector<FaultPoint>> parse_fault_points(std::string_view text);

/// Passes everything on to `under`, but at the fault points. A point that strikes says so once on
/// stderr, "fault-disk: struck CALL PATH": one that never did has shown nothing.
///
/// Threading: thread-safe. Memory: `under` outlives it and every file opened through it.
class FaultDisk final : public Disk {
  public:
    FaultDisk(Disk& under, std::vector<FaultPoint> points);
    ~FaultDisk() override;

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
    Result<std::shared_ptr<void>> lock_file(const std::string& path) override;

    class Trigger;

  private:
    Disk& under_;
    std::shared_ptr<Trigger> trigger_;
};

}  // namespace leat::rt
