// SPDX-License-Identifier: Apache-2.0
//
// A stream of records. Layer: streams SDK.
// Spec:  Kafka Streams' KStream, operator by operator. Functions take (key, value) or (value). They
// see a null value by pointer to const or as std::optional. By reference they do not: map_values()
// and peek() let the record pass then; filter(), foreach() and a split that no branch takes it from
// drop and count it; where it goes on with the answer (the other mappers, new keys), it is an error
// for the processing handler. docs/reference/streams-dsl.md has all verbs. A null key is K{} by
// reference, and where a function that took it so yields a new key of that type which equals K{},
// the key is null again (of a type without == it always is); by pointer it is null. A function may
// answer a Result: its error, as what is thrown, is the processing handler's business.
// Threading: one thread declares a topology. A KStream is a cheap value on a shared graph.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/handle.h"
#include "leat/streams/detail/join_call.h"
#include "leat/streams/detail/mapped.h"
#include "leat/streams/detail/refused_joins.h"
#include "leat/streams/options.h"
#include "leat/streams/stream_joined.h"
#include "leat/streams/windows.h"

namespace leat::streams {

template <class K, class V>
class BranchedKStream;
template <class K, class V>
class KGroupedStream;
template <class K, class V>
class KTable;
template <class K, class V>
class GlobalKTable;

template <class K, class V>
class KStream : detail::RefusedStreamJoins<K> {
  public:
    explicit KStream(detail::Handle<K, V> handle) : at_(std::move(handle)) {}

    // One record after the other: detail/kstream_stateless.h

    /// Records for which `predicate` is true.
    template <class F>
    KStream filter(F predicate, const Named& named = {}) const;
    template <class F>
    KStream filter_not(F predicate, const Named& named = {}) const;
    /// `mapper` yields a value, or std::optional of one for null. Key and partition stay.
    template <class F>
    auto map_values(F mapper, const Named& named = {}) const;
    /// `mapper` yields a range of values, or of std::optional of them for null.
    template <class F>
    auto flat_map_values(F mapper, const Named& named = {}) const;
    /// `mapper` yields a KeyValue.
    template <class F>
    auto map(F mapper, const Named& named = {}) const;
    /// `mapper` yields a range of KeyValue.
    template <class F>
    auto flat_map(F mapper, const Named& named = {}) const;
    /// `selector` yields the new key.
    template <class F>
    auto select_key(F selector, const Named& named = {}) const;
    /// Calls `action` on the way.
    template <class F>
    KStream peek(F action, const Named& named = {}) const;
    template <class F>
    void foreach (F action, const Named& named = {}) const;
    /// The records of both, in no order between the two.
    KStream merge(const KStream& other, const Named& named = {}) const;

    // In parts: split.h

    /// The first branch whose predicate is true takes a record.
    [[nodiscard]] BranchedKStream<K, V> split(const Named& named = {}) const;
    /// The older form of split(): the branches in the order of the predicates; names are split()'s.
    template <class... F>
    [[nodiscard]] std::vector<KStream> branch(F... predicates) const;

    // Through operators of your own: detail/kstream_process.h; see processor.h

    /// `supplier` makes a std::unique_ptr of a Processor for each task. The key may have changed.
    template <class Supplier>
    auto process(Supplier supplier, const Processed& options = {}) const;
    /// `supplier` makes a std::unique_ptr of a FixedKeyProcessor for each task.
    template <class Supplier>
    auto process_values(Supplier supplier, const Processed& options = {}) const;
    /// Older names: process() and process_values(), to the letter.
    template <class Supplier>
    auto transform(Supplier supplier, const Processed& options = {}) const {
        return process(std::move(supplier), options);
    }
    template <class Supplier>
    auto transform_values(Supplier supplier, const Processed& options = {}) const {
        return process_values(std::move(supplier), options);
    }

    // By key: detail/kstream_stateless.h

    /// Through a topic of the application, always: so many partitions, or a name, of one's own.
    /// Records with a null key are dropped.
    KStream repartition(const Repartitioned<K, V>& as = {}) const;

    /// Groups by the key as it is; goes through a repartition topic only when the key may have
    /// changed.
    KGroupedStream<K, V> group_by_key(const Grouped<K, V>& grouped = {}) const;
    /// Groups by what `selector` yields. Records with a null key are dropped then.
    template <class F>
    auto group_by(F selector, const Grouped<detail::MappedTo<F, K, V>, V>& grouped = {}) const;

