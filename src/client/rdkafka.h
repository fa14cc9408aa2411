// SPDX-License-Identifier: Apache-2.0
//
// Ownership of librdkafka's objects and its error codes as ours. Layer: client (L3). Internal to
// client: the only header that includes librdkafka.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/producer.h"

namespace leat::client {

struct RdDeleter {
    void operator()(rd_kafka_t* handle) const noexcept { rd_kafka_destroy(handle); }
    void operator()(rd_kafka_conf_t* conf) const noexcept { rd_kafka_conf_destroy(conf); }
    void operator()(rd_kafka_message_t* message) const noexcept {
        rd_kafka_message_destroy(message);
    }
    void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
    void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }
    void operator()(rd_kafka_topic_partition_list_t* list) const noexcept {
        rd_kafka_topic_partition_list_destroy(list);
    }
    void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }
    void operator()(rd_kafka_error_t* error) const noexcept { rd_kafka_error_destroy(error); }
};

template <class T>
using RdPtr = std::unique_ptr<T, RdDeleter>;

/// Kafka's wire codes keep their number; librdkafka's own become our nearest.
[[nodiscard]] Errc to_errc(rd_kafka_resp_err_t code);

/// Of what an error callback is told. librdkafka has one code for a login that is refused and for a
/// port that takes none.
[[nodiscard]] Errc trouble_errc(int code, std::string_view reason);

/// `what` was tried; librdkafka's words follow.
[[nodiscard]] Error to_error(rd_kafka_resp_err_t code, std::string_view what,
                             std::string_view reason = {});

/// As trouble_errc() has it: trying on does not help.
[[nodiscard]] bool is_login_refused(Errc trouble);

/// What the error callback told will not pass: a login that was refused, a certificate that one
/// side does not take.
[[nodiscard]] bool is_refused(Errc trouble, std::string_view reason);

/// It looks like a port of another kind than the client's, or one where nothing is up yet.
[[nodiscard]] bool is_of_other_kind(Errc trouble, std::string_view reason);

/// Of a question that nobody answered. `trouble`, `reason`: what the error callback told last.
[[nodiscard]] Error way_error(rd_kafka_resp_err_t way, Errc trouble, std::string_view reason);

/// An idempotent or transactional producer that can send nothing any more. Threading: thread-safe.
[[nodiscard]] bool has_fatal_error(rd_kafka_t* handle);

/// What a delivery report says; its reason lives as long as the library.
[[nodiscard]] Delivery delivery_of(const rd_kafka_message_t& message);

/// A configuration with `properties` (librdkafka's names) set, logging to `log` only.
/// Errors: kInvalidSetting, naming setting and line.
[[nodiscard]] Result<RdPtr<rd_kafka_conf_t>> make_conf(const std::vector<Property>& properties);

/// What the cluster says of a topic.
struct TopicPartitions {
    rd_kafka_resp_err_t way = RD_KAFKA_RESP_ERR_NO_ERROR;    ///< Of asking it.
    rd_kafka_resp_err_t topic = RD_KAFKA_RESP_ERR_NO_ERROR;  ///< Its answer.
    std::int32_t count = 0;
};
[[nodiscard]] TopicPartitions ask_partitions(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                                             std::chrono::milliseconds wait);

}  // namespace leat::client
