// SPDX-License-Identifier: Apache-2.0
//
// Stores of windows and sessions as a user may write them: maps by time. Layer: streams (L6), tests
// only.
// Threading: as the stores they are.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "leat/streams/store_suppliers.h"
#include "streams/testing/own_stores.h"

namespace leat::streams::testing_own {

class MapWindows : public WindowBytesStore {
  public:
    explicit MapWindows(std::shared_ptr<Diary> diary) : diary_(std::move(diary)) {}
    [[nodiscard]] Result<std::optional<std::string>> get(const WindowBytesKey& key) const override {
        const auto found = rows.find(at(key));
        if (found == rows.end()) return std::optional<std::string>{};
        return std::optional{found->second};
    }
    Result<void> put(const WindowBytesKey& key, std::optional<std::string_view> value) override {
        if (value)
            rows.insert_or_assign(at(key), std::string{*value});
        else
            rows.erase(at(key));
        return {};
    }
    Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
                       bool descending) const override {
        return see(from, to, descending, [&](const WindowBytesKey& one, std::string_view value) {
            return one.key != key || visit(one, value);
        });
    }
    Result<void> fetch_all(std::int64_t from, std::int64_t to, const Visit& visit,
                           bool descending) const override {
        return see(from, to, descending, visit);
    }
    Result<void> expire(std::int64_t before) override {
        diary_->expired.push_back(before);
        rows.erase(rows.begin(), rows.lower_bound(Row{before, "", 0}));
        return {};
    }
    Result<void> restore(std::span<const Change> changes) override {
        diary_->restored += changes.size();
        return WindowBytesStore::restore(changes);
    }
    using Row = std::tuple<std::int64_t, std::string, std::uint32_t>;
    std::map<Row, std::string> rows;

  private:
    static Row at(const WindowBytesKey& key) {
        return {key.start, std::string{key.key}, key.number};
    }
    Result<void> see(std::int64_t from, std::int64_t to, bool descending,
                     const Visit& visit) const {
        const auto last = to == std::numeric_limits<std::int64_t>::max()
                              ? rows.end()
                              : rows.lower_bound(Row{to + 1, "", 0});
        if (to < from) return {};
        walk(rows.lower_bound(Row{from, "", 0}), last, descending, [&](const auto& row) {
            const auto& [start, key, number] = row.first;
            return visit({key, start, number}, row.second);
        });
        return {};
    }
    std::shared_ptr<Diary> diary_;
};

class MapSessions : public SessionBytesStore {
  public:
    explicit MapSessions(std::shared_ptr<Diary> diary) : diary_(std::move(diary)) {}
    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key,
                                                         Window session) const override {
        const auto found = rows.find(Row{session.end, session.start, std::string{key}});
        if (found == rows.end()) return std::optional<std::string>{};
        return std::optional{found->second};
    }
    Result<void> put(std::string_view key, Window session,
                     std::optional<std::string_view> value) override {
        const Row row{session.end, session.start, std::string{key}};
        if (value)
            rows.insert_or_assign(row, std::string{*value});
        else
            rows.erase(row);
        return {};
    }
    Result<void> find(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
                      bool descending) const override {
        return find_ended(
            from, to,
            [&](std::string_view one, Window session, std::string_view value) {
                return one != key || visit(one, session, value);
            },
            descending);
    }
    Result<void> find_ended(std::int64_t from, std::int64_t to, const Visit& visit,
                            bool descending) const override {
        if (to < from) return {};
        constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
        const auto last = to == std::numeric_limits<std::int64_t>::max()
                              ? rows.end()
                              : rows.lower_bound(Row{to + 1, kFirst, ""});
        walk(rows.lower_bound(Row{from, kFirst, ""}), last, descending, [&](const auto& row) {
            const auto& [end, start, key] = row.first;
            return visit(key, {start, end}, row.second);
        });
        return {};
    }
    Result<void> expire(std::int64_t before) override {
        diary_->expired.push_back(before);
        constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
        rows.erase(rows.begin(), rows.lower_bound(Row{before, kFirst, ""}));
        return {};
    }
    Result<void> restore(std::span<const Change> changes) override {
        diary_->restored += changes.size();
        return SessionBytesStore::restore(changes);
    }
    using Row = std::tuple<std::int64_t, std::int64_t, std::string>;
    std::map<Row, std::string> rows;

  private:
    std::shared_ptr<Diary> diary_;
};

inline WindowBytesStoreSupplier map_windows(std::string name, const std::shared_ptr<Diary>& diary,
                                            Duration retention, Duration window) {
    return {.name = std::move(name),
            .get = maker<MapWindows>(diary),
            .retention_period = retention,
            .window_size = window};
}
inline SessionBytesStoreSupplier map_sessions(std::string name, const std::shared_ptr<Diary>& diary,
                                              Duration retention) {
    return {
        .name = std::move(name), .get = maker<MapSessions>(diary), .retention_period = retention};
}

}  // namespace leat::streams::testing_own
