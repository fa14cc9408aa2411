// SPDX-License-Identifier: Apache-2.0
//
// A table grouped anew, and its aggregates. Layer: streams SDK.
// Spec:  Kafka Streams' KGroupedTable: an update takes the old value out of its group and puts the
// new one into its own. Groups that are empty again stay: a count of 0 is a value.
// Threading: one thread declares a topology. A cheap value on a shared graph.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/aggregate_call.h"
#include "leat/streams/detail/change_codec.h"
#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/grouped_table_nodes.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"

namespace leat::streams {

template <class K, class V>
class KGroupedTable {
  public:
    KGroupedTable(detail::Handle<K, V> at, std::string topic)
        : at_(std::move(at)), topic_(std::move(topic)) {}

    /// Number of entries of each group.
    KTable<K, std::int64_t> count(const Materialized<K, std::int64_t>& as = {}) const {
        using Number = std::optional<std::int64_t>;
        return keep<std::int64_t>(
            "KTABLE-AGGREGATE-",
            {.add = [](const K&, const V&, Number n) { return Number{n.value_or(0) + 1}; },
             .subtract = [](const K&, const V&, std::int64_t n) { return Number{n - 1}; }},
            as);
    }
    /// adder(aggregate, value) and subtractor(aggregate, value); the first value is the first
    /// aggregate.
    template <class F, class G>
    KTable<K, V> reduce(F adder, G subtractor, const Materialized<K, V>& as = {}) const {
        static_assert(detail::Copyable<F>::value && detail::Copyable<G>::value);
        return keep<V>(
            "KTABLE-REDUCE-",
            {.add = [adder](const K&, const V& value,
                            std::optional<V> sum) mutable -> std::optional<V> {
                 if (!sum) return value;
                 return detail::reduced<V>(adder, *sum, value);
             },
             .subtract = [subtractor](const K&, const V& value, V sum) mutable -> std::optional<V> {
                 return detail::reduced<V>(subtractor, sum, value);
             }},
            as);
    }
    /// adder(key, value, aggregate) and subtractor(key, value, aggregate) yield the next aggregate,
    /// or an empty optional to delete it; initializer() the first.
    template <class Init, class F, class G, class A = detail::FirstOf<Init>>
    KTable<K, A> aggregate(Init initializer, F adder, G subtractor,
                           const Materialized<K, std::type_identity_t<A>>& as = {}) const {
        static_assert(detail::Copyable<F>::value && detail::Copyable<G>::value);
        static_assert(detail::Copyable<Init>::value);
        return keep<A>(
            "KTABLE-AGGREGATE-",
            {.add = [initializer, adder](const K& key, const V& value,
                                         std::optional<A> sum) mutable -> std::optional<A> {
                 if (!sum) sum = detail::begun<A>(initializer);
                 return detail::added<A>(adder, key, value, *std::move(sum));
             },
             .subtract = [subtractor](const K& key, const V& value,
                                      A sum) mutable -> std::optional<A> {
                 return detail::added<A>(subtractor, key, value, std::move(sum));
             }},
            as);
    }

    template <class F>
    void reduce(F /*adder*/) const {
        static_assert(detail::kNever<F>,
                      "an update takes the old value out of its group: give a "
                      "subtractor(aggregate, value) behind the adder");
    }
    template <class Init, class F>
    void aggregate(Init /*initializer*/, F /*adder*/) const {
        static_assert(detail::kNever<F>,
                      "an update takes the old value out of its group: give a subtractor(key, "
                      "value, aggregate) behind the adder");
    }

  private:
    template <class A>
    KTable<K, A> keep(std::string_view prefix, detail::TableAggregation<K, V, A> aggregation,
                      const Materialized<K, A>& as) const {
        auto& graph = *at_.graph;
        const std::string kept_as =
            as.store.empty() ? graph.store_name("KTABLE-AGGREGATE-") : as.store;
        // The numbers are used up even when an earlier aggregate has made the topic's nodes.
        const bool named = !as.name.empty();
        const std::string sink = graph.name("KSTREAM-SINK-", named ? as.name + "-sink" : "");
        const std::string source = graph.name("KSTREAM-SOURCE-", named ? as.name + "-source" : "");
        const std::string name = graph.name(prefix, as.name);
        const auto store = detail::kept(graph, name, kept_as, as, at_.key);
        if (*way_ == nullptr || topic_.empty())
            *way_ = &add_way((topic_.empty() ? store.spec.name : topic_) + "-repartition", sink,
                             source);
        auto& node = detail::add_table_node<K, A>(
            graph, {*way_}, name, store,
            [aggregation](const std::string& n, const detail::TableOut<K, A>& out) {
                return std::make_unique<detail::TableAggregateNode<K, V, A>>(n, aggregation, out);
            });
        return KTable<K, A>{
            {at_.graph, &node, store.use.key, store.use.value, false},
            std::make_shared<detail::StoredTable<K, A>>(store.use, store.versioned()),
            as.store};
    }

    /// Sink, topic and source; what stands for the source.
    detail::GraphNode& add_way(const std::string& topic, const std::string& sink,
                               const std::string& source) const {
        const auto key = detail::choose(at_.key, Serde<K>{});
        const auto value = detail::choose(at_.value, Serde<V>{});
        detail::require_serdes(
            *at_.graph, topic,
            {detail::need("the repartition topic's key", "Grouped::key", key),
             detail::need("the repartition topic's value", "Grouped::value", value)});
        detail::GraphNode node{.name = source};
        node.write = [=, parent = at_.node->name](detail::Parts& parts) {
            parts.add_repartition_topic({.name = topic});
            parts.add({.name = sink,
                       .kind = detail::Part::Kind::kSink,
                       .parents = {parent},
                       .topics = {topic},
                       .make = [=] {
                           return std::make_unique<detail::ChangeSinkNode<K, V>>(sink, topic, key,
                                                                                 value);
                       }});
            parts.add({.name = source,
                       .kind = detail::Part::Kind::kSource,
                       .topics = {topic},
                       .make = [=] {
                           return std::make_unique<detail::ChangeSourceNode<K, V>>(source, key,
                                                                                   value);
                       }});
        };
        return at_.graph->add({at_.node}, std::move(node));
    }

    detail::Handle<K, V> at_;
    std::string topic_;  ///< Without its suffix; empty: each aggregate has a topic of its own.
    std::shared_ptr<detail::GraphNode*> way_ = std::make_shared<detail::GraphNode*>(nullptr);
};

template <class K, class V>
template <class F, class Pair>
auto KTable<K, V>::group_by(
    F selector, const Grouped<typename decltype(Pair::key)::value_type,
                              typename decltype(Pair::value)::value_type>& grouped) const {
    using K2 = typename decltype(Pair::key)::value_type;
    using V2 = typename decltype(Pair::value)::value_type;
    const std::string name = at_.graph->name("KTABLE-SELECT-", grouped.name);
    detail::Graph::ask_old_values(*at_.node);
    const bool skips_overtaken = table_ != nullptr && table_->versioned();
    auto& node = detail::add_processor(*at_.graph, *at_.node, name, [=] {
        return std::make_unique<detail::TableSelectNode<K, V, K2, V2, F>>(name, selector,
                                                                          skips_overtaken);
    });
    return KGroupedTable<K2, V2>{{at_.graph, &node, grouped.key, grouped.value, false},
                                 grouped.name};
}

}  // namespace leat::streams
