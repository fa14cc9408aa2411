// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/task_assignor.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>
#include <span>

#include "streams/cluster/cheapest_places.h"
#include "streams/cluster/tag_spread.h"

namespace leat::streams {
namespace {

/// As often are standbys swapped between all pairs of members; little changes after the third time.
constexpr int kSwapRounds = 4;

class Assignor {
  public:
    Assignor(const std::map<TaskId, bool>& tasks, const std::map<std::string, MemberState>& members,
             const AssignorOptions& options)
        : tasks_(tasks),
          members_(members),
          options_(options),
          spread_(members, options.racks.tags),
          warmups_left_(options.warmups_max) {
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
        for (const bool stateful : {true, false}) follow_racks(stateful);
        warm_up();
        place_standbys();
        swap_standbys();
        keep_copies();
        withhold();
        return std::move(plan_);
    }

  private:
    using Id = const std::string*;
    /// Of a partition that is read from another rack, and of a task that moves.
    struct Prices {
        std::int64_t traffic = 0;
        std::int64_t move = 0;
    };

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
            return one.first != owner && is_caught_up(one.first, task);
        });
    }
    [[nodiscard]] bool is_caught_up(const std::string& id, const TaskId& task) const {
        const auto behind = lag(id, task);
        return behind && *behind <= options_.acceptable_lag;
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
            if (stateful) hold(task, *best);
        }
    }
    /// Remembers where a task that nobody runs can go on soonest, of the places it is given before
    /// racks count.
    void hold(const TaskId& task, const std::string& id) {
        if (owner_.contains(task)) return;
        const auto [found, is_new] = held_.emplace(task, id);
        if (!is_new && !has_more(found->second, id, task)) found->second = id;
    }
    /// Of the task's state: `b` is further behind.
    [[nodiscard]] bool has_more(const std::string& a, const std::string& b,
                                const TaskId& task) const {
        const auto lag_a = lag(a, task);
        const auto lag_b = lag(b, task);
        return lag_a && (!lag_b || *lag_a < *lag_b);
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
        if (tasks_.at(best)) hold(best, to);
    }
    /// Tasks change places so that fewer partitions are read from other racks; each member has as
    /// many as before. What has no state moves for nothing, as in Kafka Streams.
    void follow_racks(bool stateful) {
        if (options_.known_racks == nullptr) return;
        std::vector<Id> ids;
        std::map<std::string, std::size_t> places;
        for (const auto& [id, member] : members_) {
            places.emplace(id, ids.size());
            ids.push_back(&id);
        }
        std::vector<TaskId> moving;
        PlacesProblem problem;
        problem.places = ids.size();
        const Prices prices = stateful ? rack_prices() : Prices{.traffic = 1, .move = 0};
        for (const auto& [task, is_stateful] : tasks_) {
            if (is_stateful != stateful) continue;
            const std::size_t place = places.at(placed_.at(task));
            moving.push_back(task);
            problem.at.push_back(place);
            problem.costs.push_back(costs(options_.known_racks->inputs, task, ids, place, prices));
        }
        set_limits(problem, moving);
        const std::vector<std::size_t> found = cheapest_places(problem);
        for (std::size_t i = 0; i < moving.size(); ++i) {
            if (found[i] == problem.at[i]) continue;
            plan_.shares.at(*ids[problem.at[i]]).active.erase(moving[i]);
            plan_.shares.at(*ids[found[i]]).active.insert(moving[i]);
            placed_.insert_or_assign(moving[i], *ids[found[i]]);
        }
    }
    [[nodiscard]] Prices rack_prices() const {
        return {.traffic = options_.racks.traffic_cost, .move = options_.racks.non_overlap_cost};
    }
    /// A member gets of each sub-topology no more than its part, if these are to be balanced.
    void set_limits(PlacesProblem& problem, const std::vector<TaskId>& moving) const {
        const std::size_t count = moving.size();
        if (options_.racks.strategy != RackStrategy::kBalanceSubtopology) {
            problem.kinds.assign(count, 0);
            problem.limits.assign(1, std::vector<std::size_t>(problem.places, count));
            return;
        }
        std::vector<std::size_t> shares(problem.places);
        for (const std::size_t place : problem.at) ++shares[place];
        std::vector<std::size_t> sizes;
        for (std::size_t i = 0; i < count; ++i) {
            if (i == 0 || moving[i].subtopology != moving[i - 1].subtopology) sizes.push_back(0);
            ++sizes.back();
            problem.kinds.push_back(sizes.size() - 1);
        }
        for (const std::size_t size : sizes) {
            std::vector<std::size_t>& limits = problem.limits.emplace_back();
            for (const std::size_t share : shares)
                limits.push_back((share * size + count - 1) / count);
        }
    }
    /// What each of the members costs as the place of a task that is at `ids[now]`.
    [[nodiscard]] std::vector<std::int64_t> costs(
        const std::map<TaskId, TaskRacks::Partitions>& reads, const TaskId& task,
        std::span<const Id> ids, std::size_t now, const Prices& prices) const {
        std::vector<std::int64_t> out(ids.size(), prices.move);
        out[now] = 0;
        const auto partitions = reads.find(task);
        if (partitions == reads.end()) return out;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::string& rack = members_.at(*ids[i]).rack;
            for (const auto& racks : partitions->second)
                if (!racks.contains(rack)) out[i] += prices.traffic;
        }
        return out;
    }
    /// Who goes on with a task with state until `to` has it; null: nobody could do so any better.
    [[nodiscard]] Id runs_meanwhile(const TaskId& task, const std::string& to) const {
        if (const auto owner = owner_.find(task); owner != owner_.end()) return &owner->second;
        const auto held = held_.find(task);
        if (held == held_.end() || !has_more(held->second, to, task)) return nullptr;
        return &held->second;
    }
    /// A task with state does not move to where the state is not: it is followed there first. Nor
    /// does one whose owner is gone leave the standby that can go on with it.
    void warm_up() {
        for (const auto& [task, is_stateful] : tasks_) {
            if (!is_stateful) continue;
            const std::string to = placed_.at(task);
            const Id from = runs_meanwhile(task, to);
            if (from == nullptr || *from == to || is_caught_up(to, task)) continue;
            plan_.shares.at(to).active.erase(task);
            plan_.shares.at(*from).active.insert(task);
            placed_.insert_or_assign(task, *from);
            plan_.warms_up = true;
            if (warmups_left_-- <= 0) continue;
            plan_.shares.at(to).standby.insert(task);
            warming_.insert(task);
        }
    }
    void place_standbys() {
        if (options_.standbys <= 0) return;
        for (const auto& [task, is_stateful] : tasks_)
            if (is_stateful) copies_[task] = {placed_.at(task)};
        if (spread_.has_keys()) spread_standbys();
        for (std::int32_t copy = 0; copy < options_.standbys; ++copy)
            for (const auto& [task, copies] : copies_)
                if (std::ssize(copies) == copy + 1) place_standby(task, false);
    }
    /// First to members whose tags none of the copies before has.
    void spread_standbys() {
        for (const auto& [task, copies] : copies_) {
            bool is_placed = true;
            while (is_placed && std::ssize(copies) <= options_.standbys)
                is_placed = place_standby(task, true);
            // The copy of one that warms up is where the task will be: others move then too.
            if (!is_placed && !warming_.contains(task))
                plan_.close_copies[task] =
                    options_.standbys + 1 - static_cast<std::int32_t>(copies.size());
        }
    }
    /// False: there is nobody for it.
    bool place_standby(const TaskId& task, bool apart) {
        std::vector<std::string>& copies = copies_.at(task);
        const TagSpread::Taken taken = apart ? spread_.taken_by(copies) : TagSpread::Taken{};
        Id best = nullptr;
        for (const auto& [id, member] : members_) {
            if (has_task(id, task) || !spread_.is_free(id, taken)) continue;
            if (best == nullptr || follows_better(task, id, *best)) best = &id;
        }
        if (best == nullptr) return false;
        plan_.shares.at(*best).standby.insert(task);
        copies.push_back(*best);
        return true;
    }
    [[nodiscard]] bool has_task(const std::string& id, const TaskId& task) const {
        const TaskShare& share = plan_.shares.at(id);
        return share.active.contains(task) || share.standby.contains(task);
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
    /// Standbys change places too, for changelogs in their own rack.
    void swap_standbys() {
        if (options_.known_racks == nullptr) return;
        bool is_swapped = true;
        for (int round = 0; is_swapped && round < kSwapRounds; ++round) {
            is_swapped = false;
            for (auto a = members_.begin(); a != members_.end(); ++a)
                for (auto b = std::next(a); b != members_.end(); ++b)
                    if (a->second.rack != b->second.rack && swap_standbys(a->first, b->first))
                        is_swapped = true;
        }
    }
    bool swap_standbys(const std::string& a, const std::string& b) {
        const std::array<Id, 2> ids{&a, &b};
        std::vector<TaskId> moving;
        PlacesProblem problem;
        problem.places = ids.size();
        for (std::size_t from = 0; from < ids.size(); ++from) {
            const std::size_t before = moving.size();
            for (const TaskId& task : plan_.shares.at(*ids[from]).standby) {
                if (!may_move(task, *ids[from], *ids[1 - from])) continue;
                moving.push_back(task);
                problem.at.push_back(from);
                problem.costs.push_back(
                    costs(options_.known_racks->changelogs, task, ids, from, rack_prices()));
            }
            if (moving.size() == before) return false;
        }
        problem.kinds.assign(moving.size(), 0);
        problem.limits.assign(1, std::vector<std::size_t>(ids.size(), moving.size()));
        const std::vector<std::size_t> found = cheapest_places(problem);
        for (std::size_t i = 0; i < moving.size(); ++i) {
            if (found[i] == problem.at[i]) continue;
            const std::string& from = *ids[problem.at[i]];
            const std::string& to = *ids[found[i]];
            plan_.shares.at(from).standby.erase(moving[i]);
            plan_.shares.at(to).standby.insert(moving[i]);
            std::ranges::replace(copies_.at(moving[i]), from, to);
        }
        return found != problem.at;
    }
    /// Not where it would make copies share more tags, nor what follows a task that is to move.
    [[nodiscard]] bool may_move(const TaskId& task, const std::string& from,
                                const std::string& to) const {
        const auto found = copies_.find(task);
        if (found == copies_.end() || has_task(to, task)) return false;
        std::vector<std::string> copies = found->second;
        const auto at = std::ranges::find(copies, from);
        if (at == copies.end()) return false;
        const std::size_t before = spread_.variety(copies);
        *at = to;
        return spread_.variety(copies) >= before;
    }
    /// A copy that is caught up stays until the one that takes its place is, as a task with state
    /// does. Without tags and racks standbys are not taken from where their state is.
    void keep_copies() {
        if (!spread_.has_keys() && options_.known_racks == nullptr) return;
        for (const auto& [task, copies] : copies_)
            for (const std::string& id : std::span{copies}.subspan(1))
                if (!is_caught_up(id, task)) keep_copy(task, id);
    }
    void keep_copy(const TaskId& task, const std::string& instead_of) {
        for (const auto& [id, member] : members_) {
            if (!member.standby.contains(task) || !is_caught_up(id, task) || has_task(id, task))
                continue;
            plan_.shares.at(id).standby.insert(task);
            plan_.warms_up = true;
            if (warmups_left_-- <= 0) plan_.shares.at(instead_of).standby.erase(task);
            return;
        }
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
    std::map<TaskId, std::string> held_;  ///< With state and without owner: see hold().
    TagSpread spread_;
    std::int32_t warmups_left_;
    std::set<TaskId> warming_;  ///< Followed where they will be.
    /// Who has a task with state, first the active one: without those that warm up.
    std::map<TaskId, std::vector<std::string>> copies_;
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
