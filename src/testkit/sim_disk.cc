// SPDX-License-Identifier: Apache-2.0
#include "testkit/sim_disk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace leat::testkit {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(DiskCall::kCount)> kCallNames{
    "read",   "write", "fdatasync", "truncate", "open",  "rename",
    "unlink", "mkdir", "opendir",   "fsync",    "syncfs"};

std::string_view name_of(DiskCall call) {
    return kCallNames.at(static_cast<std::size_t>(call));
}

}  // namespace

class SimDisk::SimFile final : public rt::File {
  public:
    SimFile(SimDisk& disk, SimNames::Node node, std::string path, bool may_write)
        : disk_(disk),
          node_(std::move(node)),
          path_(std::move(path)),
          generation_(disk.generation_),
          may_write_(may_write) {}

    Result<std::size_t> read_at(FilePos at, MutableBytes to) override {
        LEAT_TRY_VOID(enter(DiskCall::kRead, false));
        return node_->read(at.value, to);
    }

    [[nodiscard]] bool is_cached(FilePos at, std::size_t bytes) const override {
        return at.value + static_cast<std::int64_t>(bytes) <= node_->size() &&
               !disk_.random_.percent(disk_.model_.cold_percent);
    }

    Result<void> write_at(FilePos at, std::span<const Bytes> parts) override {
        std::vector<std::byte> all;
        for (const Bytes part : parts) all.insert(all.end(), part.begin(), part.end());
        auto entered = enter(DiskCall::kWrite, true);
        if (!entered) {
            // A prefix may have been written, if the disk still has power.
            if (!is_dead() && disk_.has_power())
                node_->write(at.value, Bytes{all}.first(disk_.random_.below(all.size() + 1)));
            return entered;
        }
        const std::int64_t grows =
            std::max(std::int64_t{0}, at.value + std::ssize(all) - node_->size());
        const std::int64_t room = grows > 0 ? disk_.room() : 0;
        if (grows > room) {
            const std::int64_t fits = std::ssize(all) - (grows - std::max(room, std::int64_t{0}));
            if (fits > 0) node_->write(at.value, Bytes{all}.first(static_cast<std::size_t>(fits)));
            return disk_.failed(Errc::kNoSpace, "write", path_);
        }
        node_->write(at.value, all);
        return {};
    }

    Result<void> sync() override {
        auto entered = enter(DiskCall::kSync, true);
        if (!entered) {
            if (!is_dead() && disk_.has_power()) node_->fail_sync(disk_.random_);
            return entered;
        }
        node_->sync();
        if (disk_.model_.sync_commits_names) disk_.names_.sync_node(node_);
        return {};
    }

    Result<void> truncate(FilePos size) override {
        LEAT_TRY_VOID(enter(DiskCall::kTruncate, true));
        node_->truncate(size.value);
        return {};
    }

    Result<std::int64_t> size() override {
        if (is_dead()) return disk_.failed(Errc::kIoError, "stat", path_);
        return node_->size();
    }

  private:
    [[nodiscard]] bool is_dead() const { return generation_ != disk_.generation_; }
    Result<void> enter(DiskCall call, bool changes) {
        if (is_dead()) return disk_.failed(Errc::kIoError, "use after a crash", path_);
        if (changes && !may_write_ && call != DiskCall::kSync)
            return disk_.failed(Errc::kIoError, name_of(call), path_);
        return disk_.enter(call, path_, changes);
    }

    SimDisk& disk_;
    const SimNames::Node node_;
    const std::string path_;  ///< As it was opened, for messages.
    const std::uint64_t generation_;
    const bool may_write_;
};

SimDisk::SimDisk(std::uint64_t seed, SimDiskModel model) : random_(seed), model_(model) {}
SimDisk::~SimDisk() = default;

Error SimDisk::failed(Errc code, std::string_view what, const std::string& path) const {
    std::string detail{what};
    detail.append(" ").append(path).append(": simulated ").append(info(code).name);
    return Error{code, detail};
}

Result<void> SimDisk::enter(DiskCall call, const std::string& path, bool changes) {
    if (observer_) observer_(call, path);
    const std::uint64_t number = ++calls_.at(static_cast<std::size_t>(call));
    if (!has_power()) return failed(Errc::kIoError, name_of(call), path);
    if (changes) {
        ++changing_calls_;
        if (power_left_ != std::numeric_limits<std::uint64_t>::max()) --power_left_;
        if (!has_power()) return failed(Errc::kIoError, name_of(call), path);
    }
    const auto [first, last] = faults_.equal_range(call);
    for (auto it = first; it != last; ++it) {
        const auto [at_call, code, also_later] = it->second;
        if (number == at_call || (also_later && number > at_call))
            return failed(code, name_of(call), path);
    }
    return {};
}

