// SPDX-License-Identifier: Apache-2.0
//
// The nodes of a table's source and of its one-input operators. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableSource, KTableFilter, KTableMapValues, KTableTransformValues. A
// filter without old values tells a deletion for each update that does not pass.
// Threading: as detail/node.h.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/mapped.h"
#include "leat/streams/detail/table_node.h"

namespace leat::streams::detail {

/// Records become updates of a table; a null value deletes.
template <class K, class V>
class TableSourceNode final : public TableNode<K, V> {
  public:
    using TableNode<K, V>::TableNode;

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr) {
            this->task().drop(*this, "null key");
            return {};
        }
        Found<V> before;
        if (this->has_store() && this->old_values()) {
            LEAT_TRY(before, this->stored(*flow.key_as<K>()));
        }
        return this->publish(flow, {.now = flow.value, .before = value_of(before)});
    }
};

template <class K, class V, class F>
class TableFilterNode final : public TableNode<K, V> {
  public:
    /// `tells_all`: of a table with a history, also what did not pass before and does not now.
    TableFilterNode(std::string name, F predicate, bool negate, bool tells_all,
                    const TableOut<K, V>& out)
        : TableNode<K, V>(std::move(name), out),
          predicate_(std::move(predicate)),
          negate_(negate),
          tells_all_(tells_all) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        const V* now = passing(flow, change.now);
        const V* before = nullptr;
        Found<V> held;
        if (this->old_values()) {
            if (this->has_store()) {
                LEAT_TRY(held, this->stored(*flow.key_as<K>()));
                before = value_of(held);
            } else {
                before = passing(flow, change.before);
            }
            if (now == nullptr && before == nullptr && !tells_all_) return {};
        }
        return this->publish(flow, {.now = now, .before = before, .latest = change.latest});
    }
    const V* passing(const Flow& flow, const void* value) {
        const auto* typed = static_cast<const V*>(value);
        if (typed == nullptr) return nullptr;
        const auto passes = verdict(predicate_, flow.key_as<K>(), typed);
        return passes && *passes != negate_ ? typed : nullptr;
    }
    F predicate_;
    bool negate_;
    bool tells_all_;
};

/// `F` maps (key, value or null) to an optional of the new value.
template <class K, class V, class V2, class F>
class TableMapNode final : public TableNode<K, V2> {
  public:
    TableMapNode(std::string name, F mapper, const TableOut<K, V2>& out)
        : TableNode<K, V2>(std::move(name), out), mapper_(std::move(mapper)) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        const K& key = *flow.key_as<K>();
        const std::optional<V2> now = mapper_(key, static_cast<const V*>(change.now));
        std::optional<V2> before;
        if (this->old_values()) {
            if (this->has_store()) {
                LEAT_TRY(Found<V2> held, this->stored(key));
                if (held) before = std::move(held->value);
            } else {
                before = mapper_(key, static_cast<const V*>(change.before));
            }
        }
        return this->publish(
            flow, {.now = address(now), .before = address(before), .latest = change.latest});
    }
    F mapper_;
};

/// Keeps and tells what a join yields.
template <class K, class V>
class TablePassNode final : public TableNode<K, V> {
  public:
    using TableNode<K, V>::TableNode;

  private:
    Result<void> process(const Flow& flow) override {
        return this->publish(flow, *flow.value_as<Change>());
    }
};

/// A table's updates as a stream: what is now, null for a deletion.
class ToStreamNode final : public Node {
  public:
    using Node::Node;

  private:
    Result<void> process(const Flow& flow) override {
        Flow out = flow;
        out.value = flow.value_as<Change>()->now;
        return forward(out);
    }
};

}  // namespace leat::streams::detail
