// SPDX-License-Identifier: Apache-2.0
//
// The newest rows of a window store once more, in memory and by key: a join of two streams looks
// into its other side's last moments for every record, and a seek in the database costs more than
// all else that the record does. Layer: streams (L6).
// Threading: fetch() by any number of readers at once, while nothing is changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "leat/streams/detail/state_store.h"

namespace leat::streams::detail {

/// Memory that rows beside databases may take, shared out equally among those who have begun.
/// Threading: thread-safe.
class RowBudget {
  public:
    RowBudget() = default;
    RowBudget(const RowBudget&) = delete;
    RowBudget& operator=(const RowBudget&) = delete;
    virtual ~RowBudget() = default;
    virtual void join() noexcept = 0;
    /// Having given everything back.
    virtual void leave() noexcept = 0;
    /// False: with what it holds the caller would have more than its share.
    [[nodiscard]] virtual bool take(std::size_t held, std::size_t bytes) = 0;
    virtual void give_back(std::size_t bytes) noexcept = 0;
};

/// Every row whose window starts at from() or later, several under one key and start. What does
/// not fit into the budget goes from the oldest on, and from() rises.
class RecentRows {
  public:
    using Visit = std::function<bool(std::int64_t start, const Entry& entry)>;

    /// Rows are dropped by parts of `span_ms` that are an eighth of it.
    RecentRows(std::shared_ptr<RowBudget> budget, std::int64_t span_ms);
    RecentRows(const RecentRows&) = delete;
    RecentRows& operator=(const RecentRows&) = delete;
    ~RecentRows();

    /// All rows of `from` and later are put from now on; there is none so far.
    void begin(std::int64_t from);
    [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
    /// Knows nothing, until begin().
    void forget();
    [[nodiscard]] std::int64_t from() const noexcept { return from_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// Ignored when it is older than from().
    void put(std::string_view key, std::int64_t start, std::string_view value);
    /// Rows that are older are not asked for any more.
    void expire(std::int64_t oldest);
    /// As WindowStore::fetch(). Precondition: has_begun(), from() <= from.
    void fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
               Direction direction) const;

  private:
    struct Row {
        std::int64_t start = 0;
        std::string_view value;  ///< In the arena of its part.
    };
    struct Rows {
        std::vector<Row> by_start;   ///< Of one start in the order of their puts.
        std::int64_t noted_in = -1;  ///< The part whose list has the key already.
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept {
            return std::hash<std::string_view>{}(key);
        }
    };
    using ByKey = std::unordered_map<std::string, Rows, Hash, std::equal_to<>>;
    struct Part {
        std::vector<ByKey::pointer> keys{};  ///< Those with rows in it, some perhaps twice.
        Arena values{};
    };

    void drop_first();
    void take(std::size_t bytes);

    std::shared_ptr<RowBudget> budget_;
    std::int64_t part_ms_;
    bool has_begun_ = false;
    std::int64_t from_ = 0;
    ByKey rows_;
    std::map<std::int64_t, Part> parts_;
    std::size_t bytes_ = 0;
    std::size_t taken_ = 0;
};

}  // namespace leat::streams::detail
