// SPDX-License-Identifier: Apache-2.0
#include "codec/crc32.h"

#include <zlib.h>

namespace leat::codec {

std::uint32_t crc32(Bytes bytes) noexcept {
    const auto* from = reinterpret_cast<const Bytef*>(bytes.data());
    // A null pointer would make the library answer with its start value; that is right for none.
    return static_cast<std::uint32_t>(::crc32_z(0, from, bytes.size()));
}

}  // namespace leat::codec
