// SPDX-License-Identifier: Apache-2.0
#include "streams/stored_rows.h"

#include <limits>
#include <set>
#include <string>

#include "leat/streams/detail/store.h"

namespace leat::streams::detail {

namespace {

constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

StoredRow row_of(std::string_view key, const VersionedStore::Version& version) {
    return {.key = std::string{key},
            .value = version.value,
            .start = version.from,
            .end = version.to == VersionedStore::kNever ? -1 : version.to};
}

/// By key, as they are found one by one: that leaves out what is over, which a look over all
/// sessions may still see.
Result<void> add_sessions(const SessionStore& store, std::vector<StoredRow>& out) {
    std::set<std::string> keys;
    LEAT_TRY_VOID(store.find_ended(0, kEver, [&](std::string_view key, Window, std::string_view) {
        keys.emplace(key);
        return true;
    }));
    for (const std::string& key : keys) {
        LEAT_TRY_VOID(store.find(key, 0, kEver, [&](Window session, std::string_view value) {
            out.push_back({.key = key,
                           .value = std::string{value},
                           .start = session.start,
                           .end = session.end});
            return true;
        }));
    }
    return {};
}

}  // namespace

Result<std::vector<StoredRow>> stored_rows(const StateStore& store) {
    std::vector<StoredRow> out;
    Result<void> done;
    if (const auto* rows = dynamic_cast<const KeyValueStore*>(&store)) {
        done = rows->all([&out](std::string_view key, const Entry& entry) {
            out.push_back(
                {.key = std::string{key}, .value = entry.value, .timestamp = entry.timestamp});
            return true;
        });
    } else if (const auto* lists = dynamic_cast<const ListStore*>(&store)) {
        done = lists->all([&out](std::string_view key, std::string_view value) {
            out.push_back({.key = std::string{key}, .value = std::string{value}});
            return true;
        });
    } else if (const auto* windows = dynamic_cast<const WindowStore*>(&store)) {
        done = windows->fetch_all(
            0, kEver, [&out](std::string_view key, std::int64_t start, const Entry& entry) {
                out.push_back({.key = std::string{key},
                               .value = entry.value,
                               .start = start,
                               .timestamp = entry.timestamp});
                return true;
            });
    } else if (const auto* sessions = dynamic_cast<const SessionStore*>(&store)) {
        done = add_sessions(*sessions, out);
    } else if (const auto* versions = dynamic_cast<const VersionedStore*>(&store)) {
        done = versions->all([&out](std::string_view key, const VersionedStore::Version& version) {
            out.push_back(row_of(key, version));
            return true;
        });
    }
    if (!done) return std::move(done).error();
    return out;
}

Result<std::optional<StoredRow>> stored_version(const StateStore& store, std::string_view key,
                                                std::int64_t at) {
    const auto* versions = dynamic_cast<const VersionedStore*>(&store);
    if (versions == nullptr)
        return Error{Errc::kInvalidRequest, store.name() + " is not a versioned store"};
    VersionedStore::Version version;
    LEAT_TRY(const bool found, versions->get(key, at, version));
    if (!found) return std::optional<StoredRow>{};
    return std::optional{row_of(key, version)};
}

}  // namespace leat::streams::detail
