// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C (Castagnoli), the checksum of record batches and of our own files. Layer: codec (L1).
// Spec:  RFC 3720, appendix B.4; "123456789" gives 0xE3069283.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace leat::codec {

/// The checksum of bytes that come in pieces.
///
/// Threading: not synchronised.
class Crc32c {
  public:
    Crc32c& update(Bytes bytes) noexcept;
    [[nodiscard]] std::uint32_t value() const noexcept { return ~state_; }

  private:
    std::uint32_t state_ = 0xFFFF'FFFF;  ///< Not yet inverted.
};

[[nodiscard]] inline std::uint32_t crc32c(Bytes bytes) noexcept {
    return Crc32c{}.update(bytes).value();
}

}  // namespace leat::codec
