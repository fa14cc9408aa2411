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
#include <utility>

#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/handle.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/options.h"

namespace leat::streams::detail {

/// Whether a topic got its name from an operator's number, so that its nodes are numbered too.
[[nodiscard]] bool is_generated_repartition(const std::string& topic);

/// How a repartition topic is written and read.
template <class K, class V>
struct RepartitionUse {
    RepartitionTopic topic;
    Serde<K> key;
    Serde<V> value;
    Partitioner<K, V> partitioner{};
};

/// The node of a topic whose sink, filter and source have these names.
template <class K, class V>
GraphNode repartition_node(const std::string& parent, const RepartitionUse<K, V>& use,
                           const std::string& sink, const std::string& filter,
                           const std::string& source) {
    GraphNode node{.name = source, .takes_null_keys = std::make_shared<bool>(false)};
    node.write = [=, null_keys = node.takes_null_keys](Parts& parts) {
        const auto keyed = [all = *null_keys](const K* k, const V*) { return all || k != nullptr; };
        const std::string& topic = use.topic.name;
        parts.add_repartition_topic(use.topic);
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
                           sink, SinkUse<K, V>{.topic = topic,
                                               .key = use.key,
                                               .value = use.value,
                                               .partitioner = use.partitioner});
                   }});
        parts.add({.name = source, .kind = Part::Kind::kSource, .topics = {topic}, .make = [=] {
                       return std::make_unique<TypedSource<K, V>>(source, use.key, use.value);
                   }});
    };
    return node;
}

/// Adds filter, sink, topic `prefix`-repartition and source below `at`; returns what stands for the
/// source. `shareable`: topology.optimization may let it serve others too, or another instead.
/// `known`: a node that serves already; only the numbers are used up.
template <class K, class V>
GraphNode& add_repartition(const Handle<K, V>& at, const std::string& prefix,
                           std::optional<std::int32_t> partitions, bool shareable = true,
                           GraphNode* known = nullptr, Partitioner<K, V> partitioner = {}) {
    const std::string topic = prefix.ends_with("-repartition") ? prefix : prefix + "-repartition";
    auto& graph = *at.graph;
    // The numbers are used up even when the names are not taken.
    std::string sink = graph.name("KSTREAM-SINK-");
    std::string filter = graph.name("KSTREAM-FILTER-");
    std::string source = graph.name("KSTREAM-SOURCE-");
    if (!is_generated_repartition(topic)) {
        sink = topic + "-sink";
        filter = topic + "-filter";
        source = topic + "-source";
    }
    if (known != nullptr) return *known;
    const RepartitionUse<K, V> use{{topic, partitions},
                                   choose(at.key, Serde<K>{}),
                                   choose(at.value, Serde<V>{}),
                                   std::move(partitioner)};
    require_serdes(
        graph, prefix,
        {need("the repartition topic's key", "what groups, joins or repartitions", use.key),
         need("the repartition topic's value", "what groups, joins or repartitions", use.value)});
    auto node = repartition_node(at.node->name, use, sink, filter, source);
    if (shareable)
        node.repartition = GraphNode::Repartition{
            topic, [use](const GraphNode& change) {
                return repartition_node(change.name, use, use.topic.name + "-sink",
                                        use.topic.name + "-filter", use.topic.name + "-source");
            }};
    return graph.add({at.node}, std::move(node));
}

/// What a join reads of a stream: through a repartition topic, if the key may have changed. Joins
/// of one stream share the topic unless `name` gives it another name than the stream's.
template <class K, class V>
Handle<K, V> repartitioned(const Handle<K, V>& at, const std::string& name) {
    if (!at.repartition) return at;
    auto out = at;
    const std::string& prefix = name.empty() ? at.node->name : name;
    GraphNode* known = prefix == at.node->name ? at.node->repartitioned : nullptr;
    out.node = &add_repartition(at, prefix, std::nullopt, true, known);
    at.node->repartitioned = out.node;
    out.repartition = false;
    return out;
}

}  // namespace leat::streams::detail
