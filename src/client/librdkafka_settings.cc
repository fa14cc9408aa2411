// SPDX-License-Identifier: Apache-2.0
#include "client/librdkafka_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

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

struct TopicConfDeleter {
    void operator()(rd_kafka_topic_conf_t* conf) const noexcept {
        rd_kafka_topic_conf_destroy(conf);
    }
};

/// `get` is one of librdkafka's two, without its first parameter.
template <class Get>
std::string got(Get get) {
    std::size_t size = 0;
    if (get(nullptr, &size) != RD_KAFKA_CONF_OK || size == 0) return {};
    std::string out(size, '\0');
    if (get(out.data(), &size) != RD_KAFKA_CONF_OK) return {};
    out.resize(out.find('\0') == std::string::npos ? out.size() : out.find('\0'));
    return out;
}

}  // namespace

struct LibrdkafkaSettings::State {
    std::vector<Property> properties;
    std::vector<Property> translated;
    RdPtr<rd_kafka_conf_t> conf;
    /// `conf` has one of its own only where something of topics was set.
    std::unique_ptr<rd_kafka_topic_conf_t, TopicConfDeleter> of_topics{rd_kafka_topic_conf_new()};
};

LibrdkafkaSettings::LibrdkafkaSettings(std::unique_ptr<State> state) : state_(std::move(state)) {}
LibrdkafkaSettings::LibrdkafkaSettings(LibrdkafkaSettings&&) noexcept = default;
LibrdkafkaSettings& LibrdkafkaSettings::operator=(LibrdkafkaSettings&&) noexcept = default;
LibrdkafkaSettings::~LibrdkafkaSettings() = default;

Result<LibrdkafkaSettings> LibrdkafkaSettings::read(const std::vector<Property>& properties,
                                                    Role role) {
    auto state = std::make_unique<State>();
    state->properties = properties;
    LEAT_TRY(state->translated, to_librdkafka(properties, role));
    LEAT_TRY(state->conf, make_conf(state->translated));
    return LibrdkafkaSettings{std::move(state)};
}

std::string LibrdkafkaSettings::text(const char* name) const {
    const rd_kafka_conf_t* conf = state_->conf.get();
    std::string out =
        got([&](char* to, std::size_t* size) { return rd_kafka_conf_get(conf, name, to, size); });
    if (!out.empty()) return out;
    return got([&](char* to, std::size_t* size) {
        return rd_kafka_topic_conf_get(state_->of_topics.get(), name, to, size);
    });
}

std::int64_t LibrdkafkaSettings::number(const char* name) const {
    const std::string all = text(name);
    std::int64_t out = 0;
    std::from_chars(all.data(), all.data() + all.size(), out);
    return out;
}

bool LibrdkafkaSettings::has(std::string_view name) const {
    return !find_property(state_->translated, name).empty();
}

Result<ClusterOptions> LibrdkafkaSettings::cluster_options() const {
    std::vector<Property> reached = state_->properties;
    if (find_property(reached, "bootstrap.servers").empty())
        set_property(reached, "bootstrap.servers", text("bootstrap.servers"));
    const bool has_none = find_property(reached, "bootstrap.servers").empty();
    if (has_none) set_property(reached, "bootstrap.servers", "localhost");
    LEAT_TRY(ClusterOptions out, cluster_options_of(reached));
    if (has_none) out.bootstrap.clear();
    out.connection.connect_timeout = milliseconds{number("socket.connection.setup.timeout.ms")};
    out.retries_max = 0;  // Who asks asks again, and must be able to stop.
    out.start_patience = milliseconds{0};
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
