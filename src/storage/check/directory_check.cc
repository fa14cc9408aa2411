// SPDX-License-Identifier: Apache-2.0
#include "storage/check/directory_check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "storage/data_directory.h"
#include "storage/folder_files.h"
#include "storage/segment_files.h"

namespace leat::storage {
namespace {

constexpr std::int64_t kMarksFileMax = std::int64_t{1} << 30U;
constexpr std::string_view kMarksPrefix = "durable-marks.";
constexpr std::string_view kKnownFiles[] = {".lock",
                                            ".kafka_cleanshutdown",
                                            "meta.properties",
                                            "metadata.db",
                                            "metadata.db-wal",
                                            "metadata.db-shm",
                                            "metadata.db-journal",
                                            "durable-marks.0",
                                            "durable-marks.1",
                                            "lost+found"};

std::string text_of(const Error& error) {
    return std::string{error.detail().empty() ? info(error.code()).name : error.detail()};
}

class DirectoryReader {
  public:
    DirectoryReader(rt::Disk& disk, const std::string& directory, Findings& findings)
        : disk_(disk), directory_(directory), findings_(findings) {}

    Result<DirectoryFacts> run() {
        LEAT_TRY(const auto entries, disk_.list(directory_));
        for (const rt::DirEntry& entry : entries) sort_in(entry);
        read_meta();
        if (!facts_.clean && facts_.is_ours)
            add(FindingKind::kNotStopped, directory_, "no .kafka_cleanshutdown is there");
        read_marks();
        return std::move(facts_);
    }

  private:
    void add(FindingKind kind, std::string file, std::string what) {
        findings_.add({.kind = kind,
                       .file = std::move(file),
                       .at = std::nullopt,
                       .offset = std::nullopt,
                       .what = std::move(what)});
    }
    [[nodiscard]] std::string path(std::string_view name) const {
        return directory_ + "/" + std::string{name};
    }

    void sort_in(const rt::DirEntry& entry) {
        const std::string_view name = entry.name;
        if (name == ".kafka_cleanshutdown") facts_.clean = true;
        if (name.starts_with(kMarksPrefix)) has_marks_ = true;
        if (!entry.is_directory) {
            const bool is_known = std::ranges::find(kKnownFiles, name) != std::end(kKnownFiles);
            if (is_known) return;
            add(name.ends_with(".tmp") ? FindingKind::kFileUnfinished : FindingKind::kFileUnknown,
                path(name), entry.name);
        } else if (name.ends_with(kDeletedEnding)) {
            add(FindingKind::kFolderDeleted, path(name), entry.name);
        } else if (name.ends_with(kStrayEnding)) {
            add(FindingKind::kFolderStray, path(name), entry.name);
        } else if (is_partition_folder(name)) {
            facts_.folders.push_back(entry.name);
        } else if (name != "lost+found") {
            add(FindingKind::kFileUnknown, path(name), "is no partition's folder");
        }
    }

    void read_meta() {
        auto meta = read_directory_meta(disk_, directory_);
        if (meta) {
            facts_.is_ours = true;
            facts_.cluster_id = meta->cluster_id;
            return;
        }
        const Errc code = meta.error().code();
        const bool is_told = code == Errc::kDataDirFormat || code == Errc::kNotFound;
        add(is_told ? FindingKind::kDirectoryFormat : FindingKind::kUnreadable,
            path("meta.properties"), text_of(meta.error()));
    }

    void read_marks() {
        std::optional<MarkFile> best;
        bool is_unread = false;
        for (const std::string_view number : {"0", "1"}) {
            const std::string file = path(std::string{kMarksPrefix} + std::string{number});
            const auto exists = disk_.exists(file);
            if (!exists || !*exists) continue;
            const auto bytes = rt::read_file(disk_, file, kMarksFileMax);
            if (!bytes) {
                add(FindingKind::kUnreadable, file, text_of(bytes.error()));
                is_unread = true;
                continue;
            }
            if (bytes->empty()) continue;  // Made, and never filled.
            auto read = decode_marks(*bytes);
            if (!read) {
                add(FindingKind::kMarksDamaged, file, text_of(read.error()));
                continue;
            }
            if (!best || read->generation > best->generation) best = *std::move(read);
        }
        if (best) facts_.marks = std::move(best->marks);
        if (!best && !is_unread && facts_.is_ours && !facts_.folders.empty())
            add(FindingKind::kMarksDamaged, path("durable-marks.0"),
                has_marks_ ? "no whole table of marks is left" : "there are no durable marks");
    }

