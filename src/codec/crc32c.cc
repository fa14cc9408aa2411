// SPDX-License-Identifier: Apache-2.0
#include "codec/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace leat::codec {

Crc32c& Crc32c::update(Bytes bytes) noexcept {
    constexpr std::size_t kStep = std::size_t{1} << 30;  // The library counts in int.
    while (!bytes.empty()) {
        const std::size_t size = std::min(bytes.size(), kStep);
        // The library only reads, but does not say so.
        auto* from = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
        state_ = crc32_iscsi(from, static_cast<int>(size), state_);
        bytes = bytes.subspan(size);
    }
    return *this;
}

}  // namespace leat::codec
