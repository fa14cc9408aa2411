// SPDX-License-Identifier: Apache-2.0
//
// Users in the data directory of a stopped server: the first administrator, and who else is above
// all rules. Layer: apps (L7).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "auth/scram.h"
#include "base/result.h"
#include "metadata/credentials.h"

namespace leat::apps {

struct OfflineUser {
    std::string name;
    std::string password;
    std::vector<auth::ScramMechanism> mechanisms;
    std::int32_t iterations = auth::kScramIterationsDefault;
    bool is_super = false;
};

/// Makes the directory when it is missing. Who is super stays so. Returns whether the user is.
/// Errors: kDataDirInUse: the server runs; those of the data directory and its store.
Result<bool> put_offline_user(const std::string& directory, const OfflineUser& user);

/// Errors: kNotFound: no data directory; those of put_offline_user().
Result<metadata::Credentials> offline_credentials(const std::string& directory);

/// The credentials for `mechanisms`, or all when there is none; who has no credential left is super
/// no more. Errors: kResourceNotFound: nothing to remove; those of offline_credentials().
Result<void> remove_offline_user(const std::string& directory, const std::string& name,
                                 std::span<const auth::ScramMechanism> mechanisms);

}  // namespace leat::apps
