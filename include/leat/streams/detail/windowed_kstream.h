// SPDX-License-Identifier: Apache-2.0
//
// What the aggregates of windowed streams declare. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/session_nodes.h"
#include "leat/streams/detail/sliding_nodes.h"
#include "leat/streams/detail/window_nodes.h"
#include "leat/streams/windowed_kstream.h"

namespace leat::streams {

namespace detail {

/// What a kind of windows asks of its store, and which node works on it.
inline Duration window_size(const TimeWindows& w) {
    return w.size;
}
inline Duration window_size(const SlidingWindows& w) {
    return w.difference;
}
inline Duration window_size(const UnlimitedWindows&) {
    return Duration{std::numeric_limits<std::int64_t>::max()};
}
/// How long a window must be kept. A sliding window is looked for from twice its span.
inline Duration window_retention(const TimeWindows& w) {
    return sum_of(w.size, w.grace_period);
}
inline Duration window_retention(const SlidingWindows& w) {
    return 2 * w.difference + w.grace_period;
}
inline Duration window_retention(const UnlimitedWindows& w) {
    return window_size(w);
}
template <class K, class V, class A, class W>
struct WindowNode {
    using type = WindowAggregateNode<K, V, A, W>;
};
template <class K, class V, class A>
struct WindowNode<K, V, A, SlidingWindows> {
    using type = SlidingAggregateNode<K, V, A>;
};
inline void check_windows(Graph& graph, const std::string& name, const TimeWindows& w) {
    graph.require(name, w.size.count() > 0 && w.advance.count() > 0 && w.advance <= w.size,
                  "a window's size and advance must be above 0, and the advance at most the size");
    graph.require(name, w.grace_period.count() >= 0, "a grace period is not negative");
}
inline void check_windows(Graph& graph, const std::string& name, const SlidingWindows& w) {
    graph.require(name, w.difference.count() >= 0, "a sliding window's span is not negative");
    graph.require(name, w.grace_period.count() >= 0, "a grace period is not negative");
}
inline void check_windows(Graph& graph, const std::string& name, const UnlimitedWindows& w) {
    graph.require(name, w.start >= 0, "an unlimited window does not start before 0");
}
inline void check_windows(Graph& graph, const std::string& name, const SessionWindows& w) {
    graph.require(name, w.gap.count() > 0, "the gap between sessions must be above 0");
    graph.require(name, w.grace_period.count() >= 0, "a grace period is not negative");
}

inline Duration window_size(const SessionWindows&) {
    return Duration{0};
}
inline Duration window_retention(const SessionWindows& w) {
    return w.gap + w.grace_period;
}

/// keeping() for windows: how long, and whether they are found by time.
template <class K, class A, class W>
Keeping<K, A> keeping_windows(Graph& graph, std::string_view prefix, const Materialized<K, A>& as,
                              const Serde<K>& key, const W& windows,
                              Emit emit = Emit::kOnWindowUpdate) {
    auto kept = keeping(graph, prefix, as, key, StoreKeeps{.windows = true});
    StoreSpec& spec = kept.spec;
    const Duration needed = window_retention(windows);
    spec.kind =
        std::is_same_v<W, SessionWindows> ? StoreSpec::Kind::kSession : StoreSpec::Kind::kWindow;
    if (spec.retention_ms < 0) spec.retention_ms = as.retention.value_or(needed).count();
    spec.window_ms = window_size(windows).count();
    spec.time_ordered = emit == Emit::kOnWindowClose;
    // Kafka Streams has no cache for the others that are told on close.
    if (!std::is_same_v<W, TimeWindows> && spec.time_ordered) spec.caching = false;
    check_windows(graph, spec.name, windows);
    graph.require(spec.name, spec.retention_ms >= needed.count(),
                  "the retention is shorter than its windows and their grace period need");
    return kept;
}

}  // namespace detail

template <class K, class V, class W>
TimeWindowedKStream<K, V, W> TimeWindowedKStream<K, V, W>::emit(Emit when) const {
    in_.at.graph->require("emit",
                          !std::is_same_v<W, UnlimitedWindows> || when != Emit::kOnWindowClose,
                          "an unlimited window never closes: emit on update");
    auto out = *this;
    out.emit_ = when;
    return out;
}

template <class K, class V, class W>
KTable<Windowed<K>, std::int64_t> TimeWindowedKStream<K, V, W>::count(
    const Materialized<K, std::int64_t>& as) const {
    if constexpr (!std::is_same_v<W, SlidingWindows>)
        detail::skip_number_of_count(*in_.at.graph, as);
    return keep<std::int64_t>("KSTREAM-AGGREGATE-", as, detail::counting<K, V>());
}

template <class K, class V, class W>
template <class F>
KTable<Windowed<K>, V> TimeWindowedKStream<K, V, W>::reduce(F reducer,
                                                            const Materialized<K, V>& as) const {
    return keep<V>("KSTREAM-REDUCE-", as, detail::reducing<K, V>(std::move(reducer)));
}

template <class K, class V, class W>
template <class Init, class F, class A>
KTable<Windowed<K>, A> TimeWindowedKStream<K, V, W>::aggregate(
    Init initializer, F adder, const Materialized<K, std::type_identity_t<A>>& as) const {
    return keep<A>("KSTREAM-AGGREGATE-", as,
                   detail::aggregating<A, K, V>(std::move(initializer), std::move(adder)));
}

template <class K, class V, class W>
template <class A>
KTable<Windowed<K>, A> TimeWindowedKStream<K, V, W>::keep(
    std::string_view prefix, const Materialized<K, A>& as,
    detail::Aggregation<K, V, A> aggregation) const {
    auto& graph = *in_.at.graph;
    const auto kept = detail::keeping_windows(graph, prefix, as, in_.at.key, windows_, emit_);
    const std::string name = graph.name(prefix, as.name);
    using Node = typename detail::WindowNode<K, V, A, W>::type;
    return detail::add_aggregate<Windowed<K>, A>(
        in_, name, kept.spec,
        [windows = windows_, when = emit_, aggregation, use = kept.use](const std::string& node,
                                                                        bool old) {
            return std::make_unique<Node>(node, windows, aggregation, use,
                                          detail::Telling{when, old});
        },
        {.key = detail::windowed(kept.use.key, detail::TimeBounds{detail::window_size(windows_)}),
         .value = kept.use.value},
        windows_.grace_period.count());
}

template <class K, class V>
SessionWindowedKStream<K, V> SessionWindowedKStream<K, V>::emit(Emit when) const {
    auto out = *this;
    out.emit_ = when;
    return out;
}

template <class K, class V>
KTable<Windowed<K>, std::int64_t> SessionWindowedKStream<K, V>::count(
    const Materialized<K, std::int64_t>& as) const {
    detail::skip_number_of_count(*in_.at.graph, as);
    return keep<std::int64_t>("KSTREAM-AGGREGATE-", as, detail::counting<K, V>());
}

template <class K, class V>
template <class F>
KTable<Windowed<K>, V> SessionWindowedKStream<K, V>::reduce(F reducer,
                                                            const Materialized<K, V>& as) const {
    return keep<V>("KSTREAM-REDUCE-", as, detail::reducing<K, V>(std::move(reducer)));
}

template <class K, class V>
template <class Init, class F, class M, class A>
KTable<Windowed<K>, A> SessionWindowedKStream<K, V>::aggregate(
    Init initializer, F adder, M merger, const Materialized<K, std::type_identity_t<A>>& as) const {
    auto aggregation = detail::aggregating<A, K, V>(std::move(initializer), std::move(adder));
    aggregation.merge = detail::merging<K, A>(std::move(merger));
    return keep<A>("KSTREAM-AGGREGATE-", as, std::move(aggregation));
}

template <class K, class V>
template <class A>
KTable<Windowed<K>, A> SessionWindowedKStream<K, V>::keep(
    std::string_view prefix, const Materialized<K, A>& as,
    detail::Aggregation<K, V, A> aggregation) const {
    auto& graph = *in_.at.graph;
    const auto kept = detail::keeping_windows(graph, prefix, as, in_.at.key, windows_, emit_);
    const std::string name = graph.name(prefix, as.name);
    return detail::add_aggregate<Windowed<K>, A>(
        in_, name, kept.spec,
        [windows = windows_, when = emit_, aggregation, use = kept.use](const std::string& node,
                                                                        bool old) {
            return std::make_unique<detail::SessionAggregateNode<K, V, A>>(
                node, windows, aggregation, use, detail::Telling{when, old});
        },
        {.key = detail::windowed(kept.use.key, detail::SessionBounds{}), .value = kept.use.value},
        (windows_.gap + windows_.grace_period).count());
}

}  // namespace leat::streams
