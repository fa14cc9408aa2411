// SPDX-License-Identifier: Apache-2.0
//
// Several grouped streams that change one aggregate. Layer: streams SDK.
// Spec:  Kafka Streams' CogroupedKStream and its windowed forms. Definitions are in
// detail/cogroup.h.
// Threading: one thread declares a topology.
//
//     clicks.group_by_key().cogroup<Visit>(add_click)
//         .cogroup(orders.group_by_key(), add_order)
//         .windowed(session(30min))
//         .aggregate([] { return Visit{}; }, merge_visits);
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/cogroup_inputs.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"
#include "leat/streams/windows.h"

namespace leat::streams {

template <class K, class V>
class KGroupedStream;

/// Cogrouped streams in windows of time: W is TimeWindows, SlidingWindows or UnlimitedWindows.
template <class K, class A, class W>
class TimeWindowedCogroupedKStream {
  public:
    TimeWindowedCogroupedKStream(detail::CogroupInputs<K, A> inputs, W windows)
        : inputs_(std::move(inputs)), windows_(windows) {}
    /// `initializer` yields the first aggregate of a window.
    template <class Init>
    KTable<Windowed<K>, A> aggregate(Init initializer, const Materialized<K, A>& as = {}) const;
    template <class Init, class M>
        requires(!std::convertible_to<M, const Materialized<K, A>&>)
    void aggregate(Init /*initializer*/, M /*merger*/,
                   const Materialized<K, A>& /*as*/ = {}) const {
        static_assert(detail::kNever<M>, "only sessions become one: other windows take no merger");
    }

  private:
    detail::CogroupInputs<K, A> inputs_;
    W windows_;
};

/// Cogrouped streams in sessions.
template <class K, class A>
class SessionWindowedCogroupedKStream {
  public:
    SessionWindowedCogroupedKStream(detail::CogroupInputs<K, A> inputs, SessionWindows windows)
        : inputs_(std::move(inputs)), windows_(windows) {}
    /// `merger` as that of SessionWindowedKStream::aggregate().
    template <class Init, class M>
    KTable<Windowed<K>, A> aggregate(Init initializer, M merger,
                                     const Materialized<K, A>& as = {}) const;
    template <class Init>
    void aggregate(Init /*initializer*/) const {
        static_assert(detail::kNever<Init>,
                      "two sessions may become one: give a merger(key, one, two) as well");
    }

  private:
    detail::CogroupInputs<K, A> inputs_;
    SessionWindows windows_;
};

template <class K, class A>
class CogroupedKStream {
  public:
    explicit CogroupedKStream(detail::CogroupInputs<K, A> inputs) : inputs_(std::move(inputs)) {}

    /// Adds a stream, whose records change the aggregate by adder(key, value, aggregate). A grouped
    /// stream that is there already gets this adder instead of the one it had.
    template <class V, class F>
    [[nodiscard]] CogroupedKStream cogroup(const KGroupedStream<K, V>& grouped, F adder) const;

    /// `as.name` stands in front of the nodes' names.
    template <class Init>
    KTable<K, A> aggregate(Init initializer, const Materialized<K, A>& as = {}) const;

    [[nodiscard]] TimeWindowedCogroupedKStream<K, A, TimeWindows> windowed(TimeWindows w) const {
        return {inputs_, w};
    }
    [[nodiscard]] TimeWindowedCogroupedKStream<K, A, SlidingWindows> windowed(
        SlidingWindows w) const {
        return {inputs_, w};
    }
    [[nodiscard]] TimeWindowedCogroupedKStream<K, A, UnlimitedWindows> windowed(
        UnlimitedWindows w) const {
        return {inputs_, w};
    }
    [[nodiscard]] SessionWindowedCogroupedKStream<K, A> windowed(SessionWindows w) const {
        return {inputs_, w};
    }

  private:
    detail::CogroupInputs<K, A> inputs_;
};

}  // namespace leat::streams

#include "leat/streams/detail/cogroup.h"
