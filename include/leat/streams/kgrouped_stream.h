// SPDX-License-Identifier: Apache-2.0
//
// Streams grouped by key, and their aggregates. Layer: streams SDK.
// Spec:  Kafka Streams' KGroupedStream; generated names and repartition topics are the same.
// Threading: one thread declares a topology.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "leat/streams/cogrouped_kstream.h"
#include "leat/streams/detail/grouping.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"
#include "leat/streams/windowed_kstream.h"
#include "leat/streams/windows.h"

namespace leat::streams {

template <class K, class V>
class KGroupedStream {
  public:
    KGroupedStream(detail::Handle<K, V> at, Grouped<K, V> grouped)
        : in_(std::move(at), std::move(grouped)) {}

    /// Number of records of each key. Records with a null key or value do not count.
    KTable<K, std::int64_t> count(const Materialized<K, std::int64_t>& as = {}) const {
        detail::skip_number_of_count(*in_.at.graph, as);
        return keep<std::int64_t>("KSTREAM-AGGREGATE-", as, detail::counting<K, V>());
    }
    /// The first value of a key, then reducer(aggregate, value).
    template <class F>
    KTable<K, V> reduce(F reducer, const Materialized<K, V>& as = {}) const {
        return keep<V>("KSTREAM-REDUCE-", as, detail::reducing<K, V>(std::move(reducer)));
    }
    /// adder(key, value, aggregate) yields the next aggregate, or an empty optional to delete it;
    /// initializer() the first.
    template <class Init, class F, class A = detail::FirstOf<Init>>
    KTable<K, A> aggregate(Init initializer, F adder,
                           const Materialized<K, std::type_identity_t<A>>& as = {}) const {
        return keep<A>("KSTREAM-AGGREGATE-", as,
                       detail::aggregating<A, K, V>(std::move(initializer), std::move(adder)));
    }

    [[nodiscard]] TimeWindowedKStream<K, V, TimeWindows> windowed(TimeWindows windows) const {
        return {in_, windows};
    }
    [[nodiscard]] TimeWindowedKStream<K, V, SlidingWindows> windowed(SlidingWindows windows) const {
        return {in_, windows};
    }
    [[nodiscard]] TimeWindowedKStream<K, V, UnlimitedWindows> windowed(
        UnlimitedWindows windows) const {
        return {in_, windows};
    }
    [[nodiscard]] SessionWindowedKStream<K, V> windowed(SessionWindows windows) const {
        return {in_, windows};
    }

    /// Begins an aggregate A that other grouped streams change too: adder(key, value, aggregate).
    template <class A, class F>
    [[nodiscard]] CogroupedKStream<K, A> cogroup(F adder) const {
        return CogroupedKStream<K, A>{
            {in_.at.graph, in_.at.key, {detail::cogroup_input<A>(in_, std::move(adder))}}};
    }

    [[nodiscard]] const detail::Grouping<K, V>& grouping() const noexcept { return in_; }

  private:
    template <class A>
    KTable<K, A> keep(std::string_view prefix, const Materialized<K, A>& as,
                      detail::Aggregation<K, V, A> aggregation) const {
        auto& graph = *in_.at.graph;
        const auto kept =
            detail::keeping(graph, prefix, as, in_.at.key, detail::StoreKeeps{.history = true});
        const std::string name = graph.name(prefix, as.name);
        return detail::add_aggregate<K, A>(
            in_, name, kept.spec,
            [aggregation, use = kept.use](const std::string& node, bool old) {
                return std::make_unique<detail::AggregateNode<K, V, A>>(node, aggregation, use,
                                                                        old);
            },
            {.key = kept.use.key, .value = kept.use.value});
    }

    detail::Grouping<K, V> in_;
};

}  // namespace leat::streams
