// SPDX-License-Identifier: Apache-2.0
//
// Stores for processors: what is declared. What a processor works on is in key_value_stores.h,
// versioned_stores.h and window_stores.h; it can also read what the DSL keeps, by a store's name
// and the class that fits. Layer: streams SDK.
// Spec:  Kafka Streams' Stores; changelogs have the same bytes.
// Threading: a store belongs to its task; declarations are plain values.
//
//     const auto seen = streams::key_value_store<std::string, std::int64_t>("seen");
//     b.add_state_store(seen);
//     ... in a processor's init():  LEAT_TRY(seen_, context.store(seen));
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/supplied.h"
#include "leat/streams/key_value_stores.h"
#include "leat/streams/options.h"
#include "leat/streams/versioned_stores.h"
#include "leat/streams/window_stores.h"
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
    /// Of windows, sessions and versions, which are dropped that much at a time; not given: as
    /// Kafka Streams cuts.
    std::optional<Duration> segment{};
    /// Settings of the changelog topic when it is created; they count more than "topic." of the
    /// application's.
    std::map<std::string, std::string> changelog{};
};

/// A declared store and the types it is used with.
template <class S>
struct StoreRef {
    detail::StoreSpec spec;
    Serde<typename S::Key> key{};
    Serde<typename S::Value> value{};
};

namespace detail {
/// Into a store that is declared: it is one's own.
template <class Ref>
Ref supplied(Ref ref, const StoreSupplier& from) {
    supply_store(ref.spec, from);
    return ref;
}
template <class S>
StoreRef<S> declare(std::string name, const StoreOptions<typename S::Key, typename S::Value>& o) {
    StoreSpec spec{.name = std::move(name),
                   .kind = S::kKind,
                   .logging = o.logging,
                   .persistent = o.persistent};
    spec.caching = o.caching;
    spec.retain_duplicates = o.retain_duplicates;
    if (o.segment) spec.segment_ms = o.segment->count();
    spec.changelog = o.changelog;
    return {std::move(spec), choose(o.key, Serde<typename S::Key>{}),
            choose(o.value, Serde<typename S::Value>{})};
}
template <class S>
StoreRef<S> windowed(std::string name, Duration retention, Duration window,
                     const StoreOptions<typename S::Key, typename S::Value>& o) {
    auto out = declare<S>(std::move(name), o);
    out.spec.retention_ms = retention.count();
    out.spec.window_ms = window.count();
    return out;
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
/// In memory, and no more than `entries_max`: the one that was not used for the longest time goes,
/// out of the changelog too. To read counts as use, to visit does not.
template <class K, class V>
StoreRef<KeyValueStore<K, V>> lru_map(std::string name, std::size_t entries_max,
                                      const StoreOptions<K, V>& o = {}) {
    auto out = detail::declare<KeyValueStore<K, V>>(std::move(name), o);
    out.spec.persistent = false;
    out.spec.entries_max = entries_max;
    return out;
}
/// `history`: how long a version is known that another has followed. Always on disk, and never
/// cached. At build(): `history` >= 0.
template <class K, class V>
StoreRef<VersionedKeyValueStore<K, V>> versioned_key_value_store(std::string name, Duration history,
                                                                 const StoreOptions<K, V>& o = {}) {
    auto out = detail::declare<VersionedKeyValueStore<K, V>>(std::move(name), o);
    out.spec.persistent = true;
    out.spec.retention_ms = history.count();
    return out;
}
/// `retention`: how long behind its own time the store keeps windows. At build():
/// `retention` >= `window` >= 0.
template <class K, class V>
StoreRef<WindowStore<K, V>> window_store(std::string name, Duration retention, Duration window,
                                         const StoreOptions<K, V>& o = {}) {
    return detail::windowed<WindowStore<K, V>>(std::move(name), retention, window, o);
}
template <class K, class V>
StoreRef<TimestampedWindowStore<K, V>> timestamped_window_store(std::string name,
                                                                Duration retention, Duration window,
                                                                const StoreOptions<K, V>& o = {}) {
    return detail::windowed<TimestampedWindowStore<K, V>>(std::move(name), retention, window, o);
}
/// At build(): `retention` >= 0.
template <class K, class V>
StoreRef<SessionStore<K, V>> session_store(std::string name, Duration retention,
                                           const StoreOptions<K, V>& o = {}) {
    auto out = detail::declare<SessionStore<K, V>>(std::move(name), o);
    out.spec.retention_ms = retention.count();
    return out;
}

// Stores of one's own making. Where they are, how long windows stay and what is retained is said by
// the supplier, not by the options.
template <class K, class V>
StoreRef<KeyValueStore<K, V>> key_value_store(const KeyValueBytesStoreSupplier& from,
                                              const StoreOptions<K, V>& o = {}) {
    return detail::supplied(detail::declare<KeyValueStore<K, V>>(from.name, o), from);
}
template <class K, class V>
StoreRef<TimestampedKeyValueStore<K, V>> timestamped_key_value_store(
    const KeyValueBytesStoreSupplier& from, const StoreOptions<K, V>& o = {}) {
    return detail::supplied(detail::declare<TimestampedKeyValueStore<K, V>>(from.name, o), from);
}
template <class K, class V>
StoreRef<WindowStore<K, V>> window_store(const WindowBytesStoreSupplier& from,
                                         const StoreOptions<K, V>& o = {}) {
    return detail::supplied(detail::declare<WindowStore<K, V>>(from.name, o), from);
}
template <class K, class V>
StoreRef<TimestampedWindowStore<K, V>> timestamped_window_store(
    const WindowBytesStoreSupplier& from, const StoreOptions<K, V>& o = {}) {
    return detail::supplied(detail::declare<TimestampedWindowStore<K, V>>(from.name, o), from);
}
template <class K, class V>
StoreRef<SessionStore<K, V>> session_store(const SessionBytesStoreSupplier& from,
                                           const StoreOptions<K, V>& o = {}) {
    return detail::supplied(detail::declare<SessionStore<K, V>>(from.name, o), from);
}

}  // namespace leat::streams
