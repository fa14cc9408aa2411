// SPDX-License-Identifier: Apache-2.0
//
// What a topology looks like from outside: sub-topologies, nodes, topics, stores. Layer: streams
// SDK.
// Spec:  Kafka Streams' TopologyDescription and its text.
//
//     std::cout << mermaid(topology.description());
// Threading: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::streams {

struct TopologyDescription {
    enum class NodeKind : std::uint8_t { kSource, kProcessor, kSink };
    struct Node {
        std::string name{};
        NodeKind kind = NodeKind::kProcessor;
        /// That a source reads, or the one of a sink. A sink without any chooses for each record.
        std::vector<std::string> topics{};
        std::string pattern{};  ///< Of a source that reads all topics whose name matches.
        std::vector<std::string> stores{};
        std::vector<std::string> predecessors{};
        std::vector<std::string> successors{};
        friend bool operator==(const Node&, const Node&) = default;
    };
    struct Subtopology {
        std::int32_t number = 0;
        bool is_global = false;  ///< Feeds a global store and has no tasks.
        std::vector<Node> nodes{};
        friend bool operator==(const Subtopology&, const Subtopology&) = default;
    };
    std::vector<Subtopology> subtopologies{};
    friend bool operator==(const TopologyDescription&, const TopologyDescription&) = default;
};

/// As Kafka Streams prints it.
[[nodiscard]] std::string text_of(const TopologyDescription& topology);
/// The description out of that text, ours or Java's. Errors: kMalformed, naming the line.
[[nodiscard]] Result<TopologyDescription> parse_topology(std::string_view text);
/// A flowchart for mermaid.js: a box for each sub-topology; topics and stores around the nodes that
/// use them, so that a topic between two sub-topologies joins them.
[[nodiscard]] std::string mermaid(const TopologyDescription& topology);

}  // namespace leat::streams
