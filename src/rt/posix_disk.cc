// SPDX-License-Identifier: Apache-2.0
#include "rt/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

#include "rt/descriptor.h"
#include "rt/os_error.h"
#include "rt/page_cache.h"

namespace leat::rt {
namespace {

/// A sync that ends while its file system gives up can answer success for what never reached the
/// disk: ext4 takes a transaction that was aborted for one that is over, XFS behaves alike
/// (docs/decisions/0013-sync-is-checked.md). What has given up refuses every change from then on,
/// so the success counts only when a small one, the file's times, is taken after it.
Result<void> take_a_change(int fd, const std::string& path) {
    if (::futimens(fd, nullptr) == 0) return {};
    switch (errno) {
        case ENOSPC:
        case EDQUOT:
        case ENOSYS:
        case EOPNOTSUPP:
        case EPERM:
        case EACCES:
            return {};  // It answers for itself: it has not given up.
        default:
            return sync_error("sync, checked by futimens", path);
    }
}

class PosixFile final : public File {
  public:
    PosixFile(int fd, std::string path, bool is_sync_checked)
        : fd_(fd), path_(std::move(path)), is_sync_checked_(is_sync_checked) {}

    Result<std::size_t> read_at(FilePos at, MutableBytes to) override {
        std::size_t done = 0;
        while (done < to.size()) {
            const auto got = retry_eintr([&] {
                return ::pread(fd_.get(), to.data() + done, to.size() - done,
                               at.value + static_cast<std::int64_t>(done));
            });
            if (got < 0) return os_error("read", path_);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    [[nodiscard]] bool is_cached(FilePos at, std::size_t bytes) const override {
        return is_in_page_cache(fd_.get(), at, bytes);
    }

    Result<void> write_at(FilePos at, std::span<const Bytes> parts) override {
        constexpr std::size_t kPartsMax = 16;
        std::size_t skip = 0;  // Bytes of parts[0] that are written.
        std::int64_t to = at.value;
        while (!parts.empty()) {
            std::array<iovec, kPartsMax> io{};
            std::size_t count = 0;
            for (; count < std::min(parts.size(), kPartsMax); ++count) {
                const std::size_t from = count == 0 ? skip : 0;
                // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): iovec has no const form.
                io[count] = {const_cast<std::byte*>(parts[count].data()) + from,
                             parts[count].size() - from};
            }
            const auto put = retry_eintr(
                [&] { return ::pwritev(fd_.get(), io.data(), static_cast<int>(count), to); });
            if (put < 0) return os_error("write", path_);
            to += put;
            skip += static_cast<std::size_t>(put);
            while (!parts.empty() && skip >= parts[0].size()) {
                skip -= parts[0].size();
                parts = parts.subspan(1);
            }
        }
        return {};
    }

    Result<void> sync() override {
        // fdatasync is not repeated after EINTR: whether the error state was consumed is unknown.
        if (::fdatasync(fd_.get()) != 0) return sync_error("fdatasync", path_);
        return is_sync_checked_ ? take_a_change(fd_.get(), path_) : Result<void>{};
    }

    Result<void> truncate(FilePos size) override {
        if (retry_eintr([&] { return ::ftruncate(fd_.get(), size.value); }) != 0)
            return os_error("truncate", path_);
        return {};
    }

    Result<std::int64_t> size() override {
        struct stat info{};
        if (::fstat(fd_.get(), &info) != 0) return os_error("stat", path_);
        return info.st_size;
    }

    [[nodiscard]] int descriptor() const override { return fd_.get(); }

  private:
    Descriptor fd_;
    std::string path_;
    bool is_sync_checked_;
};

int open_flags(OpenMode mode) {
    switch (mode) {
        case OpenMode::kRead:
            return O_RDONLY;
        case OpenMode::kReadWrite:
            return O_RDWR;
        case OpenMode::kCreate:
            return O_RDWR | O_CREAT;
        case OpenMode::kCreateNew:
            return O_RDWR | O_CREAT | O_EXCL;
    }
    std::unreachable();
}

/// A directory stream that closes itself.
struct CloseDir {
    void operator()(DIR* stream) const { ::closedir(stream); }
};

}  // namespace

Result<std::shared_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
    const int fd =
        retry_eintr([&] { return ::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0640); });
    if (fd < 0) return os_error("open", path);
    return std::shared_ptr<File>{std::make_shared<PosixFile>(fd, path, is_sync_checked_)};
}

Result<void> PosixDisk::rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return os_error("rename", from);
    return {};
}

Result<void> PosixDisk::remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0) return os_error("unlink", path);
    return {};
}

Result<void> PosixDisk::remove_directory(const std::string& path) {
    if (::rmdir(path.c_str()) != 0) return os_error("rmdir", path);
    return {};
}

Result<void> PosixDisk::make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0750) != 0) return os_error("mkdir", path);
    return {};
}

Result<std::vector<DirEntry>> PosixDisk::list(const std::string& path) {
    const std::unique_ptr<DIR, CloseDir> stream{::opendir(path.c_str())};
    if (!stream) return os_error("opendir", path);
    std::vector<DirEntry> entries;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) {
            if (errno != 0) return os_error("readdir", path);
            break;
        }
        std::string name{entry->d_name};
        if (name == "." || name == "..") continue;
        bool is_directory = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN) {
            struct stat info{};
            const std::string whole = std::string{path}.append("/").append(name);
            if (::stat(whole.c_str(), &info) == 0) is_directory = S_ISDIR(info.st_mode);
        }
        entries.push_back({.name = std::move(name), .is_directory = is_directory});
    }
    std::ranges::sort(entries, {}, &DirEntry::name);
    return entries;
}

