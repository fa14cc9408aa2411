// SPDX-License-Identifier: Apache-2.0
//
// What KStream, KTable and their relatives have in common. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/graph.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// A place in the graph that is being declared, and the serdes known there (empty: none given so
/// far).
template <class K, class V>
struct Handle {
    std::shared_ptr<Graph> graph{};
    GraphNode* node = nullptr;
    Serde<K> key{};
    Serde<V> value{};
    bool repartition = false;  ///< The key may have changed since the topic was read.
};

/// Adds one processor below `parent`.
template <class MakeNode>
GraphNode& add_processor(Graph& graph, GraphNode& parent, const std::string& name, MakeNode make,
                         bool key_changing = false) {
    GraphNode node{.name = name, .key_changing = key_changing};
    node.write = [name, parent_name = parent.name, make = std::move(make)](Parts& parts) {
        parts.add({.name = name, .parents = {parent_name}, .make = make});
    };
    return graph.add({&parent}, std::move(node));
}

}  // namespace leat::streams::detail
