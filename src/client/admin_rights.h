// SPDX-License-Identifier: Apache-2.0
//
// Administration of access rules and quotas. Layer: client (L3), on wire.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "auth/acl.h"
#include "auth/quota.h"
#include "base/result.h"
#include "client/admin.h"

namespace leat::client {

// Errors of all: those of the connection, and what the broker says about the whole request.

Result<std::vector<auth::Acl>> list_acls(Admin& admin, const auth::AclFilter& filter);
/// One outcome for each rule, in order.
Result<std::vector<Outcome>> create_acls(Admin& admin, std::span<const auth::Acl> acls);
/// The rules that went away.
Result<std::vector<auth::Acl>> delete_acls(Admin& admin, std::span<const auth::AclFilter> filters);

struct QuotaEntry {
    auth::QuotaEntity entity;
    auth::QuotaValues values;
};
struct QuotaChange {
    std::string name;
    std::optional<double> value;  ///< None: no limit of this name any more.
};

/// All entities that have the types of `entity` with these names.
Result<std::vector<QuotaEntry>> list_quotas(Admin& admin, const auth::QuotaEntity& entity);
Result<Outcome> alter_quotas(Admin& admin, const auth::QuotaEntity& entity,
                             std::span<const QuotaChange> changes, bool validate_only);

}  // namespace leat::client
