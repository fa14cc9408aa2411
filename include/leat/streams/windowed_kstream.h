// SPDX-License-Identifier: Apache-2.0
//
// Grouped streams cut into windows, and their aggregates. Layer: streams SDK.
// Spec:  Kafka Streams' TimeWindowedKStream and SessionWindowedKStream. Definitions are in
// detail/windowed_kstream.h.
// Threading: one thread declares a topology.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/grouping.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"
#include "leat/streams/windows.h"

namespace leat::streams {

/// W: TimeWindows, SlidingWindows or UnlimitedWindows.
template <class K, class V, class W>
class TimeWindowedKStream {
  public:
    TimeWindowedKStream(detail::Grouping<K, V> grouping, W windows)
        : in_(std::move(grouping)), windows_(windows) {}

    /// When results are told; each update unless this says otherwise.
    [[nodiscard]] TimeWindowedKStream emit(Emit when) const;

    /// Windows of time and unlimited ones also count records with a null value, sliding windows do
    /// not, as in Kafka Streams.
    KTable<Windowed<K>, std::int64_t> count(const Materialized<K, std::int64_t>& as = {}) const;
    /// The first value in a window, then reducer(aggregate, value).
    template <class F>
    KTable<Windowed<K>, V> reduce(F reducer, const Materialized<K, V>& as = {}) const;
    /// adder(key, value, aggregate) yields the next aggregate, or an empty optional to delete it;
    /// initializer() the first.
    template <class Init, class F, class A = detail::FirstOf<Init>>
    KTable<Windowed<K>, A> aggregate(Init initializer, F adder,
                                     const Materialized<K, std::type_identity_t<A>>& as = {}) const;
    template <class Init, class F, class M, class A = detail::FirstOf<Init>>
        requires(!std::convertible_to<M, const Materialized<K, A>&>)
    void aggregate(Init /*initializer*/, F /*adder*/, M /*merger*/,
                   const Materialized<K, std::type_identity_t<A>>& /*as*/ = {}) const {
        static_assert(detail::kNever<F>,
                      "only sessions become one: other windows take no merger behind the adder");
    }

  private:
    template <class A>
    KTable<Windowed<K>, A> keep(std::string_view prefix, const Materialized<K, A>& as,
                                detail::Aggregation<K, V, A> aggregation) const;

    detail::Grouping<K, V> in_;
    W windows_;
    Emit emit_ = Emit::kOnWindowUpdate;
};

/// A grouped stream cut into sessions.
template <class K, class V>
class SessionWindowedKStream {
  public:
    SessionWindowedKStream(detail::Grouping<K, V> grouping, SessionWindows windows)
        : in_(std::move(grouping)), windows_(windows) {}

    [[nodiscard]] SessionWindowedKStream emit(Emit when) const;

    /// Also counts records with a null value.
    KTable<Windowed<K>, std::int64_t> count(const Materialized<K, std::int64_t>& as = {}) const;
    template <class F>
    KTable<Windowed<K>, V> reduce(F reducer, const Materialized<K, V>& as = {}) const;
    /// As that of time windows; merger(key, one, two), or merger(one, two), yields the aggregate of
    /// two sessions that became one. It is called for each session that a record touches, the first
    /// time with what `initializer` yields.
    template <class Init, class F, class M, class A = detail::FirstOf<Init>>
    KTable<Windowed<K>, A> aggregate(Init initializer, F adder, M merger,
                                     const Materialized<K, std::type_identity_t<A>>& as = {}) const;
    template <class Init, class F>
    void aggregate(Init /*initializer*/, F /*adder*/) const {
        static_assert(detail::kNever<F>,
                      "two sessions may become one: give a merger(key, one, two) behind the adder");
    }

  private:
    template <class A>
    KTable<Windowed<K>, A> keep(std::string_view prefix, const Materialized<K, A>& as,
                                detail::Aggregation<K, V, A> aggregation) const;

    detail::Grouping<K, V> in_;
    SessionWindows windows_;
    Emit emit_ = Emit::kOnWindowUpdate;
};

}  // namespace leat::streams

#include "leat/streams/detail/windowed_kstream.h"
