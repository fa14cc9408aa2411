// SPDX-License-Identifier: Apache-2.0
//
// A stream of records. Layer: streams SDK.
// Spec:  Kafka Streams' KStream, operator by operator. Functions take (key, value) or (value); what
// they see of nulls: by reference never
//        a null value (the record passes by a mapper, is dropped by a filter), by pointer to const
//        also that.
// Threading: one thread declares a topology. A KStream is a cheap value on a shared graph.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/handle.h"
#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/options.h"

namespace leat::streams {

template <class K, class V>
class KGroupedStream;

template <class K, class V>
class KStream {
  public:
    explicit KStream(detail::Handle<K, V> handle) : at_(std::move(handle)) {}

    /// Records for which `predicate` is true.
    template <class F>
    KStream filter(F predicate, const Named& named = {}) const {
        return same<detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", named, std::move(predicate),
                                                 false);
    }
    template <class F>
    KStream filter_not(F predicate, const Named& named = {}) const {
        return same<detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", named, std::move(predicate),
                                                 true);
    }
    /// `mapper` yields a value, or std::optional of one for null. The key stays, and with it the
    /// partition.
    template <class F>
    auto map_values(F mapper, const Named& named = {}) const {
        return values<detail::MapValuesNode<K, V, F>, detail::MappedTo<F, K, V>>(
            "KSTREAM-MAPVALUES-", named, std::move(mapper));
    }
    /// `mapper` yields a range of values.
    template <class F>
    auto flat_map_values(F mapper, const Named& named = {}) const {
        using Out = typename detail::MappedTo<F, K, V>::value_type;
        return values<detail::FlatMapValuesNode<K, V, F>, Out>("KSTREAM-FLATMAPVALUES-", named,
                                                               std::move(mapper));
    }
    /// `mapper` yields a KeyValue.
    template <class F>
    auto map(F mapper, const Named& named = {}) const {
        using Out = detail::MappedTo<F, K, V>;
        return pairs<detail::MapNode<K, V, F>, Out>("KSTREAM-MAP-", named, std::move(mapper));
    }
    /// `mapper` yields a range of KeyValue.
    template <class F>
    auto flat_map(F mapper, const Named& named = {}) const {
        using Out = typename detail::MappedTo<F, K, V>::value_type;
        return pairs<detail::FlatMapNode<K, V, F>, Out>("KSTREAM-FLATMAP-", named,
                                                        std::move(mapper));
    }
    /// `selector` yields the new key.
    template <class F>
    auto select_key(F selector, const Named& named = {}) const {
        using K2 = detail::MappedTo<F, K, V>;
        const std::string name = at_.graph->name("KSTREAM-KEY-SELECT-", named.name);
        auto& node = add<detail::SelectKeyNode<K, V, F>>(name, true, std::move(selector));
        return KStream<K2, V>{{at_.graph, &node, {}, at_.value, true}};
    }
    /// Calls `action` on the way.
    template <class F>
    KStream peek(F action, const Named& named = {}) const {
        return same<detail::PeekNode<K, V, F>>("KSTREAM-PEEK-", named, std::move(action));
    }
    template <class F>
    void foreach (F action, const Named& named = {}) const {
        static_cast<void>(
            same<detail::PeekNode<K, V, F>>("KSTREAM-FOREACH-", named, std::move(action)));
    }
    /// The records of both, in no order between the two.
    KStream merge(const KStream& other, const Named& named = {}) const {
        const std::string name = at_.graph->name("KSTREAM-MERGE-", named.name);
        detail::GraphNode node{.name = name, .merge = true};
        node.write = [name, left = at_.node->name,
                      right = other.at_.node->name](detail::Parts& parts) {
            parts.add({.name = name, .parents = {left, right}, .make = [name] {
                           return std::make_unique<detail::PassNode>(name);
                       }});
        };
        auto& added = at_.graph->add({at_.node, other.at_.node}, std::move(node));
        return KStream{
            {at_.graph, &added, at_.key, at_.value, at_.repartition || other.at_.repartition}};
    }

    /// Groups by the key as it is; goes through a repartition topic only when the key may have
    /// changed.
    KGroupedStream<K, V> group_by_key(const Grouped<K, V>& grouped = {}) const {
        return KGroupedStream<K, V>{at_, grouped};
    }
    /// Groups by what `selector` yields. Records with a null key are dropped then.
    template <class F>
    auto group_by(F selector, const Grouped<detail::MappedTo<F, K, V>, V>& grouped = {}) const {
        using K2 = detail::MappedTo<F, K, V>;
        const std::string name = at_.graph->name(
            "KSTREAM-KEY-SELECT-", grouped.name.empty() ? "" : grouped.name + "-selectKey");
        auto& node = add<detail::SelectKeyNode<K, V, F>>(name, true, std::move(selector));
        return KGroupedStream<K2, V>{{at_.graph, &node, {}, at_.value, true}, grouped};
    }

    /// Writes to a topic, which must exist.
    void to(const std::string& topic, const Produced<K, V>& produced = {}) const {
        write(produced, {topic}, [topic](const K*, const V*) { return topic; });
    }
    /// Writes each record to the topic that `topic_of` names: (key, value) as pointers, null for
    /// null.
    void to(typename detail::SinkNode<K, V>::TopicOf topic_of,
            const Produced<K, V>& produced = {}) const {
        write(produced, {}, std::move(topic_of));
    }

    [[nodiscard]] const detail::Handle<K, V>& handle() const noexcept { return at_; }

  private:
    template <class N, class F, class... More>
    detail::GraphNode& add(const std::string& name, bool key_changing, F function,
                           More... more) const {
        return detail::add_processor(
            *at_.graph, *at_.node, name,
            [name, function, more...] { return std::make_unique<N>(name, function, more...); },
            key_changing);
    }
    template <class N, class F, class... More>
    KStream same(std::string_view prefix, const Named& named, F function, More... more) const {
        const std::string name = at_.graph->name(prefix, named.name);
        auto& node = add<N>(name, false, std::move(function), more...);
        return KStream{{at_.graph, &node, at_.key, at_.value, at_.repartition}};
    }
    template <class N, class V2, class F>
    KStream<K, V2> values(std::string_view prefix, const Named& named, F function) const {
        const std::string name = at_.graph->name(prefix, named.name);
        auto& node = add<N>(name, false, std::move(function));
        return KStream<K, V2>{{at_.graph, &node, at_.key, {}, at_.repartition}};
    }
    template <class N, class Pair, class F>
    auto pairs(std::string_view prefix, const Named& named, F function) const {
        using K2 = typename decltype(Pair::key)::value_type;
        using V2 = typename decltype(Pair::value)::value_type;
        const std::string name = at_.graph->name(prefix, named.name);
        auto& node = add<N>(name, true, std::move(function));
        return KStream<K2, V2>{{at_.graph, &node, {}, {}, true}};
    }
    void write(const Produced<K, V>& produced, std::vector<std::string> topics,
               typename detail::SinkNode<K, V>::TopicOf topic_of) const {
        const std::string name = at_.graph->name("KSTREAM-SINK-", produced.name);
        const auto key = detail::choose(produced.key, at_.key);
        const auto value = detail::choose(produced.value, at_.value);
        at_.graph->require(name, key != nullptr && value != nullptr,
                           "no serde for its key or value");
        detail::GraphNode node{.name = name};
        node.write = [=, parent = at_.node->name](detail::Parts& parts) {
            parts.add({.name = name,
                       .kind = detail::Part::Kind::kSink,
                       .parents = {parent},
                       .topics = topics,
                       .make = [=] {
                           return std::make_unique<detail::SinkNode<K, V>>(name, topic_of, key,
                                                                           value);
                       }});
        };
        at_.graph->add({at_.node}, std::move(node));
    }
    detail::Handle<K, V> at_;
};

}  // namespace leat::streams
