// SPDX-License-Identifier: Apache-2.0
//
// How a table is read by key: from its store, or computed from the table it comes from. Layer:
// streams SDK, not for users.
// Spec:  Kafka Streams' KTableValueGetterSupplier: a table without a store of its own is read
// through its parents, and a source is only kept in a store when somebody reads it.
// Threading: a Table is declared by one thread, then immutable; a View belongs to its task.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/detail/aggregate_nodes.h"
#include "leat/streams/detail/big_endian.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/options.h"

namespace leat::streams::detail {

/// Lets `reader`, which joins, use stores of a table that was added.
inline void connect_all(Parts& parts, const std::vector<std::string>& stores,
                        const std::string& reader) {
    for (const auto& name : stores) parts.connect(reader, name);
    parts.copartition(reader, stores);
}

template <class V>
struct Timed {
    V value;
    std::int64_t timestamp = -1;
};
template <class V>
using Found = std::optional<Timed<V>>;

template <class V>
const V* value_of(const Found<V>& found) {
    return found ? &found->value : nullptr;
}

/// A table as a node reads it.
template <class K, class V>
class View {
  public:
    View() = default;
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    virtual ~View() = default;
    virtual Result<void> open(Task& task) = 0;
    /// The latest value. Errors: kIoError, and what computing it ends with.
    virtual Result<Found<V>> get(const K& key) = 0;
    /// The value that was valid then, when versioned(); else the latest.
    virtual Result<Found<V>> get(const K& key, std::int64_t /*as_of*/) { return get(key); }
    [[nodiscard]] virtual bool versioned() const { return false; }
};

template <class K, class V>
class Table {
  public:
    Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    virtual ~Table() = default;
    /// Somebody will read it: what it is read from has to be kept.
    virtual void need() {}
    /// Stores that a reading node must be connected to.
    [[nodiscard]] virtual std::vector<std::string> stores() const = 0;
    [[nodiscard]] virtual std::unique_ptr<View<K, V>> view() const = 0;
    /// Whether its updates may be overtaken ones of a versioned store. Nothing: it is as its
    /// parents are. Not to be confused with a view that can be read as of a time.
    [[nodiscard]] virtual bool versioned() const { return false; }
};

/// Reads a store; windowed keys in stores of windows and sessions.
template <class K, class V>
class StoreView final : public View<K, V> {
  public:
    explicit StoreView(StoreUse<K, V> use) : codec_(std::move(use)) {}

    Result<void> open(Task& task) override {
        store_ = &task.store(codec_.store());
        versions_ = dynamic_cast<VersionedStore*>(store_);
        values_ = dynamic_cast<KeyValueStore*>(store_);
        return {};
    }
    Result<Found<V>> get(const K& key) override {
        LEAT_TRY(const auto bytes, codec_.key(key));
        if (versions_ != nullptr) {
            LEAT_TRY(const bool found, versions_->get(bytes, version_));
            return from_version(found);
        }
        LEAT_TRY(const bool found,
                 values_ != nullptr ? values_->get(bytes, entry_) : windowed(bytes));
        if (!found) return Found<V>{};
        LEAT_TRY(V value, codec_.decode(entry_.value));
        return Found<V>{{std::move(value), entry_.timestamp}};
    }
    Result<Found<V>> get(const K& key, std::int64_t as_of) override {
        if (versions_ == nullptr) return get(key);
        LEAT_TRY(const auto bytes, codec_.key(key));
        LEAT_TRY(const bool found, versions_->get(bytes, as_of, version_));
        return from_version(found);
    }
    [[nodiscard]] bool versioned() const override { return versions_ != nullptr; }

  private:
    static std::int64_t number(std::string_view bytes, std::size_t from_end) {
        return read_be<std::int64_t>(bytes, bytes.size() - from_end);
    }
    Result<bool> windowed(std::string_view bytes) {
        constexpr std::size_t kTime = 8;
        if (auto* windows = dynamic_cast<WindowStore*>(store_))
            return windows->get(bytes.substr(0, bytes.size() - kTime), number(bytes, kTime),
                                entry_);
        auto& sessions = dynamic_cast<SessionStore&>(*store_);
        const auto end = number(bytes, 2 * kTime);
        LEAT_TRY(const bool found, sessions.get(bytes.substr(0, bytes.size() - 2 * kTime),
                                                {number(bytes, kTime), end}, entry_.value));
        entry_.timestamp = end;
        return found;
    }
    Result<Found<V>> from_version(bool found) const {
        if (!found) return Found<V>{};
        LEAT_TRY(V value, codec_.decode(version_.value));
        return Found<V>{{std::move(value), version_.from}};
    }

    StoreCodec<K, V> codec_;
    StateStore* store_ = nullptr;
    VersionedStore* versions_ = nullptr;
    KeyValueStore* values_ = nullptr;
    Entry entry_;
    VersionedStore::Version version_;
};

/// A table that is in a store.
template <class K, class V>
class StoredTable final : public Table<K, V> {
  public:
    StoredTable(StoreUse<K, V> use, bool versioned) : use_(std::move(use)), versioned_(versioned) {}
    /// Lazily kept: `needed` becomes true when somebody reads it.
    StoredTable(StoreUse<K, V> use, bool versioned, std::shared_ptr<bool> needed)
        : use_(std::move(use)), versioned_(versioned), needed_(std::move(needed)) {}
    void need() override {
        if (needed_) *needed_ = true;
    }
    [[nodiscard]] std::vector<std::string> stores() const override { return {use_.name}; }
    [[nodiscard]] std::unique_ptr<View<K, V>> view() const override {
        return std::make_unique<StoreView<K, V>>(use_);
    }
    [[nodiscard]] bool versioned() const override { return versioned_; }

  private:
    StoreUse<K, V> use_;
    bool versioned_;
    std::shared_ptr<bool> needed_;
};

/// The table in the store of this spec.
template <class K, class V>
std::shared_ptr<Table<K, V>> table_in(const StoreSpec& spec, const Serde<K>& key,
                                      const Serde<V>& value) {
    const StoreUse<K, V> use{spec.name, choose(key, Serde<K>{}), choose(value, Serde<V>{})};
    return std::make_shared<StoredTable<K, V>>(use, spec.kind == StoreSpec::Kind::kVersioned);
}

}  // namespace leat::streams::detail
