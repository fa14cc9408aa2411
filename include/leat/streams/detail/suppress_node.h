// SPDX-License-Identifier: Apache-2.0
//
// A node that holds updates of a table back. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableSuppressProcessor.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/node.h"
#include "leat/streams/detail/suppress_buffer.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/serde.h"
#include "leat/streams/suppress.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

template <class K>
struct WindowedKey : std::false_type {};
template <class K>
struct WindowedKey<Windowed<K>> : std::true_type {};

struct Suppression {
    std::string store{};
    std::int64_t wait_ms = 0;
    BufferLimits limits{};
    bool strict = true;
    bool final_results = false;  ///< Deadlines are ends of windows, deletions are not told.
};

template <class K, class V>
class SuppressNode final : public Node {
  public:
    SuppressNode(std::string name, Suppression how, Serde<K> key, Serde<V> value)
        : Node(std::move(name)),
          how_(std::move(how)),
          key_(std::move(key)),
          value_(std::move(value)) {}

    Result<void> open(Task& task) override {
        buffer_ = &dynamic_cast<SuppressBuffer&>(task.store(how_.store));
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        stream_time_ = std::max(stream_time_, flow.timestamp);
        LEAT_TRY_VOID(keep(flow));
        while (buffer_->records() > 0 && buffer_->first_deadline() <= stream_time_ - how_.wait_ms)
            LEAT_TRY_VOID(hand_on());
        if (how_.strict && over()) return full();
        while (over()) LEAT_TRY_VOID(hand_on());
        return {};
    }

    Result<void> keep(const Flow& flow) {
        const K& key = *flow.key_as<K>();
        const Change& change = *flow.value_as<Change>();
        std::string bytes;
        LEAT_TRY_VOID(key_->encode(how_.store, key, bytes));
        const Origin& origin = task().origin();
        BufferedChange kept{.timestamp = flow.timestamp,
                            .offset = origin.offset,
                            .topic = std::string{origin.topic},
                            .partition = origin.partition};
        if (flow.headers != nullptr) kept.headers = *flow.headers;
        if (origin.bytes != nullptr) {
            if (origin.bytes->key) kept.read_key.emplace(*origin.bytes->key);
            if (origin.bytes->value) kept.read_value.emplace(*origin.bytes->value);
        }
        LEAT_TRY(kept.before, encoded(change.before));
        LEAT_TRY(kept.now, encoded(change.now));
        std::int64_t deadline = flow.timestamp;
        if constexpr (WindowedKey<K>::value) {
            if (how_.final_results) deadline = key.window.end;
        }
        buffer_->put(deadline, bytes, std::move(kept));
        return {};
    }

    Result<std::optional<std::string>> encoded(const void* value) {
        std::optional<std::string> out;
        if (value == nullptr) return out;
        LEAT_TRY_VOID(value_->encode(how_.store, *static_cast<const V*>(value), out.emplace()));
        return out;
    }
    Result<std::optional<V>> decoded(const std::optional<std::string>& bytes) {
        std::optional<V> out;
        if (bytes) {
            LEAT_TRY(out, value_->decode(how_.store, *bytes));
        }
        return out;
    }

    Result<void> hand_on() {
        const auto& [bytes, kept] = buffer_->take_first();
        // Who reads the table meanwhile finds what came before.
        const auto let_go = [](SuppressBuffer* buffer) { buffer->let_go(); };
        const std::unique_ptr<SuppressBuffer, decltype(let_go)> in_hand{buffer_, let_go};
        if (!kept.now && how_.final_results) return {};
        LEAT_TRY(const K key, key_->decode(how_.store, bytes));
        LEAT_TRY(const auto now, decoded(kept.now));
        LEAT_TRY(const auto before, decoded(kept.before));
        const Change change{.now = now ? &*now : nullptr, .before = before ? &*before : nullptr};
        const SourceBytes source = source_of(kept);
        const OriginScope held_back{task(), origin_of(kept, source)};
        LEAT_TRY_VOID(forward({.key = &key,
                               .value = &change,
                               .timestamp = kept.timestamp,
                               .headers = &kept.headers}));
        count_emitted();
        return {};
    }

    [[nodiscard]] bool over() const {
        return buffer_->records() > how_.limits.records ||
               buffer_->bytes_held() > how_.limits.bytes;
    }
    [[nodiscard]] Result<void> full() const {
        return Error{Errc::kLimitExceeded,
                     name() + ": the buffer is full: " + std::to_string(buffer_->records()) +
                         " of " + std::to_string(how_.limits.records) + " records, " +
                         std::to_string(buffer_->bytes_held()) + " of " +
                         std::to_string(how_.limits.bytes) + " bytes"};
    }

    Suppression how_;
    Serde<K> key_;
    Serde<V> value_;
    SuppressBuffer* buffer_ = nullptr;
    std::int64_t stream_time_ = -1;
};

}  // namespace leat::streams::detail
