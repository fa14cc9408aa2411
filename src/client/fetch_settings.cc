// SPDX-License-Identifier: Apache-2.0
#include "client/fetch_settings.h"

#include <algorithm>

#include "client/librdkafka_settings.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;

void read_fetching(const LibrdkafkaSettings& given, FetchSettings& out) {
    const auto number = [&](const char* name) { return given.number(name); };
    const auto small = [&](const char* name) {
        return static_cast<std::int32_t>(std::min<std::int64_t>(given.number(name), INT32_MAX));
    };
    out.wait_max = milliseconds{number("fetch.wait.max.ms")};
    out.bytes_min = small("fetch.min.bytes");
    out.bytes_max = small("fetch.max.bytes");
    out.partition_bytes_max = small("fetch.message.max.bytes");
    out.queued_records = static_cast<std::size_t>(number("queued.min.messages"));
    out.queued_bytes = static_cast<std::size_t>(number("queued.max.messages.kbytes")) * 1024;
    // librdkafka, too, lets an answer be as large as what it asks for.
    out.response_bytes_max = static_cast<std::size_t>(
        std::max<std::int64_t>(number("receive.message.max.bytes"), out.bytes_max + 512LL));
    out.rules = {.committed_only = given.text("isolation.level") == "read_committed",
                 .checks_crc = given.flag("check.crcs"),
                 .inflated_bytes_max = out.response_bytes_max};
    out.rack = given.text("client.rack");
    out.pauses = {.first = milliseconds{number("reconnect.backoff.ms")},
                  .most = milliseconds{number("reconnect.backoff.max.ms")}};
    out.retry = milliseconds{std::max<std::int64_t>(number("retry.backoff.ms"), 1)};
    out.refresh = milliseconds{number("metadata.max.age.ms")};
    out.propagation = milliseconds{number("topic.metadata.propagation.max.ms")};
}

}  // namespace

Result<FetchSettings> fetch_settings_of(const std::vector<Property>& properties) {
    LEAT_TRY(const LibrdkafkaSettings given, LibrdkafkaSettings::read(properties, Role::kConsumer));
    FetchSettings out;
    LEAT_TRY(out.cluster, given.cluster_options());
    for (const Property& property : properties) {
        if (property.name != kInputBufferBytes) continue;
        LEAT_TRY(const std::int64_t bytes, bytes_in(property));
        out.buffered_bytes = static_cast<std::size_t>(bytes);
    }
    read_fetching(given, out);
    ConnectionOptions& connection = out.cluster.connection;
    connection.response_bytes_max = out.response_bytes_max;
    // A broker may use all of the wait before it begins to answer.
    connection.request_timeout =
        std::max(connection.request_timeout, out.wait_max + milliseconds{5'000});
    return out;
}

}  // namespace leat::client
