// SPDX-License-Identifier: Apache-2.0
//
// The grouped streams of a cogroup, without their value types. Layer: streams SDK, not for users.
// Threading: one thread declares a topology.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "leat/streams/detail/grouping.h"
#include "leat/streams/detail/session_nodes.h"
#include "leat/streams/detail/sliding_nodes.h"
#include "leat/streams/detail/window_nodes.h"
#include "leat/streams/detail/windowed_kstream.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

/// No windows, or one of their kinds.
using AnyWindows =
    std::variant<std::monostate, TimeWindows, SlidingWindows, UnlimitedWindows, SessionWindows>;

/// What the nodes of all inputs share.
template <class K, class A>
struct Coaggregation {
    Initial<A> initial;
    Merge<K, A> merge;
    StoreUse<K, A> use;
    AnyWindows windows;
};

template <class K, class A>
struct CogroupInput {
    std::shared_ptr<const void> identity;  ///< Of the grouped stream.
    GraphNode* node = nullptr;
    bool repartition = false;
    std::string repartition_name;  ///< Empty: the store's.
    std::function<GraphNode&(const std::string& prefix)> add_repartition;
    std::function<std::unique_ptr<Node>(const std::string& name, const Coaggregation<K, A>& shared,
                                        bool old_values)>
        make;
};

template <class K, class A>
struct CogroupInputs {
    std::shared_ptr<Graph> graph;
    Serde<K> key;
    std::vector<CogroupInput<K, A>> all;
};

template <class K, class V, class A>
std::unique_ptr<Node> make_coaggregate(const std::string& name, Step<K, V, A> step,
                                       const Coaggregation<K, A>& shared, bool old_values) {
    const Aggregation<K, V, A> aggregation{shared.initial, std::move(step), shared.merge};
    const Telling telling{Emit::kOnWindowUpdate, old_values};
    return std::visit(
        [&](const auto& windows) -> std::unique_ptr<Node> {
            using W = std::remove_cvref_t<decltype(windows)>;
            if constexpr (std::is_same_v<W, std::monostate>)
                return std::make_unique<AggregateNode<K, V, A>>(name, aggregation, shared.use,
                                                                old_values);
            else if constexpr (std::is_same_v<W, SessionWindows>)
                return std::make_unique<SessionAggregateNode<K, V, A>>(name, windows, aggregation,
                                                                       shared.use, telling);
            else
                return std::make_unique<typename WindowNode<K, V, A, W>::type>(
                    name, windows, aggregation, shared.use, telling);
        },
        shared.windows);
}

template <class A, class K, class V, class F>
CogroupInput<K, A> cogroup_input(const Grouping<K, V>& in, F adder) {
    CogroupInput<K, A> out{.identity = in.identity,
                           .node = in.at.node,
                           .repartition = in.at.repartition,
                           .repartition_name = in.grouped.name,
                           .add_repartition = {},
                           .make = {}};
    out.add_repartition = [in](const std::string& prefix) -> GraphNode& {
        return detail::add_repartition(in.at, prefix, std::nullopt);
    };
    out.make = [step = adding<A, K, V>(std::move(adder))](
                   const std::string& name, const Coaggregation<K, A>& shared, bool old_values) {
        return make_coaggregate<K, V, A>(name, step, shared, old_values);
    };
    return out;
}

}  // namespace leat::streams::detail
