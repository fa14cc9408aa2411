// SPDX-License-Identifier: Apache-2.0
//
// Streams grouped by key, whole and in windows, and their aggregates. Layer: streams SDK.
// Spec:  Kafka Streams' KGroupedStream, TimeWindowedKStream; generated names and repartition topics
// are the same. Threading: one thread declares a topology.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/aggregate_nodes.h"
#include "leat/streams/detail/repartition.h"
#include "leat/streams/detail/windowed_codec.h"
#include "leat/streams/ktable.h"
#include "leat/streams/options.h"
#include "leat/streams/windows.h"

namespace leat::streams {

template <class K, class V>
class TimeWindowedKStream;

template <class K, class V>
class KGroupedStream {
  public:
    KGroupedStream(detail::Handle<K, V> at, Grouped<K, V> grouped)
        : at_(std::move(at)), grouped_(std::move(grouped)) {
        at_.key = detail::choose(grouped_.key, at_.key);
        at_.value = detail::choose(grouped_.value, at_.value);
    }

    /// Number of records of each key. Records with a null key or value do not count.
    KTable<K, std::int64_t> count(const Materialized<K, std::int64_t>& as = {}) const {
        return keep<std::int64_t>("KSTREAM-AGGREGATE-", as,
                                  [](const K&, const V*, std::optional<std::int64_t> n) {
                                      return std::optional{n.value_or(0) + 1};
                                  });
    }
    /// The first value of a key, then reducer(aggregate, value).
    template <class F>
    KTable<K, V> reduce(F reducer, const Materialized<K, V>& as = {}) const {
        return keep<V>("KSTREAM-REDUCE-", as,
                       [reducer](const K&, const V* value, std::optional<V> sum) mutable {
                           return sum ? std::optional<V>{reducer(*sum, *value)}
                                      : std::optional<V>{*value};
                       });
    }
    /// adder(key, value, aggregate) yields the next aggregate, or an empty optional to delete it;
    /// initializer() the first.
    template <class Init, class F, class A = detail::PlainOf<std::invoke_result_t<Init&>>>
    KTable<K, A> aggregate(Init initializer, F adder,
                           const Materialized<K, std::type_identity_t<A>>& as = {}) const {
        return keep<A>("KSTREAM-AGGREGATE-", as,
                       stepper<A>(std::move(initializer), std::move(adder)));
    }
    [[nodiscard]] TimeWindowedKStream<K, V> windowed(TimeWindows windows) const {
        return {*this, windows};
    }

  private:
    friend class TimeWindowedKStream<K, V>;

    template <class A, class Init, class F>
    static detail::Step<K, V, A> stepper(Init initializer, F adder) {
        return [initializer, adder](const K& key, const V* value,
                                    std::optional<A> sum) mutable -> std::optional<A> {
            if (!sum) sum = initializer();
            if constexpr (std::is_invocable_v<F&, const K&, const V&, A>)
                return value != nullptr ? std::optional<A>{adder(key, *value, *std::move(sum))}
                                        : sum;
            else
                return adder(key, value, *std::move(sum));
        };
    }

    /// Adds store, repartition topic if needed, and the node that `make` makes.
    template <class KOut, class A, class Make>
    KTable<KOut, A> add(std::string_view prefix, const std::string& node_name,
                        detail::StoreSpec spec, Make make, Serde<KOut> key_out,
                        Serde<A> value_out) const {
        auto& graph = *at_.graph;
        const std::string name = graph.name(prefix, node_name);
        detail::GraphNode* parent = at_.node;
        if (at_.repartition)
            parent = &detail::add_repartition(
                at_, grouped_.name.empty() ? spec.name : grouped_.name, std::nullopt);
        detail::GraphNode node{.name = name};
        node.write = [=, parent_name = parent->name](detail::Parts& parts) {
            parts.add({.name = name, .parents = {parent_name}, .make = [=] { return make(name); }});
            parts.add_store(spec, {name});
        };
        auto& added = graph.add({parent}, std::move(node));
        return KTable<KOut, A>{{at_.graph, &added, std::move(key_out), std::move(value_out), false},
                               spec.name};
    }