Result<std::shared_ptr<rt::File>> SimDisk::open(const std::string& path, rt::OpenMode mode) {
    const std::string name = SimNames::clean(path);
    const auto it = names_.seen().find(name);
    const bool is_there = it != names_.seen().end();
    const bool may_create = mode == rt::OpenMode::kCreate || mode == rt::OpenMode::kCreateNew;
    LEAT_TRY_VOID(enter(DiskCall::kOpen, path, may_create && !is_there));
    if (is_there && mode == rt::OpenMode::kCreateNew)
        return failed(Errc::kAlreadyExists, "open", path);
    if (names_.is_directory(name)) return failed(Errc::kIoError, "open directory", path);
    if (!is_there && (!may_create || !names_.is_directory(SimNames::parent(name))))
        return failed(Errc::kNotFound, "open", path);
    SimNames::Node node = is_there ? it->second : nullptr;
    if (!is_there) {
        node = std::make_shared<SimContent>();
        files_.emplace_back(node);
        names_.create(name, node);
    }
    return std::shared_ptr<rt::File>{
        std::make_shared<SimFile>(*this, std::move(node), path, mode != rt::OpenMode::kRead)};
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
    LEAT_TRY_VOID(enter(DiskCall::kRename, from, true));
    const std::string source = SimNames::clean(from);
    const std::string target = SimNames::clean(to);
    if (!names_.seen().contains(source) || !names_.is_directory(SimNames::parent(target)))
        return failed(Errc::kNotFound, "rename", from);
    if (source == target) return {};
    const bool is_directory = names_.is_directory(source);
    if (names_.seen().contains(target) && (is_directory != names_.is_directory(target) ||
                                           (is_directory && names_.has_children(target))))
        return failed(Errc::kAlreadyExists, "rename", to);
    if (is_directory && target.starts_with(source + "/"))
        return failed(Errc::kIoError, "rename into itself", from);
    names_.rename(source, target);
    return {};
}

Result<void> SimDisk::remove_file(const std::string& path) {
    LEAT_TRY_VOID(enter(DiskCall::kRemove, path, true));
    const std::string name = SimNames::clean(path);
    if (!names_.seen().contains(name)) return failed(Errc::kNotFound, "unlink", path);
    if (names_.is_directory(name)) return failed(Errc::kIoError, "unlink directory", path);
    names_.remove(name);
    return {};
}

Result<void> SimDisk::remove_directory(const std::string& path) {
    LEAT_TRY_VOID(enter(DiskCall::kRemove, path, true));
    const std::string name = SimNames::clean(path);
    if (!names_.seen().contains(name)) return failed(Errc::kNotFound, "rmdir", path);
    if (!names_.is_directory(name)) return failed(Errc::kIoError, "rmdir", path);
    if (names_.has_children(name)) return failed(Errc::kAlreadyExists, "rmdir", path);
    names_.remove(name);
    return {};
}

Result<void> SimDisk::make_directory(const std::string& path) {
    LEAT_TRY_VOID(enter(DiskCall::kMakeDirectory, path, true));
    const std::string name = SimNames::clean(path);
    if (SimNames::is_root(name) || names_.seen().contains(name))
        return failed(Errc::kAlreadyExists, "mkdir", path);
    if (!names_.is_directory(SimNames::parent(name))) return failed(Errc::kNotFound, "mkdir", path);
    names_.create(name, nullptr);
    return {};
}

Result<std::vector<rt::DirEntry>> SimDisk::list(const std::string& path) {
    LEAT_TRY_VOID(enter(DiskCall::kList, path, false));
    const std::string name = SimNames::clean(path);
    if (!names_.is_directory(name)) return failed(Errc::kNotFound, "opendir", path);
    std::vector<rt::DirEntry> entries;
    const std::string prefix = SimNames::is_root(name) ? name : name + "/";
    for (auto it = names_.seen().lower_bound(prefix); it != names_.seen().end(); ++it) {
        if (!it->first.starts_with(prefix)) break;
        if (SimNames::parent(it->first) != name) continue;
        entries.push_back(
            {.name = it->first.substr(prefix.size()), .is_directory = it->second == nullptr});
    }
    return entries;
}

Result<bool> SimDisk::exists(const std::string& path) {
    if (!has_power()) return failed(Errc::kIoError, "stat", path);
    const std::string name = SimNames::clean(path);
    return SimNames::is_root(name) || names_.seen().contains(name);
}

