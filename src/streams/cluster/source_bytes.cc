// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/source_bytes.h"

namespace leat::streams {
namespace {

TimestampType type_of(client::TimestampType type) {
    switch (type) {
        case client::TimestampType::kNone:
            return TimestampType::kNone;
        case client::TimestampType::kCreateTime:
            return TimestampType::kCreateTime;
        case client::TimestampType::kLogAppendTime:
            return TimestampType::kLogAppendTime;
    }
    return TimestampType::kNone;
}

}  // namespace

detail::SourceBytes source_bytes(const client::ReceivedRecord& record, std::string_view topic,
                                 std::int64_t partition_time, Headers& headers) {
    headers.clear();
    for (const auto& header : record.headers) headers.push_back({header.name, header.value});
    return {.topic = topic,
            .key = record.key,
            .value = record.value,
            .timestamp = record.timestamp.value,
            .headers = &headers,
            .partition_time = partition_time,
            .timestamp_type = type_of(record.timestamp_type)};
}

}  // namespace leat::streams
