// SPDX-License-Identifier: Apache-2.0
#include "apps/log_source.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "apps/command.h"
#include "metadata/stored_state.h"
#include "storage/folder_files.h"
#include "storage/segment_files.h"

namespace leat::apps {
namespace {

/// A folder of its own for the time it lives.
class ScratchFolder {
  public:
    static Result<std::unique_ptr<ScratchFolder>> make() {
        std::error_code failed;
        std::string pattern = std::filesystem::temp_directory_path(failed).string();
        if (failed) pattern = "/tmp";
        pattern += "/leat-log-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr)
            return Error{Errc::kIoError, "cannot make a temporary folder " + pattern};
        return std::unique_ptr<ScratchFolder>{new ScratchFolder{std::move(pattern)}};
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// As the system knows it, without links, "." and ".."; itself when that cannot be told.
std::string real_path(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path real = std::filesystem::canonical(path, failed);
    return failed ? path : real.string();
}

/// "." and ".." have no name, and what stands before them is not their parent.
std::string named(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    return name == "." || name == ".." ? real_path(path) : path;
}

bool has_segments(const std::vector<rt::DirEntry>& entries) {
    return std::ranges::any_of(entries, [](const rt::DirEntry& entry) {
        return !entry.is_directory && storage::parse_file_name(entry.name).has_value();
    });
}

bool is_data_directory(const std::vector<rt::DirEntry>& entries) {
    return std::ranges::any_of(entries, [](const rt::DirEntry& entry) {
        return entry.name == "meta.properties" || entry.name == "metadata.db" ||
               (entry.is_directory && storage::is_partition_folder(entry.name));
    });
}

Result<void> find_out(LogSource& source, std::string path) {
    LEAT_TRY(const bool exists, source.disk.exists(path));
    if (!exists) return usage_error("'" + path + "' does not exist");
    auto entries = source.disk.list(path);
    if (!entries) {
        // A file, most likely: its folder says more.
        std::error_code failed;
        source.file = std::filesystem::is_symlink(path, failed) ? real_path(path) : path;
        path = named(parent_of(source.file));
        LEAT_TRY(entries, source.disk.list(path));
    }
    const bool is_directory = is_data_directory(*entries);
    if (is_directory || (!source.file.empty() && !has_segments(*entries))) {
        source.directory = path;
        return {};
    }
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool is_folder = has_segments(*entries) || storage::is_partition_folder(name);
    if (!is_folder)
        return usage_error("'" + path + "' is neither a data directory nor a partition's folder");
    source.folder = path;
    // A link to it, from outside, does not take it out of its data directory.
    for (const std::string& folder : {path, real_path(path)}) {
        const std::string parent = parent_of(folder);
        LEAT_TRY(const bool is_inside, source.disk.exists(parent + "/meta.properties"));
        if (!is_inside) continue;
        source.folder = folder;
        source.directory = parent;
        return {};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<LogSource>> open_log_source(std::string_view path) {
    auto source = std::make_unique<LogSource>();
    std::string plain{path};
    while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    LEAT_TRY_VOID(find_out(*source, named(plain)));
    if (source->directory.empty()) return source;
    auto lock = rt::PosixDisk::share_lock_file(source->directory + "/.lock");
    if (!lock && lock.error().code() == Errc::kDataDirInUse)
        return Error{Errc::kDataDirInUse, "a broker is running on '" + source->directory +
                                              "': its files change while they are read. Stop it "
                                              "first, or give a copy"};
    if (!lock) return std::move(lock).error();
    source->lock = *std::move(lock);
    return source;
}

Result<StoredTopics> stored_topics(LogSource& source) {
    LEAT_TRY(const auto scratch, ScratchFolder::make());
    LEAT_TRY(const metadata::State state,
             metadata::read_stored_state(source.disk, source.directory, scratch->path()));
    StoredTopics out;
    out.cluster_id = state.cluster_id;
    for (const metadata::StoredTopic& topic : state.topics)
        out.topics.push_back(
            {.name = topic.name, .id = topic.id, .partition_count = topic.partition_count});
    std::ranges::sort(out.topics, {}, &storage::KnownTopic::name);
    return out;
}

}  // namespace leat::apps
