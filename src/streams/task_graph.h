// SPDX-License-Identifier: Apache-2.0
//
// The nodes and stores of one task. Layer: streams (L6).
// Threading: belongs to its task.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/task.h"
#include "streams/state/ordered_bytes.h"

namespace leat::streams::detail {

class TaskGraph {
  public:
    /// Makes the nodes of these parts and the stores they use, which keep their rows in `backend`.
    TaskGraph(const Parts& parts, const std::vector<std::string>& names, StateBackend& backend);
    /// The same; errors: what a supplier threw.
    static Result<std::unique_ptr<TaskGraph>> make(const Parts& parts,
                                                   const std::vector<std::string>& names,
                                                   StateBackend& backend);
    TaskGraph(const TaskGraph&) = delete;
    TaskGraph& operator=(const TaskGraph&) = delete;
    ~TaskGraph();

    /// Lets all nodes use a global store that lives elsewhere. Before open().
    void give(StateStore& global);
    /// Opens stores, then nodes; these ask `task` for their stores. Errors: what opening ends with.
    Result<void> open(Task& task);
    /// Before a commit: what stores hold back goes out, and into their changelogs. Errors: theirs.
    Result<void> save();
    /// The two halves of open(): between them stores are restored.
    Result<void> open_stores(Task& task);
    Result<void> open_nodes(Task& task);
    /// Null when no source reads the topic.
    [[nodiscard]] SourceNode* source_of(std::string_view topic) const;
    /// A name that no node is connected to is a programmer's error.
    [[nodiscard]] StateStore& store(std::string_view name) const;
    /// Records of this source may come to the store.
    [[nodiscard]] bool feeds(const SourceNode& source, std::string_view store) const;
    /// Its own.
    [[nodiscard]] const Stores& stores() const noexcept { return stores_; }
    /// Nodes and what they were made of, parents before children.
    [[nodiscard]] std::vector<std::pair<Node*, const Part*>> nodes() const;

  private:
    Stores stores_;
    std::map<std::string, StateStore*, std::less<>> given_;
    std::vector<StateStore*> in_order_;         ///< As Kafka Streams registers and flushes them.
    std::vector<std::unique_ptr<Node>> nodes_;  ///< Parents before children.
    std::vector<const Part*> node_parts_;       ///< Of nodes_, in their order.
    std::map<std::string, SourceNode*, std::less<>> sources_;
    std::vector<std::pair<std::string, SourceNode*>> patterns_;  ///< Of topics' names.
    /// Sources above the nodes that a store is connected to.
    std::map<std::string, std::set<const SourceNode*>, std::less<>> feeding_;
};

}  // namespace leat::streams::detail
