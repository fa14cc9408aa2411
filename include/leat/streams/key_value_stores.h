// SPDX-License-Identifier: Apache-2.0
//
// Stores of a value under a key, as a processor works on them. Layer: streams SDK.
// Spec:  Kafka Streams' KeyValueStore and TimestampedKeyValueStore.
// Threading: a store belongs to its task.
// Visits: show the rows as they are when the visit begins. A visitor may put and erase, also what
// it has not come to yet: it is shown all the same, as it was, and what is new is not.
// Errors:    of all calls: kIoError, kInvalidRecord (what is stored is of another type),
// kInvalidRequest (a store that nothing was assigned to); of those that change it also
// kInvalidRequest (a global store, which only those write who feed it).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/record.h"

namespace leat::streams {

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
    Result<std::optional<V>> get(const K& key) const { return value_of(at_.get(key)); }
    /// No value: deletes.
    Result<void> put(const K& key, const std::optional<V>& value) const {
        return at_.put(key, value, at_.now());
    }
    /// Puts unless there is one; answers what was there.
    Result<std::optional<V>> put_if_absent(const K& key, const V& value) const {
        return value_of(at_.put_if_absent(key, value, at_.now()));
    }
    /// Each as put(). Errors: also kInvalidRequest: one without a key; those before it are put.
    Result<void> put_all(const std::vector<KeyValue<K, V>>& pairs) const {
        for (const auto& pair : pairs) {
            if (!pair.key) return Error{Errc::kInvalidRequest, "a pair has no key"};
            LEAT_TRY_VOID(put(*pair.key, pair.value));
        }
        return {};
    }
    /// Answers what was there.
    Result<std::optional<V>> erase(const K& key) const {
        return value_of(at_.erase(key, at_.now()));
    }
    /// In the order of the keys' bytes, from the last one if `descending`.
    Result<void> all(const Visit& visit, bool descending = false) const {
        return range(std::nullopt, std::nullopt, visit, descending);
    }
    /// from <= key <= to; a bound that is absent is none.
    Result<void> range(const std::optional<K>& from, const std::optional<K>& to, const Visit& visit,
                       bool descending = false) const {
        return at_.range(
            from, to, [&](const K& key, V value, std::int64_t) { return visit(key, value); },
            descending);
    }
    /// Keys whose bytes begin with those of `prefix`.
    template <class P>
    Result<void> prefix_scan(const P& prefix, const Visit& visit,
                             const Serde<P>& serde = serde_for<P>()) const {
        return at_.prefix(prefix, serde,
                          [&](const K& key, V value, std::int64_t) { return visit(key, value); });
    }
    /// How many keys there are: they are counted.
    Result<std::uint64_t> count() const { return at_.count(); }

  private:
    static Result<std::optional<V>> value_of(
        Result<std::optional<std::pair<V, std::int64_t>>> found) {
        if (!found) return std::move(found).error();
        if (!*found) return std::optional<V>{};
        return std::optional<V>{std::move((*found)->first)};
    }
    detail::RowAccess<K, V> at_;
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
    Result<std::optional<Timed<V>>> get(const K& key) const { return timed(at_.get(key)); }
    /// Errors: also kInvalidRequest: a time before 0; so with those below.
    Result<void> put(const K& key, const Timed<V>& value) const {
        LEAT_TRY_VOID(at_.check_time(value.timestamp.ms));
        return at_.put(key, value.value, value.timestamp.ms);
    }
    /// No value: deletes.
    Result<void> put(const K& key, const std::optional<Timed<V>>& value) const {
        return value ? put(key, *value) : at_.put(key, std::nullopt, at_.now());
    }
    /// Puts unless there is one; answers what was there.
    Result<std::optional<Timed<V>>> put_if_absent(const K& key, const Timed<V>& value) const {
        LEAT_TRY_VOID(at_.check_time(value.timestamp.ms));
        return timed(at_.put_if_absent(key, value.value, value.timestamp.ms));
    }
    /// Answers what was there.
    Result<std::optional<Timed<V>>> erase(const K& key) const {
        return timed(at_.erase(key, at_.now()));
    }
    /// These as of KeyValueStore.
    Result<void> all(const Visit& visit, bool descending = false) const {
        return range(std::nullopt, std::nullopt, visit, descending);
    }
    Result<void> range(const std::optional<K>& from, const std::optional<K>& to, const Visit& visit,
                       bool descending = false) const {
        return at_.range(from, to, shown_to(visit), descending);
    }
    template <class P>
    Result<void> prefix_scan(const P& prefix, const Visit& visit,
                             const Serde<P>& serde = serde_for<P>()) const {
        return at_.prefix(prefix, serde, shown_to(visit));
    }
    Result<std::uint64_t> count() const { return at_.count(); }

  private:
    static auto shown_to(const Visit& visit) {
        return [&visit](const K& key, V value, std::int64_t at) {
            return visit(key, Timed<V>{std::move(value), {at}});
        };
    }
    static Result<std::optional<Timed<V>>> timed(
        Result<std::optional<std::pair<V, std::int64_t>>> found) {
        if (!found) return std::move(found).error();
        if (!*found) return std::optional<Timed<V>>{};
        return std::optional{Timed<V>{std::move((*found)->first), {(*found)->second}}};
    }
    detail::RowAccess<K, V> at_;
};

}  // namespace leat::streams
