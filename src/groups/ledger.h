// SPDX-License-Identifier: Apache-2.0
//
// Records that a group counts on and that are not in the log. Layer: groups (L5).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "groups/types.h"

namespace leat::groups {

/// A group of the consumer protocol moves on before its records are durable, and answers after.
/// When an append fails the group is torn: what was lost is written again with the next append, and
/// until that one is durable every answer is an error.
///
/// Invariant: each key has its last value in the log, on its way, or here.
/// Threading: not synchronised.
class Ledger {
  public:
    using Key = std::vector<std::byte>;

    [[nodiscard]] bool has_missing() const noexcept { return !missing_.empty(); }
    [[nodiscard]] bool is_torn() const noexcept { return is_torn_; }

    /// Puts what is missing in front of `records`; the number of this append.
    std::uint64_t begin(std::vector<RecordToWrite>& records);
    /// What became of append `number`, in the order of the numbers; false: its answers are errors.
    bool end(std::uint64_t number, std::vector<RecordToWrite> records, bool is_written);

    /// An append that is not made up for when it fails is about to be made: those of its keys that
    /// an older append may have lost, or may yet lose. They are not written behind it.
    [[nodiscard]] std::vector<Key> overtake(const std::vector<RecordToWrite>& records);
    /// What became of it, in the order of all appends; `keys` as overtake() gave them.
    void overtaken(const std::vector<Key>& keys, bool is_written);

  private:
    std::map<Key, std::optional<std::vector<std::byte>>> missing_;
    std::map<Key, std::uint64_t> latest_;  ///< The last append on its way.
    std::map<Key, int> overtaking_;        ///< Appends of the other kind on their way.
    std::uint64_t next_ = 1;
    std::uint64_t whole_from_ = 0;  ///< Appends before this one lack what was lost.
    bool is_torn_ = false;
};

}  // namespace leat::groups
