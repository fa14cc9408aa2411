// SPDX-License-Identifier: Apache-2.0
//
// As whom this process may commit, and when. While it joins, its generation may end at any moment,
// so nobody commits then; work goes on. Layer: streams (L6).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "client/group_member.h"

namespace leat::streams {

/// Threading: thread-safe.
class GroupGate {
    struct Leaver {
        void operator()(GroupGate* gate) const { gate->leave(); }
    };
    struct Opener {
        void operator()(GroupGate* gate) const { gate->open(); }
    };

  public:
    /// As long as it lives, the identity is good unless the coordinator took it away.
    struct Pass {
        std::unique_ptr<GroupGate, Leaver> hold;
        client::GroupIdentity identity;
    };
    using Closed = std::unique_ptr<GroupGate, Opener>;

    /// Nothing while the process joins, or is no member.
    [[nodiscard]] std::optional<Pass> try_enter() {
        const std::lock_guard lock{mutex_};
        if (closed_ || identity_.generation < 0) return std::nullopt;
        ++inside_;
        return Pass{std::unique_ptr<GroupGate, Leaver>{this}, identity_};
    }
    /// Lets nobody in any more and waits for commits that are under way. One at a time.
    [[nodiscard]] Closed close() {
        std::unique_lock lock{mutex_};
        closed_ = true;
        changed_.wait(lock, [&] { return inside_ == 0; });
        return Closed{this};
    }
    /// Precondition: the caller has closed the gate.
    void set_identity(client::GroupIdentity identity) {
        const std::lock_guard lock{mutex_};
        identity_ = std::move(identity);
    }

    /// Nobody joins any more: whoever cannot commit now never will.
    void end() {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        ++turn_;
        changed_.notify_all();
    }
    [[nodiscard]] bool is_ended() const {
        const std::lock_guard lock{mutex_};
        return ended_;
    }
    /// Something that a waiting committer should look at.
    void nudge() {
        const std::lock_guard lock{mutex_};
        ++turn_;
        changed_.notify_all();
    }
    /// Changes when the gate opens, ends, or is nudged.
    [[nodiscard]] std::uint64_t turn() const {
        const std::lock_guard lock{mutex_};
        return turn_;
    }
    /// Until turn() is not `seen` any more.
    void wait(std::uint64_t seen, std::chrono::milliseconds at_most) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, at_most, [&] { return turn_ != seen; });
    }

  private:
    void leave() {
        const std::lock_guard lock{mutex_};
        --inside_;
        changed_.notify_all();
    }
    void open() {
        const std::lock_guard lock{mutex_};
        closed_ = false;
        ++turn_;
        changed_.notify_all();
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    client::GroupIdentity identity_;
    std::size_t inside_ = 0;
    std::uint64_t turn_ = 0;
    bool closed_ = false;
    bool ended_ = false;
};

}  // namespace leat::streams
