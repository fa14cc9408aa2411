// SPDX-License-Identifier: Apache-2.0
//
// Declares where records come in. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/options.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

/// Topics, or one pattern of them.
struct Input {
    std::vector<std::string> topics{};
    std::string pattern{};
};

/// The part that reads `input`. `consumed` has both serdes.
template <class K, class V>
Part source_part(const std::string& name, const Input& input, const Consumed<K, V>& consumed) {
    return {.name = name,
            .kind = Part::Kind::kSource,
            .topics = input.topics,
            .make =
                [=] {
                    return std::make_unique<TypedSource<K, V>>(name, consumed.key, consumed.value,
                                                               consumed.time);
                },
            .pattern = input.pattern,
            .reset = consumed.reset,
            .out = typeid(Record<K, V>)};
}

/// Adds a source below the root. Its serdes are put into `consumed`.
template <class K, class V>
GraphNode& add_source(Graph& graph, const std::string& name, const Input& input,
                      Consumed<K, V>& consumed) {
    consumed.key = choose(consumed.key, Serde<K>{});
    consumed.value = choose(consumed.value, Serde<V>{});
    graph.require(name, !input.topics.empty() || !input.pattern.empty(), "a source needs a topic");
    graph.require(name, input.pattern.empty() || is_pattern(input.pattern),
                  "its topics' pattern is no POSIX extended regular expression");
    require_serdes(graph, name,
                   {need("its key", "Consumed::key", consumed.key),
                    need("its value", "Consumed::value", consumed.value)});
    GraphNode node{.name = name};
    node.source = GraphNode::Source{.topics = input.topics,
                                    .pattern = input.pattern,
                                    .reset = consumed.reset,
                                    .type = typeid(Record<K, V>)};
    std::ranges::sort(node.source->topics);
    node.write = [name, input, consumed](Parts& parts) {
        parts.add(source_part(name, input, consumed));
    };
    return graph.add({&graph.root()}, std::move(node));
}

}  // namespace leat::streams::detail
