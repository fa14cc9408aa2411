// SPDX-License-Identifier: Apache-2.0
//
// A store of bytes as a processor's types see it: what all kinds have in common, and values under a
// key. Layer: streams SDK, not for users. Threading: a store belongs to its task.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/key_value_store.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// Of the record that is being processed: what is put into a store has its time in the changelog,
/// and its headers when a cache has held it back and tells of it.
struct Present {
    std::int64_t timestamp = -1;
    const Headers* headers = nullptr;
};

inline Direction direction_of(bool descending) {
    return descending ? Direction::kBackward : Direction::kForward;
}

template <class K, class V>
class StoreAccess {
  public:
    /// Of no store; `kind` says which it would be.
    explicit StoreAccess(const char* kind) : kind_(kind) {}
    StoreAccess(StateStore& store, Serde<K> key, Serde<V> value, const Present& present,
                bool may_write)
        : store_(&store),
          key_(std::move(key)),
          value_(std::move(value)),
          present_(&present),
          may_write_(may_write) {}

    [[nodiscard]] std::int64_t now() const noexcept { return present_->timestamp; }
    [[nodiscard]] const Headers* headers() const noexcept { return present_->headers; }
    [[nodiscard]] StateStore& store() const noexcept { return *store_; }
    /// Errors: kInvalidRequest: there is no store.
    [[nodiscard]] Result<void> check() const {
        if (store_ != nullptr) return {};
        return Error{Errc::kInvalidRequest, std::string{"a "} + kind_ +
                                                " store is used that was never assigned: init() "
                                                "keeps what context.store() answers"};
    }
    /// Errors: kInvalidRequest: also a global store, which belongs to those who feed it.
    [[nodiscard]] Result<void> check_write() const {
        if (may_write_) return check();
        return Error{Errc::kInvalidRequest,
                     "the global store " + store_->name() + " is only read here"};
    }
    /// Errors: kInvalidRequest: no record of a changelog has such a time.
    [[nodiscard]] Result<void> check_time(std::int64_t of_value) const {
        if (of_value >= 0 || store_ == nullptr) return {};
        return Error{Errc::kInvalidRequest, store_->name() + ": no value is from before 0"};
    }
    [[nodiscard]] Result<std::string> bytes_of(const K& key) const {
        LEAT_TRY_VOID(check());
        return encoded(*key_, key);
    }
    /// Of the key, or nothing.
    [[nodiscard]] Result<std::optional<std::string>> bytes_of(const std::optional<K>& key) const {
        LEAT_TRY_VOID(check());
        if (!key) return std::optional<std::string>{};
        LEAT_TRY(auto bytes, bytes_of(*key));
        return std::optional<std::string>{std::move(bytes)};
    }
    [[nodiscard]] Result<std::string> value_bytes(const V& value) const {
        return encoded(*value_, value);
    }
    [[nodiscard]] Result<K> key_of(std::string_view bytes) const {
        return key_->decode(store_->name(), bytes);
    }
    [[nodiscard]] Result<V> value_of(std::string_view bytes) const {
        return value_->decode(store_->name(), bytes);
    }

  private:
    template <class T>
    Result<std::string> encoded(const Codec<T>& codec, const T& value) const {
        std::string out;
        LEAT_TRY_VOID(codec.encode(store_->name(), value, out));
        return out;
    }
    static inline const Present kNone{};
    const char* kind_ = "";
    StateStore* store_ = nullptr;
    Serde<K> key_;
    Serde<V> value_;
    const Present* present_ = &kNone;
    bool may_write_ = true;
};

/// Of key-value stores.
template <class K, class V>
class RowAccess {
  public:
    using Found = std::optional<std::pair<V, std::int64_t>>;  ///< The value and its time.
    using Visit = std::function<bool(const K& key, V value, std::int64_t timestamp)>;

    RowAccess() = default;
    explicit RowAccess(StoreAccess<K, V> at) : at_(std::move(at)) {}

