// SPDX-License-Identifier: Apache-2.0
//
// Which options of Materialized mean something to an operator. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/supplied.h"
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
    if (!as.supplier) return;
    graph.require(operator_name, as.store == as.supplier.name(),
                  "a supplier names its store: use Materialized::as()");
    graph.require(operator_name, !as.retention && !as.history && !as.persistent,
                  "where and how long a store keeps is said by its supplier");
}

/// On disk or in memory, as the operator's options say or leave to the settings.
inline void place_store(StoreSpec& spec, const std::optional<bool>& persistent) {
    spec.persistent = persistent.value_or(true);
    spec.by_setting = !persistent;
}

/// Where the options say, or leave to the settings.
template <class K, class V>
void place_store(StoreSpec& spec, const Materialized<K, V>& as) {
    place_store(spec, as.persistent);
    supply_store(spec, as.supplier);
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

/// A store of one's own, if one is given: it must keep what the join's would.
inline void supply_join_store(Graph& graph, const std::string& merge, StoreSpec& spec,
                              const std::optional<WindowBytesStoreSupplier>& from) {
    if (!from) return;
    graph.require(merge,
                  from->retention_period.count() == spec.retention_ms &&
                      from->window_size.count() == spec.window_ms,
                  "the window size and the retention of its store " + from->name +
                      " must be those of the join's windows");
    graph.require(merge, from->retain_duplicates,
                  "its store " + from->name + " must retain duplicates");
    supply_store(spec, *from);
}

}  // namespace leat::streams::detail
