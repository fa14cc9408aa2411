// SPDX-License-Identifier: Apache-2.0
#include "storage/folder_files.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "codec/crc32c.h"

namespace leat::storage {
namespace {

constexpr std::string_view kSnapshotEnding = ".snapshot";
constexpr std::string_view kWindowEnding = ".window";
constexpr std::size_t kDigits = 20;
constexpr std::int64_t kTextBytesMax = std::int64_t{64} * 1024;

std::string log_start_path(const std::string& folder) {
    return folder + "/log-start-offset-checkpoint";
}

/// Over the line before: one bit of an offset that is too high would cost the whole log.
std::string sum_line(std::string_view line) {
    return "crc32c " + std::to_string(codec::crc32c(std::as_bytes(std::span{line}))) + "\n";
}

std::string cleaned_path(const std::string& folder) {
    return folder + "/cleaner-offset";
}

template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::string topic_id_text(const Uuid& id) {
    return "version: 0\ntopic_id: " + id.text() + "\n";
}

/// A new folder's file as a crash, or a full disk, leaves it before it is synced.
bool is_cut_short(std::string_view text) {
    const std::string whole = topic_id_text(Uuid{});
    const std::string_view head = std::string_view{whole}.substr(0, whole.rfind(' ') + 1);
    if (text.find_first_not_of('\0') == std::string_view::npos) return true;
    if (text.size() + 1 >= whole.size()) return false;
    // Of the id any part, but no end of line: that came after the whole of it.
    return head.starts_with(text) ||
           (text.starts_with(head) && text.find('\n', head.size()) == std::string_view::npos);
}

/// Splits off what stands before the next `separator`.
std::string_view cut(std::string_view& text, char separator) {
    const auto at = std::min(text.find(separator), text.size());
    const std::string_view head = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return head;
}

Result<void> remove_if_there(rt::Disk& disk, const std::string& path) {
    auto removed = disk.remove_file(path);
    if (!removed && removed.error().code() == Errc::kNotFound) return {};
    return removed;
}

Result<void> replace_text(rt::Disk& disk, const std::string& path, std::string_view text) {
    return rt::replace_file(disk, path, std::as_bytes(std::span{text}));
}

}  // namespace

std::string snapshot_path(const std::string& folder, Offset at, std::string_view ending) {
    std::string digits = std::to_string(at.value);
    digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
    return folder + "/" + digits + std::string{ending};
}

Result<std::vector<Offset>> list_snapshots(rt::Disk& disk, const std::string& folder) {
    LEAT_TRY(const auto entries, disk.list(folder));
    std::vector<Offset> out;
    for (const rt::DirEntry& entry : entries) {
        std::string_view name = entry.name;
        if (!name.ends_with(kSnapshotEnding)) continue;
        name.remove_suffix(kSnapshotEnding.size());
        if (const auto at = number<std::int64_t>(name); at && name.size() == kDigits && *at >= 0)
            out.push_back(Offset{*at});
    }
    std::ranges::sort(out);
    return out;
}

Result<void> remove_snapshot(rt::Disk& disk, const std::string& folder, Offset at) {
    LEAT_TRY_VOID(remove_if_there(disk, snapshot_path(folder, at, kSnapshotEnding)));
    return remove_if_there(disk, snapshot_path(folder, at, kWindowEnding));
}

Result<std::optional<std::string>> read_text(rt::Disk& disk, const std::string& path) {
    const auto bytes = rt::read_file(disk, path, kTextBytesMax);
    if (!bytes && bytes.error().code() == Errc::kNotFound) return std::optional<std::string>{};
    if (!bytes) return Error{bytes.error().code(), bytes.error().detail()};
    return std::optional{std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()}};
}

