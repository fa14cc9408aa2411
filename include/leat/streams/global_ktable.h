// SPDX-License-Identifier: Apache-2.0
//
// A table of which each instance holds the whole. Layer: streams SDK.
// Spec:  Kafka Streams' GlobalKTable: the right side of joins of streams, and a store to query. It
// is full before anything is processed, and follows its topic without regard to time.
// Threading: one thread declares a topology. A cheap value on a shared graph.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/table.h"

namespace leat::streams {

template <class K, class V>
class GlobalKTable {
  public:
    GlobalKTable(std::shared_ptr<detail::Graph> graph, std::shared_ptr<detail::Table<K, V>> table,
                 std::string store)
        : graph_(std::move(graph)), table_(std::move(table)), store_(std::move(store)) {}

    /// Name of the store that holds it.
    [[nodiscard]] const std::string& store() const noexcept { return store_; }
    [[nodiscard]] const std::shared_ptr<detail::Graph>& graph() const noexcept { return graph_; }
    [[nodiscard]] const std::shared_ptr<detail::Table<K, V>>& table() const noexcept {
        return table_;
    }

  private:
    std::shared_ptr<detail::Graph> graph_;
    std::shared_ptr<detail::Table<K, V>> table_;
    std::string store_;
};

}  // namespace leat::streams
