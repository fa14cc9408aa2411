// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/graph.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/check.h"
#include "leat/streams/detail/repartition.h"
#include "streams/rewrite.h"

namespace leat::streams::detail {

namespace {

std::string numbered(std::string_view prefix, std::uint32_t number) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%010u", number);
    return std::string{prefix} + digits;
}

bool is_ready(const GraphNode& node) {
    return !node.written &&
           std::ranges::all_of(node.parents, [](const GraphNode* p) { return p->written; });
}

}  // namespace

Graph::Graph() {
    nodes_.push_back(std::make_unique<GraphNode>());
    root().graph = this;
}

std::string Graph::name(std::string_view prefix, std::string_view wanted) {
    const std::uint32_t number = next_++;
    if (wanted.empty()) return numbered(prefix, number);
    require_legal(wanted);
    return std::string{wanted};
}

std::string Graph::store_name(std::string_view prefix) {
    return numbered(std::string{prefix} + "STATE-STORE-", next_++);
}

GraphNode& Graph::add(const std::vector<GraphNode*>& parents, GraphNode node) {
    LEAT_CHECK(!parents.empty());
    auto& added = *nodes_.emplace_back(std::make_unique<GraphNode>(std::move(node)));
    added.priority = next_priority_++;
    added.graph = this;
    require_legal(added.name);
    for (GraphNode* parent : parents) {
        require(added.name, parent->graph == this, "its inputs must come from one Builder");
        if (parent->graph == this) link(*parent, added);
    }
    return added;
}

void Graph::require_legal(std::string_view name) {
    require(name, is_legal_name(name), kLegalNames);
}

void Graph::require(std::string_view operator_name, bool good, std::string_view mistake) {
    if (good || !mistake_.empty()) return;
    mistake_ = std::string{operator_name} + ": " + std::string{mistake};
}

std::optional<std::int64_t> Graph::grace_of(const GraphNode& node) {
    if (node.grace_ms) return node.grace_ms;
    std::optional<std::int64_t> longest;
    for (const GraphNode* parent : node.parents) {
        const auto grace = grace_of(*parent);
        if (!grace) return std::nullopt;
        longest = std::max(longest, grace);
    }
    return longest;
}

void Graph::ask_old_values(GraphNode& node) {
    if (std::exchange(*node.old_values, true) || !node.old_values_from_parents) return;
    for (GraphNode* parent : node.parents) ask_old_values(*parent);
}

bool Graph::ask_old_values_if_kept(GraphNode& node) {
    if (*node.old_values) return true;
    // A join has both its sides kept anyhow.
    const bool passes_on = node.old_values_from_parents && node.parents.size() == 1;
    if (passes_on && !ask_old_values_if_kept(*node.parents.front())) return false;
    if (node.kept && !*node.kept) return false;
    ask_old_values(node);
    return true;
}

Result<std::shared_ptr<const Parts>> Graph::write(const Optimization& optimization) {
    if (!mistake_.empty()) return Error{Errc::kStreamsInvalidTopology, mistake_};
    if (std::exchange(was_written_, true))
        return Error{Errc::kStreamsInvalidTopology, "build() was called before"};
    LEAT_TRY_VOID(merge_sources(root()));
    if (optimization.merge_repartition_topics)
        LEAT_TRY_VOID(merge_repartition_topics(*this, nodes_));
    if (optimization.single_store_self_join) use_single_stores(nodes_);
    let_null_keys_through(nodes_);
    auto parts = std::make_shared<Parts>();
    parts->set_optimization(optimization);
    const auto earlier = [](const GraphNode* a, const GraphNode* b) {
        return std::pair{a->priority, a} < std::pair{b->priority, b};
    };
    std::set<GraphNode*, decltype(earlier)> ready{&root()};
    while (!ready.empty()) {
        GraphNode& node = **ready.begin();
        ready.erase(ready.begin());
        parts->set_moved(node.moved);
        if (node.write) node.write(*parts);
        node.written = true;
        for (GraphNode* child : node.children)
            if (is_ready(*child)) ready.insert(child);
    }
    parts->set_moved({});
    LEAT_TRY_VOID(parts->check());
    return std::shared_ptr<const Parts>{std::move(parts)};
}

bool is_legal_name(std::string_view name) {
    constexpr std::size_t kLongest = 249;
    return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
           name.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string_view::npos;
}

bool is_generated_repartition(const std::string& topic) {
    constexpr std::string_view kPrefix = "KSTREAM";
    constexpr std::string_view kSuffix = "-repartition";
    constexpr std::size_t kDigits = 10;
    if (!topic.starts_with(kPrefix) || !topic.ends_with(kSuffix)) return false;
    const std::string_view stem{topic.data(), topic.size() - kSuffix.size()};
    if (stem.size() < kPrefix.size() + 1 + kDigits || stem[stem.size() - kDigits - 1] != '-')
        return false;
    return stem.substr(stem.size() - kDigits).find_first_not_of("0123456789") ==
           std::string_view::npos;
}

}  // namespace leat::streams::detail
