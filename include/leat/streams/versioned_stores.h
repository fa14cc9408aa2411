// SPDX-License-Identifier: Apache-2.0
//
// Stores of values with their history under a key, as a processor works on them. Layer: streams
// SDK.
// Spec:  Kafka Streams' VersionedKeyValueStore (KIP-889).
// Threading: a store belongs to its task.
// Errors:    of all calls: kIoError, kInvalidRecord (what is stored is of another type),
// kInvalidRequest (a store that nothing was assigned to); of those that change it also
// kInvalidRequest (a global store, which only those write who feed it).
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/typed_versions.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// A value and when it was valid.
template <class V>
struct VersionRow {
    V value{};
    Timestamp from{};
    std::optional<Timestamp> to{};  ///< Absent: it is the latest.
    friend bool operator==(const VersionRow&, const VersionRow&) = default;
};

/// What became of a put into a versioned store.
struct VersionPut {
    bool stored = true;             ///< False: it is older than the history.
    std::optional<Timestamp> to{};  ///< When the next version begins; absent: it is the latest.
    friend bool operator==(const VersionPut&, const VersionPut&) = default;
};

/// Key to values, each valid from its time to that of the next.
template <class K, class V>
class VersionedKeyValueStore {
  public:
    using Key = K;
    using Value = V;
    static constexpr auto kKind = detail::StoreSpec::Kind::kVersioned;
    using Found = std::optional<VersionRow<V>>;

    VersionedKeyValueStore() = default;
    explicit VersionedKeyValueStore(detail::StoreAccess<K, V> at) : at_(std::move(at)) {}
    /// The latest one.
    Result<Found> get(const K& key) const { return row(at_.get(key, std::nullopt)); }
    /// What was valid then; nothing also when that is older than the history.
    Result<Found> get(const K& key, Timestamp as_of) const { return row(at_.get(key, as_of.ms)); }
    /// No value: there is none from then on. Errors: also kInvalidRequest: `from` is before 0.
    Result<VersionPut> put(const K& key, const std::optional<V>& value, Timestamp from) const {
        LEAT_TRY(const auto put, at_.put(key, value, from.ms));
        VersionPut out{.stored = put.stored};
        if (put.stored && !put.latest()) out.to = Timestamp{put.to};
        return out;
    }
    /// put() of no value; answers what was valid then. Older than the history: nothing is done, and
    /// nothing answered.
    Result<Found> erase(const K& key, Timestamp from) const {
        LEAT_TRY(auto before, get(key, from));
        LEAT_TRY(const VersionPut put_in, put(key, std::nullopt, from));
        return put_in.stored ? std::move(before) : Found{};
    }

  private:
    static Result<Found> row(Result<std::optional<detail::TypedVersion<V>>> found) {
        if (!found) return std::move(found).error();
        if (!*found) return Found{};
        VersionRow<V> out{.value = std::move((*found)->value), .from = {(*found)->from}};
        if ((*found)->to != detail::VersionedStore::kNever) out.to = Timestamp{(*found)->to};
        return Found{std::move(out)};
    }
    detail::VersionAccess<K, V> at_;
};

}  // namespace leat::streams
