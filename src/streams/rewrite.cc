// SPDX-License-Identifier: Apache-2.0
#include "streams/rewrite.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"

namespace leat::streams::detail {

namespace {

using Test = std::function<bool(const GraphNode&)>;

bool has(const std::vector<GraphNode*>& nodes, const GraphNode& node) {
    return std::ranges::find(nodes, &node) != nodes.end();
}

void unlink(GraphNode& parent, GraphNode& child) {
    std::erase(parent.children, &child);
    std::erase(child.parents, &parent);
}

/// Puts `child` below `to` instead of `from`, and remembers what its declaration calls the new
/// parent.
void move_below(GraphNode& child, GraphNode& from, GraphNode& to) {
    unlink(from, child);
    link(to, child);
    for (auto& [declared, real] : child.moved)
        if (real == from.name) real = to.name;
    child.moved.emplace(from.name, to.name);
}

/// The node itself or the nearest above it, left parents first.
GraphNode* find_up(GraphNode& from, const Test& test) {
    if (test(from)) return &from;
    GraphNode* found = nullptr;
    for (GraphNode* parent : from.parents) {
        if (test(*parent)) return parent;
        found = find_up(*parent, test);
    }
    return found;
}

Error invalid(const GraphNode& node, std::string_view mistake) {
    return {Errc::kStreamsInvalidTopology, node.name + ": " + std::string{mistake}};
}

Result<void> take_over(GraphNode& root, GraphNode& first, GraphNode& again) {
    if (first.source->topics != again.source->topics)
        return invalid(again, "reads a topic that " + first.name +
                                  " reads too, but not the same set of topics");
    if (!(first.source->reset == again.source->reset))
        return invalid(again, "reads the topics of " + first.name + " with another offset reset");
    if (first.source->type != again.source->type)
        return invalid(
            again, "reads the topics of " + first.name + " as other types; read them once and map");
    for (GraphNode* child : std::vector<GraphNode*>{again.children})
        move_below(*child, again, first);
    unlink(root, again);
    return {};
}

/// Repartition topics by the node behind which one of them would do, in the order of declaration.
using ByChange = std::vector<std::pair<GraphNode*, std::vector<GraphNode*>>>;

ByChange repartitions_by_change(const std::vector<std::unique_ptr<GraphNode>>& nodes) {
    ByChange out;
    for (const auto& node : nodes) {
        if (node->key_changing) {
            out.emplace_back(node.get(), std::vector<GraphNode*>{});
            continue;
        }
        if (!node->repartition) continue;
        GraphNode* change =
            find_up(*node, [](const GraphNode& n) { return n.key_changing || n.value_changing; });
        if (change == nullptr || !change->key_changing) continue;
        const auto at = std::ranges::find(out, change, &ByChange::value_type::first);
        LEAT_CHECK(at != out.end());
        at->second.push_back(node.get());
    }
    return out;
}

bool is_below(GraphNode& node, const GraphNode& above) {
    return find_up(node, [&](const GraphNode& n) { return has(n.parents, above); }) != nullptr;
}

/// Changes of the key that come together in a merge before all of their repartition topics: one
/// topic behind the merge serves them.
void gather_at_merges(const std::vector<std::unique_ptr<GraphNode>>& nodes, ByChange& by_change) {
    ByChange at_merges;
    std::vector<GraphNode*> replaced;
    for (const auto& merge : nodes) {
        if (!merge->merge) continue;
        auto& [key, topics] = at_merges.emplace_back(merge.get(), std::vector<GraphNode*>{});
        for (const auto& [change, below] : by_change) {
            const bool all_below = std::ranges::all_of(
                below, [&](GraphNode* node) { return is_below(*node, *merge); });
            if (!all_below || !is_below(*merge, *change)) continue;
            for (GraphNode* node : below)
                if (!has(topics, *node)) topics.push_back(node);
            replaced.push_back(change);
        }
    }
    std::erase_if(by_change, [&](const auto& entry) { return has(replaced, *entry.first); });
    for (auto& entry : at_merges) by_change.push_back(std::move(entry));
}

}  // namespace

void link(GraphNode& parent, GraphNode& child) {
    if (!has(parent.children, child)) parent.children.push_back(&child);
    if (!has(child.parents, parent)) child.parents.push_back(&parent);
}

Result<void> merge_sources(GraphNode& root) {
    std::map<std::string, GraphNode*> by_topic;
    std::map<std::string, GraphNode*> by_pattern;
    for (GraphNode* node : std::vector<GraphNode*>{root.children}) {
        if (!node->source) continue;
        if (!node->source->pattern.empty()) {
            const auto [first, fresh] = by_pattern.emplace(node->source->pattern, node);
            if (!fresh) LEAT_TRY_VOID(take_over(root, *first->second, *node));
            continue;
        }
        for (const auto& topic : node->source->topics) {
            const auto [first, fresh] = by_topic.emplace(topic, node);
            if (!fresh && first->second != node && has(root.children, *node))
                LEAT_TRY_VOID(take_over(root, *first->second, *node));
        }
    }
    return {};
}

Result<void> merge_repartition_topics(Graph& graph,
                                      const std::vector<std::unique_ptr<GraphNode>>& nodes) {
    auto by_change = repartitions_by_change(nodes);
    gather_at_merges(nodes, by_change);
    for (const auto& [change, topics] : by_change) {
        if (topics.empty()) continue;
        auto& shared = graph.add({change}, topics.front()->repartition->again(*change));
        shared.priority = change->priority;
        unlink(*change, shared);
        for (GraphNode* topic : topics) {
            GraphNode* below =
                find_up(*topic, [&](const GraphNode& n) { return has(n.parents, *change); });
            if (below == nullptr)
                return invalid(*topic,
                               "no single repartition topic can be found behind merges of merges; "
                               "merge the stream that has merges first, or build without "
                               "merge.repartition.topics");
            move_below(*below, *change, shared);
            const std::vector<GraphNode*> parents{topic->parents};
            for (GraphNode* child : std::vector<GraphNode*>{topic->children})
                for (GraphNode* parent : parents) move_below(*child, *topic, *parent);
            for (GraphNode* parent : parents) unlink(*parent, *topic);
        }
        link(*change, shared);
    }
    return {};
}

void let_null_keys_through(const std::vector<std::unique_ptr<GraphNode>>& nodes) {
    std::set<GraphNode*> seen;
    std::vector<GraphNode*> above;
    for (const auto& node : nodes)
        if (node->joins_null_keys) above.push_back(node.get());
    while (!above.empty()) {
        GraphNode& node = *above.back();
        above.pop_back();
        for (GraphNode* parent : node.parents) {
            if (!seen.insert(parent).second) continue;
            if (parent->takes_null_keys) *parent->takes_null_keys = true;
            above.push_back(parent);
        }
    }
}

void use_single_stores(const std::vector<std::unique_ptr<GraphNode>>& nodes) {
    for (const auto& node : nodes) {
        if (!node->self_join || node->parents.size() != 1) continue;
        GraphNode& parent = *node->parents.front();
        const auto right =
            std::ranges::find(parent.children, node->self_join->right, &GraphNode::name);
        if (right == parent.children.end()) continue;
        unlink(parent, **right);
        *node->self_join->single = true;
    }
}

}  // namespace leat::streams::detail
