// SPDX-License-Identifier: Apache-2.0
//
// How many connections there may be and how fast they may come. Layer: broker (L6). No socket.
// Spec:  Kafka's max.connections, max.connections.per.ip (and overrides), KIP-612 (creation rate).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/units.h"
#include "config/broker_config.h"

namespace leat::broker {

/// A rate as a bucket that holds one second's worth.
/// Threading: not synchronised.
class RateBucket {
  public:
    /// True when one more is within the rate; it is counted then.
    bool take(Instant now, std::int32_t per_second);
    /// When take() may succeed again.
    [[nodiscard]] Instant next(Instant now, std::int32_t per_second) const;

  private:
    void refill(Instant now, std::int32_t per_second);
    double level_ = 0;
    std::optional<Instant> filled_at_;  ///< nullopt: full.
};

/// Threading: shard-local to the shard that accepts.
/// Memory: one entry for each address that has a connection, or came within the last second.
class ConnectionLimits {
  public:
    /// "host:count,host:count", hosts as they are told. Errors: kInvalidSetting.
    static Result<std::unordered_map<std::string, std::int32_t>> parse_overrides(
        std::string_view text);

    /// What names in the overrides stand for: canonical addresses.
    void set_host_addresses(std::map<std::string, std::string, std::less<>> addresses);

    /// Beyond so many no more are admitted, whatever the settings say: what descriptors there are
    /// for connections, less those that are held and not counted here.
    void set_descriptors_max(std::int64_t count) noexcept { descriptors_max_ = count; }

    /// Counts the connection, or tells by which limit it is refused: "descriptors", "total",
    /// "listener", "per_ip", "per_ip_rate", "per_ip_quota". `quota` is the connection_creation_rate
    /// of the address, if it has one.
    std::optional<std::string_view> admit(const std::string& host, Instant now,
                                          const config::BrokerConfig& config,
                                          std::optional<double> quota = std::nullopt,
                                          std::string_view listener = {});
    /// For one that came too fast for its address: until when it is kept, unserved, so that its
    /// client does not come back at once (KIP-612). nullopt: refused for another reason.
    [[nodiscard]] std::optional<Instant> close_at(const std::string& host, std::string_view limit,
                                                  Instant now, const config::BrokerConfig& config,
                                                  std::optional<double> quota) const;
    void gone(const std::string& host, std::string_view listener = {});

    /// Whether the next connection to `listener` should wait: for one to go (Instant::max()), or
    /// until then.
    [[nodiscard]] std::optional<Instant> wait_until(Instant now, const config::BrokerConfig& config,
                                                    std::string_view listener = {}) const;
    [[nodiscard]] std::int64_t count() const noexcept { return count_; }
    /// Addresses that are remembered.
    [[nodiscard]] std::size_t known_hosts() const noexcept { return hosts_.size(); }

  private:
    struct PerHost {
        std::int64_t count = 0;
        RateBucket rate;
        RateBucket quota;
        Instant last{};
    };
    [[nodiscard]] std::int64_t host_max(const std::string& host,
                                        const config::BrokerConfig& config);
    struct PerListener {
        std::int64_t count = 0;
        RateBucket rate;
    };
    void forget_quiet(Instant now);

    std::int64_t count_ = 0;
    std::int64_t descriptors_max_ = std::numeric_limits<std::int64_t>::max();
    RateBucket total_rate_;
    std::unordered_map<std::string, PerHost> hosts_;
    std::map<std::string, PerListener, std::less<>> listeners_;
    std::map<std::string, std::string, std::less<>> host_addresses_;
    std::string overrides_text_;                               ///< What overrides_ was parsed from.
    std::unordered_map<std::string, std::int32_t> overrides_;  ///< By canonical address.
};

}  // namespace leat::broker
