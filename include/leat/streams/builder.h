// SPDX-License-Identifier: Apache-2.0
//
// Declares a topology. Layer: streams SDK.
// Spec:  Kafka Streams' StreamsBuilder.
// Threading: one thread declares a topology.
//
//     Builder b;
//     b.stream<std::string, std::string>("lines")
//         .flat_map_values(words)
//         .group_by([](const std::string& word) { return word; })
//         .count({.store = "counts"})
//         .to_stream()
//         .to("word-counts");
//     auto topology = b.build();
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/global_store.h"
#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/sources.h"
#include "leat/streams/detail/table_source.h"
#include "leat/streams/kgrouped_stream.h"
#include "leat/streams/kgrouped_table.h"
#include "leat/streams/kstream.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"
#include "leat/streams/processor.h"
#include "leat/streams/stores.h"
#include "leat/streams/topology.h"

namespace leat::streams {

class Builder {
  public:
    /// Reads a topic as a stream. Without serdes in `consumed`, those of SerdeFor<K>, SerdeFor<V>.
    template <class K, class V>
    KStream<K, V> stream(const std::string& topic, const Consumed<K, V>& consumed = {}) {
        return stream<K, V>(std::vector<std::string>{topic}, consumed);
    }
    /// Reads several topics as one stream; between them there is no order but time.
    template <class K, class V>
    KStream<K, V> stream(const std::vector<std::string>& topics,
                         const Consumed<K, V>& consumed = {}) {
        return stream<K, V>(detail::Input{.topics = topics}, consumed);
    }
    /// The same, of {"one", "two"}.
    template <class K, class V>
    KStream<K, V> stream(std::initializer_list<std::string> topics,
                         const Consumed<K, V>& consumed = {}) {
        return stream<K, V>(std::vector<std::string>{topics}, consumed);
    }
    /// Reads all topics, those to come too, whose whole name matches a POSIX extended regular
    /// expression.
    template <class K, class V, std::same_as<TopicPattern> Pattern>
    KStream<K, V> stream(const Pattern& pattern, const Consumed<K, V>& consumed = {}) {
        return stream<K, V>(detail::Input{.pattern = pattern.regex}, consumed);
    }

    /// Reads a topic as a table. It is kept in a store when `as` names one, or something reads it.
    template <class K, class V>
    KTable<K, V> table(const std::string& topic, const Consumed<K, V>& consumed = {},
                       const Materialized<K, V>& as = {}) {
        return detail::add_table(graph_, topic, consumed, as);
    }
    /// Reads a topic as a table that each instance holds whole.
    template <class K, class V>
    GlobalKTable<K, V> global_table(const std::string& topic, const Consumed<K, V>& consumed = {},
                                    const Materialized<K, V>& as = {}) {
        return detail::add_global_table(graph_, topic, consumed, as);
    }
    /// A store for processors, which name it in their options.
    template <class S>
    void add_state_store(const StoreRef<S>& store) {
        const std::string name = store.spec.name;
        detail::require_serdes(*graph_, store);
        detail::GraphNode node{.name = name};
        node.write = [spec = store.spec](detail::Parts& parts) {
            parts.require(spec.name, parts.find_store(spec.name) == nullptr,
                          "two stores have this name");
            parts.add_store(spec, {}, detail::Parts::kProcessors);
        };
        graph_->add({&graph_->root()}, std::move(node));
    }
    /// A store that each instance holds whole, which all processors may read: `supplier` makes the
    /// Processor that puts the records of `topic` into it.
    template <class K, class V, class S, class Supplier>
    void add_global_store(const StoreRef<S>& store, const std::string& topic,
                          Consumed<K, V> consumed, Supplier supplier) {
        const std::string source =
            graph_->name("KSTREAM-SOURCE-", consumed.name.empty() ? "" : consumed.name + "-source");
        const std::string name = graph_->name("KTABLE-SOURCE-", consumed.name);
        detail::declare_global_store<K, V>(*graph_, {source, name, topic}, store, consumed,
                                           supplier);
    }

    /// The topology of all that was declared. Call it once.
    /// Errors: kStreamsInvalidTopology, with the operator's name and what is wrong with it.
    Result<Topology> build(const Optimization& optimization = {}) {
        LEAT_TRY(auto parts, graph_->write(optimization));
        return Topology{std::move(parts)};
    }

  private:
    template <class K, class V>
    KStream<K, V> stream(const detail::Input& input, Consumed<K, V> consumed) {
        const std::string name = graph_->name("KSTREAM-SOURCE-", consumed.name);
        auto& added = detail::add_source(*graph_, name, input, consumed);
        return KStream<K, V>{{graph_, &added, consumed.key, consumed.value, false}};
    }

    std::shared_ptr<detail::Graph> graph_ = std::make_shared<detail::Graph>();
};

}  // namespace leat::streams
