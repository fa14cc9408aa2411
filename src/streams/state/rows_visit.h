// SPDX-License-Identifier: Apache-2.0
//
// Rows that are visited as they were when the visit began, whatever the visitor does to them: what
// it changes ahead of itself is noted first. So a visit copies nothing that is not changed, and
// changes cost one look at a variable of the thread while there is no visit. Layer: streams (L6).
// Threading: belongs to the thread that made it, and rows are changed by that thread alone as long
// as it lives: other threads' visits are none of that thread's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/state_store.h"

namespace leat::streams::detail {

/// Of rows from <= key < to; an absent bound is none.
struct RowRange {
    std::string_view from{};
    std::optional<std::string_view> to{};
};

class RowsVisit {
  public:
    /// What a row was before it was changed.
    struct Before {
        bool was_there = false;
        std::optional<std::string> value{};  ///< Absent: it was there as a deletion.
    };
    using Noted = std::map<std::string, Before, std::less<>>;

    /// `place`: of the rows. `range` is that of all walks, and must live as long.
    RowsVisit(const void* place, Direction direction, RowRange range) noexcept
        : place_(place),
          direction_(direction),
          range_(range),
          outer_(std::exchange(innermost, this)) {}
    RowsVisit(const RowsVisit&) = delete;
    RowsVisit& operator=(const RowsVisit&) = delete;
    ~RowsVisit() { innermost = outer_; }

    /// This thread visits something.
    [[nodiscard]] static bool any() noexcept { return innermost != nullptr; }
    /// Before a row of the place is put or erased; `before` makes what it is now.
    template <class Make>
    static void note(const void* place, std::string_view key, const Make& before) {
        for (RowsVisit* visit = innermost; visit != nullptr; visit = visit->outer_)
            if (visit->place_ == place && visit->is_to_come(key) && !visit->noted_.contains(key))
                visit->noted_.emplace(key, before());
    }
    /// Memory of operator new which is no row any more. True: a visitor looks at it, and the visit
    /// frees it.
    [[nodiscard]] static bool keeps(const void* place, void* row) noexcept;

    [[nodiscard]] Direction direction() const noexcept { return direction_; }
    [[nodiscard]] bool is_forward() const noexcept { return direction_ == Direction::kForward; }
    /// The visit comes to `a` first.
    [[nodiscard]] bool is_sooner(std::string_view a, std::string_view b) const noexcept {
        return is_forward() ? a < b : a > b;
    }
    /// The key of the last row; absent before the first.
    [[nodiscard]] const std::optional<std::string_view>& at() const noexcept { return at_; }
    /// Moves on to a row. Its key and value stay where they are until the visit moves on again.
    void pass(std::string_view key, void* row) noexcept;
    /// The same with a key that may go.
    void pass(std::string_view key);
    /// The first of the changed rows to come that are in the range; null: there is none.
    [[nodiscard]] const Noted::value_type* next_noted(const RowRange& range) const;
    /// Moves on to it.
    const Noted::value_type& pass(const Noted::value_type& noted);

  private:
    struct Free {
        void operator()(void* row) const noexcept { ::operator delete(row); }
    };
    [[nodiscard]] bool is_to_come(std::string_view key) const noexcept {
        return key >= range_.from && (!range_.to || key < *range_.to) &&
               (!at_ || is_sooner(*at_, key));
    }
    void let_go(void* row) noexcept;

    static thread_local constinit inline RowsVisit* innermost = nullptr;
    const void* place_;
    Direction direction_;
    RowRange range_;
    RowsVisit* outer_;
    std::optional<std::string_view> at_;
    void* row_ = nullptr;               ///< Where the visitor looks.
    std::unique_ptr<void, Free> gone_;  ///< It, when it is no row any more.
    std::string key_;
    Noted noted_;
    Noted passed_;  ///< One at most.
};

/// Rows below others, of which there are none.
struct NoRows {
    static std::optional<std::string_view> key() { return std::nullopt; }
    static std::string_view value() { return {}; }
    static void step() {}
};

/// Shows the rows of a range: those of `above`, which change, and those of `below`, which do not
/// and are hidden by rows above. Each has key(), absent at the end, value() and step(); what is
/// above also catch_up(), after changes, and pass(), which moves the visit to its row. False:
/// `visit` has stopped it.
template <class Below, class Above, class Visit>
bool walk(RowsVisit& during, const RowRange& range, Below& below, Above& above,
          const Visit& visit) {
    for (;;) {
        above.catch_up();
        const auto* noted = during.next_noted(range);
        const std::optional<std::string_view> deep = below.key();
        const std::optional<std::string_view> live = above.key();
        std::optional<std::string_view> first = deep;
        if (live && (!first || during.is_sooner(*live, *first))) first = live;
        if (noted != nullptr && (!first || during.is_sooner(noted->first, *first)))
            first = noted->first;
        if (!first) return true;
        const bool is_deep = deep && *deep == *first;
        const bool is_live = live && *live == *first;
        std::string_view key = *first;
        std::optional<std::string_view> value;
        if (noted != nullptr && noted->first == *first) {
            if (is_live) above.step();
            const auto& then = during.pass(*noted);
            key = then.first;
            if (then.second.value) value = *then.second.value;
            if (!then.second.was_there && is_deep) value = below.value();
        } else if (is_live) {
            value = above.value();
            above.pass(during);
            key = *during.at();
            above.step();
        } else {
            value = below.value();
            during.pass(key);
        }
        const bool goes_on = !value || visit(key, *value);
        if (!goes_on) return false;
        if (is_deep) below.step();
    }
}

}  // namespace leat::streams::detail
