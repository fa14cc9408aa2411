// SPDX-License-Identifier: Apache-2.0
//
// Properties: whatever bytes come, the decoder ends, keeps its limits and gives names and
// attributes that fit into labels.
#include "broker/otlp.h"

#include <cstddef>
#include <cstdint>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const leat::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    const auto points = leat::broker::decode_otlp(bytes, 50);
    if (!points.has_value()) return 0;
    LEAT_CHECK(points->size() <= 50);
    for (const auto& point : *points) {
        LEAT_CHECK(point.name.size() <= 210);
        LEAT_CHECK(point.attributes.size() <= 400);
    }
    return 0;
}
