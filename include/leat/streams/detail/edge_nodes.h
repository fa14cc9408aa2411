// SPDX-License-Identifier: Apache-2.0
//
// Where records come into a task and leave it. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

template <class K, class V>
class TypedSource final : public SourceNode {
  public:
    TypedSource(std::string name, Serde<K> key, Serde<V> value, TimestampExtractor<K, V> time = {})
        : SourceNode(std::move(name)),
          key_(std::move(key)),
          value_(std::move(value)),
          time_(std::move(time)) {}

    Result<std::int64_t> stamp(const Bytes& bytes) override {
        undecodable_ = false;
        Arrived<K, V> arrived{.topic = bytes.topic,
                              .timestamp = {bytes.timestamp},
                              .partition_time = {bytes.partition_time},
                              .headers = bytes.headers};
        if (!time_) {
            LEAT_TRY(const Timestamp own, FailOnInvalidTimestamp{}(arrived));
            return own.ms;
        }
        LEAT_TRY_VOID(decode(bytes));
        arrived.key = key_at();
        arrived.value = value_at();
        return guarded([&]() -> Result<std::int64_t> {
            LEAT_TRY(const Timestamp time, time_(arrived));
            return time.ms;
        });
    }

    Result<void> take(const Bytes& bytes) override {
        LEAT_TRY_VOID(decode(bytes));
        return forward({.key = key_at(),
                        .value = value_at(),
                        .timestamp = bytes.timestamp,
                        .headers = bytes.headers});
    }

  private:
    Result<void> decode(const Bytes& bytes) {
        record_key_.reset();
        record_value_.reset();
        undecodable_ = true;
        if (bytes.key) {
            LEAT_TRY(record_key_, key_->decode(bytes.topic, *bytes.key));
        }
        if (bytes.value) {
            LEAT_TRY(record_value_, value_->decode(bytes.topic, *bytes.value));
        }
        undecodable_ = false;
        return {};
    }
    [[nodiscard]] const K* key_at() const { return record_key_ ? &*record_key_ : nullptr; }
    [[nodiscard]] const V* value_at() const { return record_value_ ? &*record_value_ : nullptr; }

    Serde<K> key_;
    Serde<V> value_;
    TimestampExtractor<K, V> time_;
    std::optional<K> record_key_;
    std::optional<V> record_value_;
};

template <class K, class V>
class SinkNode final : public Node {
  public:
    using TopicOf = std::function<std::string(const K*, const V*)>;
    SinkNode(std::string name, TopicOf topic, Serde<K> key, Serde<V> value)
        : Node(std::move(name)),
          topic_(std::move(topic)),
          key_(std::move(key)),
          value_(std::move(value)) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto* key = flow.key_as<K>();
        const auto* value = flow.value_as<V>();
        const std::string topic = topic_(key, value);
        Outgoing out{.topic = topic, .timestamp = flow.timestamp, .headers = flow.headers};
        key_bytes_.clear();
        value_bytes_.clear();
        if (auto done = encode(topic, key, value); !done) {
            if (task().survives_unsent(*this, flow, done.error())) return {};
            return done;
        }
        if (key != nullptr) out.key = key_bytes_;
        if (value != nullptr) out.value = value_bytes_;
        return task().send(out);
    }
    Result<void> encode(const std::string& topic, const K* key, const V* value) {
        if (key != nullptr) LEAT_TRY_VOID(key_->encode(topic, *key, key_bytes_));
        if (value != nullptr) LEAT_TRY_VOID(value_->encode(topic, *value, value_bytes_));
        return {};
    }
    TopicOf topic_;
    Serde<K> key_;
    Serde<V> value_;
    std::string key_bytes_;
    std::string value_bytes_;
};

}  // namespace leat::streams::detail
