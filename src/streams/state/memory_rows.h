// SPDX-License-Identifier: Apache-2.0
//
// Rows in memory, in the order of memcmp(): leaves of some hundred rows below one tree of leaves,
// so that finding a row touches few lines of memory however many there are. Layer: streams (L6).
// Changes tell the visits that go on, see rows_visit.h.
// Threading: not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::streams::detail {

class MemoryRows {
  public:
    MemoryRows() = default;
    MemoryRows(const MemoryRows&) = delete;
    MemoryRows& operator=(const MemoryRows&) = delete;
    ~MemoryRows();

    /// The value, good until the next change.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
    void put(std::string_view key, std::string_view value);
    void erase(std::string_view key);
    /// Rows of from <= key < to; an absent bound is none.
    void erase(std::string_view from, std::string_view to);
    void clear();
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Another one: places and keys that were found before lead nowhere.
    [[nodiscard]] std::uint64_t stamp() const noexcept { return stamp_; }

  private:
    /// Key and value in one piece of memory.
    struct Row;
    struct FreeRow {
        void operator()(Row* row) const noexcept;
    };
    using RowPtr = std::unique_ptr<Row, FreeRow>;
    struct Slot {
        std::uint64_t head = 0;  ///< The key's first bytes behind what all keys of the leaf share.
        RowPtr row;
    };
    struct Leaf {
        /// Bytes with which all keys begin: here, so that a look does not wait for a row's memory.
        std::string shared;
        std::vector<Slot> slots;
    };
    /// By a key that is not greater than the leaf's first; the first leaf's is empty.
    using Leaves = std::map<std::string, Leaf, std::less<>>;

  public:
    /// A place between two rows.
    struct Place {
        Leaves::const_iterator leaf;
        std::size_t slot = 0;
    };
    /// The first row that is not less than `key`.
    [[nodiscard]] Place lower_bound(std::string_view key) const;
    [[nodiscard]] Place begin() const;
    [[nodiscard]] Place end() const;
    [[nodiscard]] static bool equal(const Place& a, const Place& b) {
        return a.leaf == b.leaf && a.slot == b.slot;
    }
    /// Preconditions: there is a row at, or before, the place.
    [[nodiscard]] std::string_view key(const Place& at) const;
    [[nodiscard]] std::string_view value(const Place& at) const;
    /// Where both lie, for RowsVisit::pass().
    [[nodiscard]] void* address(const Place& at) const;
    void next(Place& at) const;
    void previous(Place& at) const;

  private:
    [[nodiscard]] static RowPtr make_row(std::string_view key, std::string_view value);
    [[nodiscard]] static std::uint64_t head_of(std::string_view key, std::size_t shared);
    /// Where the key is in a leaf, or would be.
    [[nodiscard]] static std::size_t find_slot(const Leaf& leaf, std::string_view key);
    static void share(Leaf& leaf, std::string_view shared);
    /// Before a row changes or goes.
    void note(Row& row) const;
    void let_go(RowPtr row) const;
    [[nodiscard]] Leaves::iterator leaf_of(std::string_view key);
    void insert(Leaves::iterator leaf, std::size_t slot, RowPtr row);
    void split(Leaves::iterator leaf);

    Leaves leaves_;
    std::size_t size_ = 0;
    std::uint64_t stamp_ = 0;
};

}  // namespace leat::streams::detail
