// SPDX-License-Identifier: Apache-2.0
#include "apps/offline_users.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "auth/digest.h"
#include "auth/principal.h"
#include "base/uuid.h"
#include "metadata/store.h"
#include "rt/posix_disk.h"
#include "storage/data_directory.h"

namespace leat::apps {
namespace {

constexpr std::int32_t kFirstNode = 1;

std::string fresh_cluster_id() {
    for (;;) {
        const std::string random = auth::random_bytes(16);
        Uuid id;
        for (std::size_t i = 0; i < id.bytes.size(); ++i)
            id.bytes[i] = static_cast<std::uint8_t>(random[i]);
        if (id.is_usable()) return id.text();
    }
}

Result<std::int32_t> node_of(rt::Disk& disk, const std::string& directory) {
    auto meta = storage::read_directory_meta(disk, directory);
    if (meta.has_value()) return meta->node_id;
    if (meta.error().code() == Errc::kNotFound) return kFirstNode;
    return std::move(meta).error();
}

/// A data directory that this process holds alone for a while.
struct Opened {
    rt::PosixDisk disk;
    std::unique_ptr<storage::DataDirectory> directory;
    std::unique_ptr<metadata::MetadataStore> store;
    metadata::State state;

    Result<void> open(const std::string& path) {
        LEAT_TRY(const std::int32_t node, node_of(disk, path));
        LEAT_TRY(directory, storage::DataDirectory::open(disk, path, node));
        LEAT_TRY_VOID(directory->check_has_store());
        LEAT_TRY(store, metadata::open_sqlite_store(disk, directory->path() + "/metadata.db",
                                                    fresh_cluster_id()));
        LEAT_TRY(state, store->load());
        return directory->bind_cluster(state.cluster_id);
    }
};

Result<bool> put(Opened& opened, const OfflineUser& user) {
    std::vector<metadata::Delta> deltas;
    deltas.reserve(user.mechanisms.size() + 1);
    for (const auth::ScramMechanism mechanism : user.mechanisms)
        deltas.emplace_back(metadata::ScramChanged{
            user.name, mechanism,
            std::make_shared<const auth::ScramCredential>(auth::make_credential(
                mechanism, user.password, auth::random_bytes(auth::kScramSaltBytes),
                user.iterations))});
    const std::string principal = auth::Principal::user(user.name).text();
    if (user.is_super) deltas.emplace_back(metadata::SuperUserChanged{principal, true});
    LEAT_TRY_VOID(opened.store->commit(deltas));
    return user.is_super || opened.state.credentials.supers().contains(principal);
}

Result<void> remove(Opened& opened, const std::string& name,
                    std::span<const auth::ScramMechanism> mechanisms) {
    const metadata::Credentials& known = opened.state.credentials;
    std::vector<metadata::Delta> deltas;
    std::size_t left = 0;
    if (const auto* of_user = known.find_user(name); of_user != nullptr) {
        for (const auto& [mechanism, credential] : *of_user) {
            const bool is_meant =
                mechanisms.empty() || std::ranges::find(mechanisms, mechanism) != mechanisms.end();
            if (is_meant)
                deltas.emplace_back(metadata::ScramChanged{name, mechanism, nullptr});
            else
                ++left;
        }
    }
    const std::string principal = auth::Principal::user(name).text();
    if (left == 0 && known.supers().contains(principal))
        deltas.emplace_back(metadata::SuperUserChanged{principal, false});
    if (deltas.empty())
        return Error{Errc::kResourceNotFound,
                     "Attempt to delete a user credential that does not exist"};
    return opened.store->commit(deltas);
}

/// Leaves the directory as it was found also after a failure, which is the one that is told.
template <class Work>
auto in_directory(const std::string& path, bool is_made, const Work& work)
    -> decltype(work(std::declval<Opened&>())) {
    Opened opened;
    if (!is_made) LEAT_TRY_VOID(storage::read_directory_meta(opened.disk, path));
    Result<void> ready = opened.open(path);
    auto result =
        ready.has_value() ? work(opened) : decltype(work(opened)){std::move(ready).error()};
    if (opened.directory == nullptr) return result;
    Result<void> done = opened.directory->leave_as_found();
    if (result.has_value() && !done.has_value()) return std::move(done).error();
    return result;
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the detail goes with the Error.

}  // namespace

Result<bool> put_offline_user(const std::string& directory, const OfflineUser& user) {
    return in_directory(directory, true, [&](Opened& opened) { return put(opened, user); });
}

Result<metadata::Credentials> offline_credentials(const std::string& directory) {
    return in_directory(directory, false, [](Opened& opened) -> Result<metadata::Credentials> {
        return std::move(opened.state.credentials);
    });
}

Result<void> remove_offline_user(const std::string& directory, const std::string& name,
                                 std::span<const auth::ScramMechanism> mechanisms) {
    return in_directory(directory, false,
                        [&](Opened& opened) { return remove(opened, name, mechanisms); });
}

}  // namespace leat::apps
