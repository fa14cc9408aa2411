// SPDX-License-Identifier: Apache-2.0
#include "streams/state/state_directory.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/units.h"

namespace leat::streams::detail {

namespace {

constexpr std::string_view kLock = "/.lock";
constexpr std::string_view kLastUse = "/.last-used";
constexpr std::int64_t kLastUseBytesMax = 64;

Result<void> ensure_directory(rt::Disk& disk, const std::string& path) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
        if (auto made = disk.make_directory(path.substr(0, at));
            !made && made.error().code() != Errc::kAlreadyExists)
            return made;
    }
    if (auto made = disk.make_directory(path); !made && made.error().code() != Errc::kAlreadyExists)
        return made;
    return {};
}

bool names_a_folder(std::string_view name) {
    return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos &&
           name.find('\0') == std::string_view::npos;
}

/// "0_3", or "global".
bool is_task(std::string_view name) {
    if (name == "global") return true;
    const auto middle = name.find('_');
    const auto digits = [](std::string_view text) {
        return !text.empty() &&
               std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    };
    return middle != std::string_view::npos && digits(name.substr(0, middle)) &&
           digits(name.substr(middle + 1));
}

}  // namespace

StateDirectory::StateDirectory(rt::Disk& disk, std::string path, std::shared_ptr<void> lock)
    : disk_(disk), path_(std::move(path)), lock_(std::move(lock)) {}

Result<std::unique_ptr<StateDirectory>> StateDirectory::open(rt::Disk& disk,
                                                             const std::string& state_dir,
                                                             std::string_view application_id) {
    if (!names_a_folder(application_id))
        return Error{Errc::kInvalidSetting, "application.id '" + std::string{application_id} +
                                                "' cannot name a folder below state.dir"};
    std::string path = state_dir + "/" + std::string{application_id};
    LEAT_TRY_VOID(ensure_directory(disk, path));
    LEAT_TRY(auto lock, disk.lock_file(path + std::string{kLock}));
    return std::unique_ptr<StateDirectory>{new StateDirectory{
        // tidy: right here, private
        disk, std::move(path), std::move(lock)}};
}

Result<TaskDirectory> StateDirectory::task(std::string_view task, std::int64_t now_ms) {
    const std::string path = path_ + "/" + std::string{task};
    LEAT_TRY_VOID(ensure_directory(disk_, path));
    LEAT_TRY(auto lock, disk_.lock_file(path + std::string{kLock}));
    LEAT_TRY_VOID(note_use(path, now_ms));
    return TaskDirectory{path, std::move(lock)};
}

Result<std::vector<std::string>> StateDirectory::tasks() const {
    LEAT_TRY(const auto entries, disk_.list(path_));
    std::vector<std::string> out;
    for (const auto& entry : entries)
        if (entry.is_directory && is_task(entry.name)) out.push_back(entry.name);
    return out;
}

Result<std::vector<std::string>> StateDirectory::clean(std::int64_t now_ms, std::int64_t delay_ms) {
    LEAT_TRY(const auto all, tasks());
    std::vector<std::string> gone;
    for (const auto& task : all) {
        const std::string path = path_ + "/" + task;
        auto lock = disk_.lock_file(path + std::string{kLock});
        if (!lock && lock.error().code() == Errc::kDataDirInUse) {
            LEAT_TRY_VOID(note_use(path, now_ms));
            continue;
        }
        if (!lock) return std::move(lock).error();
        LEAT_TRY(const std::int64_t used, last_use(path));
        if (now_ms - used < delay_ms) continue;
        LEAT_TRY_VOID(remove_tree(disk_, path));
        gone.push_back(task);
    }
    return gone;
}

Result<void> StateDirectory::note_use(const std::string& task_path, std::int64_t now_ms) {
    const std::string text = std::to_string(now_ms);
    return rt::replace_file(disk_, task_path + std::string{kLastUse},
                            std::as_bytes(std::span{text}));
}

Result<std::int64_t> StateDirectory::last_use(const std::string& task_path) {
    auto bytes = rt::read_file(disk_, task_path + std::string{kLastUse}, kLastUseBytesMax);
    // Without a note the folder was not finished: it counts as never used.
    if (!bytes && bytes.error().code() == Errc::kNotFound) return 0;
    if (!bytes) return std::move(bytes).error();
    std::string text;
    for (const std::byte c : *bytes) text.push_back(static_cast<char>(c));
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

Result<void> remove_tree(rt::Disk& disk, const std::string& path) {
    LEAT_TRY(const auto entries, disk.list(path));
    for (const auto& entry : entries) {
        const std::string inner = path + "/" + entry.name;
        if (entry.is_directory) {
            LEAT_TRY_VOID(remove_tree(disk, inner));
        } else {
            LEAT_TRY_VOID(disk.remove_file(inner));
        }
    }
    return disk.remove_directory(path);
}

}  // namespace leat::streams::detail