    // Joins: those that do not compile are in detail/refused_joins.h
    using detail::RefusedStreamJoins<K>::join;
    using detail::RefusedStreamJoins<K>::left_join;
    using detail::RefusedStreamJoins<K>::outer_join;

    // With another stream: detail/kstream_joins.h

    /// Joins records of one key whose times lie in `windows` of each other. joiner(left, right) or
    /// joiner(key, left, right) yields the value; its sides are references where there always is a
    /// value, else pointers: in a left join the right one, in an outer join both. A record without
    /// a match is told when its window and grace are over, without a key (left, outer) at once.
    template <class V2, class F>
    auto join(const KStream<K, V2>& other, F joiner, JoinWindows windows,
              const StreamJoined<K, V, V2>& as = {}) const;
    template <class V2, class F>
    auto left_join(const KStream<K, V2>& other, F joiner, JoinWindows windows,
                   const StreamJoined<K, V, V2>& as = {}) const;
    template <class V2, class F>
    auto outer_join(const KStream<K, V2>& other, F joiner, JoinWindows windows,
                    const StreamJoined<K, V, V2>& as = {}) const;

    // With a table, or as one: detail/kstream_tables.h

    /// The latest value of each key; a null value deletes.
    [[nodiscard]] KTable<K, V> to_table(const Materialized<K, V>& as = {}) const;
    /// Each record with the table's value of its key: joiner(left, right), or (key, left, right).
    /// Without such a value nothing comes of it.
    template <class V2, class F>
    auto join(const KTable<K, V2>& table, F joiner, const Joined<K, V>& as = {}) const;
    /// As join(), but joiner takes the table's value by pointer, which may be null.
    template <class V2, class F>
    auto left_join(const KTable<K, V2>& table, F joiner, const Joined<K, V>& as = {}) const;
    /// Each record with the value of the key that `selector` yields of it.
    template <class KG, class VG, class S, class F>
    auto join(const GlobalKTable<KG, VG>& table, S selector, F joiner,
              const Named& named = {}) const;
    template <class KG, class VG, class S, class F>
    auto left_join(const GlobalKTable<KG, VG>& table, S selector, F joiner,
                   const Named& named = {}) const;

    // Out: detail/kstream_edges.h

    /// Writes to a topic, which must exist.
    void to(const std::string& topic, const Produced<K, V>& produced = {}) const;
    /// Writes each record to the topic that `topic_of` names: see topic_name_extractor.h.
    void to(TopicNameExtractor<K, V> topic_of, const Produced<K, V>& produced = {}) const;
    /// The older form of to(topic) followed by reading the topic, which must exist; repartition()
    /// keeps its topic itself.
    KStream through(const std::string& topic, const Produced<K, V>& produced = {}) const;
    /// A line for each record, to standard output unless options say where. Needs operator<< for
    /// key and value, or a mapper.
    void print(const Printed<K, V>& options = {}) const;

    [[nodiscard]] const detail::Handle<K, V>& handle() const noexcept { return at_; }

  private:
    template <class N, class F, class... More>
    detail::GraphNode& add(const std::string& name, bool key_changing, F function,
                           More... more) const;
    template <class N, class F, class... More>
    KStream same(std::string_view prefix, const Named& named, F function, More... more) const;
    template <class N, class V2, class F>
    KStream<K, V2> values(std::string_view prefix, const Named& named, F function) const;
    template <class N, class Pair, class F>
    auto pairs(std::string_view prefix, const Named& named, F function) const;
    template <detail::Absent kAbsent, class V2, class F>
    auto with_table(const KTable<K, V2>& table, F joiner, const Joined<K, V>& as) const;
    template <detail::Absent kAbsent, class KG, class VG, class S, class F>
    auto with_global(const GlobalKTable<KG, VG>& table, S selector, F joiner,
                     const Named& named) const;
    template <class N, class Supplier>
    detail::GraphNode& add_user(const std::string& name, const Processed& options,
                                Supplier supplier) const;
    void write(const Produced<K, V>& produced, std::vector<std::string> topics,
               TopicNameExtractor<K, V> topic_of) const;

    detail::Handle<K, V> at_;
};

}  // namespace leat::streams

#include "leat/streams/detail/kstream_edges.h"
#include "leat/streams/detail/kstream_joins.h"
#include "leat/streams/detail/kstream_process.h"
#include "leat/streams/detail/kstream_stateless.h"
#include "leat/streams/detail/kstream_tables.h"
#include "leat/streams/split.h"
