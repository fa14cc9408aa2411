// SPDX-License-Identifier: Apache-2.0
//
// The bounds of what members of the consumer protocol say of themselves. Layer: groups (L5).
#pragma once

#include <cstddef>

#include "base/result.h"
#include "groups/consumer_types.h"
#include "groups/host.h"

namespace leat::groups {

/// What is held of a group before a member says something.
struct SizesBefore {
    std::size_t all = 0;  ///< Of all its members, as bytes_of() has it.
    std::size_t own = 0;  ///< Of the member that speaks.
    bool is_known = false;
};

/// kNone, or the error when a member of `bytes` is too large for a bound: kPolicyViolation (its
/// own), kGroupMaxSizeReached, kCoordinatorNotAvailable (the node's).
[[nodiscard]] Errc check_bytes(GroupHost& host, std::size_t bytes, const SizesBefore& before);
/// As check_bytes() of what `request` says; the error is the one that its sender is told.
[[nodiscard]] Result<void> check_size(GroupHost& host, const ConsumerHeartbeat& request,
                                      const SizesBefore& before);

}  // namespace leat::groups
