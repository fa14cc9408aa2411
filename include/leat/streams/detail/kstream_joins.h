// SPDX-License-Identifier: Apache-2.0
//
// KStream joined with a KStream in a window of time. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamImplJoin and StreamStreamJoinNode: names, stores, order of nodes.
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/join_call.h"
#include "leat/streams/detail/join_nodes.h"
#include "leat/streams/detail/materialized.h"
#include "leat/streams/detail/repartition.h"
#include "leat/streams/detail/self_join_node.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/stream_nodes.h"
#include "leat/streams/kstream.h"
#include "leat/streams/stream_joined.h"
#include "leat/streams/windows.h"

namespace leat::streams {

namespace detail {

/// The names of a join of two streams.
struct StreamJoinNames {
    std::string this_windowed;
    std::string other_windowed;
    std::string this_join;
    std::string other_join;
    std::string merge;
    std::string this_store;
    std::string other_store;
    std::string waiting;  ///< Empty in an inner join.
};
[[nodiscard]] StreamJoinNames stream_join_names(Graph& graph, Absent absent,
                                                const std::string& name, const std::string& store);

template <class K, class V, class V2, class Out>
struct StreamJoin {
    StreamJoinNames names;
    JoinSide left;
    JoinSide right;
    StoreUse<K, V> this_use;
    StoreUse<K, V2> other_use;
    StoreSpec this_spec;
    StoreSpec other_spec;
    StoreSpec waiting_spec;
    JoinFn<K, V, V2, Out> join;

    void write(Parts& parts) const {
        const auto swapped = [join = join](const K* key, const V2* self, const V* other) {
            return join(key, other, self);
        };
        parts.add({.name = names.this_join, .parents = {names.this_windowed}, .make = [j = *this] {
                       return std::make_unique<JoinNode<K, V, V2, Out>>(
                           j.names.this_join, j.left, j.join, j.this_use.value, j.other_use);
                   }});
        parts.add(
            {.name = names.other_join, .parents = {names.other_windowed}, .make = [=, j = *this] {
                 return std::make_unique<JoinNode<K, V2, V, Out>>(
                     j.names.other_join, j.right, swapped, j.other_use.value, j.this_use);
             }});
        parts.add({.name = names.merge,
                   .parents = {names.this_join, names.other_join},
                   .make = [merge = names.merge] { return std::make_unique<PassNode>(merge); }});
        parts.add_store(this_spec, {names.this_windowed, names.other_join});
        parts.add_store(other_spec, {names.other_windowed, names.this_join});
        if (!names.waiting.empty())
            parts.add_store(waiting_spec, {names.this_join, names.other_join});
        parts.copartition({names.this_join, names.other_join});
    }

