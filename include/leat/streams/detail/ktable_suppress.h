// SPDX-License-Identifier: Apache-2.0
//
// KTable::suppress(). Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/suppress_node.h"
#include "leat/streams/detail/suppress_table.h"
#include "leat/streams/ktable.h"
#include "leat/streams/suppress.h"

namespace leat::streams {

template <class K, class V>
KTable<K, V> KTable<K, V>::suppress(const UntilWindowCloses& until) const {
    static_assert(detail::WindowedKey<K>::value,
                  "only a windowed table has windows that close; use until_time_limit()");
    const auto grace = detail::Graph::grace_of(*at_.node);
    at_.graph->require(at_.node->name, grace.has_value(),
                       "a window's close is only known below a windowed aggregate");
    return suppress({.wait_ms = grace.value_or(0),
                     .limits = until.buffer.limits,
                     .strict = true,
                     .final_results = true},
                    until.named);
}

template <class K, class V>
KTable<K, V> KTable<K, V>::suppress(const UntilTimeLimit& until) const {
    at_.graph->require(at_.node->name, until.wait.count() >= 0, "a time limit is not negative");
    return suppress({.wait_ms = until.wait.count(), .limits = until.limits, .strict = until.strict},
                    until.named);
}

template <class K, class V>
KTable<K, V> KTable<K, V>::suppress(detail::Suppression how, const Named& named) const {
    auto& graph = *at_.graph;
    const bool given = !named.name.empty();
    const std::string name = given ? named.name : graph.name("KTABLE-SUPPRESS-");
    graph.require(name, how.limits.records >= 0 && how.limits.bytes >= 0,
                  "a limit of its buffer is not negative");
    graph.require(name, table_ == nullptr || !table_->versioned(),
                  "suppress() is only for tables without a history");
    how.store = given ? name + "-store" : graph.store_name("KTABLE-SUPPRESS-");
    const auto key = detail::choose(at_.key, Serde<K>{});
    const auto value = detail::choose(at_.value, Serde<V>{});
    detail::require_serdes(graph, name,
                           {detail::need("its key", "the table's Materialized::key", key),
                            detail::need("its value", "the table's Materialized::value", value)});
    detail::GraphNode node{.name = name, .old_values_from_parents = true};
    detail::StoreSpec spec{.name = how.store,
                           .kind = detail::StoreSpec::Kind::kSuppress,
                           .logging = how.limits.logging,
                           .persistent = false};
    spec.changelog = how.limits.changelog;
    node.write = [=, parent = at_.node->name](detail::Parts& parts) {
        parts.add({.name = name, .parents = {parent}, .make = [=] {
                       return std::make_unique<detail::SuppressNode<K, V>>(name, how, key, value);
                   }});
        parts.add_store(spec, {name});
    };
    // What waits is kept with the value before it, whether somebody below asks for it or not.
    detail::Graph::ask_old_values(*at_.node);
    auto& added = graph.add({at_.node}, std::move(node));
    std::shared_ptr<detail::Table<K, V>> read;
    if (table_)
        read = std::make_shared<detail::SuppressTable<K, V>>(
            table_, detail::StoreUse<K, V>{how.store, key, value});
    return KTable{{at_.graph, &added, key, value, false}, std::move(read), ""};
}

}  // namespace leat::streams
