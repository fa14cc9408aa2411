// SPDX-License-Identifier: Apache-2.0
#include "client/received.h"

namespace leat::client {
namespace {

TimestampType to_type(rd_kafka_timestamp_type_t type) {
    switch (type) {
        case RD_KAFKA_TIMESTAMP_CREATE_TIME:
            return TimestampType::kCreateTime;
        case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME:
            return TimestampType::kLogAppendTime;
        case RD_KAFKA_TIMESTAMP_NOT_AVAILABLE:
            return TimestampType::kNone;
    }
    return TimestampType::kNone;
}

void read_headers(const rd_kafka_message_t* message, std::vector<Header>& into) {
    into.clear();
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        Header& header = into.emplace_back(Header{.name = name, .value = std::nullopt});
        if (value != nullptr) header.value = std::string{static_cast<const char*>(value), size};
    }
}

std::optional<std::string_view> view_of(const void* data, std::size_t size) {
    if (data == nullptr) return std::nullopt;
    return std::string_view{static_cast<const char*>(data), size};
}

}  // namespace

void read_record(const rd_kafka_message_t* message, ReceivedRecord& into) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    into.timestamp = WallMs{rd_kafka_message_timestamp(message, &type)};
    into.timestamp_type = to_type(type);
    into.topic = rd_kafka_topic_name(message->rkt);
    into.partition = message->partition;
    into.offset = Offset{message->offset};
    into.key = view_of(message->key, message->key_len);
    into.value = view_of(message->payload, message->len);
    read_headers(message, into.headers);
}

ReceivedRecord record_of(const rd_kafka_message_t* message) {
    ReceivedRecord out;
    read_record(message, out);
    return out;
}

bool is_final(rd_kafka_resp_err_t code) {
    switch (static_cast<int>(code)) {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
        case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
        case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        case RD_KAFKA_RESP_ERR__FATAL:
            return true;
        default:
            return false;
    }
}

}  // namespace leat::client
