// SPDX-License-Identifier: Apache-2.0
#include "client/fetch_board.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace leat::client {
namespace {

using std::chrono::milliseconds;

/// How long a fetch waits for records when it leaves out a partition that is full: others without
/// records must not keep that one waiting when it has room again.
constexpr milliseconds kShortWait{10};
/// Until what cannot be got over is tried again.
constexpr milliseconds kFailurePause{1'000};

Error of_partition(const TopicPartition& where, Errc code, std::string_view why) {
    return Error{code,
                 where.topic + "-" + std::to_string(where.partition) + ": " + std::string{why}};
}

}  // namespace

void FetchBoard::reader_add(std::vector<std::shared_ptr<FetchPartition>> partitions) {
    const Lock lock{mutex_};
    for (auto& partition : partitions) {
        const TopicPartition& where = partition->where;
        partitions_.insert_or_assign(where, std::move(partition));
    }
    look_not_before_ = {};
    look_.notify_all();
}

void FetchBoard::reader_remove(FetchPartition& partition) {
    const Lock lock{mutex_};
    partition.is_removed = true;
    bytes_ -= partition.bytes;
    partition.bytes = partition.records = 0;
    // Here: whoever fetches may be the last to know of the partition, and must not free them.
    partition.came.clear();
    partitions_.erase(TopicPartition{partition.where});
}

void FetchBoard::reader_take(FetchPartition& partition, std::vector<Fetched>& into) {
    const Lock lock{mutex_};
    std::ranges::move(partition.came, std::back_inserter(into));
    partition.came.clear();
}

void FetchBoard::reader_done(FetchPartition& partition, std::size_t bytes, std::size_t records) {
    const Lock lock{mutex_};
    if (partition.is_removed) return;
    const bool was_crowded = bytes_ >= settings_.buffered_bytes;
    bytes_ -= bytes;
    partition.bytes -= bytes;
    partition.records -= records;
    const bool has_room = partition.bytes <= settings_.queued_bytes / 2 &&
                          partition.records <= settings_.queued_records / 2;
    const bool is_new = partition.is_full && has_room;
    if (has_room) partition.is_full = false;
    if (is_new || (was_crowded && (bytes_ < settings_.buffered_bytes || partition.bytes == 0)))
        work_.notify_all();
}

std::size_t FetchBoard::reader_waiting(const FetchPartition& partition) const {
    const Lock lock{mutex_};
    return partition.records;
}

Offset FetchBoard::reader_end(const FetchPartition& partition) const {
    const Lock lock{mutex_};
    return partition.end;
}

Result<void> FetchBoard::reader_wait(std::chrono::milliseconds wait) {
    if (!has_news_.exchange(false) && wait.count() > 0) {
        Lock lock{mutex_};
        came_.wait_for(lock, wait, [this] { return has_news_.load(); });
        has_news_ = false;
    }
    if (!has_failed_) return {};
    const Lock lock{mutex_};
    return Error{fatal_->code(), fatal_->detail()};
}

void FetchBoard::wake() {
    const Lock lock{mutex_};
    tell_reader();
}

void FetchBoard::tell_reader() {
    has_news_ = true;
    came_.notify_all();
}

void FetchBoard::stop() {
    const Lock lock{mutex_};
    stopped_ = true;
    work_.notify_all();
    look_.notify_all();
}

void FetchBoard::fail(const Error& why) {
    const Lock lock{mutex_};
    if (!fatal_) fatal_.emplace(why.code(), why.detail());
    has_failed_ = true;
    tell_reader();
}

std::int32_t FetchBoard::node_of(const FetchPartition& partition, Steady now) const {
    const bool has_replica = partition.replica >= 0 && now < partition.replica_until &&
                             brokers_.contains(partition.replica);
    return partition.leader >= 0 && has_replica ? partition.replica : partition.leader;
}

bool FetchBoard::is_wanted(const FetchPartition& partition) const {
    return !partition.is_full && (bytes_ < settings_.buffered_bytes || partition.bytes == 0);
}

std::optional<FetchPlan> FetchBoard::plan(std::int32_t node) {
    Lock lock{mutex_};
    while (!stopped_) {
        Steady again = Steady::max();
        if (auto out = try_plan(node, steady_now(), again)) return out;
        if (again == Steady::max())
            work_.wait(lock);
        else
            work_.wait_until(lock, again);
    }
    return std::nullopt;
}

std::optional<FetchPlan> FetchBoard::try_plan(std::int32_t node, Steady now, Steady& again) {
    FetchPlan out{.node = node, .parts = {}, .first = 0, .wait = settings_.wait_max};
    for (const auto& [where, partition] : partitions_) {
        if (partition->is_asked || partition->stands || node_of(*partition, now) != node) continue;
        if (partition->not_before > now) {
            again = std::min(again, partition->not_before);
        } else if (!is_wanted(*partition)) {
            out.wait = std::min(out.wait, kShortWait);
        } else {
            out.parts.push_back(
                {partition, partition->topic_id, partition->epoch, partition->next});
        }
    }
    if (out.parts.empty()) return std::nullopt;
    if (again != Steady::max())
        out.wait = std::min(out.wait, std::chrono::ceil<milliseconds>(again - now));
    TopicPartition& turn = turns_[node];
    const auto first = std::ranges::find_if(
        out.parts, [&](const auto& part) { return part.partition->where >= turn; });
    out.first = first == out.parts.end() ? 0 : static_cast<std::size_t>(first - out.parts.begin());
    turn = out.parts[(out.first + 1) % out.parts.size()].partition->where;
    for (const auto& part : out.parts) part.partition->is_asked = true;
    return out;
}

void FetchBoard::deliver(FetchPlan& plan, std::vector<std::optional<FetchOutcome>> outcomes,
                         const std::map<std::int32_t, Endpoint>& named) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    for (const auto& [node, endpoint] : named) brokers_.insert_or_assign(node, endpoint);
    // First, as long as all of what came is still ours: see KeptBytes.
    for (std::size_t i = 0; i < plan.parts.size(); ++i)
        if (plan.parts[i].partition->is_removed) outcomes[i].reset();
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        FetchPartition& partition = *plan.parts[i].partition;
        partition.is_asked = false;
        if (!outcomes[i]) continue;
        if (outcomes[i]->is_cut) {
            turns_[node_of(partition, now)] = partition.where;
            outcomes[i]->is_held_up = i == plan.first;
        }
        settle(partition, *std::move(outcomes[i]), now);
    }
    tell_others(plan, now);
}

