// SPDX-License-Identifier: Apache-2.0
//
// KTable joined with a KTable of the same key. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableImpl.doJoin, KTableKTableJoinNode: two nodes that each read the
// other's store, and one that merges what they yield.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/ktable_stateless.h"
#include "leat/streams/detail/table_join.h"
#include "leat/streams/ktable.h"

namespace leat::streams {

namespace detail {

/// Names and rules of a join of two tables.
struct TableJoinPlan {
    std::string merge;
    std::string left;
    std::string right;
    JoinRule left_rule{};
    JoinRule right_rule{};
};

inline TableJoinPlan plan_join(Graph& graph, Absent absent, const std::string& name) {
    TableJoinPlan plan;
    plan.merge = graph.name("KTABLE-MERGE-", name);
    plan.left = graph.name("KTABLE-JOINTHIS-", name.empty() ? "" : name + "-join-this");
    plan.right = graph.name("KTABLE-JOINOTHER-", name.empty() ? "" : name + "-join-other");
    plan.left_rule = {.needs_own = absent != Absent::kBoth, .needs_other = absent == Absent::kNone};
    plan.right_rule = {.needs_own = absent == Absent::kNone,
                       .needs_other = absent != Absent::kBoth};
    return plan;
}

}  // namespace detail

template <class K, class V>
template <class V2, class F>
auto KTable<K, V>::join(
    const KTable<K, V2>& other, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kNone, F, K, V, V2>>& as) const {
    return joined<detail::Absent::kNone>(other, std::move(joiner), as);
}

template <class K, class V>
template <class V2, class F>
auto KTable<K, V>::left_join(
    const KTable<K, V2>& other, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kRight, F, K, V, V2>>& as) const {
    return joined<detail::Absent::kRight>(other, std::move(joiner), as);
}

template <class K, class V>
template <class V2, class F>
auto KTable<K, V>::outer_join(
    const KTable<K, V2>& other, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kBoth, F, K, V, V2>>& as) const {
    return joined<detail::Absent::kBoth>(other, std::move(joiner), as);
}

template <class K, class V>
template <detail::Absent kAbsent, class V2, class F, class R>
KTable<K, R> KTable<K, V>::joined(const KTable<K, V2>& other, F joiner,
                                  const Materialized<K, R>& as) const {
    auto& graph = *at_.graph;
    const detail::Handle<K, V2>& right = other.handle();
    graph.require(as.name.empty() ? "KTABLE-MERGE" : as.name, right.graph == at_.graph,
                  "both tables must come from one Builder");
    std::string kept_as = as.store;
    if (kept_as.empty() && detail::described(as)) kept_as = graph.store_name("KTABLE-MERGE-");
    auto plan = detail::plan_join(graph, kAbsent, as.name);
    detail::check_materialized(graph, plan.merge, as, {.windows = false, .history = true});
    std::optional<detail::Kept<K, R>> store;
    if (!kept_as.empty()) store = detail::kept(graph, plan.merge, kept_as, as, at_.key);
    const auto left_table = read_by(plan.right);
    const auto right_table = other.read_by(plan.left);
    if (kAbsent != detail::Absent::kNone) detail::Graph::ask_old_values(*at_.node);
    if (kAbsent == detail::Absent::kBoth) detail::Graph::ask_old_values(*right.node);
    if (!left_table || !right_table) return KTable<K, R>{{at_.graph, at_.node}, nullptr, ""};
    plan.left_rule.skips_overtaken = left_table->versioned();
    plan.right_rule.skips_overtaken = right_table->versioned();

    const auto call = detail::joiner_of<kAbsent, K, V, V2>(std::move(joiner));
    const detail::Joiner<K, V2, V, R> reversed = [call](const K* key, const V2* r, const V* l) {
        return call(key, l, r);
    };
    detail::GraphNode node{.name = plan.merge, .old_values_from_parents = true};
    node.write = [=, old = node.old_values, left_parent = at_.node->name,
                  right_parent = right.node->name](detail::Parts& parts) {
        parts.add({.name = plan.left, .parents = {left_parent}, .make = [=] {
                       return std::make_unique<detail::TableJoinNode<K, V, V2, R>>(
                           plan.left, typename detail::TableJoinNode<K, V, V2, R>::Parts{
                                          right_table, call, plan.left_rule, *old});
                   }});
        parts.add({.name = plan.right, .parents = {right_parent}, .make = [=] {
                       return std::make_unique<detail::TableJoinNode<K, V2, V, R>>(
                           plan.right, typename detail::TableJoinNode<K, V2, V, R>::Parts{
                                           left_table, reversed, plan.right_rule, *old});
                   }});
        detail::TableOut<K, R> out{.old_values = *old};
        if (store) out.store = store->use;
        parts.add({.name = plan.merge, .parents = {plan.left, plan.right}, .make = [=] {
                       return std::make_unique<detail::TablePassNode<K, R>>(plan.merge, out);
                   }});
        detail::connect_all(parts, right_table->stores(), plan.left);
        detail::connect_all(parts, left_table->stores(), plan.right);
        if (store) parts.add_store(store->spec, {plan.merge});
    };
    auto& added = graph.add({at_.node, right.node}, std::move(node));
    const detail::Handle<K, R> at{at_.graph, &added, as.key ? as.key : at_.key, as.value, false};
    if (store)
        return KTable<K, R>{
            at, std::make_shared<detail::StoredTable<K, R>>(store->use, store->versioned()),
            as.store};
    using Joined = detail::JoinedTable<K, V, V2, R>;
    return KTable<K, R>{
        at,
        std::make_shared<Joined>(typename Joined::Sides{left_table, right_table, call, kAbsent}),
        ""};
}

}  // namespace leat::streams
