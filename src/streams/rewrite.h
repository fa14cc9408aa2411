// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a declared graph before it is written. Layer: streams (L6).
// Spec:  Kafka Streams' InternalStreamsBuilder: one source for topics that are read twice, always;
// shared repartition topics and joins of a stream with itself on request.
// Threading: pure functions on a graph of one thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/graph.h"

namespace leat::streams::detail {

/// Kafka's rule for names of operators, stores and topics.
[[nodiscard]] bool is_legal_name(std::string_view name);
inline constexpr const char* kLegalNames =
    "a name has letters, digits, '.', '_' and '-' only, and at most 249 of them";

/// Makes `child` a child of `parent`, once.
void link(GraphNode& parent, GraphNode& child);

/// Sources of the same topics become the first of them.
/// Errors: kStreamsInvalidTopology: topics that overlap, other resets, other types.
Result<void> merge_sources(GraphNode& root);

/// Several repartition topics behind one change of the key become one, right behind the change.
/// Errors: kStreamsInvalidTopology: two merges, one on the right side of the other, each of which
/// the topic could stand behind: Kafka Streams refuses them too.
Result<void> merge_repartition_topics(Graph& graph,
                                      const std::vector<std::unique_ptr<GraphNode>>& nodes);

/// Repartition topics above a left or outer join of a stream take records without a key.
void let_null_keys_through(const std::vector<std::unique_ptr<GraphNode>>& nodes);

/// A stream that is joined with itself is kept once.
void use_single_stores(const std::vector<std::unique_ptr<GraphNode>>& nodes);

}  // namespace leat::streams::detail
