// SPDX-License-Identifier: Apache-2.0
//
// What the nodes of tables have in common: the store behind a table and how its updates are told.
// Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KeyValueStoreWrapper and TimestampedTupleForwarder: old values go out only
// when somebody asked; what a versioned store has not taken is not told; with a cache the store
// tells at its flush.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/latest_store.h"
#include "leat/streams/detail/materialized.h"
#include "leat/streams/detail/table.h"
#include "leat/streams/options.h"

namespace leat::streams::detail {

/// A store to be, and how to read it.
template <class K, class V>
struct Kept {
    StoreSpec spec;
    StoreUse<K, V> use;
    [[nodiscard]] bool versioned() const { return spec.kind == StoreSpec::Kind::kVersioned; }
};

/// Whether the user said anything about the store: Kafka Streams uses up a number then.
template <class K, class V>
bool described(const Materialized<K, V>& as) {
    return !as.store.empty() || as.key || as.value || as.history || !as.logging || as.persistent ||
           !as.caching || !as.changelog.empty();
}

template <class K, class V>
Kept<K, V> kept(Graph& graph, std::string_view operator_name, std::string store,
                const Materialized<K, V>& as, const Serde<K>& key, const Serde<V>& value = {}) {
    check_materialized(graph, operator_name, as, {.windows = false, .history = true});
    StoreSpec spec{.name = store, .logging = as.logging, .caching = as.caching};
    spec.changelog = as.changelog;
    place_store(spec, as);
    keep_history(spec, as);
    return {std::move(spec), {std::move(store), choose(as.key, key), choose(as.value, value)}};
}

/// How a node keeps and tells its table.
template <class K, class V>
struct TableOut {
    std::optional<StoreUse<K, V>> store{};
    bool old_values = false;
};

template <class K, class V>
class TableNode : public Node {
  public:
    TableNode(std::string name, const TableOut<K, V>& out)
        : Node(std::move(name)), old_values_(out.old_values) {
        if (!out.store) return;
        view_.emplace(*out.store);
        codec_.emplace(*out.store);
    }

    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        if (!view_) return {};
        LEAT_TRY_VOID(view_->open(task));
        auto& store = task.store(codec_->store());
        store_.open(store);
        cached_ = store.forward_on_flush(
            [this](const Flushed& update) { return this->guarded([&] { return tell(update); }); },
            old_values_);
        return {};
    }

  protected:
    [[nodiscard]] bool old_values() const noexcept { return old_values_; }
    [[nodiscard]] bool has_store() const noexcept { return view_.has_value(); }
    Result<Found<V>> stored(const K& key) { return view_->get(key); }

    /// Keeps `now` at the flow's timestamp, if there is a store, and hands the update on. A
    /// deletion is logged with the time `deleted_at` when the processed record had another one.
    Result<void> publish(const Flow& flow, const Change& change,
                         std::optional<std::int64_t> deleted_at = {}) {
        Change out = change;
        if (!old_values_) out.before = nullptr;
        if (has_store()) {
            LEAT_TRY(const VersionedStore::Put put,
                     keep(flow, static_cast<const V*>(change.now), deleted_at));
            if (!put.stored) this->task().drop(*this, "older than the history");
            if (!put.stored || cached_) return {};
            out.latest = put.latest();
        }
        Flow on = flow;
        on.value = &out;
        return forward(on);
    }

  private:
    Result<VersionedStore::Put> keep(const Flow& flow, const V* now,
                                     std::optional<std::int64_t> deleted_at) {
        LEAT_TRY(const auto key, codec_->key(*flow.key_as<K>()));
        std::optional<std::string_view> value;
        if (now != nullptr) {
            LEAT_TRY(value, codec_->bytes_of(*now));
        }
        const bool ends = !value && !store_.versioned();
        const std::int64_t at = ends ? deleted_at.value_or(flow.timestamp) : flow.timestamp;
        return store_.put(key, value, at, flow.headers);
    }
    Result<void> tell(const Flushed& update) {
        LEAT_TRY(const auto told, codec_->told(update));
        return forward(flow_of(update, &told.key, told.change()));
    }

    bool old_values_;
    bool cached_ = false;
    std::optional<StoreView<K, V>> view_;
    std::optional<StoreCodec<K, V>> codec_;
    LatestStore store_;
};

}  // namespace leat::streams::detail
