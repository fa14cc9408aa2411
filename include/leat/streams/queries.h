// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of a store, and what comes back. Layer: streams SDK.
// Spec:  Kafka Streams' queries of KIP-796, KIP-805, KIP-806, KIP-960, KIP-968.
// Threading: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/raw_query.h"
#include "leat/streams/serde.h"
#include "leat/streams/stores.h"
#include "leat/streams/windows.h"

namespace leat::streams {

template <class T>
struct PartitionAnswer {
    std::int32_t partition = 0;  ///< -1: all of them, of a global store.
    std::optional<T> value{};    ///< Absent: see `failure`.
    std::optional<QueryFailure> failure{};
    std::string reason{};
    Position position{};
    /// With kNotActive, kNotUpToBound and kNotPresent: whom to ask instead, and who has copies, as
    /// the group was last told; HOST:PORT, what application.server of those instances says. Empty:
    /// they set none, or it is on its way. The owner may be this instance, which is at restoring.
    std::string owner{};
    std::vector<std::string> standbys{};
};
template <class T>
struct Answer {
    std::vector<PartitionAnswer<T>> partitions{};
};

template <class K, class V>
struct KeyValueRow {
    K key{};
    Timed<V> value{};  ///< Without a time (-1) in plain stores.
    friend bool operator==(const KeyValueRow&, const KeyValueRow&) = default;
};
template <class K, class V>
struct WindowRow {
    K key{};
    Window window{};
    Timed<V> value{};
    friend bool operator==(const WindowRow&, const WindowRow&) = default;
};
/// What the queries below have in common; serdes not given are those of the types.
template <class K, class V>
struct QuerySerdes {
    Serde<K> key_serde{};
    Serde<V> value_serde{};
};

/// The value of a key, of key-value stores.
template <class K, class V>
struct KeyQuery : QuerySerdes<K, V> {
    explicit KeyQuery(K of) : key(std::move(of)) {}
    using Value = std::optional<Timed<V>>;
    /// Not what the record cache holds back, but what the store below has since its last flush.
    [[nodiscard]] KeyQuery skip_cache() const {
        KeyQuery out = *this;
        out.skips_cache = true;
        return out;
    }
    K key;
    bool skips_cache = false;
};
/// Keys with from <= key <= to in the order of their bytes; a bound that is absent is none.
template <class K, class V>
struct RangeQuery : QuerySerdes<K, V> {
    RangeQuery() = default;
    RangeQuery(std::optional<K> first, std::optional<K> last, bool down = false)
        : from(std::move(first)), to(std::move(last)), descending(down) {}
    using Value = std::vector<KeyValueRow<K, V>>;
    std::optional<K> from{};
    std::optional<K> to{};
    bool descending = false;
};
/// Keys whose bytes begin with those of `prefix`, in their order.
template <class K, class V, class P = K>
struct PrefixQuery : QuerySerdes<K, V> {
    explicit PrefixQuery(P of, bool down = false) : prefix(std::move(of)), descending(down) {}
    using Value = std::vector<KeyValueRow<K, V>>;
    P prefix;
    Serde<P> prefix_serde{};  ///< Of what is in front only: no length, nothing behind.
    bool descending = false;
};
/// How many keys there are. They are counted, which takes as long as to read them all.
struct CountQuery {
    using Value = std::uint64_t;
};
/// The keys with first <= key <= last in the order of their bytes; a bound that is absent is none.
template <class K>
struct KeyBounds {
    std::optional<K> first{};
    std::optional<K> last{};
};
/// Windows of a key with from <= start <= to, oldest first unless descending.
template <class K, class V>
struct WindowKeyQuery : QuerySerdes<K, V> {
    WindowKeyQuery(K of, Timestamp first, Timestamp last, bool down = false)
        : key(std::move(of)), from(first), to(last), descending(down) {}
    using Value = std::vector<WindowRow<K, V>>;
    K key;
    Timestamp from;
    Timestamp to;
    bool descending;
};
/// Windows of all keys, or of some, with from <= start <= to.
template <class K, class V>
struct WindowRangeQuery : QuerySerdes<K, V> {
    WindowRangeQuery(Timestamp first, Timestamp last, bool down = false)
        : from(first), to(last), descending(down) {}
    WindowRangeQuery(KeyBounds<K> of, Timestamp first, Timestamp last, bool down = false)
        : keys(std::move(of)), from(first), to(last), descending(down) {}
    using Value = std::vector<WindowRow<K, V>>;
    KeyBounds<K> keys{};
    Timestamp from;
    Timestamp to;
    bool descending;
};
/// Which sessions, and in which order: by their ends.
struct SessionTimes {
    std::optional<Timestamp> earliest_end{};
    std::optional<Timestamp> latest_start{};
    bool descending = false;
};
/// Sessions of a key.
template <class K, class V>
struct SessionQuery : QuerySerdes<K, V> {
    explicit SessionQuery(K of, SessionTimes at = {}) : key(std::move(of)), times(at) {}
    using Value = std::vector<WindowRow<K, V>>;
    K key;
    SessionTimes times;
};
/// Sessions of all keys, or of some.
template <class K, class V>
struct SessionRangeQuery : QuerySerdes<K, V> {
    explicit SessionRangeQuery(KeyBounds<K> of = {}, SessionTimes at = {})
        : keys(std::move(of)), times(at) {}
    using Value = std::vector<WindowRow<K, V>>;
    KeyBounds<K> keys;
    SessionTimes times;
};
/// The session of a key that has just these times.
template <class K, class V>
struct OneSessionQuery : QuerySerdes<K, V> {
    OneSessionQuery(K of, Window at) : key(std::move(of)), session(at) {}
    using Value = std::optional<V>;
    K key;
    Window session;
};
/// The latest version of a key, or the one that was valid at `as_of`.
template <class K, class V>
struct VersionedKeyQuery : QuerySerdes<K, V> {
    explicit VersionedKeyQuery(K of, std::optional<Timestamp> at = std::nullopt)
        : key(std::move(of)), as_of(at) {}
    using Value = std::optional<VersionRow<V>>;
    K key;
    std::optional<Timestamp> as_of;
};
/// Versions of a key that were valid at some time in from..to, newest first unless ascending.
template <class K, class V>
struct MultiVersionedKeyQuery : QuerySerdes<K, V> {
    MultiVersionedKeyQuery(K of, std::optional<Timestamp> first, std::optional<Timestamp> last,
                           bool up = false)
        : key(std::move(of)), from(first), to(last), ascending(up) {}
    using Value = std::vector<VersionRow<V>>;
    K key;
    std::optional<Timestamp> from;
    std::optional<Timestamp> to;
    bool ascending = false;
};

}  // namespace leat::streams
