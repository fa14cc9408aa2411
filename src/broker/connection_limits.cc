// SPDX-License-Identifier: Apache-2.0
#include "broker/connection_limits.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "auth/address.h"

namespace leat::broker {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr std::int32_t kUnlimited = 2'147'483'647;
/// Addresses without a connection are looked for when there are so many.
constexpr std::size_t kHostsBeforeForgetting = 4096;
constexpr std::chrono::seconds kRateMemory{2};

constexpr std::string_view kRateOfAddress = "per_ip_rate";
constexpr std::string_view kQuotaOfAddress = "per_ip_quota";

std::int32_t whole(double quota) {
    return static_cast<std::int32_t>(std::clamp<double>(quota, 1, kUnlimited - 1));
}

config::ListenerLimits limits_of(const config::BrokerConfig& config, std::string_view listener) {
    const auto at = config.listener_limits.find(listener);
    return at != config.listener_limits.end() ? at->second : config::ListenerLimits{};
}

}  // namespace

void RateBucket::refill(Instant now, std::int32_t per_second) {
    if (!filled_at_) {
        level_ = per_second;
    } else {
        const double seconds = duration<double>(now - *filled_at_).count();
        level_ = std::min<double>(per_second, level_ + seconds * per_second);
    }
    filled_at_ = now;
}

bool RateBucket::take(Instant now, std::int32_t per_second) {
    if (per_second == kUnlimited) return true;
    refill(now, per_second);
    if (level_ < 1) return false;
    level_ -= 1;
    return true;
}

Instant RateBucket::next(Instant now, std::int32_t per_second) const {
    if (per_second <= 0) return now + std::chrono::seconds{1};  // Until it is raised.
    if (per_second == kUnlimited || !filled_at_ || level_ >= 1) return now;
    return *filled_at_ + duration_cast<nanoseconds>(duration<double>((1 - level_) / per_second)) +
           nanoseconds{1};
}

Result<std::unordered_map<std::string, std::int32_t>> ConnectionLimits::parse_overrides(
    std::string_view text) {
    std::unordered_map<std::string, std::int32_t> out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string_view one = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one.empty()) continue;
        const std::size_t colon = one.rfind(':');
        std::int32_t count = -1;
        if (colon != std::string_view::npos)
            std::from_chars(one.data() + colon + 1, one.data() + one.size(), count);
        if (colon == 0 || count < 0)
            return Error{Errc::kInvalidSetting, "max.connections.per.ip.overrides: '" +
                                                    std::string{one} + "' is no ADDRESS:COUNT"};
        out[std::string{one.substr(0, colon)}] = count;
    }
    return out;
}

void ConnectionLimits::set_host_addresses(
    std::map<std::string, std::string, std::less<>> addresses) {
    host_addresses_ = std::move(addresses);
    overrides_text_.clear();  // So that they are read again.
    overrides_.clear();
}

std::int64_t ConnectionLimits::host_max(const std::string& host,
                                        const config::BrokerConfig& config) {
    if (config.max_connections_per_ip_overrides != overrides_text_) {
        overrides_text_ = config.max_connections_per_ip_overrides;
        overrides_.clear();
        const auto parsed = parse_overrides(overrides_text_);
        if (parsed.has_value())
            for (const auto& [told, count] : *parsed) {
                const auto named = host_addresses_.find(told);
                const std::string found = named != host_addresses_.end() ? named->second : told;
                overrides_[auth::canonical_address(found).value_or(found)] = count;
            }
    }
    const auto at = overrides_.find(host);
    return at == overrides_.end() ? config.max_connections_per_ip : at->second;
}

std::optional<std::string_view> ConnectionLimits::admit(const std::string& host, Instant now,
                                                        const config::BrokerConfig& config,
                                                        std::optional<double> quota,
                                                        std::string_view listener) {
    const config::ListenerLimits limits = limits_of(config, listener);
    auto of_listener = listeners_.find(listener);
    if (of_listener == listeners_.end())
        of_listener = listeners_.emplace(listener, PerListener{}).first;
    if (count_ >= descriptors_max_) return "descriptors";
    if (count_ >= config.max_connections) return "total";
    if (of_listener->second.count >= limits.max_connections) return "listener";
    if (hosts_.size() >= kHostsBeforeForgetting) forget_quiet(now);
    PerHost& of_host = hosts_[host];
    of_host.last = now;
    if (of_host.count >= host_max(host, config)) return "per_ip";
    if (!of_host.rate.take(now, config.max_connection_creation_rate_per_ip)) return kRateOfAddress;
    if (quota && !of_host.quota.take(now, whole(*quota))) return kQuotaOfAddress;
    total_rate_.take(now, config.max_connection_creation_rate);
    of_listener->second.rate.take(now, limits.max_connection_creation_rate);
    ++of_listener->second.count;
    ++of_host.count;
    ++count_;
    return std::nullopt;
}

std::optional<Instant> ConnectionLimits::close_at(const std::string& host, std::string_view limit,
                                                  Instant now, const config::BrokerConfig& config,
                                                  std::optional<double> quota) const {
    const auto at = hosts_.find(host);
    if (at == hosts_.end()) return std::nullopt;
    if (limit == kRateOfAddress)
        return at->second.rate.next(now, config.max_connection_creation_rate_per_ip);
    if (limit == kQuotaOfAddress && quota) return at->second.quota.next(now, whole(*quota));
    return std::nullopt;
}

void ConnectionLimits::gone(const std::string& host, std::string_view listener) {
    --count_;
    if (const auto at = listeners_.find(listener); at != listeners_.end()) --at->second.count;
    const auto at = hosts_.find(host);
    if (at != hosts_.end()) --at->second.count;
}

std::optional<Instant> ConnectionLimits::wait_until(Instant now, const config::BrokerConfig& config,
                                                    std::string_view listener) const {
    const config::ListenerLimits limits = limits_of(config, listener);
    const auto at = listeners_.find(listener);
    const PerListener of_listener = at != listeners_.end() ? at->second : PerListener{};
    if (count_ >= config.max_connections || of_listener.count >= limits.max_connections)
        return Instant::max();
    const Instant next = std::max(total_rate_.next(now, config.max_connection_creation_rate),
                                  of_listener.rate.next(now, limits.max_connection_creation_rate));
    if (next > now) return next;
    return std::nullopt;
}

void ConnectionLimits::forget_quiet(Instant now) {
    std::erase_if(hosts_, [now](const auto& entry) {
        return entry.second.count == 0 && now - entry.second.last > kRateMemory;
    });
}

}  // namespace leat::broker
