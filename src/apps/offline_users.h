// SPDX-License-Identifier: Apache-2.0
//
// Users in the data directory of a stopped server: the first administrator. Layer: apps (L7).
#pragma once

#include <string>
#include <vector>

#include "auth/scram.h"
#include "base/result.h"

namespace leat::apps {

struct OfflineUser {
    std::string name;
    std::string password;
    std::vector<auth::ScramMechanism> mechanisms;
    std::int32_t iterations = auth::kScramIterationsDefault;
    bool is_super = false;
};

/// Makes the directory when it is missing.
/// Errors: kDataDirInUse: the server runs; those of the data directory and its store.
Result<void> put_offline_user(const std::string& directory, const OfflineUser& user);

}  // namespace leat::apps
