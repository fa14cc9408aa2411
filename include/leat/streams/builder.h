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

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/graph.h"
#include "leat/streams/kgrouped_stream.h"
#include "leat/streams/kstream.h"
#include "leat/streams/ktable.h"
#include "leat/streams/topology.h"

namespace leat::streams {

class Builder {
  public:
    template <class K, class V>
    KStream<K, V> stream(const std::string& topic, const Consumed<K, V>& consumed = {}) {
        return stream<K, V>(std::vector<std::string>{topic}, consumed);
    }
    /// Reads several topics as one stream; between them there is no order but time.
    template <class K, class V>
    KStream<K, V> stream(const std::vector<std::string>& topics,
                         const Consumed<K, V>& consumed = {}) {
        const std::string name = graph_->name("KSTREAM-SOURCE-", consumed.name);
        const auto key = detail::choose(consumed.key, Serde<K>{});
        const auto value = detail::choose(consumed.value, Serde<V>{});
        graph_->require(name, !topics.empty(), "a source needs a topic");
        graph_->require(name, key != nullptr && value != nullptr, "no serde for its key or value");
        detail::GraphNode node{.name = name};
        node.write = [=](detail::Parts& parts) {
            parts.add(
                {.name = name, .kind = detail::Part::Kind::kSource, .topics = topics, .make = [=] {
                     return std::make_unique<detail::TypedSource<K, V>>(name, key, value);
                 }});
        };
        auto& added = graph_->add({&graph_->root()}, std::move(node));
        return KStream<K, V>{{graph_, &added, key, value, false}};
    }

    /// The topology of all that was declared. Call it once.
    /// Errors: kStreamsInvalidTopology, with the operator's name and what is wrong with it.
    Result<Topology> build() {
        LEAT_TRY(auto parts, graph_->write());
        return Topology{std::move(parts)};
    }

  private:
    std::shared_ptr<detail::Graph> graph_ = std::make_shared<detail::Graph>();
};

}  // namespace leat::streams
