// SPDX-License-Identifier: Apache-2.0
//
// Properties: no blob crashes the reader, and each topic it gives lies inside the blob.
#include "groups/subscription.h"

#include <cstdint>
#include <span>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const leat::Bytes blob = std::as_bytes(std::span{data, size});
    const auto topics = leat::groups::subscribed_topics(blob);
    if (!topics) return 0;
    LEAT_CHECK(topics->size() * 2 <= size);
    for (const std::string_view topic : *topics) {
        if (topic.empty()) continue;
        const auto* at = reinterpret_cast<const std::byte*>(topic.data());
        LEAT_CHECK(at >= blob.data() && at + topic.size() <= blob.data() + blob.size());
    }
    return 0;
}