    template <class A>
    KTable<K, A> keep(std::string_view prefix, const Materialized<K, A>& as,
                      detail::Step<K, V, A> step) const {
        detail::StoreSpec spec{.name = as.store.empty() ? at_.graph->store_name(prefix) : as.store,
                               .logging = as.logging,
                               .persistent = as.persistent};
        const detail::StoreUse<K, A> use{spec.name, detail::choose(as.key, at_.key),
                                         detail::choose(as.value, Serde<A>{})};
        at_.graph->require(spec.name, use.key != nullptr && use.value != nullptr,
                           "no serde for the store's key or value");
        return add<K, A>(
            prefix, as.name, spec,
            [=](const std::string& name) {
                return std::make_unique<detail::AggregateNode<K, V, A>>(name, step, use);
            },
            use.key, use.value);
    }

    detail::Handle<K, V> at_;
    Grouped<K, V> grouped_;
};

/// A grouped stream cut into windows of time.
template <class K, class V>
class TimeWindowedKStream {
  public:
    TimeWindowedKStream(KGroupedStream<K, V> grouped, TimeWindows windows)
        : grouped_(std::move(grouped)), windows_(windows) {}

    /// Also counts records with a null value, as Kafka Streams does for windows of time.
    KTable<Windowed<K>, std::int64_t> count(const Materialized<K, std::int64_t>& as = {}) const {
        return keep<std::int64_t>("KSTREAM-AGGREGATE-", as,
                                  [](const K&, const V*, std::optional<std::int64_t> n) {
                                      return std::optional{n.value_or(0) + 1};
                                  });
    }
    template <class F>
    KTable<Windowed<K>, V> reduce(F reducer, const Materialized<K, V>& as = {}) const {
        return keep<V>("KSTREAM-REDUCE-", as,
                       [reducer](const K&, const V* value, std::optional<V> sum) mutable {
                           if (value == nullptr) return sum;
                           return sum ? std::optional<V>{reducer(*sum, *value)}
                                      : std::optional<V>{*value};
                       });
    }
    template <class Init, class F, class A = detail::PlainOf<std::invoke_result_t<Init&>>>
    KTable<Windowed<K>, A> aggregate(
        Init initializer, F adder, const Materialized<K, std::type_identity_t<A>>& as = {}) const {
        return keep<A>(
            "KSTREAM-AGGREGATE-", as,
            KGroupedStream<K, V>::template stepper<A>(std::move(initializer), std::move(adder)));
    }

  private:
    template <class A>
    KTable<Windowed<K>, A> keep(std::string_view prefix, const Materialized<K, A>& as,
                                detail::Step<K, V, A> step) const {
        auto& graph = *grouped_.at_.graph;
        const Duration needed = windows_.size + windows_.grace_period;
        detail::StoreSpec spec{.name = as.store.empty() ? graph.store_name(prefix) : as.store,
                               .kind = detail::StoreSpec::Kind::kWindow,
                               .logging = as.logging,
                               .persistent = as.persistent,
                               .retention_ms = as.retention.value_or(needed).count(),
                               .window_ms = windows_.size.count()};
        graph.require(
            spec.name,
            windows_.size.count() > 0 && windows_.advance.count() > 0 &&
                windows_.advance <= windows_.size,
            "a window's size and advance must be above 0, and the advance at most the size");
        graph.require(spec.name, windows_.grace_period.count() >= 0,
                      "a grace period is not negative");
        graph.require(spec.name, spec.retention_ms >= needed.count(),
                      "the retention is shorter than window size + grace");
        const detail::StoreUse<K, A> use{spec.name, detail::choose(as.key, grouped_.at_.key),
                                         detail::choose(as.value, Serde<A>{})};
        graph.require(spec.name, use.key != nullptr && use.value != nullptr,
                      "no serde for the store's key or value");
        const auto windows = windows_;
        return grouped_.template add<Windowed<K>, A>(
            prefix, as.name, spec,
            [=](const std::string& name) {
                return std::make_unique<detail::WindowAggregateNode<K, V, A>>(name, windows, step,
                                                                              use);
            },
            detail::windowed(use.key, windows_.size), use.value);
    }

    KGroupedStream<K, V> grouped_;
    TimeWindows windows_;
};

}  // namespace leat::streams
