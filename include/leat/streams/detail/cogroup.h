// SPDX-License-Identifier: Apache-2.0
//
// What the aggregates of cogrouped streams declare. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' CogroupedStreamAggregateBuilder: repartition topics first, then one
// aggregate for each input on one store, then a node that merges their updates.
// Threading: one thread declares a topology.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/cogrouped_kstream.h"
#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/kgrouped_stream.h"

namespace leat::streams {

namespace detail {

/// The nodes above the aggregates: the inputs' own, or a repartition topic's source.
template <class K, class A>
std::vector<GraphNode*> cogroup_parents(const CogroupInputs<K, A>& inputs,
                                        const std::string& store) {
    std::vector<GraphNode*> out;
    std::vector<std::string> taken;
    for (const auto& input : inputs.all) {
        out.push_back(input.node);
        if (!input.repartition) continue;
        const std::string& prefix = input.repartition_name.empty() ? store : input.repartition_name;
        inputs.graph->require(
            prefix, std::ranges::find(taken, prefix) == taken.end(),
            "two cogrouped streams need a repartition topic of this name; name their grouping");
        taken.push_back(prefix);
        out.back() = &input.add_repartition(prefix);
    }
    return out;
}

template <class KOut, class K, class A>
KTable<KOut, A> add_cogroup(const CogroupInputs<K, A>& inputs, const std::string& prefix,
                            const StoreSpec& spec, Coaggregation<K, A> shared, Serde<KOut> key,
                            std::optional<std::int64_t> grace_ms = {}) {
    auto& graph = *inputs.graph;
    const auto parents = cogroup_parents(inputs, spec.name);
    const auto named = [&](const std::string& suffix) {
        return prefix.empty() ? std::string{} : prefix + suffix;
    };
    // The merging node's name is not known yet; the first aggregate's does for the store's owner.
    std::string owner;
    std::vector<GraphNode*> aggregates;
    for (std::size_t i = 0; i < parents.size(); ++i) {
        const std::string name =
            graph.name("COGROUPKSTREAM-AGGREGATE-", named("-cogroup-agg-" + std::to_string(i)));
        if (owner.empty()) owner = name;
        GraphNode node{.name = name, .grace_ms = grace_ms};
        node.write = [=, make = inputs.all[i].make, parent = parents[i]->name,
                      old = node.old_values](Parts& parts) {
            parts.add({.name = name, .parents = {parent}, .make = [=] {
                           return make(name, shared, *old);
                       }});
            parts.add_store(spec, {name}, owner);
        };
        aggregates.push_back(&graph.add({parents[i]}, std::move(node)));
    }
    const std::string name = graph.name("COGROUPKSTREAM-MERGE-", named("-cogroup-merge"));
    GraphNode node{.name = name, .old_values_from_parents = true};
    node.write = [=](Parts& parts) {
        Part part{.name = name, .make = [name] { return std::make_unique<PassNode>(name); }};
        for (const GraphNode* parent : aggregates) part.parents.push_back(parent->name);
        parts.copartition(part.parents);
        parts.add(std::move(part));
    };
    auto& added = graph.add(aggregates, std::move(node));
    auto table = table_in(spec, key, shared.use.value);
    return KTable<KOut, A>{
        {inputs.graph, &added, std::move(key), std::move(shared.use.value), false},
        std::move(table),
        spec.name};
}

inline constexpr std::string_view kCogroupPrefix = "COGROUPKSTREAM-AGGREGATE-";

}  // namespace detail

template <class K, class A>
template <class V, class F>
CogroupedKStream<K, A> CogroupedKStream<K, A>::cogroup(const KGroupedStream<K, V>& grouped,
                                                       F adder) const {
    auto inputs = inputs_;
    auto added = detail::cogroup_input<A>(grouped.grouping(), std::move(adder));
    const auto known =
        std::ranges::find(inputs.all, added.identity, &detail::CogroupInput<K, A>::identity);
    if (known == inputs.all.end())
        inputs.all.push_back(std::move(added));
    else
        *known = std::move(added);
    return CogroupedKStream{std::move(inputs)};
}

template <class K, class A>
template <class Init>
KTable<K, A> CogroupedKStream<K, A>::aggregate(Init initializer,
                                               const Materialized<K, A>& as) const {
    const auto kept = detail::keeping(*inputs_.graph, detail::kCogroupPrefix, as, inputs_.key,
                                      detail::StoreKeeps{.history = true});
    return detail::add_cogroup<K, K, A>(
        inputs_, as.name, kept.spec, {detail::initial<A>(std::move(initializer)), {}, kept.use, {}},
        kept.use.key);
}

template <class K, class A, class W>
template <class Init>
KTable<Windowed<K>, A> TimeWindowedCogroupedKStream<K, A, W>::aggregate(
    Init initializer, const Materialized<K, A>& as) const {
    const auto kept =
        detail::keeping_windows(*inputs_.graph, detail::kCogroupPrefix, as, inputs_.key, windows_);
    return detail::add_cogroup<Windowed<K>, K, A>(
        inputs_, as.name, kept.spec,
        {detail::initial<A>(std::move(initializer)), {}, kept.use, windows_},
        detail::windowed(kept.use.key, detail::TimeBounds{detail::window_size(windows_)}),
        windows_.grace_period.count());
}

template <class K, class A>
template <class Init, class M>
KTable<Windowed<K>, A> SessionWindowedCogroupedKStream<K, A>::aggregate(
    Init initializer, M merger, const Materialized<K, A>& as) const {
    const auto kept =
        detail::keeping_windows(*inputs_.graph, detail::kCogroupPrefix, as, inputs_.key, windows_);
    return detail::add_cogroup<Windowed<K>, K, A>(
        inputs_, as.name, kept.spec,
        {detail::initial<A>(std::move(initializer)), detail::merging<K, A>(std::move(merger)),
         kept.use, windows_},
        detail::windowed(kept.use.key, detail::SessionBounds{}),
        (windows_.gap + windows_.grace_period).count());
}

}  // namespace leat::streams