    /// The right side's nodes and store were left out.
    void write_single(Parts& parts) const {
        if constexpr (std::is_same_v<V, V2>) {
            parts.add({.name = names.merge, .parents = {names.this_windowed}, .make = [j = *this] {
                           return std::make_unique<SelfJoinNode<K, V, Out>>(j.names.merge, j.left,
                                                                            j.join, j.this_use);
                       }});
            parts.add_store(this_spec, {names.this_windowed, names.merge});
        }
    }
};

template <class K, class V>
GraphNode& add_join_window(Graph& graph, GraphNode& parent, const std::string& name,
                           const StoreUse<K, V>& use) {
    return add_processor(graph, parent, name,
                         [name, use] { return std::make_unique<JoinWindowNode<K, V>>(name, use); });
}

template <Absent kAbsent, class K, class V, class V2, class F>
auto join_streams(const Handle<K, V>& left, const Handle<K, V2>& right, F joiner,
                  const JoinWindows& windows, const StreamJoined<K, V, V2>& as) {
    using Out = JoinedTo<kAbsent, F, K, V, V2>;
    auto& graph = *left.graph;
    auto one = left;
    auto two = right;
    one.key = choose(as.key, left.key);
    one.value = choose(as.value, left.value);
    two.key = choose(as.key, right.key);
    two.value = choose(as.other_value, right.value);
    one = repartitioned(one, as.name.empty() ? "" : as.name + "-left");
    two = repartitioned(two, as.name.empty() ? "" : as.name + "-right");

    StreamJoin<K, V, V2, Out> join;
    join.names = stream_join_names(graph, kAbsent, as.name, as.store);
    if (as.this_store) join.names.this_store = as.this_store->name;
    if (as.other_store) join.names.other_store = as.other_store->name;
    const auto& names = join.names;
    const std::int64_t before = windows.before_span.count();
    const std::int64_t after = windows.after_span.count();
    const std::int64_t grace = windows.grace_period.count();
    graph.require(names.merge, before + after >= 0, "the window of a join ends before it begins");
    graph.require(names.merge, grace >= 0, "a grace period is not negative");
    join.left = {true, kAbsent != Absent::kNone, before, after, grace, names.waiting, names.merge};
    join.right = {false,      kAbsent == Absent::kBoth, after, before, grace, names.waiting,
                  names.merge};
    join.this_use = {names.this_store, one.key, one.value};
    join.other_use = {names.other_store, one.key, two.value};
    require_serdes(graph, names.merge,
                   {need("the key of the join", "StreamJoined::key", one.key),
                    need("the value of its left side", "StreamJoined::value", one.value),
                    need("the value of its right side", "StreamJoined::other_value", two.value)});
    join.this_spec = {.name = names.this_store,
                      .kind = StoreSpec::Kind::kPlainWindow,
                      .logging = as.logging,
                      .retention_ms = before + after + grace,
                      .window_ms = before + after,
                      .retain_duplicates = true};
    join.this_spec.changelog = as.changelog;
    place_store(join.this_spec, as.persistent);
    join.other_spec = join.this_spec;
    join.other_spec.name = names.other_store;
    join.waiting_spec = {
        .name = names.waiting, .kind = StoreSpec::Kind::kList, .logging = as.logging};
    join.waiting_spec.changelog = as.changelog;
    place_store(join.waiting_spec, as.persistent);
    if (as.this_store) place_store(join.waiting_spec, as.this_store->traits.persistent);
    supply_join_store(graph, names.merge, join.this_spec, as.this_store);
    supply_join_store(graph, names.merge, join.other_spec, as.other_store);
    graph.require(names.merge, join.this_spec.name != join.other_spec.name,
                  "the two stores of a join need names of their own");
    join.join = joiner_of<kAbsent, K, V, V2>(std::move(joiner));
    static_cast<void>(add_join_window(graph, *one.node, names.this_windowed, join.this_use));
    static_cast<void>(add_join_window(graph, *two.node, names.other_windowed, join.other_use));

    GraphNode node{.name = names.merge, .joins_null_keys = kAbsent != Absent::kNone};
    node.self_join = GraphNode::SelfJoin{names.this_windowed, names.other_windowed,
                                         std::make_shared<bool>(false)};
    node.write = [join, single = node.self_join->single](Parts& parts) {
        *single ? join.write_single(parts) : join.write(parts);
    };
    auto& added = graph.add({one.node, two.node}, std::move(node));
    return KStream<K, Out>{{left.graph, &added, one.key, {}, false}};
}

}  // namespace detail

template <class K, class V>
template <class V2, class F>
auto KStream<K, V>::join(const KStream<K, V2>& other, F joiner, JoinWindows windows,
                         const StreamJoined<K, V, V2>& as) const {
    return detail::join_streams<detail::Absent::kNone>(at_, other.handle(), std::move(joiner),
                                                       windows, as);
}

template <class K, class V>
template <class V2, class F>
auto KStream<K, V>::left_join(const KStream<K, V2>& other, F joiner, JoinWindows windows,
                              const StreamJoined<K, V, V2>& as) const {
    return detail::join_streams<detail::Absent::kRight>(at_, other.handle(), std::move(joiner),
                                                        windows, as);
}

template <class K, class V>
template <class V2, class F>
auto KStream<K, V>::outer_join(const KStream<K, V2>& other, F joiner, JoinWindows windows,
                               const StreamJoined<K, V, V2>& as) const {
    return detail::join_streams<detail::Absent::kBoth>(at_, other.handle(), std::move(joiner),
                                                       windows, as);
}

}  // namespace leat::streams
