// SPDX-License-Identifier: Apache-2.0
//
// Stores of windows and of sessions as a processor's types see them. Layer: streams SDK, not for
// users. Threading: a store belongs to its task.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/session_store.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/detail/window_store.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

/// The bytes of keys from `first` to `last`, as far as there are bounds.
struct KeySpan {
    std::optional<std::string> first{};
    std::optional<std::string> last{};
    [[nodiscard]] bool holds(std::string_view key) const {
        return (!first || key >= *first) && (!last || key <= *last);
    }
    template <class K, class V>
    static Result<KeySpan> of(const StoreAccess<K, V>& at, const std::optional<K>& from,
                              const std::optional<K>& to) {
        KeySpan out;
        LEAT_TRY(out.first, at.bytes_of(from));
        LEAT_TRY(out.last, at.bytes_of(to));
        return out;
    }
};

template <class K, class V>
class WindowAccess {
  public:
    using Found = std::optional<std::pair<V, std::int64_t>>;  ///< The value and its time.
    using Visit = std::function<bool(std::int64_t start, V value, std::int64_t timestamp)>;
    using VisitAll = std::function<bool(const Windowed<K>& key, V value, std::int64_t timestamp)>;
    struct Times {
        std::int64_t from = 0;
        std::int64_t to = 0;
        bool descending = false;
    };

    WindowAccess() = default;
    explicit WindowAccess(StoreAccess<K, V> at) : at_(std::move(at)) {}

    [[nodiscard]] std::int64_t now() const noexcept { return at_.now(); }
    [[nodiscard]] Result<void> check_time(std::int64_t of_value) const {
        return at_.check_time(of_value);
    }
    Result<Found> get(const K& key, std::int64_t start) const {
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        Entry entry;
        LEAT_TRY(const bool found, windows().get(bytes, start, entry));
        if (!found) return Found{};
        LEAT_TRY(auto value, at_.value_of(entry.value));
        return Found{std::pair{std::move(value), entry.timestamp}};
    }
    /// As WindowStore::put().
    Result<bool> put(const K& key, std::int64_t start, const std::optional<V>& value,
                     std::int64_t timestamp) const {
        LEAT_TRY_VOID(at_.check_write());
        if (start < 0)
            return Error{Errc::kInvalidRequest, windows().name() + ": no window starts before 0"};
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        if (!value) return windows().put(bytes, start, std::nullopt, timestamp, at_.headers());
        LEAT_TRY(const auto value_bytes, at_.value_bytes(*value));
        return windows().put(bytes, start, value_bytes, timestamp, at_.headers());
    }
    Result<void> fetch(const K& key, const Times& times, const Visit& visit) const {
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        Result<void> outcome;
        const auto each = [&](std::int64_t start, const Entry& entry) {
            auto value = at_.value_of(entry.value);
            if (!value) outcome = std::move(value).error();
            return outcome && visit(start, *std::move(value), entry.timestamp);
        };
        LEAT_TRY_VOID(
            windows().fetch(bytes, times.from, times.to, each, direction_of(times.descending)));
        return outcome;
    }
    /// Of the keys from `first` to `last`.
    Result<void> fetch_keys(const std::optional<K>& first, const std::optional<K>& last,
                            const Times& times, const VisitAll& visit) const {
        LEAT_TRY(const KeySpan span, KeySpan::of(at_, first, last));
        Result<void> outcome;
        const auto each = [&](std::string_view bytes, std::int64_t start, const Entry& entry) {
            if (!span.holds(bytes)) return true;
            auto key = at_.key_of(bytes);
            if (!key) outcome = std::move(key).error();
            if (!outcome) return false;
            auto value = at_.value_of(entry.value);
            if (!value) outcome = std::move(value).error();
            const Window window{start, end_of(start)};
            return outcome && visit({*std::move(key), window}, *std::move(value), entry.timestamp);
        };
        LEAT_TRY_VOID(
            windows().fetch_all(times.from, times.to, each, direction_of(times.descending)));
        return outcome;
    }

