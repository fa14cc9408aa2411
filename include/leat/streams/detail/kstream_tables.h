// SPDX-License-Identifier: Apache-2.0
//
// KStream joined with a KTable or a GlobalKTable, and to_table(). Layer: streams SDK, not for
// users.
// Spec:  Kafka Streams' KStreamImpl: toTable, doStreamTableJoin, globalTableJoin.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/repartition.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/stream_table_join.h"
#include "leat/streams/kstream.h"

namespace leat::streams {

template <class K, class V>
KTable<K, V> KStream<K, V>::to_table(const Materialized<K, V>& as) const {
    constexpr std::string_view kPrefix = "KSTREAM-TOTABLE-";
    auto& graph = *at_.graph;
    const std::string name = graph.name(kPrefix, as.name);
    const std::string store = as.store.empty() ? graph.store_name(kPrefix) : as.store;
    auto at = at_;
    at.key = detail::choose(as.key, at_.key);
    at.value = detail::choose(as.value, at_.value);
    if (at.repartition) {
        at.node = &detail::add_repartition(at, name, std::nullopt);
        at.repartition = false;
    }
    const detail::LazyTable<K, V> lazy{.kept =
                                           detail::kept(graph, name, store, as, at.key, at.value)};
    if (!as.store.empty()) *lazy.needed = true;
    detail::require_serdes(
        graph, name,
        {detail::need("the table's key", "Materialized::key", lazy.kept.use.key),
         detail::need("the table's value", "Materialized::value", lazy.kept.use.value)});
    detail::GraphNode node{.name = name, .kept = lazy.needed};
    node.write = [=, parent = at.node->name, old = node.old_values](detail::Parts& parts) {
        lazy.write(parts, name, parent, *old);
    };
    at.node = &graph.add({at.node}, std::move(node));
    return KTable<K, V>{at, lazy.table(), as.store};
}

template <class K, class V>
template <class V2, class F>
auto KStream<K, V>::join(const KTable<K, V2>& table, F joiner, const Joined<K, V>& as) const {
    return with_table<detail::Absent::kNone>(table, std::move(joiner), as);
}

template <class K, class V>
template <class V2, class F>
auto KStream<K, V>::left_join(const KTable<K, V2>& table, F joiner, const Joined<K, V>& as) const {
    return with_table<detail::Absent::kRight>(table, std::move(joiner), as);
}

template <class K, class V>
template <detail::Absent kAbsent, class V2, class F>
auto KStream<K, V>::with_table(const KTable<K, V2>& table, F joiner, const Joined<K, V>& as) const {
    using R = detail::JoinedTo<kAbsent, F, K, V, V2>;
    constexpr bool kLeft = kAbsent != detail::Absent::kNone;
    auto& graph = *at_.graph;
    auto at = at_;
    at.key = detail::choose(as.key, at_.key);
    at.value = detail::choose(as.value, at_.value);
    at = detail::repartitioned(at, as.name);
    const std::string name = graph.name(kLeft ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-", as.name);
    graph.require(name, table.handle().graph == at_.graph,
                  "stream and table must come from one Builder");
    detail::StreamTableJoin<K, V, K, V2, R> join{
        .table = table.read_by(name),
        .select = [](const K* key,
                     const V*) { return key ? std::optional<K>{*key} : std::nullopt; },
        .joiner = detail::joiner_of<kAbsent, K, V, V2>(std::move(joiner)),
        .left = kLeft};
    if (as.grace) {
        graph.require(name, join.table != nullptr && join.table->versioned(),
                      "a grace period needs a versioned table: give its Materialized a history");
        graph.require(name, as.grace->count() >= 0, "a grace period is not negative");
        join.wait = {name + "-Buffer", as.grace->count(), detail::choose(at.key, Serde<K>{}),
                     detail::choose(at.value, Serde<V>{})};
        detail::require_serdes(
            graph, name,
            {detail::need("the stream's key", "Joined::key", join.wait->key),
             detail::need("the stream's value, which waits", "Joined::value", join.wait->value)});
    }
    detail::GraphNode node{.name = name, .joins_null_keys = kLeft};
    node.write = [=, parent = at.node->name](detail::Parts& parts) {
        parts.add({.name = name, .parents = {parent}, .make = [=] {
                       return std::make_unique<detail::StreamTableJoinNode<K, V, K, V2, R>>(name,
                                                                                            join);
                   }});
        if (join.wait)
            parts.add_store(
                {.name = join.wait->store, .kind = detail::StoreSpec::Kind::kPlainKeyValue},
                {name});
        detail::connect_all(parts, join.table->stores(), name);
    };
    auto& added = graph.add({at.node}, std::move(node));
    return KStream<K, R>{{at_.graph, &added, at.key, {}, false}};
}

template <class K, class V>
template <class KG, class VG, class S, class F>
auto KStream<K, V>::join(const GlobalKTable<KG, VG>& table, S selector, F joiner,
                         const Named& named) const {
    return with_global<detail::Absent::kNone>(table, std::move(selector), std::move(joiner), named);
}

template <class K, class V>
template <class KG, class VG, class S, class F>
auto KStream<K, V>::left_join(const GlobalKTable<KG, VG>& table, S selector, F joiner,
                              const Named& named) const {
    return with_global<detail::Absent::kRight>(table, std::move(selector), std::move(joiner),
                                               named);
}

template <class K, class V>
template <detail::Absent kAbsent, class KG, class VG, class S, class F>
auto KStream<K, V>::with_global(const GlobalKTable<KG, VG>& table, S selector, F joiner,
                                const Named& named) const {
    static_assert(std::is_same_v<detail::MappedTo<S, K, V>, KG>,
                  "the selector yields a key of the global table, or std::optional of one");
    using R = detail::JoinedTo<kAbsent, F, K, V, VG>;
    constexpr bool kLeft = kAbsent != detail::Absent::kNone;
    // Kafka Streams numbers inner joins with global tables under this name too.
    const std::string name = at_.graph->name("KSTREAM-LEFTJOIN-", named.name);
    at_.graph->require(name, table.graph() == at_.graph,
                       "stream and table must come from one Builder");
    const detail::StreamTableJoin<K, V, KG, VG, R> join{
        .table = table.table(),
        .select =
            [selector](const K* key, const V* value) mutable {
                auto yielded = detail::call(selector, key, value);
                std::optional<KG> selected = detail::moved_out<KG>(yielded);
                if (detail::new_key<S, K, V>(key, selected) == nullptr) selected.reset();
                return selected;
            },
        .joiner = detail::joiner_of<kAbsent, K, V, VG>(std::move(joiner)),
        .left = kLeft};
    auto& node = detail::add_processor(*at_.graph, *at_.node, name, [=] {
        return std::make_unique<detail::StreamTableJoinNode<K, V, KG, VG, R>>(name, join);
    });
    node.joins_null_keys = kLeft;
    return KStream<K, R>{{at_.graph, &node, at_.key, {}, at_.repartition}};
}

}  // namespace leat::streams
