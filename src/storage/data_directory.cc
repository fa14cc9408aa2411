// SPDX-License-Identifier: Apache-2.0
#include "storage/data_directory.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/uuid.h"
#include "codec/crc32c.h"
#include "config/properties.h"
#include "obs/log.h"
#include "rt/thread_pool.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/folder_files.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

constexpr std::string_view kMetaName = "meta.properties";
/// What a first start leaves that ended while it wrote that file.
constexpr std::string_view kMetaUnfinished = "meta.properties.tmp";
constexpr std::string_view kCleanName = ".kafka_cleanshutdown";
constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kStoreName = "metadata.db";
constexpr std::string_view kMarksPrefix = "durable-marks.";
constexpr std::int32_t kFormat = 1;
constexpr std::size_t kNameMax = 255;

using Meta = DirectoryMeta;

Error refused(std::string_view detail) {
    return Error{Errc::kDataDirFormat, detail};
}

std::string text_of(const Meta& meta) {
    std::string out = "version=1\nleat.format=" + std::to_string(kFormat) +
                      "\nnode.id=" + std::to_string(meta.node_id) + "\n";
    if (!meta.cluster_id.empty()) out += "cluster.id=" + meta.cluster_id + "\n";
    if (!meta.directory_id.empty()) out += "directory.id=" + meta.directory_id + "\n";
    return out;
}

std::optional<std::int32_t> number(std::string_view text) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<Meta> parse_meta(const std::string& path, std::string_view text) {
    std::map<std::string, std::string, std::less<>> values;
    auto lines = config::parse_properties(text);
    if (!lines) return refused(path + " cannot be read: " + std::string{lines.error().detail()});
    for (auto& line : *lines) values[line.name] = line.value;
    const auto value = [&](std::string_view key) -> std::string {
        const auto at = values.find(key);
        return at == values.end() ? std::string{} : at->second;
    };
    const auto format = number(value("leat.format"));
    if (values.contains("version") && !values.contains("leat.format"))
        return refused(path +
                       " is Apache Kafka's; give another data directory, and copy the "
                       "topics by a client");
    if (!format || *format < 1) return refused(path + " names no format");
    if (*format > kFormat)
        return refused(path + " has format " + std::to_string(*format) +
                       ", written by a newer version; this one reads up to " +
                       std::to_string(kFormat) + ". Start the newer version");
    const auto node_id = number(value("node.id"));
    if (!node_id) return refused(path + " names no node.id");
    return Meta{.node_id = *node_id,
                .cluster_id = value("cluster.id"),
                .directory_id = value("directory.id")};
}

/// "<topic>-<number>".
bool is_partition_name(std::string_view name) {
    const auto dash = name.rfind('-');
    if (dash == std::string_view::npos || dash == 0) return false;
    const std::string_view digits = name.substr(dash + 1);
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

/// How much an entry says that Leat kept records here: nothing, that it ran, that it had some.
enum class Trace : std::uint8_t { kForeign, kNone, kOfARun, kOfRecords };

Trace trace_of(const rt::DirEntry& entry) {
    const std::string_view name = entry.name;
    if (name == kLockName || name == kMetaUnfinished || name == "lost+found") return Trace::kNone;
    if (entry.is_directory) {
        const bool is_folder = is_partition_name(name) || name.ends_with(kDeletedEnding) ||
                               name.ends_with(kStrayEnding);
        return is_folder ? Trace::kOfRecords : Trace::kForeign;
    }
    // SQLite adds "-journal" and the like, a write that was cut leaves ".tmp".
    for (const std::string_view own : {kStoreName, kCleanName, kMarksPrefix})
        if (name.starts_with(own)) return Trace::kOfARun;
    return Trace::kForeign;
}

/// A directory without meta.properties must be new: empty, or as our own first start leaves it.
Result<void> check_unused(const std::string& path, std::span<const rt::DirEntry> entries) {
    const rt::DirEntry* own = nullptr;
    const rt::DirEntry* foreign = nullptr;
    Trace most = Trace::kNone;
    for (const rt::DirEntry& entry : entries) {
        const Trace trace = trace_of(entry);
        if (trace == Trace::kForeign && foreign == nullptr) foreign = &entry;
        if (trace <= most) continue;
        most = trace;
        own = &entry;
    }
    // What looks like ours may be by chance.
    const std::string beside =
        foreign == nullptr ? ""
                           : " and \"" + foreign->name +
                                 "\", which is not ours. If it is no data directory, give " +
                                 "an empty directory or a new one. Otherwise";
    if (own != nullptr)
        return refused(path + " has \"" + own->name + "\" but no " + std::string{kMetaName} +
                       (beside.empty() ? ":" : "," + beside) + " it was deleted in part. Put " +
                       std::string{kMetaName} +
                       " back from a backup, or move what is left away and start anew");
    if (foreign != nullptr)
        return refused(path + " holds something else (\"" + foreign->name +
                       "\"); give an empty directory or a new one");
    return {};
}

Result<void> make_directories(rt::Disk& disk, const std::string& path) {
    LEAT_TRY(const bool exists, disk.exists(path));
    if (exists || path.empty()) return {};
    const auto slash = path.find_last_of('/');
    if (slash != std::string::npos && slash > 0)
        LEAT_TRY_VOID(make_directories(disk, path.substr(0, slash)));
    auto made = disk.make_directory(path);
    if (!made && made.error().code() != Errc::kAlreadyExists) return made;
    const std::string parent = slash == std::string::npos ? "."
                               : slash == 0               ? "/"
                                                          : path.substr(0, slash);
    return disk.sync_directory(parent);
}

/// One directory a process and a cluster id of its own for each: an id made of both names it.
std::string directory_id_of(const std::string& cluster_id, std::int32_t node_id) {
    const auto raw = std::as_bytes(std::span{cluster_id});
    std::uint64_t high = 0;
    for (std::uint64_t salt = 0;; ++salt) {
        codec::Crc32c first;
        codec::Crc32c second;
        const std::uint64_t seed[] = {salt, static_cast<std::uint64_t>(node_id)};
        first.update(raw).update(std::as_bytes(std::span{seed}));
        second.update(std::as_bytes(std::span{seed})).update(raw);
        high = (std::uint64_t{first.value()} << 32U) | second.value();
        const Uuid id = Uuid::from_random(high, high * 0x9E3779B97F4A7C15U + salt);
        if (id.is_usable()) return id.text();
    }
}

}  // namespace

