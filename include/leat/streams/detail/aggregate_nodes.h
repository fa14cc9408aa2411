// SPDX-License-Identifier: Apache-2.0
//
// Aggregates of streams by key. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamAggregate, KStreamReduce. The old value of a new key is what the
// initializer yields.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/detail/latest_store.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// What there is before the first record: nothing for a reduction.
template <class A>
using Initial = std::function<std::optional<A>()>;
/// How a record changes an aggregate: (key, value or null, aggregate) to the next, nothing deletes.
template <class K, class V, class A>
using Step = std::function<std::optional<A>(const K&, const V*, std::optional<A>)>;
/// The aggregate of two sessions that became one.
template <class K, class A>
using Merge = std::function<std::optional<A>(const K&, std::optional<A>, std::optional<A>)>;

template <class K, class V, class A>
struct Aggregation {
    Initial<A> initial;
    Step<K, V, A> step;
    Merge<K, A> merge{};  ///< Of sessions only.
};

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
        if (!value) return nothing();
        return encoded(*value);
    }
    /// Good until the next value.
    Result<std::string_view> bytes_of(const A& value) {
        value_bytes_.clear();
        if (auto done = use_.value->encode(use_.name, value, value_bytes_); !done)
            return std::move(done).error();
        return std::string_view{value_bytes_};
    }
    Result<std::optional<std::string_view>> encoded(const A& value) {
        LEAT_TRY(const auto bytes, bytes_of(value));
        return std::optional<std::string_view>{bytes};
    }
    static Result<std::optional<std::string_view>> nothing() {
        return std::optional<std::string_view>{};
    }
    Result<A> decode(std::string_view bytes) const { return use_.value->decode(use_.name, bytes); }
    /// What a cache held back.
    struct Told {
        K key;
        std::optional<A> now{};
        std::optional<A> before{};
        [[nodiscard]] Change change() const {
            return {.now = address(now), .before = address(before)};
        }
    };
    Result<Told> told(const Flushed& update) const {
        LEAT_TRY(K key, decode_key(update.key));
        Told out{.key = std::move(key)};
        if (update.now != nullptr) {
            LEAT_TRY(out.now, decode(update.now->value));
        }
        if (update.before != nullptr) {
            LEAT_TRY(out.before, decode(update.before->value));
        }
        return out;
    }
    Result<K> decode_key(std::string_view bytes) const {
        return use_.key->decode(use_.name, bytes);
    }
    [[nodiscard]] const std::string& store() const noexcept { return use_.name; }

  private:
    StoreUse<K, A> use_;
    std::string key_bytes_;
    std::string value_bytes_;
};

/// As an update that was held back goes on. `change` must outlive it.
inline Flow flow_of(const Flushed& update, const void* key, const Change& change) {
    return {.key = key, .value = &change, .timestamp = update.timestamp, .headers = update.headers};
}

template <class K, class V, class A>
class AggregateNode final : public Node {
  public:
    AggregateNode(std::string name, Aggregation<K, V, A> aggregation, StoreUse<K, A> store,
                  bool old_values)
        : Node(std::move(name)),
          aggregation_(std::move(aggregation)),
          codec_(std::move(store)),
          old_values_(old_values) {}

    Result<void> open(Task& task) override {
        auto& store = task.store(codec_.store());
        store_.open(store);
        cached_ = store.forward_on_flush(
            [this](const Flushed& update) { return guarded([&] { return tell(update); }); },
            old_values_);
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
        LEAT_TRY(const bool known, store_.get(key_bytes, entry_));
        std::optional<A> before;
        std::int64_t timestamp = flow.timestamp;
        if (known) {
            LEAT_TRY(before, codec_.decode(entry_.value));
            timestamp = std::max(timestamp, entry_.timestamp);
        } else {
            before = aggregation_.initial();
        }
        const std::optional<A> now =
            aggregation_.step(key, flow.value_as<V>(), old_values_ ? before : std::move(before));
        LEAT_TRY(const auto value_bytes, codec_.value(now));
        // A deletion is logged with the record's time, whatever was kept; but it ends a version.
        const bool own_time = !now && !store_.versioned();
        LEAT_TRY(const VersionedStore::Put put,
                 store_.put(key_bytes, value_bytes, own_time ? flow.timestamp : timestamp,
                            flow.headers));
        if (!put.stored) {
            task().drop(*this, "older than the history");
            return {};
        }
        if (cached_) return {};
        const Change change{.now = address(now),
                            .before = old_values_ ? address(before) : nullptr,
                            .latest = put.latest()};
        return forward(
            {.key = flow.key, .value = &change, .timestamp = timestamp, .headers = flow.headers});
    }

    Result<void> tell(const Flushed& update) {
        LEAT_TRY(const auto told, codec_.told(update));
        return forward(flow_of(update, &told.key, told.change()));
    }

    Aggregation<K, V, A> aggregation_;
    StoreCodec<K, A> codec_;
    bool old_values_;
    bool cached_ = false;
    LatestStore store_;
    Entry entry_;
};

}  // namespace leat::streams::detail
