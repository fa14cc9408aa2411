// SPDX-License-Identifier: Apache-2.0
//
// Aggregates of streams by key and by (key, window). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamAggregate, KStreamReduce, KStreamWindowAggregate.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/serde.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

/// How a record changes an aggregate: (key, value or null, aggregate or nothing) to the next,
/// nothing deletes.
template <class K, class V, class A>
using Step = std::function<std::optional<A>(const K&, const V*, std::optional<A>)>;

/// Serde and names of a store that a node works on.
template <class K, class A>
struct StoreUse {
    std::string name;
    Serde<K> key;
    Serde<A> value;
};

/// Key and aggregate to bytes, with buffers that are used again.
template <class K, class A>
class StoreCodec {
  public:
    explicit StoreCodec(StoreUse<K, A> use) : use_(std::move(use)) {}
    Result<std::string_view> key(const K& key) {
        key_bytes_.clear();
        if (auto done = use_.key->encode(use_.name, key, key_bytes_); !done)
            return std::move(done).error();
        return std::string_view{key_bytes_};
    }
    Result<std::optional<std::string_view>> value(const std::optional<A>& value) {
        if (!value) return std::optional<std::string_view>{};
        value_bytes_.clear();
        if (auto done = use_.value->encode(use_.name, *value, value_bytes_); !done)
            return std::move(done).error();
        return std::optional<std::string_view>{value_bytes_};
    }
    Result<A> decode(std::string_view bytes) const { return use_.value->decode(use_.name, bytes); }
    [[nodiscard]] const std::string& store() const noexcept { return use_.name; }

  private:
    StoreUse<K, A> use_;
    std::string key_bytes_;
    std::string value_bytes_;
};

template <class K, class V, class A>
class AggregateNode final : public Node {
  public:
    AggregateNode(std::string name, Step<K, V, A> step, StoreUse<K, A> store)
        : Node(std::move(name)), step_(std::move(step)), codec_(std::move(store)) {}

    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<TimestampedStore&>(task.store(codec_.store()));
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr || flow.value == nullptr) {
            task().drop(*this, flow.key == nullptr ? "null key" : "null value");
            return {};
        }
        const K& key = *flow.key_as<K>();
        LEAT_TRY(const auto key_bytes, codec_.key(key));
        LEAT_TRY(const bool known, store_->get(key_bytes, entry_));
        std::optional<A> before;
        std::int64_t timestamp = flow.timestamp;
        if (known) {
            LEAT_TRY(before, codec_.decode(entry_.value));
            timestamp = std::max(timestamp, entry_.timestamp);
        }
        const std::optional<A> now = step_(key, flow.value_as<V>(), before);
        LEAT_TRY(const auto value_bytes, codec_.value(now));
        LEAT_TRY_VOID(store_->put(key_bytes, value_bytes, timestamp));
        const Change change{.now = address(now), .before = address(before)};
        return forward(
            {.key = flow.key, .value = &change, .timestamp = timestamp, .headers = flow.headers});
    }

    Step<K, V, A> step_;
    StoreCodec<K, A> codec_;
    TimestampedStore* store_ = nullptr;
    TimestampedStore::Entry entry_;
};

/// Tumbling, hopping and unlimited windows. A record with a null value counts; one with a null key
/// does not.
template <class K, class V, class A>
class WindowAggregateNode final : public Node {
  public:
    WindowAggregateNode(std::string name, TimeWindows windows, Step<K, V, A> step,
                        StoreUse<K, A> store)
        : Node(std::move(name)),
          windows_(windows),
          step_(std::move(step)),
          codec_(std::move(store)) {}

    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<WindowStore&>(task.store(codec_.store()));
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr) {
            task().drop(*this, "null key");
            return {};
        }
        stream_time_ = std::max(stream_time_, flow.timestamp);
        const std::int64_t close = stream_time_ - windows_.grace_period.count();
        for (auto start = windows_.first_start(flow.timestamp); start <= flow.timestamp;
             start += windows_.advance.count()) {
            if (start + windows_.size.count() <= close) {
                task().drop(*this, "expired window");
                continue;
            }
            LEAT_TRY_VOID(update(flow, start));
        }
        return {};
    }

    Result<void> update(const Flow& flow, std::int64_t start) {
        const K& key = *flow.key_as<K>();
        LEAT_TRY(const auto key_bytes, codec_.key(key));
        LEAT_TRY(const bool known, store_->get(key_bytes, start, entry_));
        std::optional<A> before;
        std::int64_t timestamp = flow.timestamp;
        if (known) {
            LEAT_TRY(before, codec_.decode(entry_.value));
            timestamp = std::max(timestamp, entry_.timestamp);
        }
        const std::optional<A> now = step_(key, flow.value_as<V>(), before);
        LEAT_TRY(const auto value_bytes, codec_.value(now));
        LEAT_TRY_VOID(store_->put(key_bytes, start, value_bytes, timestamp));
        const Windowed<K> windowed{key, {start, start + windows_.size.count()}};
        const Change change{.now = address(now), .before = address(before)};
        return forward(
            {.key = &windowed, .value = &change, .timestamp = timestamp, .headers = flow.headers});
    }

    TimeWindows windows_;
    Step<K, V, A> step_;
    StoreCodec<K, A> codec_;
    WindowStore* store_ = nullptr;
    WindowStore::Entry entry_;
    std::int64_t stream_time_ = -1;
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
