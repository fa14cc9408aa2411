// SPDX-License-Identifier: Apache-2.0
//
// Where records come into a task and leave it. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/partitioner.h"
#include "leat/streams/serde.h"
#include "leat/streams/topic_name_extractor.h"
#include "leat/streams/windowed_serde.h"

namespace leat::streams::detail {

/// Whether bytes of a topic are something else than null.
template <class T>
bool is_there(const std::optional<std::string_view>& bytes, const Codec<T>& codec) {
    return bytes && !(bytes->empty() && codec.empty_is_null());
}

template <class K, class V>
class TypedSource final : public SourceNode {
  public:
    TypedSource(std::string name, Serde<K> key, Serde<V> value, TimestampExtractor<K, V> time = {})
        : SourceNode(std::move(name)),
          key_(std::move(key)),
          value_(std::move(value)),
          time_(std::move(time)) {}

    Result<std::int64_t> stamp(const Bytes& bytes) override {
        if (!time_) return SourceNode::stamp(bytes);
        undecodable_ = false;
        Arrived<K, V> arrived{.topic = bytes.topic,
                              .partition = task().origin().partition,
                              .offset = task().origin().offset,
                              .timestamp = {bytes.timestamp},
                              .timestamp_type = bytes.timestamp_type,
                              .partition_time = {bytes.partition_time},
                              .headers = bytes.headers};
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
        LEAT_TRY_VOID(guarded([&]() -> Result<void> {
            if (is_there(bytes.key, *key_)) {
                LEAT_TRY(record_key_, key_->decode(bytes.topic, *bytes.key));
            }
            if (is_there(bytes.value, *value_)) {
                LEAT_TRY(record_value_, value_->decode(bytes.topic, *bytes.value));
            }
            return {};
        }));
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

/// Where and how a sink writes.
template <class K, class V>
struct SinkUse {
    std::string topic{};                  ///< Of all records, unless
    TopicNameExtractor<K, V> topic_of{};  ///< this is given.
    Serde<K> key{};
    Serde<V> value{};
    Partitioner<K, V> partitioner{};
};

template <class K, class V>
class SinkNode final : public Node {
  public:
    SinkNode(std::string name, SinkUse<K, V> use) : Node(std::move(name)), use_(std::move(use)) {
        takes(typeid(Record<K, V>));
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto* key = flow.key_as<K>();
        const auto* value = flow.value_as<V>();
        if (use_.topic_of) chosen_ = use_.topic_of(key, value, context_of(flow));
        const std::string& topic = use_.topic_of ? chosen_ : use_.topic;
        Outgoing out{
            .topic = topic, .timestamp = flow.timestamp, .headers = flow.headers, .sender = this};
        if (!use_.partitioner) return write(out, flow);
        return write_to_chosen(out, flow, {.topic = topic, .key = key, .value = value});
    }
    [[nodiscard]] RecordContext context_of(const Flow& flow) const {
        static const Headers none;
        const Origin& from = task().origin();
        return {.topic = from.topic,
                .partition = from.partition,
                .offset = from.offset,
                .timestamp = {flow.timestamp},
                .headers = flow.headers != nullptr ? flow.headers : &none};
    }
    Result<void> write(Outgoing& out, const Flow& flow) {
        auto done = guarded([&] { return encode(out, flow.key_as<K>(), flow.value_as<V>()); });
        if (done) return deliver(task(), out, flow);
        return task().survive_unsent(flow, out, std::move(done).error());
    }
    Result<void> encode(Outgoing& out, const K* key, const V* value) {
        // Of another partition: it may have been encoded there, and fail here.
        out.key.reset();
        out.value.reset();
        key_bytes_.clear();
        value_bytes_.clear();
        if (key != nullptr) {
            out.unencodable = RecordPart::kKey;
            LEAT_TRY_VOID(use_.key->encode(out.topic, *key, key_bytes_));
            out.key = key_bytes_;
        }
        if (value != nullptr) {
            out.unencodable = RecordPart::kValue;
            LEAT_TRY_VOID(use_.value->encode(out.topic, *value, value_bytes_));
            out.value = value_bytes_;
        }
        out.unencodable.reset();
        return {};
    }
    /// A record for no partition is not encoded; one for several is written, and the handler asked
    /// about it, for each, as in Kafka Streams.
    Result<void> write_to_chosen(Outgoing& out, const Flow& flow, Departing<K, V> record) {
        LEAT_TRY(record.partitions, task().partitions_of(record.topic));
        const Partitions chosen = use_.partitioner(record);
        if (!chosen) return write(out, flow);
        if (chosen->empty()) task().drop(*this, "no partition was chosen");
        for (const std::int32_t partition : *chosen) {
            LEAT_TRY(out.partition, checked_partition(partition, record.partitions));
            LEAT_TRY_VOID(write(out, flow));
        }
        return {};
    }
    SinkUse<K, V> use_;
    std::string chosen_;
    std::string key_bytes_;
    std::string value_bytes_;
};

/// Windowed keys go where their key goes, whatever the window.
template <class K, class V>
Partitioner<K, V> partitioner_of_windowed(const Serde<K>& /*key*/) {
    return {};
}
template <class K, class V>
    requires IsWindowed<K>
Partitioner<K, V> partitioner_of_windowed(const Serde<K>& serde) {
    using Inner = InnerKeyCodec<decltype(K::key)>;
    const auto codec = std::dynamic_pointer_cast<const Inner>(serde);
    if (codec == nullptr) return {};
    return [codec](const Departing<K, V>& record) -> Partitions {
        std::string bytes;
        if (record.key == nullptr || !codec->encode_inner(record.topic, *record.key, bytes))
            return std::nullopt;
        return std::vector{partition_for_key(bytes, record.partitions)};
    };
}

}  // namespace leat::streams::detail
