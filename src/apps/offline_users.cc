// SPDX-License-Identifier: Apache-2.0
#include "apps/offline_users.h"

#include <bit>
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

}  // namespace

Result<void> put_offline_user(const std::string& directory, const OfflineUser& user) {
    rt::PosixDisk disk;
    LEAT_TRY(const std::int32_t node, node_of(disk, directory));
    LEAT_TRY(const std::unique_ptr<storage::DataDirectory> opened,
             storage::DataDirectory::open(disk, directory, node));
    const bool was_clean = opened->was_clean() || opened->is_new();
    LEAT_TRY(
        const std::unique_ptr<metadata::MetadataStore> store,
        metadata::open_sqlite_store(disk, opened->path() + "/metadata.db", fresh_cluster_id()));
    LEAT_TRY(const metadata::State state, store->load());
    LEAT_TRY_VOID(opened->bind_cluster(state.cluster_id));
    std::vector<metadata::Delta> deltas;
    deltas.reserve(user.mechanisms.size());
    for (const auth::ScramMechanism mechanism : user.mechanisms)
        deltas.emplace_back(metadata::ScramChanged{
            user.name, mechanism,
            std::make_shared<const auth::ScramCredential>(auth::make_credential(
                mechanism, user.password, auth::random_bytes(auth::kScramSaltBytes),
                user.iterations))});
    if (user.is_super)
        deltas.emplace_back(
            metadata::SuperUserChanged{auth::Principal::user(user.name).text(), true});
    LEAT_TRY_VOID(store->commit(deltas));
    // Nothing of the logs was touched: the next start is as clean as this one was.
    if (was_clean) return opened->mark_clean();
    return {};
}

}  // namespace leat::apps
