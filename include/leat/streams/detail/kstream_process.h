// SPDX-License-Identifier: Apache-2.0
//
// KStream through processors of one's own. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/processor_nodes.h"
#include "leat/streams/kstream.h"

namespace leat::streams {

template <class K, class V>
template <class N, class Supplier>
detail::GraphNode& KStream<K, V>::add_user(const std::string& name, const Processed& options,
                                           Supplier supplier) const {
    const auto brought = detail::stores_of(supplier);
    detail::GraphNode node{.name = name};
    node.write = [=, parent = at_.node->name](detail::Parts& parts) {
        parts.add({.name = name, .parents = {parent}, .make = [name, supplier]() mutable {
                       return std::make_unique<N>(name, supplier());
                   }});
        for (const auto& spec : brought) parts.add_store(spec, {name}, detail::Parts::kProcessors);
        for (const auto& store : options.stores) parts.connect(name, store);
    };
    return at_.graph->add({at_.node}, std::move(node));
}

template <class K, class V>
template <class Supplier>
auto KStream<K, V>::process(Supplier supplier, const Processed& options) const {
    using P = detail::SuppliedBy<Supplier>;
    static_assert(std::is_same_v<typename P::KeyIn, K> && std::is_same_v<typename P::ValueIn, V>,
                  "the processor takes records of another type than the stream's");
    // A name given uses up no number here, other than with the stateless operators.
    const std::string name =
        options.name.empty() ? at_.graph->name("KSTREAM-PROCESSOR-") : options.name;
    auto& node = add_user<detail::ProcessorNode<P>>(name, options, std::move(supplier));
    // Not a change of the key to topology.optimization: so it is in Kafka Streams, unless an
    // internal setting corrects that.
    return KStream<typename P::KeyOut, typename P::ValueOut>{{at_.graph, &node, {}, {}, true}};
}

template <class K, class V>
template <class Supplier>
auto KStream<K, V>::process_values(Supplier supplier, const Processed& options) const {
    using P = detail::SuppliedBy<Supplier>;
    static_assert(std::is_same_v<typename P::KeyIn, K> && std::is_same_v<typename P::ValueIn, V>,
                  "the processor takes records of another type than the stream's");
    // A name given uses up no number here, other than with the stateless operators.
    const std::string name =
        options.name.empty() ? at_.graph->name("KSTREAM-PROCESSVALUES-") : options.name;
    auto& node = add_user<detail::FixedKeyNode<P>>(name, options, std::move(supplier));
    return KStream<K, typename P::ValueOut>{{at_.graph, &node, at_.key, {}, at_.repartition}};
}

}  // namespace leat::streams
