// SPDX-License-Identifier: Apache-2.0
//
// The left side's nodes of a foreign-key join. Layer: streams SDK, not for users.
// Spec:  Kafka Streams 4.2's SubscriptionSendProcessorSupplier, ResponseJoinProcessorSupplier. The
// left side subscribes to foreign keys, the right one answers; what was overtaken is told by the
// left value's hash.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/foreign_key.h"
#include "leat/streams/detail/join_call.h"
#include "leat/streams/detail/table.h"
#include "leat/streams/detail/wire_nodes.h"

namespace leat::streams::detail {

/// Left side: an update becomes subscriptions to its foreign key, and the end of the old one.
template <class K, class V, class KO>
class SubscriptionSendNode final : public Node {
  public:
    struct Parts {
        std::function<std::optional<KO>(const K&, const V&)> extract;
        Serde<K> key;
        Serde<V> value;
        Serde<KO> foreign_key;
        bool left = false;
        bool skips_overtaken = false;
    };
    SubscriptionSendNode(std::string name, Parts parts)
        : Node(std::move(name)), parts_(std::move(parts)) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        if (flow.key == nullptr || (parts_.skips_overtaken && !change.latest)) {
            task().drop(*this, flow.key == nullptr ? "null key" : "out-of-order update");
            return {};
        }
        const K& key = *flow.key_as<K>();
        const auto* now = static_cast<const V*>(change.now);
        const auto* before = static_cast<const V*>(change.before);
        if (now == nullptr && before == nullptr) return {};
        LEAT_TRY(const auto old_key, foreign_key(key, before));
        LEAT_TRY(const auto new_key, foreign_key(key, now));
        encode_primary(key);
        hash_.reset();
        if (now != nullptr) {
            std::string bytes;
            LEAT_TRY_VOID(parts_.value->encode(name(), *now, bytes));
            hash_ = hash_value(bytes);
        }
        const bool changed = old_key && old_key != new_key;
        if (parts_.left) {
            if (changed) LEAT_TRY_VOID(tell(flow, old_key, Instruction::kDeleteQuietly));
            return tell(flow, new_key, Instruction::kAnswerAlways);
        }
        if (!new_key) {
            if (now != nullptr) task().drop(*this, "null foreign key");
            if (old_key) return tell(flow, old_key, Instruction::kDeleteAndAnswer);
            return {};
        }
        if (!changed) return tell(flow, new_key, Instruction::kAnswerIfFound);
        LEAT_TRY_VOID(tell(flow, old_key, Instruction::kDeleteQuietly));
        return tell(flow, new_key, Instruction::kAnswerAlways);
    }
    Result<std::optional<std::string>> foreign_key(const K& key, const V* value) {
        std::optional<std::string> out;
        if (value == nullptr) return out;
        const std::optional<KO> extracted = parts_.extract(key, *value);
        if (extracted) LEAT_TRY_VOID(parts_.foreign_key->encode(name(), *extracted, out.emplace()));
        return out;
    }
    /// It is part of a subscription, which Kafka Streams encodes in the sink: there the production
    /// handler is asked about a key that cannot be encoded.
    void encode_primary(const K& key) {
        primary_key_.clear();
        unencodable_.reset();
        auto done = guarded([&] { return parts_.key->encode(name(), key, primary_key_); });
        if (!done) unencodable_ = std::move(done).error();
    }
    Result<void> tell(const Flow& flow, const std::optional<std::string>& to,
                      Instruction instruction) {
        WireOut out{.key = to, .unencodable = unencodable_ ? &*unencodable_ : nullptr};
        append_subscription(out.value, {.hash = hash_,
                                        .instruction = instruction,
                                        .primary_key = primary_key_,
                                        .partition = task().identity().partition()});
        Flow on = flow;
        on.value = &out;
        return forward(on);
    }

    Parts parts_;
    std::string primary_key_;
    std::optional<Error> unencodable_;
    std::optional<ValueHash> hash_;
};

/// Left side: joins an answer with the value that it is about.
template <class K, class V, class VO, class R>
class AnswerJoinNode final : public Node {
  public:
    struct Parts {
        std::shared_ptr<Table<K, V>> table;
        Joiner<K, V, VO, R> joiner;
        Serde<K> key;
        Serde<V> value;
        Serde<VO> foreign_value;
        bool left = false;
    };
    AnswerJoinNode(std::string name, const Parts& parts)
        : Node(std::move(name)), parts_(parts), table_(parts.table->view()) {}
    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        return table_->open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto& in = *flow.value_as<WireIn>();
        if (!in.key || !in.value)
            return Error{Errc::kInvalidRecord, name() + ": an answer without key or value"};
        LEAT_TRY(const K key, parts_.key->decode(name(), *in.key));
        LEAT_TRY(const auto answer, parse_answer(*in.value));
        LEAT_TRY(const Found<V> current, table_->get(key));
        std::optional<ValueHash> hash;
        if (current) {
            std::string bytes;
            LEAT_TRY_VOID(parts_.value->encode(name(), current->value, bytes));
            hash = hash_value(bytes);
        }
        if (hash != answer.hash) {
            task().drop(*this, "answer to an older value");
            return {};
        }
        std::optional<R> result;
        std::optional<VO> other;
        if (answer.value) {
            LEAT_TRY(other, parts_.foreign_value->decode(name(), *answer.value));
        }
        if (current && (other || parts_.left))
            result = parts_.joiner(&key, &current->value, other ? &*other : nullptr);
        return forward({.key = &key,
                        .value = address(result),
                        .timestamp = flow.timestamp,
                        .headers = flow.headers});
    }
    Parts parts_;
    std::unique_ptr<View<K, V>> table_;
};

}  // namespace leat::streams::detail