Result<DirectoryMeta> read_directory_meta(rt::Disk& disk, const std::string& directory) {
    const std::string path = directory + "/" + std::string{kMetaName};
    LEAT_TRY(const auto text, read_text(disk, path));
    if (!text) return Error{Errc::kNotFound, path + " is missing"};
    return parse_meta(path, *text);
}

struct DataDirectory::State {
    State(rt::Disk& disk_in, std::string path_in) : disk(disk_in), path(std::move(path_in)) {}

    rt::Disk& disk;
    std::string path;
    std::shared_ptr<void> lock;
    Meta meta;
    bool was_clean = false;
    bool is_new = false;
    bool are_logs_opened = false;
    DirectoryHealth health;
    std::unique_ptr<DurableMarks> marks;

    [[nodiscard]] std::string file(std::string_view name) const {
        return path + "/" + std::string{name};
    }
    Result<void> write_meta() {
        const std::string text = text_of(meta);
        return rt::replace_file(disk, file(kMetaName), std::as_bytes(std::span{text}));
    }
    Result<void> read_meta(std::int32_t node_id);
    Result<void> take_clean_mark();
    Result<std::string> put_aside(const std::string& name);
};

Result<void> DataDirectory::State::read_meta(std::int32_t node_id) {
    LEAT_TRY(const auto text, read_text(disk, file(kMetaName)));
    if (!text) {
        LEAT_TRY(const auto entries, disk.list(path));
        LEAT_TRY_VOID(check_unused(path, entries));
        is_new = true;
        meta.node_id = node_id;
        return write_meta();
    }
    LEAT_TRY(meta, parse_meta(file(kMetaName), *text));
    if (meta.node_id != node_id)
        return refused(path + " belongs to node " + std::to_string(meta.node_id) +
                       ", this is node " + std::to_string(node_id) +
                       "; set node.id or give another directory");
    return {};
}

/// From here on the directory is not clean, whatever happens.
Result<void> DataDirectory::State::take_clean_mark() {
    LEAT_TRY(was_clean, disk.exists(file(kCleanName)));
    // A killed process leaves files that differ from what is on disk. Recovery must not build on
    // bytes, sizes or names that a power cut could still take back.
    if (!was_clean) return disk.sync_file_system(path);
    LEAT_TRY_VOID(disk.remove_file(file(kCleanName)));
    return disk.sync_directory(path);
}

Result<std::string> DataDirectory::State::put_aside(const std::string& name) {
    for (int i = 1;; ++i) {
        const std::string ending =
            (i == 1 ? std::string{} : "." + std::to_string(i)) + std::string{kStrayEnding};
        std::string to = name.substr(0, kNameMax - ending.size()) + ending;
        LEAT_TRY(const bool taken, disk.exists(file(to)));
        if (taken) continue;
        LEAT_TRY_VOID(disk.rename(file(name), file(to)));
        kLog.warn("unknown partition put aside", {{"folder", name}, {"renamed_to", to}});
        return to;
    }
}

