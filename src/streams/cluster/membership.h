// SPDX-License-Identifier: Apache-2.0
//
// This process as a member of its application's group: joins, gives signs of life, leads when it is
// chosen, and tells the board what to run. Layer: streams (L6).
// Spec:  Kafka's classic group protocol with an assignment strategy of our own, cooperative as in
//        KIP-429: tasks that stay are not stopped by a rebalance.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_member.h"
#include "rt/clock.h"
#include "streams/cluster/group_data.h"
#include "streams/cluster/group_gate.h"
#include "streams/cluster/group_leader.h"
#include "streams/cluster/layout.h"
#include "streams/cluster/task_board.h"
#include "streams/cluster/thread_watch.h"
#include "streams/settings.h"
#include "streams/state/state_home.h"

namespace leat::streams {

struct MembershipEvents {
    std::function<void()> on_rebalance;  ///< A rebalance begins.
    std::function<void()> on_assigned;   ///< The board has the group's word.
    /// The group cannot go on. True: tried again, later; otherwise run() returns.
    std::function<bool(const Error&)> on_failure;
    std::function<void()> on_shutdown;  ///< A member asked the application to end.
};

/// Threading: run() on a thread of its own, the rest thread-safe.
class Membership {
  public:
    struct Environment {
        const Settings* settings = nullptr;
        const detail::Parts* parts = nullptr;
        const Layout* layout = nullptr;
        TaskBoard* board = nullptr;
        GroupGate* gate = nullptr;
        ThreadWatch* watch = nullptr;
        const rt::Clock* clock = nullptr;
        std::string process;                ///< UUID.
        std::vector<std::byte> topology{};  ///< Packed, for tools; may be empty.
        detail::StateHome* states = nullptr;
    };
    Membership(Environment environment, MembershipEvents events);

    /// Until stop(). Leaves the group at its end if asked to.
    void run();
    void stop(bool leave);
    /// Something changed that the group or the loop should know.
    void wake();
    /// True: the group is left, since no thread is there, until this is called with false.
    void rest(bool rests);
    /// Tells all members to end. A stop() that follows waits until they have been told, at most
    /// session.timeout.ms.
    void shut_down_application();
    /// Who has what, by endpoint, and how many tasks there are, as the group was last told.
    struct View {
        std::map<std::string, TaskShare> others;
        std::vector<std::int32_t> task_counts;
    };
    [[nodiscard]] View view() const;

  private:
    enum class Step : std::uint8_t { kGoOn, kJoin, kEnd };
    Result<void> connect();
    Step join();
    /// Adds how far state on disk that no task uses is behind.
    void add_idle_lags(MemberState& state);
    Result<MemberOrders> join_once(std::vector<client::TopicPartition>& partitions);
    Step heart_beat();
    Step obey(const MemberOrders& orders, const std::vector<client::TopicPartition>& partitions);
    [[nodiscard]] bool wants_to_join();
    /// Tasks of threads that do not get on go to others, until they do. True: some do not, or do
    /// again.
    bool look_after_threads();
    [[nodiscard]] bool must_rest() const;
    /// No member, as long as it must rest.
    Step rest();
    /// Stays a member until the threads have committed.
    void wait_for_stop();
    Step fail(const Error& why);
    Step not_connected(const Error& why);
    [[nodiscard]] bool is_stopping();
    [[nodiscard]] bool goes_on_to_tell() const;
    /// Until then, or until wake() or stop() is called.
    void pause(milliseconds time);
    /// The same whatever wakes it but stop().
    void wait_out(milliseconds time);
    void lose();
    [[nodiscard]] bool is_foreign(const MemberOrders& orders) const;

    Environment environment_;
    MembershipEvents events_;
    std::unique_ptr<client::GroupMember> member_;
    std::unique_ptr<client::Admin> admin_;
    std::int64_t shape_;
    GroupLeader leader_;
    bool must_rejoin_ = false;  ///< As soon as the board has let go of what it must.
    std::optional<Instant> probe_at_;
    std::set<std::string> read_;  ///< Topics of the last assignment.
    std::atomic<bool> wants_shutdown_ = false;
    std::atomic<bool> rests_ = false;
    bool has_stuck_ = false;  ///< Some thread does not get on.

    mutable std::mutex mutex_;
    View view_;
    std::condition_variable changed_;
    bool stopping_ = false;
    Instant tell_until_{};
    bool leaves_;
    bool woken_ = false;
};

}  // namespace leat::streams
