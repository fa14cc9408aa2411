// SPDX-License-Identifier: Apache-2.0
//
// The table of rights: what the sender of each request must be allowed to do. Layer: broker (L6).
// Spec:  Kafka's "Authorization and ACLs", protocol table; compared with Kafka 4.3.1 by
//        tests/security.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "auth/acl.h"
#include "wire/api.h"

namespace leat::broker {

/// One right. A handler may ask for this and for nothing that no row of its API has.
/// Threading: immutable.
struct Need {
    auth::Operation operation = auth::Operation::kDescribe;
    auth::ResourceType type = auth::ResourceType::kCluster;
    std::string_view when = {};  ///< "" always; else what the request says then.
    /// What happens to one who has it not: this error, or what it filters out of the answer.
    std::string_view without = {};
    std::int16_t from = 0;  ///< Versions.
    std::int16_t to = std::numeric_limits<std::int16_t>::max();
};

/// One row. Threading: immutable.
struct Right {
    wire::ApiKey api{};
    Need need;
};

/// By API.
[[nodiscard]] std::span<const Right> rights() noexcept;

/// The rows of `key`; empty: everybody may send it.
[[nodiscard]] std::span<const Right> rights_of(wire::ApiKey key) noexcept;

/// Whether a row of `key` has this right.
[[nodiscard]] bool declares(wire::ApiKey key, auth::Operation operation,
                            auth::ResourceType type) noexcept;

/// docs/reference/rights.md; tests/security reads it.
[[nodiscard]] std::string rights_as_page();

}  // namespace leat::broker