DataDirectory::DataDirectory(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataDirectory::~DataDirectory() = default;

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(rt::Disk& disk, const std::string& path,
                                                           std::int32_t node_id) {
    LEAT_TRY_VOID(make_directories(disk, path));
    auto state = std::make_unique<State>(disk, path);
    // A directory that is not ours gets no lock file either.
    LEAT_TRY(const bool has_meta, disk.exists(state->file(kMetaName)));
    if (!has_meta) {
        LEAT_TRY(const auto entries, disk.list(path));
        LEAT_TRY_VOID(check_unused(path, entries));
    }
    LEAT_TRY(state->lock, disk.lock_file(state->file(kLockName)));
    LEAT_TRY_VOID(state->read_meta(node_id));
    LEAT_TRY_VOID(state->take_clean_mark());
    // A first start that was cut short may have left no marks, but no partition either.
    LEAT_TRY(const auto entries, disk.list(path));
    const bool has_partitions = std::ranges::any_of(entries, [](const rt::DirEntry& entry) {
        return entry.is_directory && is_partition_name(entry.name);
    });
    LEAT_TRY(state->marks, DurableMarks::open(disk, path, state->health, !has_partitions));
    return std::unique_ptr<DataDirectory>{new DataDirectory{std::move(state)}};
}

const std::string& DataDirectory::path() const noexcept {
    return state_->path;
}
bool DataDirectory::was_clean() const noexcept {
    return state_->was_clean;
}
bool DataDirectory::is_new() const noexcept {
    return state_->is_new;
}
DurableMarks& DataDirectory::marks() noexcept {
    return *state_->marks;
}
DirectoryHealth& DataDirectory::health() noexcept {
    return state_->health;
}

Result<void> DataDirectory::check_has_store() const {
    const std::string store = state_->file(kStoreName);
    LEAT_TRY(const bool has_store, state_->disk.exists(store));
    if (has_store || state_->meta.cluster_id.empty()) return {};
    return refused(store + " is missing, which " + std::string{kMetaName} +
                   " beside it belongs to: topics, settings and users are in it. Put it back from "
                   "a backup");
}

Result<void> DataDirectory::bind_cluster(const std::string& cluster_id) {
    Meta& meta = state_->meta;
    if (meta.cluster_id == cluster_id) return {};
    if (!meta.cluster_id.empty())
        return refused(state_->file(kMetaName) + " is of cluster " + meta.cluster_id + ", the " +
                       std::string{kStoreName} + " beside it of " + cluster_id +
                       ": one of them is damaged or was replaced. Put it back from a backup");
    meta.cluster_id = cluster_id;
    meta.directory_id = directory_id_of(cluster_id, meta.node_id);
    return state_->write_meta();
}

Result<std::vector<std::string>> DataDirectory::reconcile(std::span<const PartitionSpec> known,
                                                          std::size_t threads) {
    std::unordered_map<std::string, const PartitionSpec*> by_name;
    for (const PartitionSpec& spec : known) by_name.emplace(spec.folder(), &spec);
    LEAT_TRY(const auto entries, state_->disk.list(state_->path));
    // With a cold cache each of them waits for the disk, which can do many at a time.
    std::vector<std::optional<Result<std::optional<Uuid>>>> ids(entries.size());
    rt::run_beside(entries.size(), threads, [&](std::size_t i) {
        if (entries[i].is_directory && by_name.contains(entries[i].name))
            ids[i].emplace(read_topic_id(state_->disk, state_->file(entries[i].name)));
    });
    std::vector<std::string> stray;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const rt::DirEntry& entry = entries[i];
        if (!entry.is_directory) continue;
        if (entry.name.ends_with(kDeletedEnding)) {
            LEAT_TRY_VOID(remove_tree(state_->disk, state_->file(entry.name)));
            continue;
        }
        const auto at = by_name.find(entry.name);
        if (at == by_name.end() && !is_partition_name(entry.name)) continue;
        if (at != by_name.end()) {
            Result<std::optional<Uuid>> id = *std::move(ids[i]);
            // Whose a folder with a damaged file is cannot be told: it stays, and is not opened.
            const bool is_unknown = !id && id.error().code() == Errc::kDataDirFormat;
            if (!id && !is_unknown) return std::move(id).error();
            if (is_unknown || !*id || **id == at->second->id.topic) {
                by_name.erase(at);
                continue;
            }
        }
        LEAT_TRY(std::string renamed, state_->put_aside(entry.name));
        stray.push_back(std::move(renamed));
    }
    if (!stray.empty()) LEAT_TRY_VOID(state_->disk.sync_directory(state_->path));
    for (const auto& [name, spec] : by_name)
        if (const auto mark = marks().mark(spec->id); mark && mark->value > 0)
            kLog.error("folder of a partition is missing",
                       {{"partition", name}, {"records_up_to", mark->value}});
    return stray;
}

Result<void> DataDirectory::mark_clean() {
    if (state_->health.is_failed()) return Error{Errc::kOffline, state_->health.reason()};
    LEAT_TRY_VOID(state_->marks->write_now());
    // What a run before this one wrote and recovery had no reason to sync must not be in doubt at
    // a start that trusts everything.
    LEAT_TRY_VOID(state_->disk.sync_file_system(state_->path));
    // The bytes that Kafka writes there.
    constexpr std::string_view kText = R"({"version":0,"brokerEpoch":-1})";
    return rt::replace_file(state_->disk, state_->file(kCleanName),
                            std::as_bytes(std::span{kText}));
}

void DataDirectory::logs_are_opened() noexcept {
    state_->are_logs_opened = true;
}

Result<void> DataDirectory::leave_as_found() {
    // Folders that reconcile() renamed or removed are nobody's logs, and mark_clean() has that on
    // disk before the mark.
    const bool was_well = state_->was_clean || state_->is_new;
    if (state_->are_logs_opened || !was_well) return {};
    return mark_clean();
}

}  // namespace leat::storage
