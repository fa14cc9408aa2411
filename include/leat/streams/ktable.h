// SPDX-License-Identifier: Apache-2.0
//
// A table: the latest value of each key, and the stream of its updates. Layer: streams SDK.
// Spec:  Kafka Streams' KTable, operator by operator. Here are the declarations; the definitions
// are in detail/ktable_*.h. A table is kept in a store when its Materialized names one, or when
// something reads it; else it is computed from the table it comes from.
// Threading: one thread declares a topology. A KTable is a cheap value on a shared graph.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/handle.h"
#include "leat/streams/detail/join_call.h"
#include "leat/streams/detail/refused_table_joins.h"
#include "leat/streams/detail/table.h"
#include "leat/streams/detail/table_nodes.h"
#include "leat/streams/kstream.h"
#include "leat/streams/options.h"
#include "leat/streams/suppress.h"

namespace leat::streams {

namespace detail {
struct Suppression;
}  // namespace detail

template <class K, class V>
class KGroupedTable;
template <class K, class V>
class GlobalKTable;

template <class K, class V>
class KTable : detail::RefusedTableJoins<K> {
  public:
    /// A table that a node keeps in a store of this name; none: it cannot be read.
    KTable(detail::Handle<K, V> at, std::string store);
    /// `store`: its name when users may query it.
    KTable(detail::Handle<K, V> at, std::shared_ptr<detail::Table<K, V>> table, std::string store)
        : at_(std::move(at)), table_(std::move(table)), store_(std::move(store)) {}

    // One update after the other: detail/ktable_stateless.h

    /// Only keys whose value passes; the others are deleted. `predicate` never sees a null.
    template <class F>
    KTable filter(F predicate, const Materialized<K, V>& as = {}) const;
    template <class F>
    KTable filter_not(F predicate, const Materialized<K, V>& as = {}) const;
    /// `mapper` yields a value, or std::optional of one for a deletion. It never sees a null.
    template <class F>
    auto map_values(F mapper, const Materialized<K, detail::MappedTo<F, K, V>>& as = {}) const;
    /// As map_values(), and `transformer` sees deletions too when it takes its value by pointer.
    /// It may be asked again for a value that something else reads. Or a supplier that makes a
    /// std::unique_ptr of a ValueTransformer (processor.h) for each task, with `stores` of
    /// Builder::add_state_store(); what is to read that table by key needs it in a store.
    template <class F>
    auto transform_values(F transformer,
                          const Materialized<K, detail::TransformedTo<F, K, V>>& as = {},
                          const std::vector<std::string>& stores = {}) const;

    /// Each update as a record; a deletion has a null value.
    [[nodiscard]] KStream<K, V> to_stream(const Named& named = {}) const;
    /// to_stream() with a new key: selector(key, value), as KStream::select_key(). The value of
    /// a deletion is null: sessions that become one have it too.
    template <class F>
    auto to_stream(F selector, const Named& named = {}) const {
        return to_stream(named).select_key(std::move(selector));
    }

    /// Holds updates back: detail/ktable_suppress.h
    [[nodiscard]] KTable suppress(const UntilWindowCloses& until) const;
    [[nodiscard]] KTable suppress(const UntilTimeLimit& until) const;

    // Grouped anew: kgrouped_table.h

    /// Groups by what `selector` yields: a KeyValue. An entry whose key or value is null there
    /// belongs to no group.
    template <class F, class Pair = detail::PairOf<detail::MappedTo<F, K, V>>>
    auto group_by(F selector,
                  const Grouped<typename decltype(Pair::key)::value_type,
                                typename decltype(Pair::value)::value_type>& grouped = {}) const;

    // Joins: those that do not compile are in detail/refused_table_joins.h
    using detail::RefusedTableJoins<K>::join;
    using detail::RefusedTableJoins<K>::left_join;
    using detail::RefusedTableJoins<K>::outer_join;
    using detail::RefusedTableJoins<K>::outer_join_on;

    // With another table of the same key: detail/ktable_joins.h

    /// Keys that both hold: joiner(left, right), or (key, left, right).
    template <class V2, class F>
    auto join(
        const KTable<K, V2>& other, F joiner,
        const Materialized<K, detail::JoinedTo<detail::Absent::kNone, F, K, V, V2>>& as = {}) const;
    /// Keys that the left one holds; joiner takes the right value by pointer.
    template <class V2, class F>
    auto left_join(const KTable<K, V2>& other, F joiner,
                   const Materialized<K, detail::JoinedTo<detail::Absent::kRight, F, K, V, V2>>&
                       as = {}) const;
    /// Keys that either holds; joiner takes both values by pointer.
    template <class V2, class F>
    auto outer_join(
        const KTable<K, V2>& other, F joiner,
        const Materialized<K, detail::JoinedTo<detail::Absent::kBoth, F, K, V, V2>>& as = {}) const;

    // With another table by a foreign key: detail/ktable_foreign.h

    /// Entries whose foreign key `other` holds: extractor(value) or (key, value) yields a key of
    /// `other`, or std::optional of one. `as.name` names nodes, topics and store.
    template <class KO, class VO, class X, class F>
    auto join_on(
        const KTable<KO, VO>& other, X extractor, F joiner,
        const Materialized<K, detail::JoinedTo<detail::Absent::kNone, F, K, V, VO>>& as = {},
        const TableJoined<K, KO>& joined = {}) const;
    /// All entries; joiner takes the other value by pointer.
    template <class KO, class VO, class X, class F>
    auto left_join_on(
        const KTable<KO, VO>& other, X extractor, F joiner,
        const Materialized<K, detail::JoinedTo<detail::Absent::kRight, F, K, V, VO>>& as = {},
        const TableJoined<K, KO>& joined = {}) const;

    /// Name of the store that holds it; empty when there is none to query.
    [[nodiscard]] const std::string& store() const noexcept { return store_; }
    [[nodiscard]] const detail::Handle<K, V>& handle() const noexcept { return at_; }
    /// What a node reads it through; marks it as read.
    [[nodiscard]] std::shared_ptr<detail::Table<K, V>> read_by(const std::string& reader) const;

  private:
    [[nodiscard]] KTable suppress(detail::Suppression how, const Named& named) const;
    template <class F>
    KTable filtered(F predicate, bool negate, const Materialized<K, V>& as) const;
    template <class V2, class Supplier>
    KTable<K, V2> transformed(const std::string& name, Supplier supplier,
                              const Materialized<K, V2>& as,
                              const std::vector<std::string>& stores) const;
    template <class V2, class F>
    KTable<K, V2> mapped(std::string_view prefix, F mapper, const Materialized<K, V2>& as) const;
    template <detail::Absent kAbsent, class V2, class F, class R>
    KTable<K, R> joined(const KTable<K, V2>& other, F joiner, const Materialized<K, R>& as) const;
    template <detail::Absent kAbsent, class KO, class VO, class X, class F, class R>
    KTable<K, R> joined_on(const KTable<KO, VO>& other, X extractor, F joiner,
                           const Materialized<K, R>& as, const TableJoined<K, KO>& joined) const;

    detail::Handle<K, V> at_;
    std::shared_ptr<detail::Table<K, V>> table_;
    std::string store_;
};

}  // namespace leat::streams

#include "leat/streams/detail/ktable_foreign.h"
#include "leat/streams/detail/ktable_joins.h"
#include "leat/streams/detail/ktable_stateless.h"
#include "leat/streams/detail/ktable_suppress.h"
#include "leat/streams/detail/ktable_transform.h"
