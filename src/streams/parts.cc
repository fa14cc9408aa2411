// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/parts.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "leat/streams/detail/task.h"
#include "leat/streams/topology.h"
#include "streams/rewrite.h"
#include "streams/state/own_rows.h"

namespace leat::streams::detail {

namespace {

/// Topics from which records come to a node.
std::set<std::string> topics_above(const Parts& parts, const std::string& node) {
    std::set<std::string> out;
    std::set<std::string> seen{node};
    std::vector<std::string> next{node};
    while (!next.empty()) {
        const Part* part = parts.find(next.back());
        next.pop_back();
        if (part == nullptr) continue;
        if (part->kind == Part::Kind::kSource) out.insert(part->topics.begin(), part->topics.end());
        for (const auto& parent : part->parents)
            if (seen.insert(parent).second) next.push_back(parent);
    }
    return out;
}

/// Where all topics above nodes that are copartitioned are the application's own and have numbers
/// of partitions that were asked for, these must be the same.
Result<void> check_partitions(const Parts& parts, const std::vector<std::string>& nodes) {
    const RepartitionTopic* first = nullptr;
    const RepartitionTopic* other = nullptr;
    for (const auto& node : nodes) {
        for (const auto& topic : topics_above(parts, node)) {
            const auto own = parts.repartition_topics().find(topic);
            if (own == parts.repartition_topics().end() || !own->second.partitions) return {};
            if (first == nullptr) first = &own->second;
            if (own->second.partitions != first->partitions) other = &own->second;
        }
    }
    if (other == nullptr) return {};
    return Error{Errc::kStreamsInvalidTopology,
                 nodes.front() + ": topics that are joined must have as many partitions: " +
                     first->name + " has " + std::to_string(*first->partitions) + ", " +
                     other->name + " has " + std::to_string(*other->partitions)};
}

DslStore asked_of(const StoreSpec& spec) {
    using Kind = StoreSpec::Kind;
    DslStore out{.name = spec.name};
    if (spec.kind == Kind::kSession) out.kind = DslStore::Kind::kSession;
    if (spec.kind == Kind::kWindow || spec.kind == Kind::kPlainWindow)
        out.kind = DslStore::Kind::kWindow;
    if (out.kind == DslStore::Kind::kKeyValue) return out;
    out.retention = Duration{spec.retention_ms};
    out.window = Duration{spec.window_ms};
    return out;
}

}  // namespace

Result<std::int64_t> SourceNode::stamp(const Bytes& bytes) {
    undecodable_ = false;
    if (default_time_ == DefaultTime::kWallClock) return task().wall_time();
    if (bytes.timestamp >= 0 || default_time_ == DefaultTime::kSkip) return bytes.timestamp;
    if (default_time_ == DefaultTime::kPartitionTime && bytes.partition_time >= 0)
        return bytes.partition_time;
    return Error{Errc::kInvalidTimestamp, name() + ": a record of " + std::string{bytes.topic} +
                                              " has a negative timestamp"};
}

void Parts::add(Part part) {
    require(part.name, find(part.name) == nullptr, "two nodes have this name");
    for (auto& parent : part.parents) {
        const auto moved = moved_.find(parent);
        if (moved != moved_.end()) parent = moved->second;
        const Part* above = find(parent);
        require(part.name, above != nullptr, "there is no node " + parent + " before it");
        if (above == nullptr) continue;
        require(part.name, above->kind != Part::Kind::kSink, "its parent " + parent + " is a sink");
        require(part.name,
                part.in == typeid(void) || above->out == typeid(void) || part.in == above->out,
                "it takes records of another type than " + parent + " yields");
    }
    std::erase_if(part.parents, [&](const auto& parent) { return find(parent) == nullptr; });
    if (find(part.name) == nullptr) parts_.push_back(std::move(part));
}

void Parts::check_store(const StoreSpec& spec, std::string_view user) {
    std::string_view name = spec.name;
    // Without a changelog no topic has the name, so that it may be longer than one's.
    constexpr std::size_t kLongestTopic = 249;
    if (!spec.logging || spec.source_topic) name = name.substr(0, kLongestTopic);
    require(user, is_legal_name(name), "the store " + spec.name + ": " + kLegalNames);
    const bool windows =
        spec.kind == StoreSpec::Kind::kPlainWindow || spec.kind == StoreSpec::Kind::kWindow;
    require(user, !windows || (spec.window_ms >= 0 && spec.retention_ms >= spec.window_ms),
            "the retention of the store " + spec.name +
                " must not be shorter than its windows, and these not negative");
    const bool has_time =
        spec.kind == StoreSpec::Kind::kSession || spec.kind == StoreSpec::Kind::kVersioned;
    require(user, !has_time || spec.retention_ms >= 0,
            "the retention of the store " + spec.name + " is not negative");
    require(user, !spec.own || is_supplied_kind(spec),
            "the supplier of the store " + spec.name + " makes stores of another kind");
    require(user, !spec.own || spec.own.is_complete(),
            "the supplier of the store " + spec.name + " has no get");
    require(user, !spec.retain_duplicates || spec.kind == StoreSpec::Kind::kPlainWindow,
            "only a plain window store retains duplicates, not " + spec.name);
}

void Parts::add_store(StoreSpec spec, const std::vector<std::string>& users,
                      std::string_view owner) {
    const std::string name = spec.name;
    const std::string& user = users.empty() ? name : users.front();
    check_store(spec, user);
    if (const StoreSpec* known = find_store(name); known == nullptr) {
        owners_.emplace(name, owner);
        stores_.push_back(std::move(spec));
    } else {
        const bool shared = !owner.empty() && owners_[name] == owner && *known == spec;
        require(user, shared, "two stores have this name: " + name);
    }
    for (const std::string& each : users) {
        const auto part = std::ranges::find(parts_, each, &Part::name);
        require(each, part != parts_.end(), "there is no such node for the store " + name);
        if (part != parts_.end() && std::ranges::find(part->stores, name) == part->stores.end())
            part->stores.push_back(name);
    }
}

void Parts::place_stores(const DslStores& stores, StoreType otherwise) {
    for (StoreSpec& spec : stores_) {
        if (!spec.by_setting) continue;
        const DslStoreChoice choice = stores ? stores(asked_of(spec)) : DslStoreChoice{otherwise};
        spec.persistent = choice.type == StoreType::kRocksDb;
        if (!choice.own) continue;
        spec.own = choice.own;
        spec.persistent = choice.own.traits().persistent;
        check_store(spec, spec.name);
    }
}

void Parts::connect(const std::string& node, const std::string& store) {
    const auto part = std::ranges::find(parts_, node, &Part::name);
    require(node, part != parts_.end(), "there is no such node for the store " + store);
    require(node, find_store(store) != nullptr, "the store " + store + " is not added");
    require(node, part == parts_.end() || part->kind == Part::Kind::kProcessor,
            "only a processor has a store, " + store);
    if (part != parts_.end() && std::ranges::find(part->stores, store) == part->stores.end())
        part->stores.push_back(store);
}

void Parts::copartition(std::vector<std::string> nodes) {
    if (nodes.size() > 1) copartitioned_.push_back(std::move(nodes));
}

void Parts::copartition(const std::string& reader, const std::vector<std::string>& stores) {
    std::vector<std::string> nodes{reader};
    for (const auto& store : stores) {
        // Who fills a store is added with it, before those who only read it.
        const auto part = std::ranges::find_if(parts_, [&](const Part& one) {
            return std::ranges::find(one.stores, store) != one.stores.end();
        });
        if (part != parts_.end()) nodes.push_back(part->name);
    }
    copartition(std::move(nodes));
}

void Parts::add_global_store(StoreSpec spec, Part source, Part processor) {
    require(spec.name, find_store(spec.name) == nullptr, "two stores have this name");
    require(spec.name, !spec.entries_max, "a global store keeps all there is");
    spec.logging = false;
    spec.source_topic = source.topics.front();
    check_store(spec, spec.name);
    processor.stores = {spec.name};
    global_nodes_.insert(source.name);
    global_nodes_.insert(processor.name);
    global_stores_.insert(spec.name);
    stores_.push_back(std::move(spec));
    add(std::move(source));
    add(std::move(processor));
}

void Parts::add_repartition_topic(RepartitionTopic topic) {
    std::string name = topic.name;
    require(name, is_legal_name(name), kLegalNames);
    repartition_.emplace(std::move(name), std::move(topic));
}

void Parts::require(std::string_view part, bool good, std::string_view mistake) {
    if (good || !mistake_.empty()) return;
    mistake_ = std::string{part} + ": " + std::string{mistake};
}

Result<void> Parts::check() const {
    if (!mistake_.empty()) return Error{Errc::kStreamsInvalidTopology, mistake_};
    std::map<std::string_view, const Part*> reader;
    for (const Part& part : parts_) {
        if (part.kind != Part::Kind::kSource) continue;
        for (const auto& topic : part.topics) {
            const auto [other, fresh] = reader.emplace(topic, &part);
            if (!fresh)
                return Error{Errc::kStreamsInvalidTopology, part.name + ": the topic " + topic +
                                                                " is read by " +
                                                                other->second->name + " already"};
        }
    }
    for (const Part& part : parts_) {
        if (part.pattern.empty()) continue;
        for (const auto& [topic, other] : reader) {
            if (!repartition_.contains(std::string{topic}) &&
                topic_matches(part.pattern, std::string{topic}))
                return Error{Errc::kStreamsInvalidTopology,
                             part.name + ": the pattern takes in the topic " + std::string{topic} +
                                 ", which " + other->name + " reads"};
        }
    }
    for (const auto& nodes : copartitioned_) LEAT_TRY_VOID(check_partitions(*this, nodes));
    return {};
}

const Part* Parts::find(std::string_view name) const {
    const auto found = std::ranges::find(parts_, name, &Part::name);
    return found == parts_.end() ? nullptr : &*found;
}

const StoreSpec* Parts::find_store(std::string_view name) const {
    const auto found = std::ranges::find(stores_, name, &StoreSpec::name);
    return found == stores_.end() ? nullptr : &*found;
}

std::vector<std::vector<std::string>> Parts::subtopologies() const {
    std::vector<std::size_t> root(parts_.size());
    std::iota(root.begin(), root.end(), std::size_t{0});
    const auto find_root = [&](std::size_t at) {
        while (root[at] != at) at = root[at] = root[root[at]];
        return at;
    };
    std::map<std::string, std::size_t, std::less<>> index;
    std::map<std::string, std::size_t, std::less<>> first_user;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        index.emplace(parts_[i].name, i);
        for (const auto& parent : parts_[i].parents)
            root[find_root(i)] = find_root(index.at(parent));
        for (const auto& store : parts_[i].stores) {
            // What reads a global store belongs no more to those who feed it than to each other.
            if (is_global_store(store)) continue;
            const auto [user, fresh] = first_user.emplace(store, i);
            if (!fresh) root[find_root(i)] = find_root(user->second);
        }
    }
    // Numbers go by the node that was declared first.
    std::map<std::size_t, std::size_t> number;
    for (std::size_t i = 0; i < parts_.size(); ++i) number.emplace(find_root(i), number.size());
    std::vector<std::vector<std::string>> out(number.size());
    for (std::size_t i = 0; i < parts_.size(); ++i)
        out[number.at(find_root(i))].push_back(parts_[i].name);
    return out;
}

}  // namespace leat::streams::detail

namespace leat::streams {

Topology Topology::placed(const DslStores& stores, StoreType otherwise) const {
    if (!stores && otherwise == StoreType::kRocksDb) return *this;  // As they are.
    auto parts = std::make_shared<detail::Parts>(*parts_);
    parts->place_stores(stores, otherwise);
    return Topology{std::move(parts)};
}

}  // namespace leat::streams
