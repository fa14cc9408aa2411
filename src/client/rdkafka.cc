// SPDX-License-Identifier: Apache-2.0
#include "client/rdkafka.h"

#include <string>

namespace leat::client {

Errc to_errc(rd_kafka_resp_err_t code) {
    // tidy: librdkafka's enum is not ours and grows with it, hence the default.
    if (code >= 0) return errc_from_wire(static_cast<std::int16_t>(code));
    switch (static_cast<int>(code)) {
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
            return Errc::kTimedOut;
        case RD_KAFKA_RESP_ERR__TRANSPORT:
        case RD_KAFKA_RESP_ERR__RESOLVE:
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            return Errc::kNetworkException;
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return Errc::kUnknownTopicOrPartition;
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
            return Errc::kUsage;
        case RD_KAFKA_RESP_ERR__NO_OFFSET:
            return Errc::kNotFound;
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            return Errc::kLimitExceeded;
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            return Errc::kSaslAuthenticationFailed;
        case RD_KAFKA_RESP_ERR__SSL:
            return Errc::kClosed;
        case RD_KAFKA_RESP_ERR__BAD_MSG:
        case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
            return Errc::kCorruptMessage;
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
            return Errc::kUnsupportedVersion;
        case RD_KAFKA_RESP_ERR__FENCED:
            return Errc::kProducerFenced;
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
        case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            return Errc::kCancelled;
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            return Errc::kOffsetOutOfRange;
        default:
            return Errc::kUnknownServerError;
    }
}

Errc trouble_errc(int code, std::string_view reason) {
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION &&
        reason.contains(rd_kafka_err2str(RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE)))
        return Errc::kIllegalSaslState;
    return to_errc(static_cast<rd_kafka_resp_err_t>(code));
}

Error to_error(rd_kafka_resp_err_t code, std::string_view what, std::string_view reason) {
    std::string text{what};
    if (!text.empty()) text += ": ";
    text += reason.empty() ? std::string_view{rd_kafka_err2str(code)} : reason;
    return Error{to_errc(code), text};
}

bool has_fatal_error(rd_kafka_t* handle) {
    return rd_kafka_fatal_error(handle, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool is_login_refused(Errc trouble) {
    return trouble == Errc::kSaslAuthenticationFailed || trouble == Errc::kIllegalSaslState;
}

bool is_refused(Errc trouble, std::string_view reason) {
    // Of TLS 1.3 a client has finished its handshake when the other side finds that it has none.
    return is_login_refused(trouble) || reason.contains("alert certificate required") ||
           reason.contains("certificate verify failed");
}

bool is_of_other_kind(Errc trouble, std::string_view reason) {
    // A handshake that fails is told as one, or only as a connection that ended while in it. The
    // last is librdkafka's own guess.
    return trouble == Errc::kClosed || reason.contains("SSL_HANDSHAKE") ||
           reason.contains("security.protocol");
}

Error way_error(rd_kafka_resp_err_t way, Errc trouble, std::string_view reason) {
    // What librdkafka's answer says is only that nobody answered; why stood in the trouble before.
    if (is_login_refused(trouble)) return Error{trouble, reason};
    if (is_refused(trouble, reason) || is_of_other_kind(trouble, reason))
        return Error{Errc::kClosed, reason};
    return to_error(way, "", reason);
}

TopicPartitions ask_partitions(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                               std::chrono::milliseconds wait) {
    const rd_kafka_metadata_t* found = nullptr;
    TopicPartitions out;
    out.way = rd_kafka_metadata(handle, 0, topic, &found, static_cast<int>(wait.count()));
    if (out.way != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
    const bool known = found->topic_cnt == 1;
    out.topic = known ? found->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    out.count = known ? found->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(found);
    return out;
}

Delivery delivery_of(const rd_kafka_message_t& message) {
    Delivery out{.tag = reinterpret_cast<std::uint64_t>(message._private),
                 .reason = {},
                 .topic = message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt),
                 .partition = message.partition,
                 .offset = Offset{message.offset},
                 .value_bytes = message.len};
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        out.code = to_errc(message.err);
        out.reason = rd_kafka_err2str(message.err);
        out.may_be_stored =
            rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
    }
    return out;
}

Result<RdPtr<rd_kafka_conf_t>> make_conf(const std::vector<Property>& properties) {
    RdPtr<rd_kafka_conf_t> conf{rd_kafka_conf_new()};
    for (const Property& property : properties) {
        char why[512];
        if (rd_kafka_conf_set(conf.get(), property.name.c_str(), property.value.c_str(), why,
                              sizeof why) == RD_KAFKA_CONF_OK)
            continue;
        const std::string line =
            property.line > 0 ? " (line " + std::to_string(property.line) + ")" : "";
        return Error{Errc::kInvalidSetting, property.name + line + ": " + why};
    }
    // Silent unless asked: what matters comes back as errors, and stderr belongs to the command.
    if (find_property(properties, "debug").empty()) rd_kafka_conf_set_log_cb(conf.get(), nullptr);
    return conf;
}

}  // namespace leat::client
