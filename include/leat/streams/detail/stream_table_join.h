// SPDX-License-Identifier: Apache-2.0
//
// Joins of a stream with a table. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamKTableJoinProcessor. Only the stream's records yield something, at
// their own time; a versioned table is read as of that time. With a grace period they wait first
// (KIP-923); late ones do not.
// Threading: as detail/node.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/join_buffer.h"
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
    /// Given: records wait in this store.
    struct Wait {
        std::string store;
        std::int64_t grace_ms = 0;
        Serde<K> key;
        Serde<V> value;
    };
    std::optional<Wait> wait{};
};

template <class K, class V, class KT, class VT, class R>
class StreamTableJoinNode final : public Node {
  public:
    using Join = StreamTableJoin<K, V, KT, VT, R>;
    StreamTableJoinNode(std::string name, const Join& join)
        : Node(std::move(name)), join_(join), table_(join.table->view()) {
        if (join.wait) buffer_.emplace(join.wait->store, join.wait->grace_ms);
    }

    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        if (buffer_) LEAT_TRY_VOID(buffer_->open(task));
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
        if (buffer_ && key == nullptr && task().loses_as_kafka())
            return Error{Errc::kInvalidRequest, name() + ": key cannot be null"};
        // A record without a key has nothing to wait for.
        if (!buffer_ || key == nullptr) return join(flow, selected);
        LEAT_TRY(const bool waits, wait(flow));
        if (!waits) return join(flow, selected);
        return buffer_->take_due([this](std::string_view bytes, const BufferedChange& record) {
            return join_again(bytes, record);
        });
    }
    Result<bool> wait(const Flow& flow) {
        std::string key;
        LEAT_TRY_VOID(join_.wait->key->encode(name(), *flow.key_as<K>(), key));
        const auto& origin = task().origin();
        BufferedChange record{.timestamp = flow.timestamp,
                              .offset = origin.offset,
                              .topic = std::string{origin.topic},
                              .partition = origin.partition};
        LEAT_TRY_VOID(join_.wait->value->encode(name(), *flow.value_as<V>(), record.now.emplace()));
        if (flow.headers != nullptr) record.headers = *flow.headers;
        return buffer_->put(key, record);
    }
    Result<void> join_again(std::string_view bytes, const BufferedChange& record) {
        LEAT_TRY(const K key, join_.wait->key->decode(name(), bytes));
        LEAT_TRY(const V value, join_.wait->value->decode(name(), record.now.value_or("")));
        const SourceBytes source = source_of(record);
        const OriginScope held_back{task(), origin_of(record, source)};
        return join({.key = &key,
                     .value = &value,
                     .timestamp = record.timestamp,
                     .headers = &record.headers},
                    join_.select(&key, &value));
    }
    Result<void> join(const Flow& flow, const std::optional<KT>& selected) {
        Found<VT> other;
        if (selected) {
            LEAT_TRY(other, table_->versioned() ? table_->get(*selected, flow.timestamp)
                                                : table_->get(*selected));
        }
        if (!other && !join_.left) return {};
        const auto joined = join_.joiner(flow.key_as<K>(), flow.value_as<V>(), value_of(other));
        Flow on = flow;
        on.value = address(joined);
        return forward(on);
    }

    Join join_;
    std::unique_ptr<View<KT, VT>> table_;
    std::optional<JoinBuffer> buffer_;
};

}  // namespace leat::streams::detail
