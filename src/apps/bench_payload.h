// SPDX-License-Identifier: Apache-2.0
//
// Records that a benchmark can recognise again: who sent them, when, which one, and whether every
// byte is as sent. Layer: apps (L7). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::apps {

/// What a benchmark record says about itself.
struct BenchStamp {
    std::uint64_t run = 0;
    std::uint64_t sequence = 0;
    std::int64_t sent_ns = 0;  ///< The sender's own clock.
};

/// Makes and checks records of one size. Layout, little-endian:
///
///     0        8     16         24        32      40              size
///     | "LEATBNCH" | run | sequence | sent_ns | check | filler ...... |
///
/// `check` mixes the three numbers; the filler is the same for every record of one size, so that
/// making and checking costs the benchmark's client next to nothing, and compresses about two to
/// one.
///
/// Threading: not synchronised (make() reuses its buffer).
class BenchPayload {
  public:
    static constexpr std::size_t kSizeMin = 40;

    /// Precondition: size >= kSizeMin.
    explicit BenchPayload(std::size_t size);

    /// Valid until the next make().
    [[nodiscard]] std::string_view make(const BenchStamp& stamp);

    /// nullopt when the record is not of this size and kind, or any byte differs.
    [[nodiscard]] std::optional<BenchStamp> check(std::string_view record) const;

    /// What one record adds to a run's checksum; the sum does not depend on order.
    [[nodiscard]] static std::uint64_t digest(const BenchStamp& stamp);

  private:
    std::string buffer_;
};

}  // namespace leat::apps
