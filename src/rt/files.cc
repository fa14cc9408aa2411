// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "rt/disk.h"

namespace leat::rt {

Result<std::vector<std::byte>> read_file(Disk& disk, const std::string& path,
                                         std::int64_t bytes_max) {
    LEAT_TRY(const std::shared_ptr<File> file, disk.open(path, OpenMode::kRead));
    LEAT_TRY(const std::int64_t size, file->size());
    if (size > bytes_max) return Error{Errc::kLimitExceeded, path + " is larger than expected"};
    std::vector<std::byte> content(static_cast<std::size_t>(size));
    LEAT_TRY(const std::size_t got, file->read_at(FilePos{0}, content));
    content.resize(got);
    return content;
}

Result<void> replace_file(Disk& disk, const std::string& path, Bytes content) {
    const std::string temporary = path + ".tmp";
    {
        LEAT_TRY(const std::shared_ptr<File> file, disk.open(temporary, OpenMode::kCreate));
        LEAT_TRY_VOID(file->truncate(FilePos{0}));
        LEAT_TRY_VOID(file->write_at(FilePos{0}, std::array{content}));
        LEAT_TRY_VOID(file->sync());
    }
    LEAT_TRY_VOID(disk.rename(temporary, path));
    const auto slash = path.rfind('/');
    return disk.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace leat::rt
