// SPDX-License-Identifier: Apache-2.0
#include "groups/roster.h"

#include <algorithm>

#include "base/check.h"

namespace leat::groups {

Bytes Member::metadata(std::string_view protocol) const {
    const auto at = std::ranges::find(protocols, protocol, &OwnedProtocol::name);
    return at == protocols.end() ? Bytes{} : Bytes{at->metadata};
}

bool Member::has_same_protocols(std::span<const Protocol> other) const {
    return std::ranges::equal(protocols, other, [](const OwnedProtocol& a, const Protocol& b) {
        return a.name == b.name && std::ranges::equal(a.metadata, b.metadata);
    });
}

std::size_t Member::protocol_bytes() const {
    std::size_t sum = 0;
    for (const OwnedProtocol& protocol : protocols)
        sum += protocol.name.size() + protocol.metadata.size();
    return sum;
}

std::size_t Member::bytes() const {
    // Its id and its instance id are in a map each, too.
    return sizeof(Member) + 3 * kNodeBytes + 2 * id.size() +
           2 * (instance_id ? instance_id->size() : 0) + client_id.size() + client_host.size() +
           protocols.size() * sizeof(OwnedProtocol) + protocol_bytes() + assignment.size();
}

Member& Roster::add(std::unique_ptr<Member> member) {
    Member& added = *member;
    added.order = ++order_;
    const bool is_new = by_id_.emplace(added.id, &added).second;
    LEAT_CHECK(is_new);
    if (added.instance_id) {
        const bool is_free = by_instance_.emplace(*added.instance_id, &added).second;
        LEAT_CHECK(is_free);
    }
    if (members_.empty()) leader_ = added.id;
    count_protocols(added, 1);
    added.held.set(added.bytes());
    members_.emplace(added.order, std::move(member));
    return added;
}

void Roster::remove(Member& member) {
    LEAT_CHECK(!member.parked_join && !member.parked_sync);
    count_protocols(member, -1);
    by_id_.erase(member.id);
    if (member.instance_id) by_instance_.erase(*member.instance_id);
    const bool led = member.id == leader_;
    members_.erase(member.order);
    if (led) leader_ = members_.empty() ? std::string{} : members_.begin()->second->id;
}

void Roster::rename(Member& member, std::string id) {
    const bool led = member.id == leader_;
    by_id_.erase(member.id);
    member.id = std::move(id);
    const bool is_new = by_id_.emplace(member.id, &member).second;
    LEAT_CHECK(is_new);
    if (led) leader_ = member.id;
    member.held.set(member.bytes());
}

void Roster::set_protocols(Member& member, std::span<const Protocol> protocols) {
    std::vector<Member::OwnedProtocol> owned;
    owned.reserve(protocols.size());
    for (const Protocol& protocol : protocols) {
        owned.push_back(
            {std::string{protocol.name}, {protocol.metadata.begin(), protocol.metadata.end()}});
    }
    set_protocols(member, std::move(owned));
}

void Roster::set_protocols(Member& member, std::vector<Member::OwnedProtocol> protocols) {
    count_protocols(member, -1);
    member.protocols = std::move(protocols);
    count_protocols(member, 1);
    member.held.set(member.bytes());
}

void Roster::set_assignment(Member& member, std::vector<std::byte> assignment) {
    member.assignment = std::move(assignment);
    member.held.set(member.bytes());
}

void Roster::count_protocols(const Member& member, int by) {
    for (auto at = member.protocols.begin(); at != member.protocols.end(); ++at) {
        const std::size_t size = at->name.size() + at->metadata.size();
        protocol_bytes_ = by > 0 ? protocol_bytes_ + size : protocol_bytes_ - size;
        // A member that names a protocol twice supports it once.
        if (std::any_of(member.protocols.begin(), at,
                        [&](const auto& earlier) { return earlier.name == at->name; })) {
            continue;
        }
        std::size_t& supporters = supporters_[at->name];
        supporters = by > 0 ? supporters + 1 : supporters - 1;
        if (supporters == 0) supporters_.erase(at->name);
    }
}

Answer<JoinAnswer> Roster::park_join(Member& member, Answer<JoinAnswer> answer) {
    Answer<JoinAnswer> before = take_join(member);
    member.parked_join = std::move(answer);
    ++awaiting_join_;
    return before;
}

Answer<JoinAnswer> Roster::take_join(Member& member) {
    if (member.parked_join) --awaiting_join_;
    return std::exchange(member.parked_join, nullptr);
}

bool Roster::elect_joined_leader() {
    const Member* leader = find(leader_);
    if (leader == nullptr) return false;
    if (leader->is_awaiting_join()) return true;
    for (const auto& [order, member] : members_) {
        if (!member->is_awaiting_join()) continue;
        leader_ = member->id;
        return true;
    }
    return false;
}

Member* Roster::find(std::string_view id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second;
}

Member* Roster::find_static(std::string_view instance_id) const {
    const auto at = by_instance_.find(instance_id);
    return at == by_instance_.end() ? nullptr : at->second;
}

std::chrono::milliseconds Roster::longest_rebalance_timeout() const {
    std::chrono::milliseconds longest{};
    for (const auto& [order, member] : members_) {
        longest = std::max(longest, member->rebalance_timeout);
    }
    return longest;
}

bool Roster::supports_any(std::span<const Protocol> protocols) const {
    return std::ranges::any_of(protocols, [this](const Protocol& protocol) {
        const auto at = supporters_.find(protocol.name);
        return at != supporters_.end() && at->second == members_.size();
    });
}

std::string Roster::vote() const {
    LEAT_CHECK(!members_.empty());
    std::vector<std::pair<std::string_view, std::size_t>> votes;
    for (const auto& [order, member] : members_) {
        for (const auto& protocol : member->protocols) {
            const auto support = supporters_.find(protocol.name);
            if (support == supporters_.end() || support->second != members_.size()) continue;
            const auto at = std::ranges::find(votes, std::string_view{protocol.name},
                                              &std::pair<std::string_view, std::size_t>::first);
            if (at == votes.end())
                votes.emplace_back(protocol.name, 1);
            else
                ++at->second;
            break;
        }
    }
    LEAT_CHECK(!votes.empty());
    return std::string{
        std::ranges::max_element(votes, {}, [](const auto& v) { return v.second; })->first};
}

}  // namespace leat::groups
