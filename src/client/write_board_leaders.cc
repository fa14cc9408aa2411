// SPDX-License-Identifier: Apache-2.0
//
// Who leads what is written to.
#include <algorithm>
#include <utility>

#include "client/write_board.h"

namespace leat::client {

bool WriteBoard::has_work(const WriteLane& lane) {
    return !lane.closed.empty() || lane.due != Steady::max();
}

bool WriteBoard::is_wanted(const WriteTopic& topic) const {
    // One that a broker did not know is asked for until it is known, or lost.
    return topic.is_wanted || topic.unknown_since ||
           std::ranges::any_of(topic.lanes, [](const WriteLane* lane) {
               return lane->leader < 0 && has_work(*lane);
           });
}

std::optional<std::set<std::string>> WriteBoard::wanted_topics() {
    Lock lock{mutex_};
    while (!stopped_) {
        const Steady now = steady_now();
        Steady again = Steady::max();
        // Nobody else looks at those that have no leader.
        for (const auto& [where, lane] : lanes_) {
            if (lane->leader >= 0) continue;
            // One waits at a time, the next one fills meanwhile.
            if (lane->closed.empty() && lane->due <= now) close(*lane);
            if (lane->closed.empty()) again = std::min(again, lane->due);
            expire(*lane, now, again);
        }
        const bool asks_all = now >= look_at_ && !lanes_.empty();
        std::set<std::string> out;
        for (const auto& [name, topic] : topics_)
            if ((asks_all && !topic.lanes.empty()) || is_wanted(topic)) out.insert(name);
        if (!out.empty() && now >= look_not_before_) return out;
        if (std::exchange(nodes_changed_, false)) return std::set<std::string>{};
        if (!out.empty()) again = std::min(again, look_not_before_);
        if (!lanes_.empty()) again = std::min(again, std::max(look_at_, look_not_before_));
        if (again == Steady::max())
            look_.wait(lock);
        else
            look_.wait_until(lock, again);
    }
    return std::nullopt;
}

void WriteBoard::found(const std::map<std::int32_t, Endpoint>& brokers,
                       const std::map<TopicPartition, FoundLeader>& leaders,
                       const std::set<std::string>& asked,
                       const std::map<std::string, Errc>& refused) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    brokers_ = brokers;
    const bool was_all = std::ranges::all_of(topics_, [&](const auto& one) {
        return one.second.lanes.empty() || asked.contains(one.first);
    });
    if (was_all) look_at_ = now + settings_.refresh;
    look_not_before_ = now + settings_.retry;
    for (const std::string& name : asked) {
        const auto topic = topics_.find(name);
        if (topic == topics_.end()) continue;
        const auto why = refused.find(name);
        const auto begin = leaders.lower_bound({name, 0});
        std::int32_t count = 0;
        for (auto at = begin; at != leaders.end() && at->first.topic == name; ++at) ++count;
        Errc code = count == 0 ? Errc::kUnknownTopicOrPartition : Errc::kNone;
        if (why != refused.end()) code = why->second;
        // One that was made anew may have fewer partitions.
        const auto& told = topic->second.leaders;
        if (!told.empty() && count > 0 && told.front().topic_id != begin->second.topic_id)
            topic->second.partitions = 0;
        note_answer(topic->second, code, count, now);
        if (code == Errc::kNone) note_leaders(*topic, leaders, now);
    }
    seat_lanes();
    tell_writer();
}

void WriteBoard::note_leaders(Topics::value_type& named,
                              const std::map<TopicPartition, FoundLeader>& leaders, Steady now) {
    auto& [name, topic] = named;
    topic.leaders.assign(static_cast<std::size_t>(topic.partitions), {});
    for (auto at = leaders.lower_bound({name, 0}); at != leaders.end() && at->first.topic == name;
         ++at) {
        const auto place = static_cast<std::size_t>(at->first.partition);
        if (place < topic.leaders.size()) topic.leaders[place] = at->second;
    }
    for (WriteLane* lane : topic.lanes) {
        const auto known = leaders.find(lane->where);
        if (known != leaders.end()) {
            lane->unknown_since.reset();
            apply(*lane, known->second);
            continue;
        }
        // A broker that is behind may know fewer than there are.
        if (lane->leader >= 0) continue;
        if (!lane->unknown_since) lane->unknown_since = now;
        if (now - *lane->unknown_since >= settings_.cluster.loss_patience)
            refuse_all(*lane, Errc::kUnknownTopicOrPartition, "the topic has no such partition");
    }
}