  private:
    [[nodiscard]] std::int64_t end_of(std::int64_t start) const {
        constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
        const std::int64_t size = windows().spec().window_ms;
        return start > kForEver - size ? kForEver : start + size;
    }
    [[nodiscard]] WindowStore& windows() const { return static_cast<WindowStore&>(at_.store()); }
    StoreAccess<K, V> at_{"window"};
};

template <class K, class V>
class SessionAccess {
  public:
    using Visit = std::function<bool(const Windowed<K>& session, V value)>;

    SessionAccess() = default;
    explicit SessionAccess(StoreAccess<K, V> at) : at_(std::move(at)) {}

    Result<std::optional<V>> get(const Windowed<K>& session) const {
        LEAT_TRY(const auto bytes, at_.bytes_of(session.key));
        std::string found;
        LEAT_TRY(const bool known, sessions().get(bytes, session.window, found));
        if (!known) return std::optional<V>{};
        LEAT_TRY(auto value, at_.value_of(found));
        return std::optional<V>{std::move(value)};
    }
    /// As SessionStore::put().
    Result<bool> put(const Windowed<K>& session, const std::optional<V>& value) const {
        LEAT_TRY_VOID(at_.check_write());
        if (session.window.start < 0 || session.window.end < session.window.start)
            return Error{
                Errc::kInvalidRequest,
                sessions().name() + ": no session starts before 0 or ends before it starts"};
        LEAT_TRY(const auto bytes, at_.bytes_of(session.key));
        const std::int64_t now = at_.now();
        if (!value) return sessions().put(bytes, session.window, std::nullopt, now, at_.headers());
        LEAT_TRY(const auto value_bytes, at_.value_bytes(*value));
        return sessions().put(bytes, session.window, value_bytes, now, at_.headers());
    }
    Result<void> find(const K& key, std::int64_t earliest_end, std::int64_t latest_start,
                      const Visit& visit, bool descending) const {
        LEAT_TRY(const auto bytes, at_.bytes_of(key));
        Result<void> outcome;
        const auto each = [&](Window session, std::string_view found) {
            auto value = at_.value_of(found);
            if (!value) outcome = std::move(value).error();
            return outcome && visit({key, session}, *std::move(value));
        };
        LEAT_TRY_VOID(
            sessions().find(bytes, earliest_end, latest_start, each, direction_of(descending)));
        return outcome;
    }
    /// Those that `holds` says yes to, of all that end from `earliest_end` to `latest_end`.
    Result<void> find_ended(std::int64_t earliest_end, std::int64_t latest_end,
                            const std::function<bool(std::string_view key, Window session)>& holds,
                            const Visit& visit, bool descending) const {
        LEAT_TRY_VOID(at_.check());
        Result<void> outcome;
        const auto each = [&](std::string_view bytes, Window session, std::string_view found) {
            if (!holds(bytes, session)) return true;
            auto key = at_.key_of(bytes);
            if (!key) outcome = std::move(key).error();
            if (!outcome) return false;
            auto value = at_.value_of(found);
            if (!value) outcome = std::move(value).error();
            return outcome && visit({*std::move(key), session}, *std::move(value));
        };
        LEAT_TRY_VOID(
            sessions().find_ended(earliest_end, latest_end, each, direction_of(descending)));
        return outcome;
    }
    /// As SessionStore::oldest_found(). Precondition: there is a store.
    [[nodiscard]] std::int64_t oldest_found() const { return sessions().oldest_found(); }
    [[nodiscard]] Result<KeySpan> span(const std::optional<K>& first,
                                       const std::optional<K>& last) const {
        return KeySpan::of(at_, first, last);
    }

  private:
    [[nodiscard]] SessionStore& sessions() const { return static_cast<SessionStore&>(at_.store()); }
    StoreAccess<K, V> at_{"session"};
};

}  // namespace leat::streams::detail
