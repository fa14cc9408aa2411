// SPDX-License-Identifier: Apache-2.0
#include "client/write_settings.h"

#include <algorithm>
#include <limits>
#include <string>

#include "client/librdkafka_settings.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;

void read_limits(const LibrdkafkaSettings& given, WriteSettings& out) {
    out.record_bytes_max = static_cast<std::size_t>(given.number("message.max.bytes"));
    out.batch_bytes_max =
        std::min(static_cast<std::size_t>(given.number("batch.size")), out.record_bytes_max);
    if (given.has("message.max.bytes")) out.request_bytes_max = out.record_bytes_max;
    out.batch_records_max = static_cast<std::int32_t>(given.number("batch.num.messages"));
    const auto records = static_cast<std::uint64_t>(given.number("queue.buffering.max.messages"));
    out.queued_records_max = records == 0 ? std::numeric_limits<std::uint64_t>::max() : records;
    out.queued_bytes_max =
        static_cast<std::uint64_t>(given.number("queue.buffering.max.kbytes")) * 1024;
}

void read_times(const LibrdkafkaSettings& given, WriteSettings& out) {
    out.linger = milliseconds{given.number("queue.buffering.max.ms")};
    out.ack_timeout = milliseconds{given.number("request.timeout.ms")};
    out.delivery_timeout = milliseconds{given.number("message.timeout.ms")};
    out.retry = milliseconds{std::max<std::int64_t>(given.number("retry.backoff.ms"), 1)};
    out.transaction_timeout = milliseconds{given.number("transaction.timeout.ms")};
    out.refresh = milliseconds{given.number("metadata.max.age.ms")};
    out.propagation = milliseconds{given.number("topic.metadata.propagation.max.ms")};
    out.pauses = {.first = milliseconds{given.number("reconnect.backoff.ms")},
                  .most = milliseconds{given.number("reconnect.backoff.max.ms")}};
}

Result<void> read_batches(const LibrdkafkaSettings& given, WriteSettings& out) {
    const std::string of_topic = given.text("compression.codec");
    const auto codec = codec::codec_from_name(of_topic);
    if (!codec) return Error{Errc::kInvalidSetting, "compression.codec: " + of_topic};
    out.codec = *codec;
    const codec::Levels levels = codec::levels(out.codec);
    const auto level = static_cast<int>(given.number("compression.level"));
    out.level = level < 0 ? levels.fallback : std::clamp(level, levels.least, levels.most);
    const std::string partitioner = given.text("partitioner");
    const auto way = key_partitioner_of(partitioner);
    if (!way)
        return Error{Errc::kInvalidSetting, "partitioner: there is none called " + partitioner};
    out.partitioner = *way;
    out.creates_topics =
        !given.has("allow.auto.create.topics") || given.flag("allow.auto.create.topics");
    out.sticks = given.number("sticky.partitioning.linger.ms") > 0;
    return {};
}

/// What belongs together, as librdkafka has it.
Result<void> read_guarantees(const LibrdkafkaSettings& given, WriteSettings& out) {
    out.acks = static_cast<std::int16_t>(given.number("request.required.acks"));
    out.retries_max = given.number("message.send.max.retries");
    out.transactional_id = given.text("transactional.id");
    out.is_idempotent = given.flag("enable.idempotence");
    if (!out.transactional_id.empty()) {
        if (given.has("enable.idempotence") && !out.is_idempotent)
            return Error{Errc::kInvalidSetting,
                         "enable.idempotence: transactional.id does not go without it"};
        out.is_idempotent = true;
        if (!given.has("message.timeout.ms") && !given.has("delivery.timeout.ms"))
            out.delivery_timeout = std::min(out.delivery_timeout, out.transaction_timeout);
        else if (out.delivery_timeout > out.transaction_timeout)
            return Error{Errc::kInvalidSetting,
                         "message.timeout.ms: at most transaction.timeout.ms is possible"};
    }
    if (!out.is_idempotent) return {};
    if (out.acks != -1 && (given.has("request.required.acks") || given.has("acks")))
        return Error{Errc::kInvalidSetting, "acks: enable.idempotence wants all"};
    if (out.retries_max < 1)
        return Error{Errc::kInvalidSetting, "retries: enable.idempotence wants at least 1"};
    out.acks = -1;
    return {};
}

}  // namespace

Result<WriteSettings> write_settings_of(const std::vector<Property>& properties) {
    LEAT_TRY(const LibrdkafkaSettings given, LibrdkafkaSettings::read(properties, Role::kProducer));
    WriteSettings out;
    LEAT_TRY(out.cluster, given.cluster_options());
    read_limits(given, out);
    read_times(given, out);
    LEAT_TRY_VOID(read_batches(given, out));
    LEAT_TRY_VOID(read_guarantees(given, out));
    if (out.delivery_timeout.count() > 0 && out.delivery_timeout <= out.linger)
        return Error{Errc::kInvalidSetting, "message.timeout.ms: more than linger.ms is wanted"};
    // The broker may use all of its time before it answers that it was too short.
    out.cluster.connection.request_timeout =
        std::max(out.cluster.connection.request_timeout, out.ack_timeout) + milliseconds{5'000};
    return out;
}

}  // namespace leat::client
