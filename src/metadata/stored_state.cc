// SPDX-License-Identifier: Apache-2.0
#include "metadata/stored_state.h"

#include <algorithm>
#include <vector>

#include "metadata/store.h"

namespace leat::metadata {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

/// False: there is no such file.
Result<bool> copy_file(rt::Disk& disk, const std::string& from, const std::string& to) {
    auto source = disk.open(from, rt::OpenMode::kRead);
    if (!source && source.error().code() == Errc::kNotFound) return false;
    if (!source) return std::move(source).error();
    LEAT_TRY(const auto target, disk.open(to, rt::OpenMode::kCreateNew));
    std::vector<std::byte> buffer(kPiece);
    for (FilePos at{0};;) {
        LEAT_TRY(const std::size_t got, (*source)->read_at(at, buffer));
        if (got == 0) return true;
        const Bytes piece = Bytes{buffer}.first(got);
        LEAT_TRY_VOID(target->write_at(at, {&piece, 1}));
        at.value += static_cast<std::int64_t>(got);
    }
}

}  // namespace

Result<State> read_stored_state(rt::Disk& disk, const std::string& directory,
                                const std::string& scratch) {
    const std::string name = "/metadata.db";
    LEAT_TRY(const bool exists, copy_file(disk, directory + name, scratch + name));
    if (!exists) return Error{Errc::kNotFound, directory + name + " is missing"};
    for (const std::string ending : {"-wal", "-journal"})
        LEAT_TRY_VOID(copy_file(disk, directory + name + ending, scratch + name + ending));
    LEAT_TRY(const auto store, open_sqlite_store(disk, scratch + name, ""));
    return store->load();
}

}  // namespace leat::metadata
