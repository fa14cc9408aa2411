// SPDX-License-Identifier: Apache-2.0
//
// What the DSL calls have declared, before it becomes parts. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' graph of StreamsGraphNodes: one counter gives all names, nodes are written
// in the order they were declared, the rewrites of `topology.optimization` come before that.
// Threading: one thread declares a topology.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "leat/streams/detail/parts.h"

namespace leat::streams::detail {

class Graph;

struct GraphNode {
    /// What a source reads; two that read the same become one.
    struct Source {
        std::vector<std::string> topics{};  ///< Sorted.
        std::string pattern{};
        OffsetReset reset{};
        std::type_index type = typeid(void);  ///< Of the key and value that it yields.
    };
    /// A repartition topic that may be shared with others behind the same change of the key.
    struct Repartition {
        std::string topic;
        /// A node for the same topic right behind `change`.
        std::function<GraphNode(const GraphNode& change)> again{};
    };
    /// A join of a stream with itself, which needs one store only.
    struct SelfJoin {
        std::string left;   ///< The node that keeps the left side's records.
        std::string right;  ///< The one of the right side; left out when `single` is set.
        std::shared_ptr<bool> single{};  ///< Set before `write` when one store is to serve.
    };

    std::string name;
    std::vector<GraphNode*> parents{};
    std::vector<GraphNode*> children{};
    bool key_changing = false;
    bool value_changing = false;  ///< Values get another type: no repartition topic moves over it.
    bool merge = false;
    std::optional<Source> source{};
    std::optional<Repartition> repartition{};
    std::optional<SelfJoin> self_join{};
    /// Of a repartition topic: whether records without a key go through. Set before `write`.
    std::shared_ptr<bool> takes_null_keys{};
    /// A left or outer join of a stream, which takes records without a key (KIP-962).
    bool joins_null_keys = false;
    /// The repartition topic that joins of this node read, when it has its name from this node.
    GraphNode* repartitioned = nullptr;
    /// Absent: it leaves nothing in the topology. Names of parents as they were declared: what the
    /// rewrites have moved is translated by Parts.
    std::function<void(Parts&)> write{};

    /// Of a table: whether somebody downstream asked for old values. Shared with the node's maker.
    std::shared_ptr<bool> old_values = std::make_shared<bool>(false);
    std::shared_ptr<bool> kept{};  ///< Of a table that is only kept when it is read: whether it is.
    bool old_values_from_parents = false;  ///< It holds none of its own: its parents are asked too.
    std::optional<std::int64_t> grace_ms{};  ///< Of a windowed aggregate: what may still change it.

    // Kept by Graph.
    const Graph* graph = nullptr;
    std::uint32_t priority = 0;
    bool written = false;
    std::map<std::string, std::string> moved{};  ///< Names of parents, declared to real.
};

class Graph {
  public:
    Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    /// `prefix` and the next number; the number is used up even when `wanted` is taken instead.
    std::string name(std::string_view prefix, std::string_view wanted = {});
    /// A store's name: `prefix` + "STATE-STORE-" + number.
    std::string store_name(std::string_view prefix);
    /// Parents of another graph, and a node's name that is none, are noted as mistakes.
    GraphNode& add(const std::vector<GraphNode*>& parents, GraphNode node);
    /// As if a node that was added were added only now: it is written that much later.
    void add_again(GraphNode& node) { node.priority = next_priority_++; }
    [[nodiscard]] GraphNode& root() const noexcept { return *nodes_.front(); }
    /// Notes a mistake in the declaration of `operator_name` unless `good`.
    void require(std::string_view operator_name, bool good, std::string_view mistake);
    /// Notes it as a mistake unless nodes, stores and topics may have this name.
    void require_legal(std::string_view name);
    /// How long results of this table's windows may change after their end: its own grace period,
    /// or the longest above it. Nothing when it does not come from a windowed aggregate.
    [[nodiscard]] static std::optional<std::int64_t> grace_of(const GraphNode& node);
    /// The updates of this table carry old values from now on.
    static void ask_old_values(GraphNode& node);
    /// ask_old_values() unless a table would have to be kept for it; whether they come.
    static bool ask_old_values_if_kept(GraphNode& node);
    /// The nodes as parts, in the order in which they were declared. May be called once.
    /// Errors: kStreamsInvalidTopology naming the operator of the first mistake.
    Result<std::shared_ptr<const Parts>> write(const Optimization& optimization = {});

  private:
    std::vector<std::unique_ptr<GraphNode>> nodes_;  ///< The root is first.
    std::uint32_t next_ = 0;
    std::uint32_t next_priority_ = 1;  ///< The root has 0.
    std::string mistake_;
    bool was_written_ = false;
};

}  // namespace leat::streams::detail