void WriteBoard::note_answer(WriteTopic& topic, Errc code, std::int32_t count, Steady now) {
    ++topic.answers;
    topic.code = code;
    topic.is_wanted = false;
    if (code == Errc::kNone) {
        // Partitions do not go; a broker that is behind knows fewer.
        topic.partitions = std::max<std::int32_t>(topic.partitions, count);
        topic.unknown_since.reset();
        return;
    }
    bool is_lost = !info(code).retriable;
    if (is_unknown_topic(code)) {
        if (!topic.unknown_since) topic.unknown_since = now;
        const auto patience =
            topic.partitions > 0 ? settings_.cluster.loss_patience : settings_.propagation;
        is_lost = now - *topic.unknown_since >= patience;
    }
    if (!is_lost) return;
    topic.unknown_since.reset();
    topic.partitions = 0;
    topic.leaders.clear();
    ++topic.losses;
    topic.loss_code = code;
    for (WriteLane* lane : topic.lanes) {
        if (lane->leader >= 0) continue;  // What is wrong with it the next request tells.
        refuse_all(*lane, code, info(code).doc);
    }
}

void WriteBoard::apply(WriteLane& lane, const FoundLeader& leader) {
    // Of another replica old brokers say so: the leader can be written to.
    const bool is_there = leader.code == Errc::kNone || leader.code == Errc::kReplicaNotAvailable;
    if (!is_there || leader.leader < 0) return;
    const bool is_another = lane.topic_id != leader.topic_id;
    // A broker that is behind tells of the leader before.
    if (!is_another && leader.epoch >= 0 && leader.epoch < lane.epoch) return;
    lane.topic_id = leader.topic_id;
    lane.leader = leader.leader;
    lane.epoch = leader.epoch;
}

/// Whether it goes to whom an answer named, at once.
bool WriteBoard::follow(WriteLane& lane, NamedLeader leader) {
    if (!leader.is_newer_than(lane.epoch) || !brokers_.contains(leader.node)) return false;
    lane.leader = leader.node;
    lane.epoch = leader.epoch;
    auto& lanes = desks_[leader.node].lanes;
    nodes_changed_ = nodes_changed_ || lanes.empty();
    // It may have been there before.
    if (std::ranges::find(lanes, &lane) == lanes.end()) lanes.push_back(&lane);
    return true;
}

void WriteBoard::seat_lanes() {
    for (auto& [node, desk] : desks_) desk.lanes.clear();
    for (const auto& [where, lane] : lanes_)
        if (lane->leader >= 0) desks_[lane->leader].lanes.push_back(lane.get());
    for (auto& [node, desk] : desks_) desk.work.notify_all();
}

void WriteBoard::lose_node(std::int32_t node) {
    const Lock lock{mutex_};
    for (WriteLane* lane : desks_[node].lanes)
        if (lane->leader == node && !lane->is_asked) lane->leader = -1;
    look_.notify_all();
}

void WriteBoard::not_found(std::chrono::milliseconds pause) {
    const Lock lock{mutex_};
    look_not_before_ = steady_now() + pause;
    look_at_ = std::max(look_at_, look_not_before_);
}

std::set<std::int32_t> WriteBoard::nodes() const {
    const Lock lock{mutex_};
    std::set<std::int32_t> out;
    for (const auto& [node, desk] : desks_)
        if (!desk.lanes.empty()) out.insert(node);
    return out;
}

std::optional<Endpoint> WriteBoard::endpoint(std::int32_t node) const {
    const Lock lock{mutex_};
    const auto found = brokers_.find(node);
    if (found == brokers_.end()) return std::nullopt;
    return found->second;
}

}  // namespace leat::client