void FetchBoard::tell_others(const FetchPlan& plan, Steady now) {
    bool is_led_elsewhere = false;
    bool is_lost = nodes_changed_;
    for (const auto& part : plan.parts) {
        is_lost = is_lost || part.partition->leader < 0;
        is_led_elsewhere = is_led_elsewhere || node_of(*part.partition, now) != plan.node;
    }
    // Who is asked has all to do with who asks next: the others are left to sleep.
    if (is_lost) look_.notify_all();
    if (is_led_elsewhere) work_.notify_all();
}

/// Whether it is read from whom an answer named, at once.
bool FetchBoard::follow(FetchPartition& partition, NamedLeader leader) {
    if (!leader.is_newer_than(partition.epoch) || !brokers_.contains(leader.node)) return false;
    partition.leader = leader.node;
    partition.epoch = leader.epoch;
    partition.replica = -1;
    nodes_changed_ = true;  // It may have to be reached first.
    return true;
}

void FetchBoard::settle(FetchPartition& partition, FetchOutcome outcome, Steady now) {
    if (outcome.leader_is_elsewhere && follow(partition, outcome.leader)) return;
    if (outcome.is_held_up || outcome.leader_is_elsewhere)
        partition.not_before = now + settings_.retry;
    if ((outcome.leader_is_elsewhere || outcome.is_out_of_range) && partition.replica >= 0) {
        // Its leader knows better.
        partition.replica = -1;
        return;
    }
    if (outcome.leader_is_elsewhere) partition.leader = -1;
    if (outcome.is_out_of_range) {
        partition.stands = true;
        outcome.fetched.trouble = Errc::kOffsetOutOfRange;
    }
    if (outcome.replica >= 0 && outcome.replica != partition.leader) {
        partition.replica = outcome.replica;
        partition.replica_until = now + settings_.refresh;
        nodes_changed_ = true;
    }
    Fetched& fetched = outcome.fetched;
    if (fetched.failure) {
        partition.not_before = now + kFailurePause;
        fetched.failure =
            of_partition(partition.where, fetched.failure->code(), fetched.failure->detail());
        if (!partition.came.empty() && partition.came.back().failure) fetched.failure.reset();
    }
    partition.next = std::max(partition.next, fetched.next);
    if (outcome.end.value >= 0) partition.end = outcome.end;
    const bool is_at_end = outcome.end.value >= 0 && partition.next >= outcome.end;
    if (is_at_end && partition.told_end != partition.next && !fetched.failure)
        fetched.end = partition.told_end = partition.next;
    if (!fetched.is_empty()) put(partition, std::move(fetched));
}

