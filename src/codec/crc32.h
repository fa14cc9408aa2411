// SPDX-License-Identifier: Apache-2.0
//
// CRC-32 (IEEE), the checksum of messages before record batches (magic 0 and 1). Layer: codec (L1).
// Spec:  ISO 3309; "123456789" gives 0xCBF43926.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace leat::codec {

[[nodiscard]] std::uint32_t crc32(Bytes bytes) noexcept;

}  // namespace leat::codec
