// SPDX-License-Identifier: Apache-2.0
//
// Declares a global store and what feeds it. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/processor_nodes.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/sources.h"
#include "leat/streams/options.h"
#include "leat/streams/stores.h"

namespace leat::streams::detail {

struct GlobalNames {
    std::string source;
    std::string processor;
    std::string topic;
};

/// The part that runs what `supplier` makes, without parents.
template <class Supplier>
Part processor_part(const std::string& name, Supplier supplier) {
    using P = SuppliedBy<Supplier>;
    return {.name = name,
            .make =
                [name, supplier]() mutable {
                    return std::make_unique<ProcessorNode<P>>(name, supplier());
                },
            .in = typeid(Record<typename P::KeyIn, typename P::ValueIn>),
            .out = typeid(Record<typename P::KeyOut, typename P::ValueOut>)};
}

template <class K, class V, class S, class Supplier>
void declare_global_store(Graph& graph, const GlobalNames& names, const StoreRef<S>& store,
                          Consumed<K, V> consumed, Supplier supplier) {
    using P = SuppliedBy<Supplier>;
    static_assert(std::is_same_v<typename P::KeyIn, K> && std::is_same_v<typename P::ValueIn, V>,
                  "the processor takes records of another type than the topic's");
    consumed.key = choose(consumed.key, Serde<K>{});
    consumed.value = choose(consumed.value, Serde<V>{});
    require_serdes(graph, names.source,
                   {need("its key", "Consumed::key", consumed.key),
                    need("its value", "Consumed::value", consumed.value)});
    require_serdes(graph, store);
    GraphNode node{.name = names.source};
    node.write = [=](Parts& parts) {
        Part processor = processor_part(names.processor, supplier);
        processor.parents = {names.source};
        parts.add_global_store(store.spec,
                               source_part(names.source, {.topics = {names.topic}}, consumed),
                               std::move(processor));
    };
    graph.add({&graph.root()}, std::move(node));
}

}  // namespace leat::streams::detail
