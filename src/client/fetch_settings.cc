// SPDX-License-Identifier: Apache-2.0
#include "client/fetch_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "client/rdkafka.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;

/// What the security of a connection may be made of that rt::TlsContext and auth do not have.
constexpr auto kOnlyLibrdkafkas = std::to_array<std::string_view>({
    "plugin.library.paths",
    "ssl.ca.certificate.stores",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.engine.location",
    "ssl.providers",
    "ssl.sigalgs.list",
});

/// As librdkafka understands it, whatever it was called and whether it was set.
std::string value_of(const rd_kafka_conf_t* conf, const char* name) {
    std::array<char, 512> text{};
    std::size_t size = text.size();
    if (rd_kafka_conf_get(conf, name, text.data(), &size) != RD_KAFKA_CONF_OK) return {};
    return text.data();
}

std::int64_t number_of(const rd_kafka_conf_t* conf, const char* name) {
    const std::string text = value_of(conf, name);
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

void read_fetching(const rd_kafka_conf_t* conf, FetchSettings& out) {
    const auto number = [conf](const char* name) { return number_of(conf, name); };
    const auto small = [conf](const char* name) {
        return static_cast<std::int32_t>(std::min<std::int64_t>(number_of(conf, name), INT32_MAX));
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
    out.rules = {.committed_only = value_of(conf, "isolation.level") == "read_committed",
                 .checks_crc = value_of(conf, "check.crcs") == "true",
                 .inflated_bytes_max = out.response_bytes_max};
    out.rack = value_of(conf, "client.rack");
    out.reconnect = milliseconds{number("reconnect.backoff.ms")};
    out.reconnect_max = milliseconds{number("reconnect.backoff.max.ms")};
    out.retry = milliseconds{std::max<std::int64_t>(number("retry.backoff.ms"), 1)};
    out.refresh = milliseconds{number("metadata.max.age.ms")};
    out.propagation = milliseconds{number("topic.metadata.propagation.max.ms")};
}

}  // namespace

Result<FetchSettings> fetch_settings_of(const std::vector<Property>& properties) {
    LEAT_TRY(const std::vector<Property> translated, to_librdkafka(properties, Role::kConsumer));
    LEAT_TRY(const RdPtr<rd_kafka_conf_t> conf, make_conf(translated));
    FetchSettings out;
    std::vector<Property> reached = properties;
    // Without one nobody is ever reached, which is no error: librdkafka takes it so.
    const bool has_brokers = !find_property(properties, "bootstrap.servers").empty();
    if (!has_brokers)
        set_property(reached, "bootstrap.servers", value_of(conf.get(), "bootstrap.servers"));
    const bool still_none = find_property(reached, "bootstrap.servers").empty();
    if (still_none) set_property(reached, "bootstrap.servers", "localhost");
    LEAT_TRY(out.cluster, cluster_options_of(reached));
    if (still_none) out.cluster.bootstrap.clear();
    read_fetching(conf.get(), out);
    ConnectionOptions& connection = out.cluster.connection;
    connection.response_bytes_max = out.response_bytes_max;
    connection.connect_timeout =
        milliseconds{number_of(conf.get(), "socket.connection.setup.timeout.ms")};
    // A broker may use all of the wait before it begins to answer.
    connection.request_timeout =
        std::max(connection.request_timeout, out.wait_max + milliseconds{5'000});
    out.cluster.retries_max = 0;  // Who asks asks again, and must be able to stop.
    out.cluster.start_patience = milliseconds{0};
    return out;
}

bool needs_librdkafka(const std::vector<Property>& properties) {
    if (std::ranges::any_of(kOnlyLibrdkafkas, [&](std::string_view name) {
            return !find_property(properties, name).empty();
        }))
        return true;
    return !security_of(properties);
}

}  // namespace leat::client
