// SPDX-License-Identifier: Apache-2.0
//
// Stores of one's own making: what keeps the bytes. Changelog, cache, restoring, positions, queries
// and metrics are built around it, as around the stores that come with it; suppliers of such stores
// are in store_suppliers.h. Layer: streams SDK.
// Spec:  Kafka Streams' KeyValueStore, WindowStore and SessionStore of Bytes and byte[], with
// StateStore's init(), flush() and close().
// Threading: of one task, one call at a time; const calls may come from any thread, and several at
// once while nothing changes.
// Errors:    what a call answers, or throws, ends what called it: a processor, a commit, a query.
//
// A value is found again under what it was put under: to put there again replaces it. The memory
// behind a view is good until the call returns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "base/result.h"
#include "leat/streams/windows.h"

namespace leat::streams {

/// Where a store is opened.
struct StoreContext {
    std::string application_id{};
    std::string task_id{};  ///< "0_3": sub-topology and partition.
    /// Of a persistent store: a folder of its own, which is there. Empty: keep it in memory, as
    /// under a TestDriver.
    std::string state_dir{};
    std::map<std::string, std::string> app_configs{};  ///< The application's settings, as given.
};

/// What all kinds have in common.
class BytesStore {
  public:
    BytesStore() = default;
    BytesStore(const BytesStore&) = delete;
    BytesStore& operator=(const BytesStore&) = delete;
    virtual ~BytesStore() = default;

    /// The first call. What a persistent store finds in its folder is what it had at the last
    /// flush() that counts, and perhaps later changes; all that is not known to be right is removed
    /// before, and then restored from the changelog.
    virtual Result<void> init(const StoreContext& /*context*/) { return {}; }
    /// Of a persistent store: what was put so far must be there when the process ends now. Before
    /// the place in the changelog up to which it has everything is noted.
    virtual Result<void> flush() { return {}; }
    /// The last call.
    virtual Result<void> close() { return {}; }
};

/// Values under keys, in the order of the keys' bytes.
class KeyValueBytesStore : public BytesStore {
  public:
    using Visit =
        std::function<bool(std::string_view key, std::string_view value)>;  ///< False stops.
    struct Change {
        std::string_view key{};
        std::optional<std::string_view> value{};  ///< Absent: deletes.
    };

    [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
    /// No value: deletes.
    virtual Result<void> put(std::string_view key, std::optional<std::string_view> value) = 0;
    /// from <= key < to, an absent bound is none; from the last one if `descending`.
    virtual Result<void> range(std::string_view from, std::optional<std::string_view> to,
                               const Visit& visit, bool descending) const = 0;
    /// In their order.
    virtual Result<void> put_all(std::span<const Change> changes) {
        for (const Change& one : changes) LEAT_TRY_VOID(put(one.key, one.value));
        return {};
    }
    /// What the changelog had, in its order; some of it may be there already.
    virtual Result<void> restore(std::span<const Change> changes) { return put_all(changes); }
};

/// Under which a window's value is.
struct WindowBytesKey {
    std::string_view key{};
    std::int64_t start = 0;
    std::uint32_t number = 0;  ///< Tells duplicates apart; 0 where none are retained.
};

/// Values under (key, start of a window, number).
class WindowBytesStore : public BytesStore {
  public:
    using Visit = std::function<bool(const WindowBytesKey& key, std::string_view value)>;
    struct Change {
        WindowBytesKey key{};
        std::optional<std::string_view> value{};
    };

    [[nodiscard]] virtual Result<std::optional<std::string>> get(
        const WindowBytesKey& key) const = 0;
    /// No value: deletes.
    virtual Result<void> put(const WindowBytesKey& key, std::optional<std::string_view> value) = 0;
    /// Those of a key with from <= start <= to, by start, then number.
    virtual Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to,
                               const Visit& visit, bool descending) const = 0;
    /// Those of all keys, by start, then key, then number.
    virtual Result<void> fetch_all(std::int64_t from, std::int64_t to, const Visit& visit,
                                   bool descending) const = 0;
    /// Windows that start before are over: nobody asks for them any more.
    virtual Result<void> expire(std::int64_t /*before*/) { return {}; }
    virtual Result<void> restore(std::span<const Change> changes) {
        for (const Change& one : changes) LEAT_TRY_VOID(put(one.key, one.value));
        return {};
    }
};

/// Values under (key, first and last time of a session).
class SessionBytesStore : public BytesStore {
  public:
    using Visit = std::function<bool(std::string_view key, Window session, std::string_view value)>;
    struct Change {
        std::string_view key{};
        Window session{};
        std::optional<std::string_view> value{};
    };

    [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key,
                                                                 Window session) const = 0;
    /// No value: removes it.
    virtual Result<void> put(std::string_view key, Window session,
                             std::optional<std::string_view> value) = 0;
    /// Those of a key with from <= end <= to, by end, then start.
    virtual Result<void> find(std::string_view key, std::int64_t from, std::int64_t to,
                              const Visit& visit, bool descending) const = 0;
    /// Those of all keys, by end, then start, then key.
    virtual Result<void> find_ended(std::int64_t from, std::int64_t to, const Visit& visit,
                                    bool descending) const = 0;
    /// Sessions that end before are over: nobody asks for them any more.
    virtual Result<void> expire(std::int64_t /*before*/) { return {}; }
    virtual Result<void> restore(std::span<const Change> changes) {
        for (const Change& one : changes) LEAT_TRY_VOID(put(one.key, one.session, one.value));
        return {};
    }
};

}  // namespace leat::streams
