// SPDX-License-Identifier: Apache-2.0
//
// Where a KStream leaves the topology, for good or to come back. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/streams/detail/print.h"
#include "leat/streams/detail/repartition.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/sources.h"
#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/kstream.h"

namespace leat::streams {

template <class K, class V>
void KStream<K, V>::to(const std::string& topic, const Produced<K, V>& produced) const {
    write(produced, {topic}, {});
}

template <class K, class V>
void KStream<K, V>::to(TopicNameExtractor<K, V> topic_of, const Produced<K, V>& produced) const {
    write(produced, {}, std::move(topic_of));
}

template <class K, class V>
void KStream<K, V>::write(const Produced<K, V>& produced, std::vector<std::string> topics,
                          TopicNameExtractor<K, V> topic_of) const {
    const std::string name = at_.graph->name("KSTREAM-SINK-", produced.name);
    const auto key = detail::choose(produced.key, at_.key);
    const auto value = detail::choose(produced.value, at_.value);
    detail::require_serdes(*at_.graph, name,
                           {detail::need("its key", "Produced::key", key),
                            detail::need("its value", "Produced::value", value)});
    const detail::SinkUse<K, V> use{
        .topic = topics.empty() ? "" : topics.front(),
        .topic_of = std::move(topic_of),
        .key = key,
        .value = value,
        .partitioner = produced.partitioner ? produced.partitioner
                                            : detail::partitioner_of_windowed<K, V>(key)};
    detail::GraphNode node{.name = name};
    node.write = [=, parent = at_.node->name](detail::Parts& parts) {
        parts.add({.name = name,
                   .kind = detail::Part::Kind::kSink,
                   .parents = {parent},
                   .topics = topics,
                   .make = [=] { return std::make_unique<detail::SinkNode<K, V>>(name, use); }});
    };
    at_.graph->add({at_.node}, std::move(node));
}

template <class K, class V>
KStream<K, V> KStream<K, V>::through(const std::string& topic,
                                     const Produced<K, V>& produced) const {
    to(topic, produced);
    Consumed<K, V> consumed{.key = detail::choose(produced.key, at_.key),
                            .value = detail::choose(produced.value, at_.value)};
    const std::string name = at_.graph->name("KSTREAM-SOURCE-");
    auto& node = detail::add_source(*at_.graph, name, {.topics = {topic}}, consumed);
    return KStream{{at_.graph, &node, consumed.key, consumed.value, false}};
}

template <class K, class V>
KStream<K, V> KStream<K, V>::repartition(const Repartitioned<K, V>& as) const {
    auto at = at_;
    at.key = detail::choose(as.key, at.key);
    at.value = detail::choose(as.value, at.value);
    const std::string name = as.name.empty() ? at_.graph->name("KSTREAM-REPARTITION-") : as.name;
    at_.graph->require(name, !as.partitions || *as.partitions > 0,
                       "a repartition topic has one partition at least");
    auto& node = detail::add_repartition(at, name, as.partitions, false, nullptr, as.partitioner);
    return KStream{{at_.graph, &node, at.key, at.value, false}};
}

template <class K, class V>
void KStream<K, V>::print(const Printed<K, V>& options) const {
    auto used = options;
    if (used.label.empty()) used.label = at_.node->name;
    if (!used.out) used.out = detail::print_line;
    if constexpr (detail::Printable<K> && detail::Printable<V>) {
        if (!used.mapper) used.mapper = detail::text_of<K, V>;
    }
    const std::string name = at_.graph->name("KSTREAM-PRINTER-", options.name);
    at_.graph->require(name, static_cast<bool>(used.mapper),
                       "its key or value has no operator<<; give a mapper");
    const auto line = [used](const K* key, const V* value) {
        used.out("[" + used.label + "]: " + used.mapper(key, value) + "\n");
    };
    add<detail::PeekNode<K, V, std::remove_const_t<decltype(line)>>>(name, false, line);
}

}  // namespace leat::streams
