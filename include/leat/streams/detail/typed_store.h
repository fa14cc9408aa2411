// SPDX-License-Identifier: Apache-2.0
//
// A store of bytes as a processor's types see it. Layer: streams SDK, not for users.
// Threading: a store belongs to its task.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/key_value_store.h"
#include "leat/streams/detail/window_store.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// The time that what is put into a store's changelog has: the processed record's.
struct Present {
    std::int64_t timestamp = -1;
};

template <class K, class V>
class StoreAccess {
  public:
    StoreAccess() = default;
    StoreAccess(StateStore& store, Serde<K> key, Serde<V> value, const Present& present)
        : store_(&store), key_(std::move(key)), value_(std::move(value)), present_(&present) {}

    [[nodiscard]] std::int64_t now() const noexcept { return present_->timestamp; }

    Result<std::optional<std::pair<V, std::int64_t>>> get(const K& key) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        Entry entry;
        LEAT_TRY(const bool found, rows().get(bytes, entry));
        return decoded(found, entry);
    }
    /// Puts unless there is something; answers what there was.
    Result<std::optional<std::pair<V, std::int64_t>>> put_if_absent(const K& key, const V& value,
                                                                    std::int64_t timestamp) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        LEAT_TRY(const auto value_bytes, encoded(*value_, value));
        Entry before;
        LEAT_TRY(const bool found, rows().put_if_absent(bytes, value_bytes, timestamp, before));
        return decoded(found, before);
    }
    /// Answers what there was.
    Result<std::optional<std::pair<V, std::int64_t>>> erase(const K& key,
                                                            std::int64_t timestamp) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        Entry before;
        LEAT_TRY(const bool found, rows().erase(bytes, timestamp, &before));
        return decoded(found, before);
    }
    Result<void> forget(const K& key, std::int64_t timestamp) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        LEAT_TRY_VOID(rows().erase(bytes, timestamp, nullptr));
        return {};
    }
    Result<void> put(const K& key, const std::optional<V>& value, std::int64_t timestamp) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        if (!value) return rows().put(bytes, std::nullopt, timestamp);
        LEAT_TRY(const auto value_bytes, encoded(*value_, *value));
        return rows().put(bytes, value_bytes, timestamp);
    }
    /// from <= key <= to; a null bound is none. An entry that does not decode ends it.
    Result<void> range(const K* from, const K* to,
                       const std::function<bool(const K&, V, std::int64_t)>& visit) const {
        std::string first;
        std::optional<std::string> last;
        if (from != nullptr) {
            LEAT_TRY(first, encoded(*key_, *from));
        }
        if (to != nullptr) {
            LEAT_TRY(last, encoded(*key_, *to));
            last->push_back('\0');  // The next larger key: the upper bound is included.
        }
        Result<void> outcome;
        const auto each = [&](std::string_view key, const Entry& entry) {
            auto decoded_key = key_->decode(store_->name(), key);
            if (!decoded_key) outcome = std::move(decoded_key).error();
            if (!outcome) return false;
            auto decoded = value_->decode(store_->name(), entry.value);
            if (!decoded) outcome = std::move(decoded).error();
            return outcome && visit(*decoded_key, *std::move(decoded), entry.timestamp);
        };
        LEAT_TRY_VOID(rows().range(
            first, last ? std::optional<std::string_view>{*last} : std::nullopt, each));
        return outcome;
    }

    Result<std::optional<V>> window_get(const K& key, std::int64_t start) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        Entry entry;
        LEAT_TRY(const bool found, windows().get(bytes, start, entry));
        if (!found) return std::optional<V>{};
        LEAT_TRY(auto value, value_->decode(store_->name(), entry.value));
        return std::optional<V>{std::move(value)};
    }
    /// As WindowStore::put().
    Result<bool> window_put(const K& key, std::int64_t start, const std::optional<V>& value) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        if (!value) return windows().put(bytes, start, std::nullopt, now());
        LEAT_TRY(const auto value_bytes, encoded(*value_, *value));
        return windows().put(bytes, start, value_bytes, now());
    }
    Result<void> window_fetch(const K& key, std::int64_t from, std::int64_t to,
                              const std::function<bool(std::int64_t, const V&)>& visit) const {
        LEAT_TRY(const auto bytes, encoded(*key_, key));
        Result<void> outcome;
        const auto each = [&](std::int64_t start, const Entry& entry) {
            auto decoded = value_->decode(store_->name(), entry.value);
            if (!decoded) outcome = std::move(decoded).error();
            return outcome && visit(start, *decoded);
        };
        LEAT_TRY_VOID(windows().fetch(bytes, from, to, each));
        return outcome;
    }

  private:
    template <class T>
    Result<std::string> encoded(const Codec<T>& codec, const T& value) const {
        std::string out;
        LEAT_TRY_VOID(codec.encode(store_->name(), value, out));
        return out;
    }
    Result<std::optional<std::pair<V, std::int64_t>>> decoded(bool found,
                                                              const Entry& entry) const {
        if (!found) return std::optional<std::pair<V, std::int64_t>>{};
        LEAT_TRY(auto value, value_->decode(store_->name(), entry.value));
        return std::optional{std::pair{std::move(value), entry.timestamp}};
    }
    [[nodiscard]] KeyValueStore& rows() const { return static_cast<KeyValueStore&>(*store_); }
    [[nodiscard]] WindowStore& windows() const { return static_cast<WindowStore&>(*store_); }

    StateStore* store_ = nullptr;
    Serde<K> key_;
    Serde<V> value_;
    const Present* present_ = nullptr;
};

}  // namespace leat::streams::detail
