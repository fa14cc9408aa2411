// SPDX-License-Identifier: Apache-2.0
//
// Which options of Materialized mean something to an operator. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <optional>
#include <string_view>

#include "leat/streams/detail/graph.h"
#include "leat/streams/options.h"

namespace leat::streams::detail {

/// What an operator's store can keep.
struct StoreKeeps {
    bool windows = false;
    bool history = false;
};

/// An option that would be ignored is a mistake.
template <class K, class V>
void check_materialized(Graph& graph, std::string_view operator_name, const Materialized<K, V>& as,
                        StoreKeeps can) {
    graph.require(operator_name, can.windows || !as.retention,
                  "a retention is for windows, of which it has none");
    graph.require(operator_name, can.history || !as.history,
                  "a history needs a store of a table without windows");
    graph.require(operator_name, !as.history || as.history->count() >= 0,
                  "a history is not negative");
}

/// On disk or in memory, as the operator's options say or leave to the settings.
inline void place_store(StoreSpec& spec, const std::optional<bool>& persistent) {
    spec.persistent = persistent.value_or(true);
    spec.by_setting = !persistent;
}

/// Makes it a versioned store when `as` says so. Kafka Streams has these on disk only: no setting
/// moves them.
template <class K, class V>
void keep_history(StoreSpec& spec, const Materialized<K, V>& as) {
    if (!as.history) return;
    spec.by_setting = false;
    spec.kind = StoreSpec::Kind::kVersioned;
    spec.retention_ms = as.history->count();
}

}  // namespace leat::streams::detail
