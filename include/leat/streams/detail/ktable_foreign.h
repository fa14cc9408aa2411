// SPDX-License-Identifier: Apache-2.0
//
// KTable joined with a KTable by a foreign key. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableImpl.doJoinOnForeignKey: names, topics and stores (KIP-213).
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/foreign_join.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/ktable.h"

namespace leat::streams {

template <class K, class V>
template <class KO, class VO, class X, class F>
auto KTable<K, V>::join_on(
    const KTable<KO, VO>& other, X extractor, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kNone, F, K, V, VO>>& as,
    const TableJoined<K, KO>& joined) const {
    return joined_on<detail::Absent::kNone>(other, std::move(extractor), std::move(joiner), as,
                                            joined);
}

template <class K, class V>
template <class KO, class VO, class X, class F>
auto KTable<K, V>::left_join_on(
    const KTable<KO, VO>& other, X extractor, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kRight, F, K, V, VO>>& as,
    const TableJoined<K, KO>& joined) const {
    return joined_on<detail::Absent::kRight>(other, std::move(extractor), std::move(joiner), as,
                                             joined);
}

template <class K, class V>
template <detail::Absent kAbsent, class KO, class VO, class X, class F, class R>
KTable<K, R> KTable<K, V>::joined_on(const KTable<KO, VO>& other, X extractor, F joiner,
                                     const Materialized<K, R>& as,
                                     const TableJoined<K, KO>& joined) const {
    static_assert(std::is_same_v<detail::MappedTo<X, K, V>, KO>,
                  "the extractor yields a key of the other table, or std::optional of one");
    constexpr bool kLeft = kAbsent == detail::Absent::kRight;
    auto& graph = *at_.graph;
    const auto& right = other.handle();
    detail::Graph::ask_old_values(*right.node);
    detail::Graph::ask_old_values(*at_.node);
    const detail::ForeignJoinNames names{graph, as.name};
    graph.require(names.result, right.graph == at_.graph, "both tables must come from one Builder");
    const auto left_table = read_by(names.resolve);
    const auto right_table = other.read_by(names.join);
    if (!left_table || !right_table) return KTable<K, R>{{at_.graph, at_.node}, nullptr, ""};

    const auto key = detail::choose(at_.key, Serde<K>{});
    const auto value = detail::choose(at_.value, Serde<V>{});
    const auto other_key = detail::choose(right.key, Serde<KO>{});
    const auto other_value = detail::choose(right.value, Serde<VO>{});
    detail::require_serdes(
        graph, names.result,
        {detail::need("the left table's key", "the table's Materialized::key", key),
         detail::need("the left table's value", "the table's Materialized::value", value),
         detail::need("the right table's key", "the table's Materialized::key", other_key),
         detail::need("the right table's value", "the table's Materialized::value", other_value)});
    const detail::ForeignJoin<K, V, KO, VO, R> join{
        .send = {.extract =
                     [extractor](const K& k, const V& v) mutable {
                         auto extracted = detail::call(extractor, &k, &v);
                         return detail::moved_out<KO>(extracted);
                     },
                 .key = key,
                 .value = value,
                 .foreign_key = other_key,
                 .left = kLeft,
                 .skips_overtaken = left_table->versioned()},
        .foreign = {.store = names.store,
                    .key = other_key,
                    .value = other_value,
                    .skips_overtaken = right_table->versioned()},
        .answer = {.table = left_table,
                   .joiner = detail::joiner_of<kAbsent, K, V, VO>(std::move(joiner)),
                   .key = key,
                   .value = value,
                   .foreign_value = other_value,
                   .left = kLeft},
        .other = right_table,
        .partitioners = joined};
    const detail::LazyTable<K, R> lazy{
        .kept = detail::kept(
            graph, names.result,
            as.store.empty() ? graph.store_name("KTABLE-FK-JOIN-OUTPUT-") : as.store, as, key)};
    if (!as.store.empty()) *lazy.needed = true;
    detail::GraphNode node{.name = names.result, .kept = lazy.needed};
    node.write = [=, left = at_.node->name, foreign = right.node->name,
                  old = node.old_values](detail::Parts& parts) {
        join.write(parts, names, left, foreign);
        lazy.write(parts, names.result, names.resolve, *old);
    };
    auto& added = graph.add({at_.node, right.node}, std::move(node));
    return KTable<K, R>{{at_.graph, &added, key, as.value, false}, lazy.table(), as.store};
}

}  // namespace leat::streams