    [[nodiscard]] std::int64_t now() const noexcept { return at_.now(); }
    [[nodiscard]] Result<void> check_time(std::int64_t of_value) const {
        return at_.check_time(of_value);
    }
    Result<Found> get(const K& key) const {
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        Entry entry;
        LEAT_TRY(const bool found, rows().get(bytes, entry));
        return decoded(found, entry);
    }
    /// Puts unless there is something; answers what there was.
    Result<Found> put_if_absent(const K& key, const V& value, std::int64_t timestamp) const {
        LEAT_TRY_VOID(at_.check_write());
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        LEAT_TRY(const auto value_bytes, at_.value_bytes(value));
        Entry before;
        LEAT_TRY(const bool found,
                 rows().put_if_absent(bytes, value_bytes, timestamp, before, at_.headers()));
        return decoded(found, before);
    }
    /// Answers what there was.
    Result<Found> erase(const K& key, std::int64_t timestamp) const {
        LEAT_TRY_VOID(at_.check_write());
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        Entry before;
        LEAT_TRY(const bool found, rows().erase(bytes, timestamp, &before, at_.headers()));
        return decoded(found, before);
    }
    Result<void> put(const K& key, const std::optional<V>& value, std::int64_t timestamp) const {
        LEAT_TRY_VOID(at_.check_write());
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        if (!value) return rows().put(bytes, std::nullopt, timestamp, at_.headers());
        LEAT_TRY(const auto value_bytes, at_.value_bytes(*value));
        return rows().put(bytes, value_bytes, timestamp, at_.headers());
    }
    /// from <= key <= to. An entry that does not decode ends it.
    Result<void> range(const std::optional<K>& from, const std::optional<K>& to, const Visit& visit,
                       bool descending) const {
        LEAT_TRY(const auto first, at_.bytes_of(from));
        LEAT_TRY(auto last, at_.bytes_of(to));
        if (last) last->push_back('\0');  // The next larger key: the upper bound is included.
        return walked(visit, [&](const KeyValueStore::Visit& each) {
            return rows().range(first.value_or(""),
                                last ? std::optional<std::string_view>{*last} : std::nullopt, each,
                                direction_of(descending));
        });
    }
    template <class P>
    Result<void> prefix(const P& prefix, const Serde<P>& serde, const Visit& visit) const {
        LEAT_TRY_VOID(at_.check());
        std::string first;
        LEAT_TRY_VOID(serde->encode(at_.store().name(), prefix, first));
        return walked(visit,
                      [&](const KeyValueStore::Visit& each) { return rows().prefix(first, each); });
    }
    Result<std::uint64_t> count() const {
        LEAT_TRY_VOID(at_.check());
        std::uint64_t out = 0;
        LEAT_TRY_VOID(rows().all([&](std::string_view, const Entry&) {
            ++out;
            return true;
        }));
        return out;
    }

  private:
    template <class Walk>
    Result<void> walked(const Visit& visit, Walk walk) const {
        Result<void> outcome;
        LEAT_TRY_VOID(walk([&](std::string_view key, const Entry& entry) {
            auto decoded_key = at_.key_of(key);
            if (!decoded_key) outcome = std::move(decoded_key).error();
            if (!outcome) return false;
            auto value = at_.value_of(entry.value);
            if (!value) outcome = std::move(value).error();
            return outcome && visit(*decoded_key, *std::move(value), entry.timestamp);
        }));
        return outcome;
    }
    Result<Found> decoded(bool found, const Entry& entry) const {
        if (!found) return Found{};
        LEAT_TRY(auto value, at_.value_of(entry.value));
        return Found{std::pair{std::move(value), entry.timestamp}};
    }
    [[nodiscard]] KeyValueStore& rows() const { return static_cast<KeyValueStore&>(at_.store()); }
    StoreAccess<K, V> at_{"key-value"};
};

}  // namespace leat::streams::detail
