// SPDX-License-Identifier: Apache-2.0
#include "streams/task_assignor.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace leat::streams {
namespace {

class Assignor {
  public:
    Assignor(const std::map<TaskId, bool>& tasks, const std::map<std::string, MemberState>& members,
             const AssignorOptions& options)
        : tasks_(tasks), members_(members), options_(options) {
        for (const auto& [id, member] : members_) {
            plan_.shares[id];
            for (const TaskId& task : member.active) owner_.emplace(task, id);
        }
    }

    Plan run() {
        // First what has state, so that each process gets its part of that.
        for (const bool stateful : {true, false}) {
            keep(stateful);
            place(stateful);
        }
        even_out();
        warm_up();
        place_standbys();
        withhold();
        return std::move(plan_);
    }

  private:
    using Id = const std::string*;

    [[nodiscard]] std::int64_t threads(const std::string& id) const {
        return std::max(members_.at(id).threads, 1);
    }
    [[nodiscard]] std::int64_t active_count(const std::string& id) const {
        return static_cast<std::int64_t>(plan_.shares.at(id).active.size());
    }
    /// Whether `b` with one task of `a` would still have fewer a thread than `a` had.
    [[nodiscard]] bool is_fuller(const std::string& a, const std::string& b) const {
        return active_count(a) * threads(b) > (active_count(b) + 1) * threads(a);
    }
    /// Of tasks with state, or of all.
    [[nodiscard]] std::int64_t quota(const std::string& id, bool stateful) const {
        std::int64_t all = 0;
        for (const auto& [other, member] : members_) all += threads(other);
        const std::int64_t count = std::ranges::count_if(
            tasks_, [&](const auto& task) { return task.second || !stateful; });
        return (count * threads(id) + all - 1) / all;
    }
    [[nodiscard]] std::optional<std::int64_t> lag(const std::string& id, const TaskId& task) const {
        const auto& lags = members_.at(id).lags;
        const auto found = lags.find(task);
        if (found == lags.end()) return std::nullopt;
        return found->second;
    }

