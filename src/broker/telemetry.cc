// SPDX-License-Identifier: Apache-2.0
#include "broker/telemetry.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/bounded_time.h"
#include "codec/compression.h"
#include "codec/crc32c.h"
#include "config/resource_config.h"
#include "config/setting.h"

namespace leat::broker {
namespace {

using std::chrono::milliseconds;

constexpr std::int32_t kDefaultIntervalMs = 300'000;
/// A client whose interval is short may be held up for longer than a few of them.
constexpr milliseconds kSilenceMin{60'000};

const std::string* part_of(const TelemetryClient& client, std::string_view key,
                           std::string& instance) {
    if (key == "client_instance_id") {
        instance = client.instance.text();
        return &instance;
    }
    if (key == "client_id") return &client.client_id;
    if (key == "client_software_name") return &client.software_name;
    if (key == "client_software_version") return &client.software_version;
    if (key == "client_source_address") return &client.address;
    if (key == "client_source_port") return &client.port;
    return nullptr;
}

std::string_view value_or(const config::Values& values, std::string_view name,
                          std::string_view fallback) {
    const auto found = values.find(name);
    return found != values.end() ? std::string_view{found->second} : fallback;
}

/// Every pattern must match; an expression that is none matches nobody.
bool matches(const config::Values& values, const TelemetryClient& client) {
    for (const std::string& pattern : config::split_list(value_or(values, "match", ""))) {
        const auto parsed = config::parse_client_match(pattern);
        if (!parsed) return false;
        std::string instance;
        const std::string* text = part_of(client, parsed->part, instance);
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(config::kClientMatchMemory);
        const RE2 expression{re2::StringPiece{parsed->expression.data(), parsed->expression.size()},
                             options};
        if (text == nullptr || !expression.ok() || !RE2::FullMatch(*text, expression)) return false;
    }
    return true;
}

}  // namespace

Subscription subscription_of(const metadata::Image& image, const TelemetryClient& client) {
    Subscription out;
    std::set<std::string> metrics;
    std::int32_t interval = INT32_MAX;
    std::string text;
    for (const auto& [name, values] : image.client_metrics()) {
        if (!matches(values, client)) continue;
        for (const std::string& metric : config::split_list(value_or(values, "metrics", "")))
            metrics.insert(metric == "*" ? "" : metric);
        const std::string_view asked = value_or(values, "interval.ms", "300000");
        std::int32_t ms = kDefaultIntervalMs;
        std::from_chars(asked.data(), asked.data() + asked.size(), ms);
        interval = std::min(interval, ms);
        text += name;
        for (const auto& [key, value] : values) text += '\0' + key + '=' + value;
    }
    out.interval_ms = interval == INT32_MAX ? kDefaultIntervalMs : interval;
    // All includes each.
    if (metrics.contains("")) metrics = {""};
    out.metrics.assign(metrics.begin(), metrics.end());
    out.id = static_cast<std::int32_t>(codec::crc32c(std::as_bytes(std::span{text})));
    return out;
}

/// Precondition: the lock is held.
void Telemetry::drop_silent(Instant now) {
    std::erase_if(clients_, [now](const auto& entry) {
        const Known& one = entry.second;
        const milliseconds patience = std::max(kSilenceMin, 3 * bounded_ms(one.interval_ms));
        const Instant last = std::max(one.last_get, one.last_push);
        return last != Instant::min() && now - last > patience;
    });
}

/// The one that was silent for longest makes room. Precondition: the lock is held.
Telemetry::Known& Telemetry::known(const metadata::Image& image, const TelemetryClient& client,
                                   Instant now) {
    const auto found = clients_.find(client.instance);
    if (found != clients_.end()) return found->second;
    drop_silent(now);
    const auto clients_max = static_cast<std::size_t>(image.broker().telemetry_clients_max);
    while (!clients_.empty() && clients_.size() >= clients_max) {
        const auto last = [](const auto& entry) {
            return std::max(entry.second.last_get, entry.second.last_push);
        };
        clients_.erase(std::ranges::min_element(clients_, {}, last));
    }
    Known& fresh = clients_[client.instance];
    fresh.client_id = client.client_id.substr(0, 200);
    return fresh;
}

Result<Subscription> Telemetry::subscribe(const metadata::Image& image,
                                          const TelemetryClient& client, Instant now) {
    Subscription subscription = subscription_of(image, client);
    const std::lock_guard lock{mutex_};
    Known& one = known(image, client, now);
    // Who comes again under the same id is no longer the one that ended.
    if (std::exchange(one.has_ended, false)) one.may_ask_again = true;
    const Instant last = std::max(one.last_get, one.last_push);
    const bool is_early = last != Instant::min() && now - last < bounded_ms(one.interval_ms);
    if (is_early && !one.may_ask_again) return Error{Errc::kThrottlingQuotaExceeded};
    one.last_get = now;
    one.interval_ms = subscription.interval_ms;
    one.may_ask_again = false;
    return subscription;
}

Result<void> Telemetry::check(const config::BrokerConfig& config, const Push& push) {
    if (push.metrics.size() > static_cast<std::size_t>(config.telemetry_bytes_max))
        return Error{Errc::kTelemetryTooLarge};
    if (!codec::codec_from_number(push.compression))
        return Error{Errc::kUnsupportedCompressionType};
    return {};
}

Result<void> Telemetry::push(const metadata::Image& image, const TelemetryClient& client,
                             const Push& push, Instant now) {
    const config::BrokerConfig& config = image.broker();
    const Subscription subscription = subscription_of(image, client);
    {
        const std::lock_guard lock{mutex_};
        Known& one = known(image, client, now);
        const bool is_early = one.last_push != Instant::min() && one.last_get <= one.last_push &&
                              now - one.last_push < bounded_ms(one.interval_ms);
        if (is_early && !push.is_last) return Error{Errc::kThrottlingQuotaExceeded};
        one.last_push = now;
        if (push.subscription_id != subscription.id) {
            one.may_ask_again = true;
            return Error{Errc::kUnknownSubscriptionId};
        }
    }
    LEAT_TRY_VOID(check(config, push));
    const auto codec = *codec::codec_from_number(push.compression);
    const auto inflated = codec::decompress(
        codec, push.metrics, static_cast<std::size_t>(config.telemetry_inflated_max));
    if (!inflated.has_value())
        return Error{inflated.error().code() == Errc::kLimitExceeded ? Errc::kTelemetryTooLarge
                                                                     : Errc::kInvalidRecord};
    const auto values_max = static_cast<std::size_t>(config.telemetry_values_max);
    const auto points = decode_otlp(*inflated, 8 * values_max);
    if (!points.has_value()) return Error{Errc::kInvalidRecord};
    const std::lock_guard lock{mutex_};
    Known& one = known(image, client, now);
    for (const OtlpPoint& point : *points) {
        const std::pair key{point.name, point.attributes};
        const auto found = one.values.find(key);
        if (found == one.values.end()) {
            if (one.values.size() < values_max) one.values.emplace(key, point.value);
        } else {
            found->second = point.is_delta ? found->second + point.value : point.value;
        }
    }
    one.has_ended = push.is_last;
    return {};
}

void Telemetry::add_samples(std::vector<obs::Sample>& out, Instant now) {
    const std::lock_guard lock{mutex_};
    drop_silent(now);
    for (const auto& [instance, one] : clients_)
        for (const auto& [key, value] : one.values)
            out.push_back(
                {&client_metric(),
                 {instance.text(), key.first,
                  "client_id=" + one.client_id + (key.second.empty() ? "" : "," + key.second)},
                 value});
}

std::size_t Telemetry::size() {
    const std::lock_guard lock{mutex_};
    return clients_.size();
}

}  // namespace leat::broker
