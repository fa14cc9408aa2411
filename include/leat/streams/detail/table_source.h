// SPDX-License-Identifier: Apache-2.0
//
// Tables read from a topic. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' InternalStreamsBuilder.table and globalTable, TableSourceNode. With
// reuse.ktable.source.topics the topic is the changelog of the table's store.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/sources.h"
#include "leat/streams/global_ktable.h"
#include "leat/streams/ktable.h"

namespace leat::streams::detail {

/// Names of the two nodes of a table's source, and its store.
template <class K, class V>
struct TableSource {
    std::string source;
    std::string table;
    Kept<K, V> kept;
};

template <class K, class V>
TableSource<K, V> name_table(Graph& graph, const std::string& topic, Consumed<K, V>& consumed,
                             const Materialized<K, V>& as) {
    TableSource<K, V> out;
    std::string store = as.store.empty() ? graph.store_name(topic + "-") : as.store;
    out.source =
        graph.name("KSTREAM-SOURCE-", consumed.name.empty() ? "" : consumed.name + "-source");
    out.table = graph.name("KTABLE-SOURCE-", consumed.name);
    // What Materialized says of serdes counts for the topic unless Consumed says otherwise.
    consumed.key = choose(consumed.key, as.key);
    consumed.value = choose(consumed.value, as.value);
    graph.require(out.source, !topic.empty(), "a source needs a topic");
    require_serdes(graph, out.source,
                   {need("its key", "Consumed::key", consumed.key),
                    need("its value", "Consumed::value", consumed.value)});
    out.kept = kept(graph, out.table, std::move(store), as, consumed.key, consumed.value);
    return out;
}

template <class K, class V>
KTable<K, V> add_table(const std::shared_ptr<Graph>& graph, const std::string& topic,
                       Consumed<K, V> consumed, const Materialized<K, V>& as) {
    const auto names = name_table(*graph, topic, consumed, as);
    const LazyTable<K, V> lazy{.kept = names.kept, .topic = topic};
    if (!as.store.empty()) *lazy.needed = true;
    GraphNode node{.name = names.table, .kept = lazy.needed};
    node.write = [=, old = node.old_values](Parts& parts) {
        parts.add(source_part(names.source, {.topics = {topic}}, consumed));
        lazy.write(parts, names.table, names.source, *old);
    };
    auto& added = graph->add({&graph->root()}, std::move(node));
    return KTable<K, V>{
        {graph, &added, consumed.key, consumed.value, false}, lazy.table(), as.store};
}

template <class K, class V>
GlobalKTable<K, V> add_global_table(const std::shared_ptr<Graph>& graph, const std::string& topic,
                                    Consumed<K, V> consumed, const Materialized<K, V>& as) {
    auto names = name_table(*graph, topic, consumed, as);
    graph->require(names.table, !names.kept.versioned(), "a global table cannot be versioned");
    names.kept.spec.logging = false;
    GraphNode node{.name = names.table};
    node.write = [=](Parts& parts) {
        const TableOut<K, V> out{.store = names.kept.use};
        parts.add_global_store(
            names.kept.spec, source_part(names.source, {.topics = {topic}}, consumed),
            {.name = names.table, .parents = {names.source}, .make = [=] {
                 return std::make_unique<TableSourceNode<K, V>>(names.table, out);
             }});
    };
    graph->add({&graph->root()}, std::move(node));
    return GlobalKTable<K, V>{graph, std::make_shared<StoredTable<K, V>>(names.kept.use, false),
                              names.kept.spec.name};
}

}  // namespace leat::streams::detail
