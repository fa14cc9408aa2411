// SPDX-License-Identifier: Apache-2.0
//
// Properties: no line crashes the reader; a record it accepts, printed as `consume` prints it, is
// read back as the same record.
#include "apps/record_text.h"

#include <boost/json.hpp>

#include <cstdint>
#include <string_view>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view line{reinterpret_cast<const char*>(data), size};
    const auto first = leat::apps::record_from_json(line);
    if (!first) return 0;
    const leat::client::ReceivedRecord printed{
        .topic = "t",
        .partition = first->partition.value_or(0),
        .offset = leat::Offset{1},
        .timestamp = first->timestamp.value_or(leat::WallMs{-1}),
        .timestamp_type = leat::client::TimestampType::kCreateTime,
        .key = first->key,
        .value = first->value,
        .headers = first->headers};
    const auto second =
        leat::apps::record_from_json(boost::json::serialize(leat::apps::record_to_json(printed)));
    LEAT_CHECK(second.has_value());
    LEAT_CHECK(second->key == first->key && second->value == first->value);
    LEAT_CHECK(second->headers == first->headers && second->timestamp == first->timestamp);
    return 0;
}
