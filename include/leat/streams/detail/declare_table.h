// SPDX-License-Identifier: Apache-2.0
//
// Adds the nodes of tables to a graph. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableSource: a table is kept in a store as soon as somebody reads it or
// asks for old values, which is known only when the whole is declared.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/table_nodes.h"

namespace leat::streams::detail {

/// Adds `make(TableOut)`'s node below `parents`, and its store when it has one.
template <class K, class V, class Make>
GraphNode& add_table_node(Graph& graph, const std::vector<GraphNode*>& parents,
                          const std::string& name, const std::optional<Kept<K, V>>& store,
                          Make make) {
    GraphNode node{.name = name, .old_values_from_parents = !store};
    if (store)
        require_serdes(graph, store->spec.name,
                       {need("the store's key", "Materialized::key", store->use.key),
                        need("the store's value", "Materialized::value", store->use.value)});
    std::vector<std::string> above;
    above.reserve(parents.size());
    for (const GraphNode* parent : parents) above.push_back(parent->name);
    node.write = [=, old = node.old_values](Parts& parts) {
        TableOut<K, V> out{.old_values = *old};
        if (store) out.store = store->use;
        parts.add({.name = name, .parents = above, .make = [=] { return make(name, out); }});
        if (store) parts.add_store(store->spec, {name});
    };
    return graph.add(parents, std::move(node));
}

/// What becomes a table that is kept only when it is read: its node, and whether it is kept.
template <class K, class V>
struct LazyTable {
    Kept<K, V> kept;
    std::shared_ptr<bool> needed = std::make_shared<bool>(false);
    std::optional<std::string> topic{};  ///< That it is read from, which may be its changelog.

    /// The node's part, to be called when the graph is written.
    void write(Parts& parts, const std::string& name, const std::string& parent,
               bool old_values) const {
        const bool keep = *needed || old_values;
        TableOut<K, V> out{.old_values = old_values};
        if (keep) out.store = kept.use;
        parts.add({.name = name, .parents = {parent}, .make = [=] {
                       return std::make_unique<TableSourceNode<K, V>>(name, out);
                   }});
        if (!keep) return;
        StoreSpec spec = kept.spec;
        if (topic && parts.optimization().reuse_ktable_source_topics && spec.logging)
            spec.source_topic = topic;
        parts.add_store(spec, {name});
    }
    [[nodiscard]] std::shared_ptr<Table<K, V>> table() const {
        return std::make_shared<StoredTable<K, V>>(kept.use, kept.versioned(), needed);
    }
};

}  // namespace leat::streams::detail
