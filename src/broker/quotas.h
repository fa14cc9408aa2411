// SPDX-License-Identifier: Apache-2.0
//
// Quotas at work: what a request used is counted, and its sender waits. Layer: broker (L6).
// Spec:  KIP-13, KIP-124 (request time), KIP-219 (the answer goes at once, the connection rests),
//        KIP-599 (mutations).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "auth/quota.h"
#include "auth/rate_limit.h"
#include "config/broker_config.h"

namespace leat::broker {

struct Request;

/// How far ahead of its rate a client may be.
[[nodiscard]] std::chrono::nanoseconds burst_of(const config::BrokerConfig& config,
                                                auth::QuotaKind kind);

/// The longest that anybody is told to wait; of what he owes beyond he waits with what comes next.
[[nodiscard]] std::chrono::nanoseconds longest_wait(const config::BrokerConfig& config,
                                                    auth::QuotaKind kind);

/// The limits in use, each shared by the connections that it is for.
/// Threading: thread-safe; asked when a connection first meets a limit.
class QuotaLimits {
  public:
    [[nodiscard]] std::shared_ptr<auth::RateLimit> of(auth::QuotaKind kind,
                                                      const std::string& holder);

  private:
    using Key = std::pair<auth::QuotaKind, std::string>;
    void forget_unused();

    std::mutex mutex_;
    std::map<Key, std::shared_ptr<auth::RateLimit>> limits_;
    std::size_t forget_at_ = 1'024;
};

/// The limits that hold for one connection, as they were found out.
/// Threading: shard-local to the connection's shard.
class ConnectionQuotas {
  public:
    struct Share {
        std::shared_ptr<auth::RateLimit> limit;
        double per_second = 0;
    };
    /// nullptr: no limit. Valid until the next call.
    [[nodiscard]] const Share* find(const Request& request, auth::QuotaKind kind);

  private:
    static constexpr std::size_t kKinds = 4;  ///< All but those of addresses.
    std::array<std::optional<Share>, kKinds> shares_;
    std::array<bool, kKinds> is_known_{};
    std::uint64_t version_ = 0;  ///< Of the table and the principal.
    std::string client_id_;
};

/// Counts `amount` (bytes, nanoseconds of a thread, partitions) and lets the sender wait for it:
/// request.throttle is at least that long afterwards. Runs on the connection's shard.
void charge(Request& request, auth::QuotaKind kind, double amount);

/// The most that may be used at once without a wait, by one who is not ahead; nullopt: no limit.
[[nodiscard]] std::optional<double> most_at_once(const Request& request, auth::QuotaKind kind);

/// How long the sender should wait for what he used before.
[[nodiscard]] std::chrono::milliseconds debt_of(const Request& request, auth::QuotaKind kind);

/// Counts partitions that a request makes or deletes. False when the sender's quota has no room:
/// who `hears_of_it`, as newer clients do, is refused then, others only wait.
[[nodiscard]] bool may_mutate(Request& request, std::int64_t partitions, bool hears_of_it);

}  // namespace leat::broker
