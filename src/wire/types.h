// SPDX-License-Identifier: Apache-2.0
//
// What the generated messages are made of. Layer: wire (L2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/units.h"
#include "base/uuid.h"

namespace leat::wire {

/// First flexible version of an API that has none.
inline constexpr std::int16_t kNeverFlexible = INT16_MAX;

/// Versions min..max, both included.
struct VersionRange {
    std::int16_t min;
    std::int16_t max;
    [[nodiscard]] constexpr bool contains(std::int16_t version) const noexcept {
        return version >= min && version <= max;
    }
};

/// Record batches, as bytes that the messages do not look into.
///
/// Null, or a view of bytes, or (only when encoding) a promise of `external_bytes` bytes that
/// somebody else sends: Writer notes where they belong, so that they can come from a file.
/// Memory: a view; whoever made it owns the bytes.
/// Threading: not synchronised.
class Records {
  public:
    Records() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): reads as the bytes themselves.
    Records(Bytes bytes) noexcept : bytes_(bytes), kind_(Kind::kInline) {}
    /// `id` is the caller's and comes back in Splice.
    static Records external(std::uint64_t id, std::size_t size_bytes) noexcept {
        Records records;
        records.kind_ = Kind::kExternal;
        records.id_ = id;
        records.external_bytes_ = size_bytes;
        return records;
    }

    [[nodiscard]] bool is_null() const noexcept { return kind_ == Kind::kNull; }
    [[nodiscard]] bool is_external() const noexcept { return kind_ == Kind::kExternal; }
    /// Empty when null or external.
    [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t external_id() const noexcept { return id_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept {
        return is_external() ? external_bytes_ : bytes_.size();
    }

  private:
    enum class Kind : std::uint8_t { kNull, kInline, kExternal };
    Bytes bytes_;
    std::uint64_t id_ = 0;
    std::size_t external_bytes_ = 0;
    Kind kind_ = Kind::kNull;
};

/// What a message takes on the wire.
struct EncodedSize {
    std::size_t inline_bytes = 0;    ///< Written into the buffer.
    std::size_t external_bytes = 0;  ///< Spliced in between by the sender.
    [[nodiscard]] constexpr std::size_t total() const noexcept {
        return inline_bytes + external_bytes;
    }
};

/// External records: `size_bytes` bytes known to the caller as `id`, to be sent before the byte
/// `position` of the buffer.
struct Splice {
    std::size_t position;
    std::uint64_t id;
    std::size_t size_bytes;
};

}  // namespace leat::wire
