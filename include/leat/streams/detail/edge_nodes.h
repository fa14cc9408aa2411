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
    /// `time` absent: the record's own timestamp.
    using TimeOf = std::function<Timestamp(const Record<K, V>&, Timestamp partition_time)>;
    TypedSource(std::string name, Serde<K> key, Serde<V> value)
        : SourceNode(std::move(name)), key_(std::move(key)), value_(std::move(value)) {}

    Result<void> take(const Bytes& bytes) override {
        std::optional<K> key;
        std::optional<V> value;
        if (bytes.key) {
            auto decoded = key_->decode(bytes.topic, *bytes.key);
            if (!decoded) return std::move(decoded).error();
            key = *std::move(decoded);
        }
        if (bytes.value) {
            auto decoded = value_->decode(bytes.topic, *bytes.value);
            if (!decoded) return std::move(decoded).error();
            value = *std::move(decoded);
        }
        return forward({.key = key ? &*key : nullptr,
                        .value = value ? &*value : nullptr,
                        .timestamp = bytes.timestamp,
                        .headers = bytes.headers});
    }

  private:
    Serde<K> key_;
    Serde<V> value_;
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
        if (key != nullptr) {
            if (auto done = key_->encode(topic, *key, key_bytes_); !done) return done;
            out.key = key_bytes_;
        }
        if (value != nullptr) {
            if (auto done = value_->encode(topic, *value, value_bytes_); !done) return done;
            out.value = value_bytes_;
        }
        return task().send(out);
    }
    TopicOf topic_;
    Serde<K> key_;
    Serde<V> value_;
    std::string key_bytes_;
    std::string value_bytes_;
};

}  // namespace leat::streams::detail