Result<bool> PosixDisk::exists(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return os_error("stat", path);
}

/// Descriptors of one directory, each used by one sync at a time: the kernel tells each of an error
/// once, so that of two syncs at once through the same one the second would hear of none.
///
/// Threading: thread-safe.
class PosixDisk::Held {
  public:
    explicit Held(std::string path) : path_(std::move(path)) {}

    Result<void> open() {
        Descriptor first = open_one();
        if (!first.is_open()) return os_error("open", path_);
        free_.push_back(std::move(first));
        return {};
    }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] bool holds(std::string_view path) const {
        return path.starts_with(path_) &&
               (path.size() == path_.size() || path[path_.size()] == '/');
    }

    /// Calls `sync` with a descriptor; without one to be had it waits for another sync's.
    template <class Sync>
    Result<void> with(Sync sync) {
        Descriptor one = take();
        Result<void> result = sync(one.get());
        give(std::move(one));
        return result;
    }

  private:
    static constexpr std::size_t kKept = 4;

    [[nodiscard]] Descriptor open_one() const {
        return Descriptor{retry_eintr(
            [this] { return ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })};
    }

    Descriptor take() {
        std::unique_lock lock{mutex_};
        if (free_.empty()) {
            Descriptor one = open_one();
            if (one.is_open()) return one;
            is_back_.wait(lock, [this] { return !free_.empty(); });
        }
        Descriptor one = std::move(free_.back());
        free_.pop_back();
        return one;
    }

    void give(Descriptor one) {
        {
            const std::lock_guard lock{mutex_};
            // The last one always comes back here: who waits is never forgotten.
            if (free_.size() < kKept) free_.push_back(std::move(one));
        }
        is_back_.notify_one();
    }

    std::string path_;
    std::mutex mutex_;
    std::condition_variable is_back_;
    std::vector<Descriptor> free_;
};

PosixDisk::PosixDisk(bool is_sync_checked) : is_sync_checked_(is_sync_checked) {}
PosixDisk::~PosixDisk() = default;

Result<void> PosixDisk::hold(const std::string& directory) {
    auto held = std::make_unique<Held>(directory);
    LEAT_TRY_VOID(held->open());
    held_ = std::move(held);
    return {};
}

Result<void> PosixDisk::sync_names(int fd, const std::string& path) const {
    if (::fsync(fd) != 0) return sync_error("fsync", path);
    return is_sync_checked_ ? take_a_change(fd, path) : Result<void>{};
}

Result<void> PosixDisk::sync_all(int fd, const std::string& path) const {
    if (::syncfs(fd) != 0) return sync_error("syncfs", path);
    return is_sync_checked_ ? take_a_change(fd, path) : Result<void>{};
}

Result<void> PosixDisk::sync_directory(const std::string& path) {
    if (held_ && path == held_->path())
        return held_->with([&](int fd) { return sync_names(fd, path); });
    const Descriptor dir{
        retry_eintr([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })};
    if (dir.is_open()) return sync_names(dir.get(), path);
    Error error = os_error("open", path);
    if (error.code() != Errc::kTooManyOpenFiles || !held_ || !held_->holds(path)) return error;
    // It takes longer and makes the same names durable, with all else.
    return held_->with([&](int fd) { return sync_all(fd, held_->path()); });
}

Result<void> PosixDisk::sync_file_system(const std::string& path) {
    if (held_ && held_->holds(path)) return held_->with([&](int fd) { return sync_all(fd, path); });
    const Descriptor dir{retry_eintr([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); })};
    if (!dir.is_open()) return os_error("open", path);
    return sync_all(dir.get(), path);
}

Result<DiskSpace> PosixDisk::space(const std::string& path) {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return os_error("statvfs", path);
    const auto block = static_cast<std::int64_t>(info.f_frsize);
    return DiskSpace{.total_bytes = static_cast<std::int64_t>(info.f_blocks) * block,
                     .usable_bytes = static_cast<std::int64_t>(info.f_bavail) * block};
}

namespace {

Result<std::shared_ptr<void>> take_lock(Descriptor file, const std::string& path, short type) {
    struct flock whole{};
    whole.l_type = type;
    whole.l_whence = SEEK_SET;
    if (::fcntl(file.get(), F_OFD_SETLK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return Error{Errc::kDataDirInUse, path + " is locked by another process"};
        return os_error("lock", path);
    }
    return std::shared_ptr<void>{std::make_shared<Descriptor>(std::move(file))};
}

}  // namespace

Result<std::shared_ptr<void>> PosixDisk::lock_file(const std::string& path) {
    Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)};
    if (file.get() < 0) return os_error("open", path);
    return take_lock(std::move(file), path, F_WRLCK);
}

Result<std::shared_ptr<void>> PosixDisk::share_lock_file(const std::string& path) {
    Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.get() < 0 && errno == ENOENT) return std::shared_ptr<void>{};
    if (file.get() < 0) return os_error("open", path);
    return take_lock(std::move(file), path, F_RDLCK);
}

}  // namespace leat::rt
