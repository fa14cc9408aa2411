// SPDX-License-Identifier: Apache-2.0
//
// A table's source and KTable's verbs that look at one update at a time. Layer: streams SDK, not
// for users.
// Spec:  Kafka Streams' TableSourceNode, KTableImpl: names, and the numbers that a description of
// a store uses up although no store comes of it.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/computed_table.h"
#include "leat/streams/detail/declare_table.h"
#include "leat/streams/ktable.h"

namespace leat::streams {

template <class K, class V>
KTable<K, V>::KTable(detail::Handle<K, V> at, std::string store)
    : at_(std::move(at)), store_(std::move(store)) {
    if (!store_.empty())
        table_ = std::make_shared<detail::StoredTable<K, V>>(
            detail::StoreUse<K, V>{store_, detail::choose(at_.key, Serde<K>{}),
                                   detail::choose(at_.value, Serde<V>{})},
            false);
}

template <class K, class V>
std::shared_ptr<detail::Table<K, V>> KTable<K, V>::read_by(const std::string& reader) const {
    at_.graph->require(reader, table_ != nullptr, at_.node->name + " cannot be read by key");
    if (table_) table_->need();
    return table_;
}

template <class K, class V>
KStream<K, V> KTable<K, V>::to_stream(const Named& named) const {
    const std::string name = at_.graph->name("KTABLE-TOSTREAM-", named.name);
    auto& node = detail::add_processor(*at_.graph, *at_.node, name, [name] {
        return std::make_unique<detail::ToStreamNode>(name);
    });
    return KStream<K, V>{{at_.graph, &node, at_.key, at_.value, false}};
}

template <class K, class V>
template <class F>
KTable<K, V> KTable<K, V>::filter(F predicate, const Materialized<K, V>& as) const {
    return filtered(std::move(predicate), false, as);
}

template <class K, class V>
template <class F>
KTable<K, V> KTable<K, V>::filter_not(F predicate, const Materialized<K, V>& as) const {
    return filtered(std::move(predicate), true, as);
}

template <class K, class V>
template <class F>
KTable<K, V> KTable<K, V>::filtered(F predicate, bool negate, const Materialized<K, V>& as) const {
    static_assert(detail::Copyable<F>::value);
    constexpr std::string_view kPrefix = "KTABLE-FILTER-";
    auto& graph = *at_.graph;
    if (as.store.empty() && detail::described(as)) graph.store_name(kPrefix);
    const std::string name = graph.name(kPrefix, as.name);
    std::optional<detail::Kept<K, V>> store;
    detail::check_materialized(graph, name, as, {.windows = false, .history = !as.store.empty()});
    if (!as.store.empty()) store = detail::kept(graph, name, as.store, as, at_.key, at_.value);
    const bool tells_all = table_ != nullptr && table_->versioned();
    auto& node =
        detail::add_table_node<K, V>(graph, {at_.node}, name, store,
                                     [=](const std::string& n, const detail::TableOut<K, V>& out) {
                                         return std::make_unique<detail::TableFilterNode<K, V, F>>(
                                             n, predicate, negate, tells_all, out);
                                     });
    // When it costs no store, what did not pass before either is not deleted again.
    if (detail::Graph::ask_old_values_if_kept(*at_.node)) *node.old_values = true;
    const detail::Handle<K, V> at{at_.graph, &node, as.key ? as.key : at_.key,
                                  as.value ? as.value : at_.value, false};
    if (store)
        return KTable{at,
                      std::make_shared<detail::StoredTable<K, V>>(store->use, store->versioned()),
                      as.store};
    auto passes = [predicate, negate](const K& key, const V* value) mutable -> std::optional<V> {
        const auto passing = detail::verdict(predicate, &key, value);
        if (value == nullptr || !passing || *passing == negate) return {};
        return *value;
    };
    if (!table_) return KTable{at, nullptr, ""};
    return KTable{
        at, std::make_shared<detail::ComputedTable<K, V, V, decltype(passes)>>(table_, passes), ""};
}

template <class K, class V>
template <class F>
auto KTable<K, V>::map_values(F mapper,
                              const Materialized<K, detail::MappedTo<F, K, V>>& as) const {
    using V2 = detail::MappedTo<F, K, V>;
    constexpr std::string_view kPrefix = "KTABLE-MAPVALUES-";
    if (as.store.empty() && detail::described(as)) at_.graph->store_name(kPrefix);
    return mapped<V2>(
        kPrefix,
        [mapper](const K& key, const V* value) mutable -> std::optional<V2> {
            if (value == nullptr) return {};
            auto result = detail::call(mapper, &key, value);
            return detail::moved_out<V2>(result);
        },
        as);
}

template <class K, class V>
template <class V2, class F>
KTable<K, V2> KTable<K, V>::mapped(std::string_view prefix, F mapper,
                                   const Materialized<K, V2>& as) const {
    auto& graph = *at_.graph;
    const std::string name = graph.name(prefix, as.name);
    std::optional<detail::Kept<K, V2>> store;
    detail::check_materialized(graph, name, as, {.windows = false, .history = !as.store.empty()});
    if (!as.store.empty()) store = detail::kept(graph, name, as.store, as, at_.key);
    auto& node = detail::add_table_node<K, V2>(
        graph, {at_.node}, name, store,
        [=](const std::string& n, const detail::TableOut<K, V2>& out) {
            return std::make_unique<detail::TableMapNode<K, V, V2, F>>(n, mapper, out);
        });
    const detail::Handle<K, V2> at{at_.graph, &node, as.key ? as.key : at_.key, as.value, false};
    std::shared_ptr<detail::Table<K, V2>> table;
    if (store)
        table = std::make_shared<detail::StoredTable<K, V2>>(store->use, store->versioned());
    else if (table_)
        table = std::make_shared<detail::ComputedTable<K, V, V2, F>>(table_, mapper);
    return KTable<K, V2>{at, std::move(table), as.store};
}

}  // namespace leat::streams
