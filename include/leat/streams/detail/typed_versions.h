// SPDX-License-Identifier: Apache-2.0
//
// A versioned store as a processor's types see it. Layer: streams SDK, not for users.
// Threading: a store belongs to its task.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/detail/versioned_store.h"

namespace leat::streams::detail {

template <class V>
struct TypedVersion {
    V value;
    std::int64_t from = -1;
    std::int64_t to = VersionedStore::kNever;
};

template <class K, class V>
class VersionAccess {
  public:
    VersionAccess() = default;
    explicit VersionAccess(StoreAccess<K, V> at) : at_(std::move(at)) {}

    /// Without a time: the latest one.
    Result<std::optional<TypedVersion<V>>> get(const K& key,
                                               std::optional<std::int64_t> as_of) const {
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        VersionedStore::Version version;
        LEAT_TRY(const bool found,
                 as_of ? versions().get(bytes, *as_of, version) : versions().get(bytes, version));
        if (!found) return std::optional<TypedVersion<V>>{};
        LEAT_TRY(auto value, at_.value_of(version.value));
        return std::optional{TypedVersion<V>{std::move(value), version.from, version.to}};
    }
    Result<VersionedStore::Put> put(const K& key, const std::optional<V>& value,
                                    std::int64_t timestamp) const {
        LEAT_TRY_VOID(at_.check_write());
        LEAT_TRY_VOID(at_.check_time(timestamp));
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        if (!value) return versions().put(bytes, std::nullopt, timestamp);
        LEAT_TRY(const auto value_bytes, at_.value_bytes(*value));
        return versions().put(bytes, value_bytes, timestamp);
    }

  private:
    [[nodiscard]] VersionedStore& versions() const {
        return static_cast<VersionedStore&>(at_.store());
    }
    StoreAccess<K, V> at_{"versioned"};
};

}  // namespace leat::streams::detail
