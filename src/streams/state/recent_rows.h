// SPDX-License-Identifier: Apache-2.0
//
// The newest rows of a window store in memory, by key: a join of two streams looks into its other
// side's last moments for every record, and puts each record where it is soon too old for anybody.
// A seek in the database and a put into it cost more than all else that the record does. Layer:
// streams (L6).
// Threading: fetch() by any number of readers at once, while nothing is changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
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
/// not fit into the budget leaves from the oldest on, and from() rises; what nobody reads any more
/// goes without a word.
class RecentRows {
  public:
    using Visit = std::function<bool(std::int64_t start, const Entry& entry)>;
    struct Seen {
        std::string_view key{};
        std::int64_t start = 0;
        std::uint32_t number = 0;
        std::string_view value{};
    };
    using VisitRow = std::function<Result<void>(const Seen& row)>;

    /// Rows go by parts of `span_ms`. `on_leave` takes each that is here alone and still read, in
    /// the order of (key, start, number) within a part; null: there is none.
    RecentRows(std::shared_ptr<RowBudget> budget, std::int64_t span_ms, VisitRow on_leave = {});
    RecentRows(const RecentRows&) = delete;
    RecentRows& operator=(const RecentRows&) = delete;
    ~RecentRows();

    /// All rows of `from` and later are put from now on; there is none so far.
    void begin(std::int64_t from);
    [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
    /// Knows nothing, until begin(). What is here alone is lost.
    void forget();
    [[nodiscard]] std::int64_t from() const noexcept { return from_; }
    [[nodiscard]] bool takes(std::int64_t start) const noexcept {
        return has_begun_ && start >= from_;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// `logged_at`: the row is here and in the changelog alone, where its record has that time;
    /// none: the caller writes it. Precondition: takes(start). Errors: those of `on_leave`.
    Result<void> put(const Seen& row, std::optional<std::int64_t> logged_at);
    /// Rows that are older are not asked for any more.
    void expire(std::int64_t oldest);
    /// As WindowStore::fetch(): rows as they are when it is called, whatever `visit` puts; false:
    /// `visit` has stopped it. Precondition: has_begun(), from() <= from.
    bool fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
               Direction direction) const;
    /// Rows of all keys with from <= start <= to, in no order.
    Result<void> each(std::int64_t from, std::int64_t to, const VisitRow& visit) const;

    struct Commit {
        std::optional<std::int64_t> before{};
        std::int64_t next = 0;
        /// Parts with rows that were logged before are written, and stay.
        std::int64_t relied_on_from = std::numeric_limits<std::int64_t>::min();
    };
    /// As StateStore::note_commit() and settle(), for what has come here.
    Result<std::optional<std::int64_t>> note_commit(const Commit& commit);
    [[nodiscard]] bool has_alone_before(std::int64_t logged_at) const;
    Result<bool> settle();
    /// Every row leaves. Errors: those of `on_leave`.
    Result<void> leave();

  private:
    class Fetching;
    struct Row;
    /// To a row that is gone when it starts before from_.
    struct Link {
        Row* row = nullptr;
        std::int64_t start = -1;
    };
    struct Slot {
        std::size_t hash = 0;
        Link newest{};  ///< Of one key; null: the slot was never used.
    };
    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t used = 0;
        std::size_t size = 0;
    };
    struct Part {
        std::vector<Block> blocks{};
        std::size_t rows = 0;
        std::size_t committed = 0;  ///< The first of them.
        std::size_t alone = 0;      ///< Rows that are not written.
        std::size_t alone_committed = 0;
        std::int64_t logged_at = 0;  ///< Of these the earliest.
        /// They are in the changelog from there on.
        std::optional<std::int64_t> position{};
    };

    [[nodiscard]] bool is_there(const Link& to) const noexcept {
        return to.row != nullptr && to.start >= from_;
    }
    [[nodiscard]] Slot* find(std::string_view key, std::size_t hash) const;
    [[nodiscard]] Slot& slot_for(std::string_view key);
    void rebuild();
    [[nodiscard]] static Row* make_row(Part& part, const Seen& row, std::size_t& taken);
    static void note_alone(Part& part, Row& row, std::int64_t logged_at);
    void set_older(Row& row, const Link& older) const;
    void link(Slot& slot, Row& row) const;
    /// The last row behind `at` that starts after `start`. Precondition: `at` does.
    [[nodiscard]] Row* last_after(Row* at, std::int64_t start) const;
    template <class Call>
    static void each_row(const Part& part, std::size_t count, Call call);
    Result<void> take(std::size_t bytes);
    /// Writes what is here alone of its first `count` rows.
    Result<void> write(Part& part, std::size_t count) const;
    void drop_first();
    [[nodiscard]] std::int64_t end_of(std::int64_t part) const noexcept;

    std::shared_ptr<RowBudget> budget_;
    VisitRow on_leave_;
    std::int64_t part_ms_;
    bool has_begun_ = false;
    bool has_lost_ = false;  ///< Committed rows are not here any more, since the last commit.
    std::int64_t from_ = 0;
    std::int64_t oldest_ = 0;
    std::int64_t committed_oldest_ = 0;  ///< oldest_ at the last commit.
    mutable std::vector<Slot> slots_;    ///< A power of two, or none.
    std::size_t used_slots_ = 0;
    std::map<std::int64_t, Part> parts_;
    std::size_t bytes_ = 0;
    std::size_t taken_ = 0;
};

}  // namespace leat::streams::detail
