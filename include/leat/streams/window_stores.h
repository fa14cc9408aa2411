// SPDX-License-Identifier: Apache-2.0
//
// Stores of windows and of sessions, as a processor works on them. Layer: streams SDK.
// Spec:  Kafka Streams' WindowStore, TimestampedWindowStore and SessionStore.
// Threading: a store belongs to its task.
// Visits: show the rows as they are when the visit begins. A visitor may put and erase, also what
// it has not come to yet: it is shown all the same, as it was, and what is new is not.
// Errors:    of all calls: kIoError, kInvalidRecord (what is stored is of another type),
// kInvalidRequest (a store that nothing was assigned to); of those that change it also
// kInvalidRequest (a global store, which only those write who feed it; a time before 0).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/typed_windows.h"
#include "leat/streams/key_value_stores.h"
#include "leat/streams/record.h"
#include "leat/streams/windows.h"

namespace leat::streams {

namespace detail {

/// What the two kinds of window stores read. `Shown`: V, or V with its time.
template <class K, class V, class Shown>
class WindowReads {
  public:
    using Key = K;
    using Value = V;
    using Visit = std::function<bool(Timestamp start, const Shown& value)>;  ///< False stops.
    using VisitAll = std::function<bool(const Windowed<K>& key, const Shown& value)>;

    WindowReads() = default;
    explicit WindowReads(StoreAccess<K, V> at) : at_(std::move(at)) {}

    Result<std::optional<Shown>> get(const K& key, Timestamp start) const {
        LEAT_TRY(auto found, at_.get(key, start.ms));
        if (!found) return std::optional<Shown>{};
        return std::optional<Shown>{shown(std::move(found->first), found->second)};
    }
    /// Windows of the key with from <= start <= to, oldest first unless `descending`.
    Result<void> fetch(const K& key, Timestamp from, Timestamp to, const Visit& visit,
                       bool descending = false) const {
        return at_.fetch(key, {from.ms, to.ms, descending},
                         [&](std::int64_t start, V value, std::int64_t at) {
                             return visit(Timestamp{start}, shown(std::move(value), at));
                         });
    }
    /// The same of all keys with first <= key <= last; a bound that is absent is none.
    Result<void> fetch_keys(const std::optional<K>& first, const std::optional<K>& last,
                            Timestamp from, Timestamp to, const VisitAll& visit,
                            bool descending = false) const {
        return at_.fetch_keys(first, last, {from.ms, to.ms, descending},
                              [&](const Windowed<K>& key, V value, std::int64_t at) {
                                  return visit(key, shown(std::move(value), at));
                              });
    }
    Result<void> fetch_all(Timestamp from, Timestamp to, const VisitAll& visit,
                           bool descending = false) const {
        return fetch_keys(std::nullopt, std::nullopt, from, to, visit, descending);
    }
    Result<void> all(const VisitAll& visit, bool descending = false) const {
        return fetch_all({0}, {std::numeric_limits<std::int64_t>::max()}, visit, descending);
    }

  protected:
    static Shown shown(V value, [[maybe_unused]] std::int64_t at) {
        if constexpr (std::is_same_v<Shown, V>)
            return value;
        else
            return {std::move(value), {at}};
    }
    [[nodiscard]] const WindowAccess<K, V>& at() const noexcept { return at_; }

  private:
    WindowAccess<K, V> at_;
};

}  // namespace detail

/// (key, start of a window) to value, for a time.
template <class K, class V>
class WindowStore : public detail::WindowReads<K, V, V> {
  public:
    static constexpr auto kKind = detail::StoreSpec::Kind::kPlainWindow;
    using detail::WindowReads<K, V, V>::WindowReads;
    /// No value: deletes. False: older than the retention, not kept.
    Result<bool> put(const K& key, Timestamp start, const std::optional<V>& value) const {
        return this->at().put(key, start.ms, value, this->at().now());
    }
};

/// The same with the value's time: what the DSL's windowed tables are kept in.
template <class K, class V>
class TimestampedWindowStore : public detail::WindowReads<K, V, Timed<V>> {
  public:
    static constexpr auto kKind = detail::StoreSpec::Kind::kWindow;
    using detail::WindowReads<K, V, Timed<V>>::WindowReads;
    /// As of WindowStore. Errors: also kInvalidRequest: the value's time is before 0.
    Result<bool> put(const K& key, Timestamp start, const Timed<V>& value) const {
        LEAT_TRY_VOID(this->at().check_time(value.timestamp.ms));
        return this->at().put(key, start.ms, value.value, value.timestamp.ms);
    }
    Result<bool> erase(const K& key, Timestamp start) const {
        return this->at().put(key, start.ms, std::nullopt, this->at().now());
    }
};

/// (key, first and last time of a session) to value, for a time. Also the DSL's sessions.
template <class K, class V>
class SessionStore {
  public:
    using Key = K;
    using Value = V;
    static constexpr auto kKind = detail::StoreSpec::Kind::kSession;
    using Visit = std::function<bool(const Windowed<K>& session, const V& value)>;

    SessionStore() = default;
    explicit SessionStore(detail::StoreAccess<K, V> at) : at_(std::move(at)) {}

    /// Of just these times.
    Result<std::optional<V>> get(const Windowed<K>& session) const { return at_.get(session); }
    /// No value: removes it. False: its end is older than the retention, not kept.
    Result<bool> put(const Windowed<K>& session, const std::optional<V>& value) const {
        return at_.put(session, value);
    }
    Result<void> remove(const Windowed<K>& session) const {
        LEAT_TRY_VOID(at_.put(session, std::nullopt));
        return {};
    }
    /// Sessions of the key that end at `earliest_end` or later and start at `latest_start` or
    /// earlier, by their ends; from the last one if `descending`.
    Result<void> find(const K& key, Timestamp earliest_end, Timestamp latest_start,
                      const Visit& visit, bool descending = false) const {
        return at_.find(key, earliest_end.ms, latest_start.ms, shown_to(visit), descending);
    }
    /// The same of all keys with first <= key <= last; a bound that is absent is none.
    Result<void> find_keys(const std::optional<K>& first, const std::optional<K>& last,
                           Timestamp earliest_end, Timestamp latest_start, const Visit& visit,
                           bool descending = false) const {
        LEAT_TRY(const auto span, at_.span(first, last));
        const auto holds = [&](std::string_view key, Window session) {
            return span.holds(key) && session.start <= latest_start.ms;
        };
        const std::int64_t from = std::max(earliest_end.ms, at_.oldest_found());
        return at_.find_ended(from, kForEver, holds, shown_to(visit), descending);
    }
    /// Sessions of all keys that end between the two times.
    Result<void> find_ended(Timestamp earliest_end, Timestamp latest_end, const Visit& visit,
                            bool descending = false) const {
        const auto holds = [](std::string_view, Window) { return true; };
        return at_.find_ended(earliest_end.ms, latest_end.ms, holds, shown_to(visit), descending);
    }
    /// All sessions of the key.
    Result<void> fetch(const K& key, const Visit& visit, bool descending = false) const {
        return at_.find(key, 0, kForEver, shown_to(visit), descending);
    }

  private:
    static constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    static auto shown_to(const Visit& visit) {
        return [&visit](const Windowed<K>& session, V value) { return visit(session, value); };
    }
    detail::SessionAccess<K, V> at_;
};

}  // namespace leat::streams