Result<Offset> read_log_start(rt::Disk& disk, const std::string& folder) {
    LEAT_TRY(const auto text, read_text(disk, log_start_path(folder)));
    if (!text) return Offset{0};
    std::string_view rest = *text;
    const bool is_known = cut(rest, '\n') == "0" && cut(rest, '\n') == "1";
    const std::string_view line = cut(rest, '\n');
    const auto offset =
        number<std::int64_t>(line.substr(std::min(line.rfind(' ') + 1, line.size())));
    // Older versions wrote none.
    const bool is_whole = rest.empty() || rest == sum_line(line);
    if (!is_known || !is_whole || !offset || *offset < 0)
        return Error{Errc::kMalformed, log_start_path(folder) + " cannot be read"};
    return Offset{*offset};
}

Result<void> write_log_start(rt::Disk& disk, const std::string& folder, const PartitionSpec& spec,
                             Offset offset) {
    const std::string line =
        spec.topic + " " + std::to_string(spec.id.index) + " " + std::to_string(offset.value);
    return replace_text(disk, log_start_path(folder), "0\n1\n" + line + "\n" + sum_line(line));
}

Result<std::optional<Uuid>> read_topic_id(rt::Disk& disk, const std::string& folder) {
    const std::string path = folder + "/partition.metadata";
    LEAT_TRY(const auto text, read_text(disk, path));
    if (!text || is_cut_short(*text)) return std::optional<Uuid>{};
    std::string_view rest = *text;
    constexpr std::string_view kIdKey = "topic_id: ";
    const bool is_known = cut(rest, '\n') == "version: 0";
    const std::string_view line = cut(rest, '\n');
    if (is_known && line.starts_with(kIdKey))
        if (const auto id = Uuid::parse(line.substr(kIdKey.size()))) return std::optional{*id};
    return Error{Errc::kDataDirFormat,
                 path + " is damaged; when the folder is this topic's, remove that file"};
}

Result<void> write_topic_id(rt::Disk& disk, const std::string& folder, const Uuid& id) {
    return replace_text(disk, folder + "/partition.metadata", topic_id_text(id));
}

Result<std::shared_ptr<rt::File>> write_new_topic_id(rt::Disk& disk, const std::string& folder,
                                                     const Uuid& id) {
    LEAT_TRY(auto file, disk.open(folder + "/partition.metadata", rt::OpenMode::kCreateNew));
    const std::string text = topic_id_text(id);
    const Bytes part = std::as_bytes(std::span{text});
    LEAT_TRY_VOID(file->write_at(FilePos{0}, {&part, 1}));
    return file;
}

Offset read_cleaned_to(rt::Disk& disk, const std::string& folder) {
    const auto text = read_text(disk, cleaned_path(folder));
    if (!text || !*text) return {0};
    std::string_view rest = **text;
    if (!rest.ends_with('\n')) return {0};  // The beginning of a number is another number.
    rest.remove_suffix(1);
    const auto offset = number<std::int64_t>(rest);
    return {offset && *offset >= 0 ? *offset : 0};
}

Result<void> write_cleaned_to(rt::Disk& disk, const std::string& folder, Offset offset) {
    return replace_text(disk, cleaned_path(folder), std::to_string(offset.value) + "\n");
}

std::string deleted_path(const std::string& folder, const PartitionId& id) {
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::size_t kNameMax = 255;
    std::string ending = ".";
    for (const std::uint8_t byte : id.topic.bytes) {
        ending += kHex[byte >> 4U];
        ending += kHex[byte & 15U];
    }
    // Ids tell topics apart, the number partitions: of the topic's name what there is room for.
    const auto name_at = folder.rfind('/') + 1;
    const auto dash = folder.rfind('-');
    ending.insert(0, folder.substr(dash));
    ending += kDeletedEnding;
    return folder.substr(0, std::min(dash, name_at + kNameMax - ending.size())) + ending;
}

Result<void> remove_tree(rt::Disk& disk, const std::string& folder) {
    auto entries = disk.list(folder);
    if (!entries) {
        if (entries.error().code() == Errc::kNotFound) return {};
        return std::move(entries).error();
    }
    for (const rt::DirEntry& entry : *entries) {
        const std::string path = folder + "/" + entry.name;
        LEAT_TRY_VOID(entry.is_directory ? remove_tree(disk, path) : disk.remove_file(path));
    }
    return disk.remove_directory(folder);
}

}  // namespace leat::storage