    /// What fits stays with its owner; what nobody else could go on with at once comes first.
    void keep(bool stateful) {
        for (const bool movable : {false, true}) {
            for (const auto& [task, is_stateful] : tasks_) {
                const auto owner = owner_.find(task);
                if (is_stateful != stateful || owner == owner_.end() ||
                    active_count(owner->second) >= quota(owner->second, stateful) ||
                    is_movable(task, owner->second) != movable)
                    continue;
                plan_.shares.at(owner->second).active.insert(task);
                placed_.emplace(task, owner->second);
            }
        }
    }
    [[nodiscard]] bool is_movable(const TaskId& task, const std::string& owner) const {
        return std::ranges::any_of(members_, [&](const auto& one) {
            const auto behind = lag(one.first, task);
            return one.first != owner && behind && *behind <= options_.acceptable_lag;
        });
    }
    /// The rest goes where its state is, else where most room is.
    void place(bool stateful) {
        for (const auto& [task, is_stateful] : tasks_) {
            if (is_stateful != stateful || placed_.contains(task)) continue;
            Id best = nullptr;
            for (const auto& [id, member] : members_) {
                if (active_count(id) >= quota(id, stateful)) continue;
                if (best == nullptr || comes_before(task, id, *best)) best = &id;
            }
            if (best == nullptr) best = &members_.begin()->first;
            plan_.shares.at(*best).active.insert(task);
            placed_.emplace(task, *best);
        }
    }
    [[nodiscard]] bool comes_before(const TaskId& task, const std::string& a,
                                    const std::string& b) const {
        constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
        const std::int64_t lag_a = lag(a, task).value_or(kNone);
        const std::int64_t lag_b = lag(b, task).value_or(kNone);
        if (lag_a != lag_b) return lag_a < lag_b;
        return active_count(a) * threads(b) < active_count(b) * threads(a);
    }
    void even_out() {
        for (;;) {
            Id fullest = nullptr;
            Id emptiest = nullptr;
            for (const auto& [id, member] : members_) {
                if (fullest == nullptr ||
                    active_count(id) * threads(*fullest) > active_count(*fullest) * threads(id))
                    fullest = &id;
                if (emptiest == nullptr ||
                    active_count(id) * threads(*emptiest) < active_count(*emptiest) * threads(id))
                    emptiest = &id;
            }
            if (!is_fuller(*fullest, *emptiest)) return;
            move(*fullest, *emptiest);
        }
    }
    /// One task, best one that the taker has state of or that nobody runs yet.
    void move(const std::string& from, const std::string& to) {
        auto& tasks = plan_.shares.at(from).active;
        TaskId best = *tasks.rbegin();
        for (const TaskId& task : tasks) {
            const auto owner = owner_.find(task);
            if (owner != owner_.end() && owner->second == from) continue;
            best = task;
        }
        for (const TaskId& task : tasks)
            if (lag(to, task)) best = task;
        tasks.erase(best);
        plan_.shares.at(to).active.insert(best);
        placed_.insert_or_assign(best, to);
    }
    /// A task with state does not move to where the state is not: it is followed there first.
    void warm_up() {
        std::int32_t room = options_.warmups_max;
        for (const auto& [task, is_stateful] : tasks_) {
            const std::string to = placed_.at(task);
            const auto owner = owner_.find(task);
            if (!is_stateful || owner == owner_.end() || owner->second == to) continue;
            const auto behind = lag(to, task);
            if (behind && *behind <= options_.acceptable_lag) continue;
            plan_.shares.at(to).active.erase(task);
            plan_.shares.at(owner->second).active.insert(task);
            placed_.insert_or_assign(task, owner->second);
            plan_.warms_up = true;
            if (room-- > 0) plan_.shares.at(to).standby.insert(task);
        }
    }
    void place_standbys() {
        for (std::int32_t copy = 0; copy < options_.standbys; ++copy)
            for (const auto& [task, is_stateful] : tasks_)
                if (is_stateful) place_standby(task);
    }
    void place_standby(const TaskId& task) {
        Id best = nullptr;
        for (const auto& [id, member] : members_) {
            const TaskShare& share = plan_.shares.at(id);
            if (share.active.contains(task) || share.standby.contains(task)) continue;
            if (best == nullptr || follows_better(task, id, *best)) best = &id;
        }
        if (best != nullptr) plan_.shares.at(*best).standby.insert(task);
    }
    [[nodiscard]] bool follows_better(const TaskId& task, const std::string& a,
                                      const std::string& b) const {
        const bool has_a = lag(a, task).has_value() || members_.at(a).standby.contains(task);
        const bool has_b = lag(b, task).has_value() || members_.at(b).standby.contains(task);
        const auto load = [&](const std::string& id) {
            const TaskShare& share = plan_.shares.at(id);
            return static_cast<std::int64_t>(share.active.size() + share.standby.size());
        };
        if (has_a != has_b) return has_a;
        return load(a) * threads(b) < load(b) * threads(a);
    }
    /// Nobody gets what another still runs.
    void withhold() {
        for (const auto& [task, to] : placed_) {
            const auto owner = owner_.find(task);
            if (owner == owner_.end() || owner->second == to) continue;
            plan_.shares.at(to).active.erase(task);
            plan_.moves = true;
        }
    }

    const std::map<TaskId, bool>& tasks_;
    const std::map<std::string, MemberState>& members_;
    const AssignorOptions& options_;
    std::map<TaskId, std::string> owner_;
    std::map<TaskId, std::string> placed_;
    Plan plan_;
};

}  // namespace

Plan assign_tasks(const std::map<TaskId, bool>& tasks,
                  const std::map<std::string, MemberState>& members,
                  const AssignorOptions& options) {
    if (members.empty()) return {};
    return Assignor{tasks, members, options}.run();
}

}  // namespace leat::streams
