// SPDX-License-Identifier: Apache-2.0
//
// The last offset of each key, in bounded memory. Layer: storage (L3). Pure.
// Spec:  Kafka's SkimpyOffsetMap: keys are kept as 16-byte hashes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.h"

namespace leat::storage {

/// SipHash-2-4 with 128 bits. Two keys with the same hash would cost a record: the secret keeps
/// clients from making such keys.
struct KeyHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    friend bool operator==(const KeyHash&, const KeyHash&) = default;
};
using HashSecret = std::array<std::uint64_t, 2>;
[[nodiscard]] KeyHash hash_key(Bytes key, const HashSecret& secret) noexcept;

/// Threading: not synchronised.
/// Memory:    24 bytes a slot, allocated at once.
class OffsetMap {
  public:
    /// Takes at most `bytes_max`, and no more than `keys` keys need; `load` of the slots are used.
    OffsetMap(std::size_t bytes_max, double load, std::size_t keys, const HashSecret& secret);

    /// Precondition: has_room(1).
    void put(Bytes key, Offset offset);
    [[nodiscard]] std::optional<Offset> find(Bytes key) const;
    [[nodiscard]] bool has_room(std::size_t keys) const noexcept {
        return used_ + keys <= used_max_;
    }
    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return used_max_; }

  private:
    struct Slot {
        KeyHash key;
        std::int64_t offset = -1;  ///< -1: free.
    };
    [[nodiscard]] std::size_t slot_of(const KeyHash& key) const noexcept;

    HashSecret secret_;
    std::vector<Slot> slots_;
    std::size_t used_ = 0;
    std::size_t used_max_;
};

}  // namespace leat::storage
