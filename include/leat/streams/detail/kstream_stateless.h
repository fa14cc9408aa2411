// SPDX-License-Identifier: Apache-2.0
//
// KStream's verbs that look at one record at a time. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/kstream.h"

namespace leat::streams {

template <class K, class V>
template <class N, class F, class... More>
detail::GraphNode& KStream<K, V>::add(const std::string& name, bool key_changing, F function,
                                      More... more) const {
    static_assert(detail::Copyable<F>::value);
    return detail::add_processor(
        *at_.graph, *at_.node, name,
        [name, function, more...] {
            auto node = std::make_unique<N>(name, function, more...);
            node->takes(typeid(Record<K, V>));
            return node;
        },
        key_changing);
}

template <class K, class V>
template <class N, class F, class... More>
KStream<K, V> KStream<K, V>::same(std::string_view prefix, const Named& named, F function,
                                  More... more) const {
    const std::string name = at_.graph->name(prefix, named.name);
    auto& node = add<N>(name, false, std::move(function), more...);
    return KStream{{at_.graph, &node, at_.key, at_.value, at_.repartition}};
}

template <class K, class V>
template <class N, class V2, class F>
KStream<K, V2> KStream<K, V>::values(std::string_view prefix, const Named& named,
                                     F function) const {
    const std::string name = at_.graph->name(prefix, named.name);
    auto& node = add<N>(name, false, std::move(function));
    node.value_changing = true;
    return KStream<K, V2>{{at_.graph, &node, at_.key, {}, at_.repartition}};
}

template <class K, class V>
template <class N, class Pair, class F>
auto KStream<K, V>::pairs(std::string_view prefix, const Named& named, F function) const {
    using K2 = typename decltype(Pair::key)::value_type;
    using V2 = typename decltype(Pair::value)::value_type;
    const std::string name = at_.graph->name(prefix, named.name);
    auto& node = add<N>(name, true, std::move(function));
    return KStream<K2, V2>{{at_.graph, &node, {}, {}, true}};
}

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::filter(F predicate, const Named& named) const {
    return same<detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", named, std::move(predicate), false);
}

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::filter_not(F predicate, const Named& named) const {
    return same<detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", named, std::move(predicate), true);
}

template <class K, class V>
template <class F>
auto KStream<K, V>::map_values(F mapper, const Named& named) const {
    return values<detail::MapValuesNode<K, V, F>, detail::MappedTo<F, K, V>>(
        "KSTREAM-MAPVALUES-", named, std::move(mapper));
}

template <class K, class V>
template <class F>
auto KStream<K, V>::flat_map_values(F mapper, const Named& named) const {
    using Out = detail::PlainOf<detail::ElementOf<detail::MappedTo<F, K, V>>>;
    return values<detail::FlatMapValuesNode<K, V, F>, Out>("KSTREAM-FLATMAPVALUES-", named,
                                                           std::move(mapper));
}

template <class K, class V>
template <class F>
auto KStream<K, V>::map(F mapper, const Named& named) const {
    using Out = detail::PairOf<detail::MappedTo<F, K, V>>;
    return pairs<detail::MapNode<K, V, F>, Out>("KSTREAM-MAP-", named, std::move(mapper));
}

template <class K, class V>
template <class F>
auto KStream<K, V>::flat_map(F mapper, const Named& named) const {
    using Out = detail::PairOf<detail::ElementOf<detail::MappedTo<F, K, V>>>;
    return pairs<detail::FlatMapNode<K, V, F>, Out>("KSTREAM-FLATMAP-", named, std::move(mapper));
}

template <class K, class V>
template <class F>
auto KStream<K, V>::select_key(F selector, const Named& named) const {
    using K2 = detail::MappedTo<F, K, V>;
    const std::string name = at_.graph->name("KSTREAM-KEY-SELECT-", named.name);
    auto& node = add<detail::SelectKeyNode<K, V, F>>(name, true, std::move(selector));
    return KStream<K2, V>{{at_.graph, &node, {}, at_.value, true}};
}

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::peek(F action, const Named& named) const {
    return same<detail::PeekNode<K, V, F>>("KSTREAM-PEEK-", named, std::move(action));
}

template <class K, class V>
template <class F>
void KStream<K, V>::foreach (F action, const Named& named) const {
    static_cast<void>(
        same<detail::ForeachNode<K, V, F>>("KSTREAM-FOREACH-", named, std::move(action)));
}

template <class K, class V>
KStream<K, V> KStream<K, V>::merge(const KStream& other, const Named& named) const {
    const std::string name = at_.graph->name("KSTREAM-MERGE-", named.name);
    detail::GraphNode node{.name = name, .merge = true};
    node.write = [name, left = at_.node->name, right = other.at_.node->name](detail::Parts& parts) {
        parts.add({.name = name, .parents = {left, right}, .make = [name] {
                       return std::make_unique<detail::PassNode>(name);
                   }});
    };
    auto& added = at_.graph->add({at_.node, other.at_.node}, std::move(node));
    return KStream{
        {at_.graph, &added, at_.key, at_.value, at_.repartition || other.at_.repartition}};
}

template <class K, class V>
KGroupedStream<K, V> KStream<K, V>::group_by_key(const Grouped<K, V>& grouped) const {
    return KGroupedStream<K, V>{at_, grouped};
}

template <class K, class V>
template <class F>
auto KStream<K, V>::group_by(F selector,
                             const Grouped<detail::MappedTo<F, K, V>, V>& grouped) const {
    using K2 = detail::MappedTo<F, K, V>;
    const std::string name = at_.graph->name("KSTREAM-KEY-SELECT-", grouped.name);
    auto& node = add<detail::SelectKeyNode<K, V, F>>(name, true, std::move(selector));
    return KGroupedStream<K2, V>{{at_.graph, &node, {}, at_.value, true}, grouped};
}

}  // namespace leat::streams
