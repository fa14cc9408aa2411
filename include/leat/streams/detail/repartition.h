// SPDX-License-Identifier: Apache-2.0
//
// The way through a repartition topic. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' OptimizableRepartitionNode: filter of null keys, sink, source, in this
// order. Threading: one thread declares a topology.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/handle.h"
#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/options.h"

namespace leat::streams::detail {

/// Whether a topic got its name from an operator's number, so that its nodes are numbered too.
[[nodiscard]] bool is_generated_repartition(const std::string& topic);

/// Adds filter, sink, topic `prefix`-repartition and source below `at`; returns what stands for the
/// source.
template <class K, class V>
GraphNode& add_repartition(const Handle<K, V>& at, const std::string& prefix,
                           std::optional<std::int32_t> partitions) {
    const std::string topic = prefix.ends_with("-repartition") ? prefix : prefix + "-repartition";
    auto& graph = *at.graph;
    // The numbers are used up even when the names are not taken.
    std::string sink = graph.name("KSTREAM-SINK-");
    std::string filter = graph.name("KSTREAM-FILTER-");
    std::string source = graph.name("KSTREAM-SOURCE-");
    if (!is_generated_repartition(topic)) {
        sink = prefix + "-repartition-sink";
        filter = prefix + "-repartition-filter";
        source = prefix + "-repartition-source";
    }
    const auto key = choose(at.key, Serde<K>{});
    const auto value = choose(at.value, Serde<V>{});
    graph.require(prefix, key != nullptr && value != nullptr,
                  "no serde for the repartition topic's key or value");
    GraphNode node{.name = source};
    node.write = [=, parent = at.node->name](Parts& parts) {
        const auto keyed = [](const K* k, const V*) { return k != nullptr; };
        parts.add_repartition_topic({topic, partitions});
        parts.add(
            {.name = filter, .parents = {parent}, .make = [=] {
                 return std::make_unique<FilterNode<K, V, std::remove_const_t<decltype(keyed)>>>(
                     filter, keyed, false);
             }});
        parts.add({.name = sink,
                   .kind = Part::Kind::kSink,
                   .parents = {filter},
                   .topics = {topic},
                   .make = [=] {
                       return std::make_unique<SinkNode<K, V>>(
                           sink, [topic](const K*, const V*) { return topic; }, key, value);
                   }});
        parts.add({.name = source, .kind = Part::Kind::kSource, .topics = {topic}, .make = [=] {
                       return std::make_unique<TypedSource<K, V>>(source, key, value);
                   }});
    };
    return graph.add({at.node}, std::move(node));
}

}  // namespace leat::streams::detail
