// SPDX-License-Identifier: Apache-2.0
//
// Tables grouped anew and their aggregates. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableRepartitionMap, KTableAggregate, KTableReduce. What leaves a group
// is told before what comes into one; when both are the same group it is one update.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/detail/table_node.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

template <class K, class V, class K2, class V2, class F>
class TableSelectNode final : public Node {
  public:
    TableSelectNode(std::string name, F selector, bool skips_overtaken)
        : Node(std::move(name)),
          selector_(std::move(selector)),
          skips_overtaken_(skips_overtaken) {}

  private:
    using Pair = std::optional<KeyValue<K2, V2>>;

    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        if (skips_overtaken_ && !change.latest) return {};
        const Pair before = selected(flow, change.before);
        const Pair now = selected(flow, change.now);
        if (before && now && *before->key == *now->key)
            return tell(flow, *now->key, {.now = &*now->value, .before = &*before->value});
        if (before) LEAT_TRY_VOID(tell(flow, *before->key, {.before = &*before->value}));
        if (now) LEAT_TRY_VOID(tell(flow, *now->key, {.now = &*now->value}));
        return {};
    }
    /// Nothing when its key or value is null.
    Pair selected(const Flow& flow, const void* value) {
        const auto* typed = static_cast<const V*>(value);
        if (typed == nullptr) return {};
        auto answer = call(selector_, flow.key_as<K>(), typed);
        Pair pair = moved_out<KeyValue<K2, V2>>(answer);
        if (pair && (!pair->key || !pair->value)) pair.reset();
        return pair;
    }
    Result<void> tell(const Flow& flow, const K2& key, const Change& change) {
        Flow on = flow;
        on.key = &key;
        on.value = &change;
        return forward(on);
    }

    F selector_;
    bool skips_overtaken_;
};

/// How an update changes an aggregate.
template <class K, class V, class A>
struct TableAggregation {
    /// With what there is, or nothing, to the next; nothing deletes.
    std::function<std::optional<A>(const K&, const V&, std::optional<A>)> add;
    std::function<std::optional<A>(const K&, const V&, A)> subtract;
};

template <class K, class V, class A>
class TableAggregateNode final : public TableNode<K, A> {
  public:
    TableAggregateNode(std::string name, TableAggregation<K, V, A> aggregation,
                       const TableOut<K, A>& out)
        : TableNode<K, A>(std::move(name), out), aggregation_(std::move(aggregation)) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        const K& key = *flow.key_as<K>();
        LEAT_TRY(const Found<A> held, this->stored(key));
        std::optional<A> sum;
        if (held) sum = held->value;
        Flow on = flow;
        if (held && (change.before != nullptr || change.now != nullptr))
            on.timestamp = std::max(flow.timestamp, held->timestamp);
        if (change.before != nullptr && sum)
            sum =
                aggregation_.subtract(key, *static_cast<const V*>(change.before), *std::move(sum));
        if (change.now != nullptr)
            sum = aggregation_.add(key, *static_cast<const V*>(change.now), std::move(sum));
        return this->publish(on, {.now = address(sum), .before = value_of(held)}, flow.timestamp);
    }
    TableAggregation<K, V, A> aggregation_;
};

}  // namespace leat::streams::detail