void FetchBoard::put(FetchPartition& partition, Fetched fetched) {
    partition.bytes += fetched.bytes;
    partition.records += fetched.records;
    bytes_ += fetched.bytes;
    partition.is_full = partition.is_full || partition.bytes >= settings_.queued_bytes ||
                        partition.records >= settings_.queued_records;
    partition.came.push_back(std::move(fetched));
    tell_reader();
}

void FetchBoard::give_up(FetchPlan& plan, milliseconds pause) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    for (const auto& part : plan.parts) {
        FetchPartition& partition = *part.partition;
        partition.is_asked = false;
        partition.leader = partition.replica = -1;
        partition.not_before = now + pause;
    }
    tell_others(plan, now);
}

bool FetchBoard::pause(milliseconds wait) {
    Lock lock{mutex_};
    work_.wait_for(lock, wait, [this] { return stopped_.load(); });
    return !stopped_;
}

std::optional<std::set<std::string>> FetchBoard::wanted_topics() {
    Lock lock{mutex_};
    while (!stopped_) {
        std::set<std::string> out;
        if (std::exchange(nodes_changed_, false)) return out;
        const Steady now = steady_now();
        const bool asks_all = now >= look_at_;
        for (const auto& [where, partition] : partitions_)
            if (partition->leader < 0 || asks_all) out.insert(where.topic);
        if (!out.empty() && (asks_all || now >= look_not_before_)) return out;
        if (out.empty() && partitions_.empty())
            look_.wait(lock);
        else
            look_.wait_until(lock, out.empty() ? look_at_ : std::min(look_at_, look_not_before_));
    }
    return std::nullopt;
}

void FetchBoard::found(const std::map<std::int32_t, Endpoint>& brokers,
                       const std::map<TopicPartition, FoundLeader>& leaders,
                       const std::set<std::string>& asked,
                       const std::map<std::string, Errc>& refused) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    brokers_ = brokers;
    look_at_ = now + settings_.refresh;
    look_not_before_ = now + settings_.retry;
    for (const auto& [where, partition] : partitions_) {
        if (!asked.contains(where.topic)) continue;
        const auto known = leaders.find(where);
        const auto why = refused.find(where.topic);
        if (known != leaders.end())
            apply(*partition, known->second, now);
        else
            apply(*partition,
                  {.code = why == refused.end() ? Errc::kUnknownTopicOrPartition : why->second},
                  now);
    }
    work_.notify_all();
}

void FetchBoard::apply(FetchPartition& partition, const FoundLeader& leader, Steady now) {
    // Of another replica old brokers say so: the leader can be read from.
    const bool is_there = leader.code == Errc::kNone || leader.code == Errc::kReplicaNotAvailable;
    if (is_there && leader.leader >= 0) {
        const bool is_another = partition.topic_id != leader.topic_id;
        // A broker that is behind tells of the leader before.
        if (!is_another && leader.epoch >= 0 && leader.epoch < partition.epoch) return;
        if (is_another || leader.epoch != partition.epoch || leader.leader != partition.leader)
            partition.replica = -1;
        partition.topic_id = leader.topic_id;
        partition.leader = leader.leader;
        partition.epoch = leader.epoch;
        partition.was_found = true;
        partition.unknown_since.reset();
        return;
    }
    if (partition.leader >= 0) return;  // What is wrong with it the next fetch tells.
    bool is_lost = leader.code != Errc::kNone && !info(leader.code).retriable;
    if (is_unknown_topic(leader.code)) {
        if (!partition.unknown_since) partition.unknown_since = now;
        const milliseconds patience =
            partition.was_found ? settings_.cluster.loss_patience : settings_.propagation;
        is_lost = now - *partition.unknown_since >= patience;
    }
    if (!is_lost) return;
    look_not_before_ = now + kFailurePause;
    partition.unknown_since.reset();
    if (!partition.came.empty() && partition.came.back().failure) return;
    Fetched told;
    told.failure = of_partition(partition.where, leader.code, info(leader.code).doc);
    put(partition, std::move(told));
}

void FetchBoard::not_found(milliseconds pause) {
    const Lock lock{mutex_};
    look_not_before_ = steady_now() + pause;
    look_at_ = std::max(look_at_, look_not_before_);
}

std::set<std::int32_t> FetchBoard::nodes() const {
    const Lock lock{mutex_};
    std::set<std::int32_t> out;
    for (const auto& [where, partition] : partitions_) {
        if (partition->leader >= 0) out.insert(partition->leader);
        if (partition->replica >= 0) out.insert(partition->replica);
    }
    return out;
}

std::optional<Endpoint> FetchBoard::endpoint(std::int32_t node) const {
    const Lock lock{mutex_};
    const auto found = brokers_.find(node);
    if (found == brokers_.end()) return std::nullopt;
    return found->second;
}

}  // namespace leat::client
