// SPDX-License-Identifier: Apache-2.0
//
// Updates of a grouped table in its repartition topic. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' ChangedSerializer (KIP-904): old value and a 0 byte, new value and a 1
// byte, or the new value's length (zigzag varint), new value, old value and a 2 byte.
// Threading: pure functions; the nodes as detail/node.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// The two values of an update as bytes; views into what was parsed.
struct ChangeBytes {
    std::optional<std::string_view> now{};
    std::optional<std::string_view> before{};
    friend bool operator==(const ChangeBytes&, const ChangeBytes&) = default;
};

/// Appends to `out`. At least one of the two must be there.
void append_change(std::string& out, const ChangeBytes& change);
/// Errors: kInvalidRecord.
Result<ChangeBytes> parse_change(std::string_view bytes);

template <class K, class V>
class ChangeSinkNode final : public Node {
  public:
    ChangeSinkNode(std::string name, std::string topic, Serde<K> key, Serde<V> value)
        : Node(std::move(name)),
          topic_(std::move(topic)),
          key_(std::move(key)),
          value_(std::move(value)) {}

  private:
    Result<void> process(const Flow& flow) override {
        Outgoing out{
            .topic = topic_, .timestamp = flow.timestamp, .headers = flow.headers, .sender = this};
        auto done = guarded([&] { return encode(out, flow); });
        if (done) return deliver(task(), out, flow);
        return task().survive_unsent(flow, out, std::move(done).error());
    }
    Result<void> encode(Outgoing& out, const Flow& flow) {
        const auto& change = *flow.value_as<Change>();
        key_bytes_.clear();
        value_bytes_.clear();
        out.unencodable = RecordPart::kKey;
        LEAT_TRY_VOID(key_->encode(topic_, *flow.key_as<K>(), key_bytes_));
        out.key = key_bytes_;
        out.unencodable = RecordPart::kValue;
        ChangeBytes bytes;
        if (change.now != nullptr) {
            now_.clear();
            LEAT_TRY_VOID(value_->encode(topic_, *static_cast<const V*>(change.now), now_));
            bytes.now = now_;
        }
        if (change.before != nullptr) {
            before_.clear();
            LEAT_TRY_VOID(value_->encode(topic_, *static_cast<const V*>(change.before), before_));
            bytes.before = before_;
        }
        append_change(value_bytes_, bytes);
        out.value = value_bytes_;
        out.unencodable.reset();
        return {};
    }
    std::string topic_;
    Serde<K> key_;
    Serde<V> value_;
    std::string key_bytes_;
    std::string value_bytes_;
    std::string now_;
    std::string before_;
};

template <class K, class V>
class ChangeSourceNode final : public SourceNode {
  public:
    ChangeSourceNode(std::string name, Serde<K> key, Serde<V> value)
        : SourceNode(std::move(name)), key_(std::move(key)), value_(std::move(value)) {}

    Result<void> take(const Bytes& bytes) override {
        undecodable_ = true;
        LEAT_TRY(const Update update, guarded([&] { return decode(bytes); }));
        undecodable_ = false;
        const Change change{.now = update.now ? &*update.now : nullptr,
                            .before = update.before ? &*update.before : nullptr};
        return forward({.key = &update.key,
                        .value = &change,
                        .timestamp = bytes.timestamp,
                        .headers = bytes.headers});
    }

  private:
    struct Update {
        K key;
        std::optional<V> now{};
        std::optional<V> before{};
    };
    Result<Update> decode(const Bytes& bytes) const {
        if (!bytes.key || !bytes.value)
            return Error{Errc::kInvalidRecord, name() + ": an update without key or value"};
        LEAT_TRY(K key, key_->decode(bytes.topic, *bytes.key));
        LEAT_TRY(const ChangeBytes both, parse_change(*bytes.value));
        Update out{.key = std::move(key)};
        if (both.now) {
            LEAT_TRY(out.now, value_->decode(bytes.topic, *both.now));
        }
        if (both.before) {
            LEAT_TRY(out.before, value_->decode(bytes.topic, *both.before));
        }
        return out;
    }

    Serde<K> key_;
    Serde<V> value_;
};

}  // namespace leat::streams::detail
