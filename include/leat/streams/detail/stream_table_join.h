// SPDX-License-Identifier: Apache-2.0
//
// Joins of a stream with a table. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamKTableJoinProcessor. Only the stream's records yield something, at
// their own time; a versioned table is read as of that time.
// Threading: as detail/node.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/join_call.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/table.h"

namespace leat::streams::detail {

/// K, V: the stream's; KT, VT: the table's.
template <class K, class V, class KT, class VT, class R>
struct StreamTableJoin {
    std::shared_ptr<Table<KT, VT>> table;
    /// Which entry of the table a record meets; nothing: none.
    std::function<std::optional<KT>(const K*, const V*)> select;
    Joiner<K, V, VT, R> joiner;
    bool left = false;
};

template <class K, class V, class KT, class VT, class R>
class StreamTableJoinNode final : public Node {
  public:
    using Join = StreamTableJoin<K, V, KT, VT, R>;
    StreamTableJoinNode(std::string name, const Join& join)
        : Node(std::move(name)), join_(join), table_(join.table->view()) {}

    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        return table_->open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto* key = flow.key_as<K>();
        const auto* value = flow.value_as<V>();
        const std::optional<KT> selected =
            value != nullptr ? join_.select(key, value) : std::nullopt;
        if (value == nullptr || (!selected && !join_.left)) {
            task().drop(*this, value == nullptr ? "null value" : "null join key");
            return {};
        }
        Found<VT> other;
        if (selected) {
            LEAT_TRY(other, table_->versioned() ? table_->get(*selected, flow.timestamp)
                                                : table_->get(*selected));
        }
        if (!other && !join_.left) return {};
        const auto joined = join_.joiner(key_or_empty(key), value, value_of(other));
        Flow on = flow;
        on.value = address(joined);
        return forward(on);
    }

    Join join_;
    std::unique_ptr<View<KT, VT>> table_;
};

}  // namespace leat::streams::detail
