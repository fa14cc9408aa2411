// SPDX-License-Identifier: Apache-2.0
//
// Files in memory that behave at a power cut as a disk may: what was not synced is lost, torn or
// there. Faults at will. Layer: test-only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rt/disk.h"
#include "testkit/sim_names.h"
#include "testkit/sim_random.h"

namespace leat::testkit {

enum class DiskCall : std::uint8_t {
    kRead,
    kWrite,
    kSync,  ///< Of a file; the others of the three have their own kind.
    kTruncate,
    kOpen,
    kRename,
    kRemove,  ///< Of files and of directories.
    kMakeDirectory,
    kList,
    kSyncDirectory,
    kSyncFileSystem,
    kCount
};

struct SimDiskModel {
    /// ext4, XFS: a sync of a new or renamed file makes its name durable, and a sync of a directory
    /// the names of those above. Off: POSIX's word only, each name needs its directory's sync.
    bool sync_commits_names = true;
    std::int64_t capacity_bytes = std::int64_t{1} << 40;
    /// How many of 100 looks into the page cache find that bytes are missing.
    std::uint64_t cold_percent = 0;
};

/// What a crash leaves of that which is not synced.
enum class Survival : std::uint8_t {
    kRandom,  ///< A share that is drawn anew each time, often all or nothing.
    kNothing,
    kEverything,
};

/// Threading: not synchronised; one thread runs the simulation.
/// Memory:    every byte is held twice, and unsynced writes once more.
class SimDisk final : public rt::Disk {
  public:
    explicit SimDisk(std::uint64_t seed, SimDiskModel model = {});
    ~SimDisk() override;

    Result<std::shared_ptr<rt::File>> open(const std::string& path, rt::OpenMode mode) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove_file(const std::string& path) override;
    Result<void> remove_directory(const std::string& path) override;
    Result<void> make_directory(const std::string& path) override;
    Result<std::vector<rt::DirEntry>> list(const std::string& path) override;
    Result<bool> exists(const std::string& path) override;
    Result<void> sync_directory(const std::string& path) override;
    Result<void> sync_file_system(const std::string& path) override;
    Result<rt::DiskSpace> space(const std::string& path) override;
    Result<std::shared_ptr<void>> lock_file(const std::string& path) override;

    /// Power cut and restart: unsynced bytes and names survive in part, files that are open fail
    /// from now on, locks are free, faults and a cut of power are over.
    void crash(Survival survival = Survival::kRandom);
    /// kill -9 and restart: as crash(), but all that was written is there (and as volatile as
    /// before).
    void restart_process();

    /// The `nth` call of the kind from now (1: the next) fails with kIoError, kNoSpace or, where it
    /// needs a descriptor, kTooManyOpenFiles without effect, but: a write leaves a random prefix, a
    /// sync leaves its bytes in doubt for ever.
    /// `also_later`: and every call of the kind after it, until heal().
    void fail(DiskCall call, std::uint64_t nth, Errc code = Errc::kIoError,
              bool also_later = false);
    void heal();
    /// After `calls` more calls that change something (all but read, list, open of what exists),
    /// the power is gone: every call fails and nothing changes, until crash().
    void cut_power_after(std::uint64_t calls);
    [[nodiscard]] bool has_power() const { return power_left_ > 0; }

    void set_capacity(std::int64_t bytes) { model_.capacity_bytes = bytes; }
    void set_cold_percent(std::uint64_t percent) { model_.cold_percent = percent; }
    /// Silent rot. Precondition: `path` is a file with more than `byte` bytes.
    void flip_bit(const std::string& path, std::int64_t byte, unsigned bit);

    [[nodiscard]] std::uint64_t calls(DiskCall call) const;
    /// Calls so far that cut_power_after() counts.
    [[nodiscard]] std::uint64_t changing_calls() const { return changing_calls_; }
    /// Sees every call before it is made, with the path.
    void set_observer(std::function<void(DiskCall, const std::string&)> observer);
    /// Files with bytes that are not synced.
    [[nodiscard]] std::size_t dirty_files() const;
    [[nodiscard]] std::size_t unsynced_names() const { return names_.pending(); }

  private:
    class SimFile;
    struct Fault {
        std::uint64_t at_call;
        Errc code;
        bool also_later;
    };

    Result<void> enter(DiskCall call, const std::string& path, bool changes);
    Error failed(Errc code, std::string_view what, const std::string& path) const;
    [[nodiscard]] std::int64_t used_bytes() const;
    [[nodiscard]] std::int64_t room() const;
    [[nodiscard]] std::vector<SimNames::Node> live_files() const;
    void forget_process();

    SimRandom random_;
    SimDiskModel model_;
    SimNames names_;
    /// Every file that a name or an open handle holds, also one that is unlinked.
    mutable std::vector<std::weak_ptr<SimContent>> files_;
    std::uint64_t generation_ = 0;  ///< Of the process; older handles are dead.
    std::set<std::string> locks_;
    std::array<std::uint64_t, static_cast<std::size_t>(DiskCall::kCount)> calls_{};
    std::multimap<DiskCall, Fault> faults_;
    std::uint64_t changing_calls_ = 0;
    std::uint64_t power_left_ = std::numeric_limits<std::uint64_t>::max();
    std::function<void(DiskCall, const std::string&)> observer_;
};

}  // namespace leat::testkit
