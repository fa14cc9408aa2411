// SPDX-License-Identifier: Apache-2.0
//
// What the aggregates of a grouped stream declare. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/aggregate_call.h"
#include "leat/streams/detail/aggregate_nodes.h"
#include "leat/streams/detail/materialized.h"
#include "leat/streams/detail/repartition.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/sliding_nodes.h"
#include "leat/streams/detail/window_nodes.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"
#include "leat/streams/windowed_serde.h"

namespace leat::streams::detail {

/// A grouped stream: where it is and how it is grouped.
template <class K, class V>
struct Grouping {
    Grouping(Handle<K, V> where, Grouped<K, V> how)
        : at(std::move(where)), grouped(std::move(how)) {
        at.key = choose(grouped.key, at.key);
        at.value = choose(grouped.value, at.value);
        if (!grouped.name.empty()) at.graph->require_legal(grouped.name);
    }
    Handle<K, V> at;
    Grouped<K, V> grouped;
    /// The same in all copies of one grouped stream: the repartition topic that has its name.
    std::shared_ptr<GraphNode*> identity = std::make_shared<GraphNode*>(nullptr);
};

template <class K, class V>
Aggregation<K, V, std::int64_t> counting() {
    return {.initial = [] { return std::optional<std::int64_t>{0}; },
            .step = [](const K&, const V*,
                       std::optional<std::int64_t> n) { return std::optional{n.value_or(0) + 1}; },
            .merge =
                [](const K&, std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
                    return std::optional{a.value_or(0) + b.value_or(0)};
                }};
}

/// The first value, then reducer(aggregate, value). A null value changes nothing.
template <class K, class V, class F>
Aggregation<K, V, V> reducing(F reducer) {
    static_assert(Copyable<F>::value);
    return {.initial = [] { return std::optional<V>{}; },
            .step =
                [reducer](const K&, const V* value, std::optional<V> sum) mutable {
                    if (value == nullptr) return sum;
                    return sum ? reduced<V>(reducer, *sum, *value) : std::optional<V>{*value};
                },
            .merge =
                [reducer](const K&, std::optional<V> a, std::optional<V> b) mutable {
                    if (!a) return b;
                    return b ? reduced<V>(reducer, *a, *b) : a;
                }};
}

/// adder(key, value, aggregate), with value by reference or by pointer.
template <class A, class K, class V, class F>
Step<K, V, A> adding(F adder) {
    static_assert(Copyable<F>::value);
    return [adder](const K& key, const V* value, std::optional<A> sum) mutable -> std::optional<A> {
        if (!sum) return sum;
        if constexpr (std::is_invocable_v<F&, const K&, const V&, A>)
            return value != nullptr ? added<A>(adder, key, *value, *std::move(sum)) : sum;
        else
            return added<A>(adder, key, value, *std::move(sum));
    };
}

template <class A, class Init>
Initial<A> initial(Init initializer) {
    return [initializer]() mutable { return begun<A>(initializer); };
}

template <class A, class K, class V, class Init, class F>
Aggregation<K, V, A> aggregating(Init initializer, F adder) {
    static_assert(Copyable<Init>::value);
    return {.initial = initial<A>(std::move(initializer)),
            .step = adding<A, K, V>(std::move(adder))};
}

/// merger(key, one, two), or merger(one, two).
template <class K, class A, class F>
Merge<K, A> merging(F merger) {
    static_assert(Copyable<F>::value);
    return
        [merger](const K& key, std::optional<A> a, std::optional<A> b) mutable -> std::optional<A> {
            if (!a) return b;
            if (!b) return a;
            return merged<A>(merger, key, *std::move(a), *std::move(b));
        };
}

/// Where an aggregate is kept, and what is known about the node above it.
template <class K, class A>
struct Keeping {
    StoreSpec spec;
    StoreUse<K, A> use;
};

/// The store that `as` asks for. `prefix` names it when `as` does not. `can`: what it may keep.
template <class K, class A>
Keeping<K, A> keeping(Graph& graph, std::string_view prefix, const Materialized<K, A>& as,
                      const Serde<K>& key, StoreKeeps can = {}) {
    StoreSpec spec{.name = as.store.empty() ? graph.store_name(prefix) : as.store,
                   .logging = as.logging,
                   .caching = as.caching};
    spec.changelog = as.changelog;
    check_materialized(graph, as.name.empty() ? spec.name : as.name, as, can);
    place_store(spec, as);
    keep_history(spec, as);
    StoreUse<K, A> use{spec.name, choose(as.key, key), choose(as.value, Serde<A>{})};
    require_serdes(graph, spec.name,
                   {need("the store's key", "Grouped::key or Materialized::key", use.key),
                    need("the store's value", "Materialized::value", use.value)});
    return {std::move(spec), std::move(use)};
}

/// The store of a count that is given options but no name gets the second of two numbers, except
/// over sliding windows: Kafka Streams numbers it twice, and what it numbers later counts on.
template <class K, class A>
void skip_number_of_count(Graph& graph, const Materialized<K, A>& as) {
    const bool given = as.key || as.value || as.retention || as.history || !as.logging ||
                       as.persistent || !as.caching || !as.changelog.empty();
    if (as.store.empty() && given) graph.store_name("KSTREAM-AGGREGATE-");
}

/// Makes a node of this name that sends old values or not.
using MakeAggregate = std::function<std::unique_ptr<Node>(const std::string&, bool old_values)>;

/// Adds the store, a repartition topic if one is needed, and the node that `make` makes.
template <class KOut, class A, class K, class V>
KTable<KOut, A> add_aggregate(const Grouping<K, V>& in, const std::string& name,
                              const StoreSpec& spec, MakeAggregate make, Handle<KOut, A> out,
                              std::optional<std::int64_t> grace_ms = {}) {
    auto& graph = *in.at.graph;
    GraphNode* parent = in.at.node;
    if (in.at.repartition) {
        const bool numbered = in.grouped.name.empty();
        parent = &add_repartition(in.at, numbered ? spec.name : in.grouped.name, std::nullopt, true,
                                  numbered ? nullptr : *in.identity);
        if (parent == *in.identity) graph.add_again(*parent);
        *in.identity = parent;
    }
    GraphNode node{.name = name, .grace_ms = grace_ms};
    node.write = [=, parent_name = parent->name, old = node.old_values](Parts& parts) {
        parts.add(
            {.name = name, .parents = {parent_name}, .make = [=] { return make(name, *old); }});
        parts.add_store(spec, {name});
    };
    out.node = &graph.add({parent}, std::move(node));
    out.graph = in.at.graph;
    auto table = table_in(spec, out.key, out.value);
    return KTable<KOut, A>{std::move(out), std::move(table), spec.name};
}

}  // namespace leat::streams::detail