Result<void> SimDisk::sync_directory(const std::string& path) {
    LEAT_TRY_VOID(enter(DiskCall::kSyncDirectory, path, true));
    const std::string name = SimNames::clean(path);
    if (!names_.is_directory(name)) return failed(Errc::kNotFound, "fsync", path);
    names_.sync_directory(name, model_.sync_commits_names);
    return {};
}

Result<void> SimDisk::sync_file_system(const std::string& path) {
    if (auto entered = enter(DiskCall::kSyncFileSystem, path, true); !entered) {
        if (has_power())
            for (const SimNames::Node& file : live_files()) file->fail_sync(random_);
        return entered;
    }
    for (const SimNames::Node& file : live_files()) file->sync();
    names_.sync_all();
    return {};
}

Result<rt::DiskSpace> SimDisk::space(const std::string& path) {
    if (!has_power()) return failed(Errc::kIoError, "statvfs", path);
    return rt::DiskSpace{
        .total_bytes = model_.capacity_bytes,
        .usable_bytes = std::max(std::int64_t{0}, model_.capacity_bytes - used_bytes())};
}

Result<std::shared_ptr<void>> SimDisk::lock_file(const std::string& path) {
    LEAT_TRY(auto file, open(path, rt::OpenMode::kCreate));
    const std::string name = SimNames::clean(path);
    if (!locks_.insert(name).second)
        return Error{Errc::kDataDirInUse, path + " is locked by another process"};
    return std::shared_ptr<void>{file.get(),
                                 [this, file, name, generation = generation_](void* /*unused*/) {
                                     if (generation == generation_) locks_.erase(name);
                                 }};
}

void SimDisk::crash(Survival survival) {
    std::uint64_t percent = survival == Survival::kEverything ? 100 : 0;
    if (survival == Survival::kRandom) {
        constexpr std::array<std::uint64_t, 6> kShares{0, 20, 50, 80, 97, 100};
        percent = kShares.at(random_.below(kShares.size()));
    }
    for (const SimNames::Node& file : live_files()) file->crash(random_, percent);
    names_.crash(random_, percent);
    forget_process();
}

void SimDisk::restart_process() {
    forget_process();
}

void SimDisk::forget_process() {
    ++generation_;
    locks_.clear();
    faults_.clear();
    power_left_ = std::numeric_limits<std::uint64_t>::max();
}

void SimDisk::fail(DiskCall call, std::uint64_t nth, Errc code, bool also_later) {
    LEAT_CHECK(nth > 0 && (code == Errc::kIoError || is_shortage(code)));
    // Only what needs a descriptor can lack one.
    LEAT_CHECK(code != Errc::kTooManyOpenFiles || call == DiskCall::kOpen ||
               call == DiskCall::kList);
    faults_.emplace(call, Fault{calls(call) + nth, code, also_later});
}

void SimDisk::heal() {
    faults_.clear();
}

void SimDisk::cut_power_after(std::uint64_t calls) {
    power_left_ = calls + 1;
}

void SimDisk::flip_bit(const std::string& path, std::int64_t byte, unsigned bit) {
    const auto it = names_.seen().find(SimNames::clean(path));
    LEAT_CHECK(it != names_.seen().end() && it->second != nullptr);
    it->second->flip_bit(byte, bit);
}

std::uint64_t SimDisk::calls(DiskCall call) const {
    return calls_.at(static_cast<std::size_t>(call));
}

void SimDisk::set_observer(std::function<void(DiskCall, const std::string&)> observer) {
    observer_ = std::move(observer);
}

std::size_t SimDisk::dirty_files() const {
    const auto files = live_files();
    return static_cast<std::size_t>(
        std::ranges::count_if(files, [](const SimNames::Node& file) { return file->is_dirty(); }));
}

// Of no interest, and not counted, on a disk as large as the default.
std::int64_t SimDisk::room() const {
    if (model_.capacity_bytes >= SimDiskModel{}.capacity_bytes) return model_.capacity_bytes;
    return model_.capacity_bytes - used_bytes();
}

std::int64_t SimDisk::used_bytes() const {
    std::int64_t sum = 0;
    for (const auto& [name, file] : names_.seen())
        if (file != nullptr) sum += file->size();
    return sum;
}

std::vector<SimNames::Node> SimDisk::live_files() const {
    std::erase_if(files_, [](const auto& file) { return file.expired(); });
    std::vector<SimNames::Node> all;
    all.reserve(files_.size());
    for (const auto& file : files_) all.push_back(file.lock());
    return all;
}

}  // namespace leat::testkit
