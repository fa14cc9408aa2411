// SPDX-License-Identifier: Apache-2.0
//
// Properties: whatever bytes come as key or value, the decoders end; what a value says survives
// being written and read again.
#include "transactions/snapshot.h"

#include <cstddef>
#include <cstdint>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const leat::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    using namespace leat::transactions;
    if (const auto id = decode_key(bytes); id.has_value() && *id) {
        const auto key = encode_key(**id);
        const auto again = decode_key(key);
        LEAT_CHECK(again.has_value() && *again == *id);
    }
    const auto snapshot = decode_value(bytes);
    if (!snapshot.has_value()) return 0;
    const auto again = decode_value(encode_value(*snapshot, 1));
    LEAT_CHECK(again.has_value());
    LEAT_CHECK(*again == *snapshot);
    return 0;
}
