// SPDX-License-Identifier: Apache-2.0
//
// Stores for processors: what is declared, and what a processor works on. Layer: streams SDK.
// Spec:  Kafka Streams' Stores and its store interfaces; changelogs have the same bytes.
// Threading: a store belongs to its task; declarations are plain values.
//
//     const auto seen = streams::key_value_store<std::string, std::int64_t>("seen");
//     b.add_state_store(seen);
//     ... in a processor's init():  LEAT_TRY(seen_, context.store(seen));
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/options.h"
#include "leat/streams/windows.h"

namespace leat::streams {

/// Options of a store.
template <class K, class V>
struct StoreOptions {
    Serde<K> key{};
    Serde<V> value{};
    bool logging = true;             ///< A changelog topic is kept.
    bool persistent = true;          ///< On disk; false: in memory.
    bool caching = false;            ///< Updates are held back until a commit, within a budget.
    bool retain_duplicates = false;  ///< Of a plain window store: a put never replaces.
};

/// A value that has its time.
template <class V>
struct Timed {
    V value{};
    Timestamp timestamp{};
    friend bool operator==(const Timed&, const Timed&) = default;
};

/// Key to value.
template <class K, class V>
class KeyValueStore {
  public:
    using Key = K;
    using Value = V;
    static constexpr auto kKind = detail::StoreSpec::Kind::kPlainKeyValue;
    using Visit = std::function<bool(const K& key, const V& value)>;  ///< False stops.

    KeyValueStore() = default;
    explicit KeyValueStore(detail::StoreAccess<K, V> at) : at_(std::move(at)) {}
    /// Errors of all: kIoError, kInvalidRecord (what is stored is no V).
    Result<std::optional<V>> get(const K& key) const { return value_of(at_.get(key)); }
    /// No value: deletes.
    Result<void> put(const K& key, const std::optional<V>& value) const {
        return at_.put(key, value, at_.now());
    }
    /// Puts unless there is one; answers what was there.
    Result<std::optional<V>> put_if_absent(const K& key, const V& value) const {
        return value_of(at_.put_if_absent(key, value, at_.now()));
    }
    /// Answers what was there.
    Result<std::optional<V>> erase(const K& key) const {
        return value_of(at_.erase(key, at_.now()));
    }
    /// In the order of the keys' bytes. The store must not change meanwhile.
    Result<void> all(const Visit& visit) const {
        return at_.range(nullptr, nullptr,
                         [&](const K& key, V value, std::int64_t) { return visit(key, value); });
    }
    /// from <= key <= to, as Kafka Streams' range().
    Result<void> range(const K& from, const K& to, const Visit& visit) const {
        return at_.range(&from, &to,
                         [&](const K& key, V value, std::int64_t) { return visit(key, value); });
    }

  private:
    static Result<std::optional<V>> value_of(
        Result<std::optional<std::pair<V, std::int64_t>>> found) {
        if (!found) return std::move(found).error();
        if (!*found) return std::optional<V>{};
        return std::optional<V>{std::move((*found)->first)};
    }
    detail::StoreAccess<K, V> at_;
};

/// Key to value and time: what the DSL's tables are kept in.
template <class K, class V>
class TimestampedKeyValueStore {
  public:
    using Key = K;
    using Value = V;
    static constexpr auto kKind = detail::StoreSpec::Kind::kKeyValue;
    using Visit = std::function<bool(const K& key, const Timed<V>& value)>;

    TimestampedKeyValueStore() = default;
    explicit TimestampedKeyValueStore(detail::StoreAccess<K, V> at) : at_(std::move(at)) {}
    Result<std::optional<Timed<V>>> get(const K& key) const {
        LEAT_TRY(auto found, at_.get(key));
        if (!found) return std::optional<Timed<V>>{};
        return std::optional{Timed<V>{std::move(found->first), {found->second}}};
    }
    Result<void> put(const K& key, const Timed<V>& value) const {
        return at_.put(key, std::optional<V>{value.value}, value.timestamp.ms);
    }
    Result<void> erase(const K& key) const { return at_.forget(key, at_.now()); }
    Result<void> all(const Visit& visit) const {
        return at_.range(nullptr, nullptr, [&](const K& key, V value, std::int64_t at) {
            return visit(key, Timed<V>{std::move(value), {at}});
        });
    }

  private:
    detail::StoreAccess<K, V> at_;
};

/// (key, start of a window) to value, for a time.
template <class K, class V>
class WindowStore {
  public:
    using Key = K;
    using Value = V;
    static constexpr auto kKind = detail::StoreSpec::Kind::kPlainWindow;
    using Visit = std::function<bool(Timestamp start, const V& value)>;

    WindowStore() = default;
    explicit WindowStore(detail::StoreAccess<K, V> at) : at_(std::move(at)) {}
    Result<std::optional<V>> get(const K& key, Timestamp start) const {
        return at_.window_get(key, start.ms);
    }
    /// No value: deletes. False: older than the retention, not kept.
    Result<bool> put(const K& key, Timestamp start, const std::optional<V>& value) const {
        return at_.window_put(key, start.ms, value);
    }
    /// Windows of the key with from <= start <= to, oldest first.
    Result<void> fetch(const K& key, Timestamp from, Timestamp to, const Visit& visit) const {
        return at_.window_fetch(key, from.ms, to.ms, [&](std::int64_t start, const V& value) {
            return visit(Timestamp{start}, value);
        });
    }

  private:
    detail::StoreAccess<K, V> at_;
};

/// A declared store and the types it is used with.
template <class S>
struct StoreRef {
    detail::StoreSpec spec;
    Serde<typename S::Key> key{};
    Serde<typename S::Value> value{};
};

namespace detail {
template <class S>
StoreRef<S> declare(std::string name, const StoreOptions<typename S::Key, typename S::Value>& o) {
    StoreSpec spec{.name = std::move(name),
                   .kind = S::kKind,
                   .logging = o.logging,
                   .persistent = o.persistent};
    spec.caching = o.caching;
    spec.retain_duplicates = o.retain_duplicates;
    return {std::move(spec), choose(o.key, Serde<typename S::Key>{}),
            choose(o.value, Serde<typename S::Value>{})};
}
}  // namespace detail

template <class K, class V>
StoreRef<KeyValueStore<K, V>> key_value_store(std::string name, const StoreOptions<K, V>& o = {}) {
    return detail::declare<KeyValueStore<K, V>>(std::move(name), o);
}
template <class K, class V>
StoreRef<TimestampedKeyValueStore<K, V>> timestamped_key_value_store(
    std::string name, const StoreOptions<K, V>& o = {}) {
    return detail::declare<TimestampedKeyValueStore<K, V>>(std::move(name), o);
}
/// `retention`: how long behind its own time the store keeps windows. At build():
/// `retention` >= `window` >= 0.
template <class K, class V>
StoreRef<WindowStore<K, V>> window_store(std::string name, Duration retention, Duration window,
                                         const StoreOptions<K, V>& o = {}) {
    auto out = detail::declare<WindowStore<K, V>>(std::move(name), o);
    out.spec.retention_ms = retention.count();
    out.spec.window_ms = window.count();
    return out;
}

}  // namespace leat::streams