    rt::Disk& disk_;
    const std::string& directory_;
    Findings& findings_;
    DirectoryFacts facts_;
    bool has_marks_ = false;
};

/// The topic and number in a folder's name.
std::pair<std::string_view, std::int32_t> parts_of(std::string_view folder) {
    const auto dash = folder.rfind('-');
    std::int32_t index = -1;
    std::from_chars(folder.data() + dash + 1, folder.data() + folder.size(), index);
    return {folder.substr(0, dash), index};
}

}  // namespace

bool is_partition_folder(std::string_view name) {
    const auto dash = name.rfind('-');
    if (dash == std::string_view::npos || dash == 0) return false;
    const std::string_view digits = name.substr(dash + 1);
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<DirectoryFacts> read_directory(rt::Disk& disk, const std::string& directory,
                                      Findings& findings) {
    return DirectoryReader{disk, directory, findings}.run();
}

void check_folders(const std::string& directory, const DirectoryFacts& facts,
                   const std::vector<KnownTopic>& known, Findings& findings) {
    const auto add = [&](FindingKind kind, std::string_view name, std::string what) {
        findings.add({.kind = kind,
                      .file = directory + "/" + std::string{name},
                      .at = std::nullopt,
                      .offset = std::nullopt,
                      .what = std::move(what)});
    };
    MarkTable marks = facts.marks.value_or(MarkTable{});
    std::vector<std::string> folders = facts.folders;
    std::ranges::sort(folders);
    std::vector<std::string> expected;
    for (const KnownTopic& topic : known) {
        for (std::int32_t i = 0; i < topic.partition_count; ++i) {
            std::string name = topic.name + "-" + std::to_string(i);
            const auto mark = marks.find(PartitionId{.topic = topic.id, .index = i});
            const Offset durable = mark == marks.end() ? Offset{0} : mark->second;
            if (mark != marks.end()) marks.erase(mark);
            if (durable.value > 0 && !std::ranges::binary_search(folders, name))
                add(FindingKind::kFolderMissing, name,
                    "it had durable records up to offset " + std::to_string(durable.value));
            expected.push_back(std::move(name));
        }
    }
    std::ranges::sort(expected);
    for (const std::string& name : folders)
        if (!std::ranges::binary_search(expected, name))
            add(FindingKind::kFolderUnknown, name, "no topic of the metadata has this partition");
    for (const auto& [id, offset] : marks)
        add(FindingKind::kMarksUnknown, "",
            "topic id " + id.topic.text() + ", partition " + std::to_string(id.index) +
                ": durable up to offset " + std::to_string(offset.value));
}

bool concerns(const Finding& finding, std::span<const std::string> partitions) {
    using enum FindingKind;
    constexpr FindingKind kBeside[] = {kMarksUnknown, kFileUnknown, kFileUnfinished};
    constexpr FindingKind kOfFolders[] = {kFolderMissing, kFolderUnknown, kFolderStray,
                                          kFolderDeleted};
    if (std::ranges::find(kBeside, finding.kind) != std::end(kBeside)) return false;
    if (std::ranges::find(kOfFolders, finding.kind) == std::end(kOfFolders)) return true;
    const std::string_view name =
        std::string_view{finding.file}.substr(finding.file.rfind('/') + 1);
    return std::ranges::any_of(partitions, [name](const std::string& partition) {
        if (!name.starts_with(partition)) return false;
        const std::string_view rest = name.substr(partition.size());
        return rest.empty() || rest.starts_with('.') || rest == kStrayEnding;
    });
}

PartitionFacts facts_of(const DirectoryFacts& facts, std::string_view name,
                        const std::vector<KnownTopic>* known) {
    PartitionFacts out;
    out.clean = facts.clean;
    out.is_ours = facts.is_ours;
    if (known == nullptr) return out;
    const auto [topic, index] = parts_of(name);
    const auto at = std::ranges::lower_bound(*known, topic, {}, &KnownTopic::name);
    if (at == known->end() || at->name != topic) return out;
    out.topic_id = at->id;
    if (!facts.marks) return out;
    const auto mark = facts.marks->find(PartitionId{.topic = at->id, .index = index});
    // One that a whole table does not have was never synced.
    out.mark = mark == facts.marks->end() ? Offset{0} : mark->second;
    return out;
}

std::int64_t log_bytes(rt::Disk& disk, const std::string& directory,
                       const std::vector<std::string>& folders) {
    std::int64_t total = 0;
    const std::string root = directory + "/";
    for (const std::string& folder : folders) {
        const std::string path = root + folder;
        const auto entries = disk.list(path);
        if (!entries) continue;
        const std::string inside = path + "/";
        for (const rt::DirEntry& entry : *entries) {
            const auto name = parse_file_name(entry.name);
            if (!name || name->kind != FileKind::kLog || name->stage != FileStage::kPlain) continue;
            const auto file = disk.open(inside + entry.name, rt::OpenMode::kRead);
            if (!file) continue;
            const auto size = (*file)->size();
            if (size) total += *size;
        }
    }
    return total;
}

}  // namespace leat::storage
