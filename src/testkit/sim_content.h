// SPDX-License-Identifier: Apache-2.0
//
// The bytes of one simulated file: what a reader sees, what is on the medium, and what is between.
// Layer: test-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/units.h"
#include "testkit/sim_random.h"

namespace leat::testkit {

/// Writes and truncations are volatile until sync(). A crash decides for each sector of 512 bytes
/// which of its versions since the last sync is on the medium, and apart from that for the size:
/// so writes tear and overtake each other, and a grown file may have holes of zeros.
///
/// Threading: not synchronised.
class SimContent {
  public:
    static constexpr std::int64_t kSector = 512;

    [[nodiscard]] std::int64_t size() const { return std::ssize(seen_); }
    [[nodiscard]] std::int64_t durable_size() const { return std::ssize(durable_); }
    [[nodiscard]] bool is_dirty() const { return !pending_.empty(); }

    std::size_t read(std::int64_t at, MutableBytes to) const;
    void write(std::int64_t at, Bytes bytes);
    void truncate(std::int64_t size);

    /// All pending becomes durable.
    void sync();

    /// A sync that failed: a random part of the sectors is on the medium, the rest is given up as
    /// the kernel does: readers see it, but no later sync writes it.
    void fail_sync(SimRandom& random);

    /// What is on the medium when the power goes; each sector advances past a pending change with
    /// `survive_percent`. Afterwards readers see that, and nothing is pending.
    void crash(SimRandom& random, std::uint64_t survive_percent);

    /// On the medium and for readers. Precondition: within size().
    void flip_bit(std::int64_t byte, unsigned bit);

  private:
    struct Change {
        std::int64_t at;  ///< For a truncation the new size.
        std::vector<std::byte> bytes;
        bool is_truncation = false;
    };
    void settle(SimRandom& random, std::uint64_t survive_percent);

    std::vector<std::byte> seen_;
    std::vector<std::byte> durable_;
    std::vector<Change> pending_;  ///< Since the last sync, oldest first.
};

}  // namespace leat::testkit
