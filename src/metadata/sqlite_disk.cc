// SPDX-License-Identifier: Apache-2.0
#include "metadata/sqlite_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace leat::metadata {

struct SqliteDisk::State {
    explicit State(rt::Disk& disk_in) : disk(disk_in) {}

    /// Notes why, and gives SQLite's number for it.
    int failed(const Error& error, int code) {
        failure = error.detail();
        failure_code = error.code();
        // To SQLite a shortage is a full disk: it takes back what it had begun, and goes on.
        return is_shortage(error.code()) ? SQLITE_FULL : code;
    }

    int failed_for_good(const Error& error, int code) {
        failure = error.detail();
        failure_code = error.code();
        return code;
    }

    rt::Disk& disk;
    std::string name;
    std::string failure;
    Errc failure_code = Errc::kNone;
    sqlite3_vfs vfs{};
};

namespace {

constexpr int kSectorBytes = 4096;
constexpr int kPathBytesMax = 4096;

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// What SQLite's bytes for an open file hold.
struct OpenFile {
    SqliteDisk::State& state;
    std::shared_ptr<rt::File> file;
    std::string path;
    bool is_name_new;  ///< The directory must be synced too, once.
    bool is_deleted_on_close;
    std::shared_ptr<void> lock;
    int lock_level;
};

/// SQLite makes room for this; its base comes first.
struct Handle {
    sqlite3_file base;
    OpenFile* open;
};

OpenFile& of(sqlite3_file* file) {
    return *reinterpret_cast<Handle*>(file)->open;
}

int close_file(sqlite3_file* handle) {
    const std::unique_ptr<OpenFile> file{&of(handle)};
    reinterpret_cast<Handle*>(handle)->open = nullptr;
    if (file->is_deleted_on_close)
        ignore(file->state.disk.remove_file(file->path), "what is left is found at the next start");
    return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* to, int size, sqlite3_int64 at) {
    OpenFile& file = of(handle);
    const MutableBytes bytes{static_cast<std::byte*>(to), static_cast<std::size_t>(size)};
    const auto got = file.file->read_at(FilePos{at}, bytes);
    if (!got) return file.state.failed(got.error(), SQLITE_IOERR_READ);
    if (*got == bytes.size()) return SQLITE_OK;
    std::ranges::fill(bytes.subspan(*got), std::byte{0});
    return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* handle, const void* from, int size, sqlite3_int64 at) {
    OpenFile& file = of(handle);
    const Bytes bytes{static_cast<const std::byte*>(from), static_cast<std::size_t>(size)};
    const auto done = file.file->write_at(FilePos{at}, {&bytes, 1});
    return done ? SQLITE_OK : file.state.failed(done.error(), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    OpenFile& file = of(handle);
    const auto done = file.file->truncate(FilePos{size});
    return done ? SQLITE_OK : file.state.failed(done.error(), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* handle, int /*flags*/) {
    OpenFile& file = of(handle);
    // A failed sync is final, also for want of room: what it left is in doubt.
    const auto done = file.file->sync();
    if (!done) return file.state.failed_for_good(done.error(), SQLITE_IOERR_FSYNC);
    if (!file.is_name_new) return SQLITE_OK;
    const auto named = file.state.disk.sync_directory(parent_of(file.path));
    if (!named) return file.state.failed_for_good(named.error(), SQLITE_IOERR_DIR_FSYNC);
    file.is_name_new = false;
    return SQLITE_OK;
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* out) {
    OpenFile& file = of(handle);
    const auto size = file.file->size();
    if (!size) return file.state.failed(size.error(), SQLITE_IOERR_FSTAT);
    *out = *size;
    return SQLITE_OK;
}

int lock_file(sqlite3_file* handle, int level) {
    OpenFile& file = of(handle);
    if (!file.lock) {
        auto lock = file.state.disk.lock_file(file.path);
        if (!lock && lock.error().code() == Errc::kDataDirInUse) return SQLITE_BUSY;
        if (!lock) return file.state.failed(lock.error(), SQLITE_IOERR_LOCK);
        file.lock = *std::move(lock);
    }
    file.lock_level = std::max(file.lock_level, level);
    return SQLITE_OK;
}

int unlock_file(sqlite3_file* handle, int level) {
    OpenFile& file = of(handle);
    file.lock_level = std::min(file.lock_level, level);
    if (level == SQLITE_LOCK_NONE) file.lock.reset();
    return SQLITE_OK;
}

int is_reserved(sqlite3_file* handle, int* out) {
    *out = of(handle).lock_level >= SQLITE_LOCK_RESERVED ? 1 : 0;
    return SQLITE_OK;
}

int control_file(sqlite3_file* /*handle*/, int /*operation*/, void* /*argument*/) {
    return SQLITE_NOTFOUND;
}

int sector_bytes(sqlite3_file* /*handle*/) {
    return kSectorBytes;
}

int characteristics(sqlite3_file* /*handle*/) {
    // As SQLite assumes of the operating system's files unless told otherwise.
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

constexpr sqlite3_io_methods make_methods() {
    sqlite3_io_methods out{};
    out.iVersion = 1;
    out.xClose = close_file;
    out.xRead = read_file;
    out.xWrite = write_file;
    out.xTruncate = truncate_file;
    out.xSync = sync_file;
    out.xFileSize = size_of_file;
    out.xLock = lock_file;
    out.xUnlock = unlock_file;
    out.xCheckReservedLock = is_reserved;
    out.xFileControl = control_file;
    out.xSectorSize = sector_bytes;
    out.xDeviceCharacteristics = characteristics;
    return out;
}
constexpr sqlite3_io_methods kMethods = make_methods();

sqlite3_vfs& system_vfs() {
    sqlite3_vfs* found = sqlite3_vfs_find("unix");
    LEAT_CHECK(found != nullptr);
    return *found;
}

SqliteDisk::State& of(sqlite3_vfs* vfs) {
    return *static_cast<SqliteDisk::State*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* handle, int flags, int* out_flags) {
    if (path == nullptr)  // Temporary.
        return system_vfs().xOpen(&system_vfs(), path, handle, flags, out_flags);
    handle->pMethods = nullptr;
    SqliteDisk::State& state = of(vfs);
    const bool may_create = (flags & SQLITE_OPEN_CREATE) != 0;
    const auto exists = state.disk.exists(path);
    if (!exists) return state.failed(exists.error(), SQLITE_CANTOPEN);
    const auto mode = (flags & SQLITE_OPEN_READONLY) != 0 ? rt::OpenMode::kRead
                      : may_create                        ? rt::OpenMode::kCreate
                                                          : rt::OpenMode::kReadWrite;
    auto file = state.disk.open(path, mode);
    if (!file) return state.failed(file.error(), SQLITE_CANTOPEN);
    reinterpret_cast<Handle*>(handle)->open =
        std::make_unique<OpenFile>(
            OpenFile{.state = state,
                     .file = *std::move(file),
                     .path = path,
                     .is_name_new = may_create && !*exists,
                     .is_deleted_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                     .lock = nullptr,
                     .lock_level = SQLITE_LOCK_NONE})
            .release();
    handle->pMethods = &kMethods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int must_sync_directory) {
    SqliteDisk::State& state = of(vfs);
    const auto gone = state.disk.remove_file(path);
    if (!gone && gone.error().code() == Errc::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
    if (!gone) return state.failed(gone.error(), SQLITE_IOERR_DELETE);
    if (must_sync_directory == 0) return SQLITE_OK;
    const auto synced = state.disk.sync_directory(parent_of(path));
    return synced ? SQLITE_OK : state.failed(synced.error(), SQLITE_IOERR_DIR_FSYNC);
}

int probe_file(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    SqliteDisk::State& state = of(vfs);
    *out = 0;
    const auto exists = state.disk.exists(path);
    if (!exists) return state.failed(exists.error(), SQLITE_IOERR_ACCESS);
    if (!*exists) return SQLITE_OK;
    // A journal of no bytes is none, as with SQLite's own files.
    if (flags == SQLITE_ACCESS_EXISTS) {
        const auto file = state.disk.open(path, rt::OpenMode::kRead);
        if (!file) return state.failed(file.error(), SQLITE_IOERR_ACCESS);
        const auto size = (*file)->size();
        if (!size) return state.failed(size.error(), SQLITE_IOERR_ACCESS);
        *out = *size > 0 ? 1 : 0;
        return SQLITE_OK;
    }
    *out = 1;
    return SQLITE_OK;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* path, int size, char* out) {
    const std::size_t length = std::strlen(path);
    if (length >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(out, path, length + 1);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs* /*vfs*/, int size, char* out) {
    return system_vfs().xRandomness(&system_vfs(), size, out);
}

int sleep_for(sqlite3_vfs* /*vfs*/, int microseconds) {
    return system_vfs().xSleep(&system_vfs(), microseconds);
}

int current_time(sqlite3_vfs* /*vfs*/, double* out) {
    return system_vfs().xCurrentTime(&system_vfs(), out);
}

int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*out*/) {
    return 0;
}

}  // namespace

SqliteDisk::SqliteDisk(rt::Disk& disk) : state_(std::make_unique<State>(disk)) {
    static std::atomic<std::uint64_t> count{0};
    state_->name = "leat-" + std::to_string(count.fetch_add(1));
    sqlite3_vfs& vfs = state_->vfs;
    vfs.iVersion = 1;
    vfs.szOsFile = std::max(static_cast<int>(sizeof(Handle)), system_vfs().szOsFile);
    vfs.mxPathname = kPathBytesMax;
    vfs.zName = state_->name.c_str();
    vfs.pAppData = state_.get();
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = probe_file;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep_for;
    vfs.xCurrentTime = current_time;
    vfs.xGetLastError = last_error;
    LEAT_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

SqliteDisk::~SqliteDisk() {
    sqlite3_vfs_unregister(&state_->vfs);
}

const char* SqliteDisk::name() const noexcept {
    return state_->name.c_str();
}

Errc SqliteDisk::last_code() const noexcept {
    return state_->failure_code;
}

const std::string& SqliteDisk::last_failure() const noexcept {
    return state_->failure;
}

}  // namespace leat::metadata
