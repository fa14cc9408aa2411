// SPDX-License-Identifier: Apache-2.0
//
// As whom this process may commit, and when. While it joins, its generation may end at any moment,
// so nobody commits then; work goes on. Layer: streams (L6).
#pragma once

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "client/group_member.h"

namespace leat::streams {

/// Threading: thread-safe.
class GroupGate {
  public:
    /// As long as it lives, the identity is good unless the coordinator took it away.
    struct Pass {
        std::shared_lock<std::shared_mutex> lock;
        client::GroupIdentity identity;
    };
    /// Nothing while the process joins, or is no member.
    [[nodiscard]] std::optional<Pass> try_enter() {
        std::shared_lock lock{mutex_, std::try_to_lock};
        if (!lock.owns_lock() || identity_.generation < 0) return std::nullopt;
        return Pass{std::move(lock), identity_};
    }
    /// Waits for commits that are under way.
    [[nodiscard]] std::unique_lock<std::shared_mutex> close() { return std::unique_lock{mutex_}; }
    /// Precondition: the caller has closed the gate.
    void set_identity(client::GroupIdentity identity) { identity_ = std::move(identity); }

  private:
    std::shared_mutex mutex_;
    client::GroupIdentity identity_;
};

}  // namespace leat::streams
