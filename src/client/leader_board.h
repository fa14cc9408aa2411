// SPDX-License-Identifier: Apache-2.0
//
// What who looks up leaders, and who speaks to them, know of a reader or writer. Layer: client
// (L3). Internal to client.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/uuid.h"
#include "client/cluster.h"
#include "client/consumer.h"

namespace leat::client {

using Steady = std::chrono::steady_clock::time_point;
[[nodiscard]] inline Steady steady_now() {
    return std::chrono::steady_clock::now();
}

struct FoundLeader {
    Errc code = Errc::kNone;
    Uuid topic_id{};
    std::int32_t leader = -1;
    std::int32_t epoch = -1;
};

/// KIP-951: who leads now, by an answer of one who does not. Older brokers name nobody.
struct NamedLeader {
    std::int32_t node = -1;
    std::int32_t epoch = -1;

    /// Of an answer's CurrentLeader.
    template <class CurrentLeader>
    static NamedLeader of(const CurrentLeader& named, Errc code) {
        const bool counts = code == Errc::kNotLeaderOrFollower || code == Errc::kFencedLeaderEpoch;
        if (!counts) return {};
        return {.node = named.leader_id, .epoch = named.leader_epoch};
    }
    /// A broker that is behind names one that led before, as likely as not.
    [[nodiscard]] bool is_newer_than(std::int32_t known_epoch) const {
        return node >= 0 && epoch > known_epoch;
    }
};

/// Where the brokers are that an answer names.
template <class Response>
[[nodiscard]] std::map<std::int32_t, Endpoint> endpoints_of(const Response& answer) {
    std::map<std::int32_t, Endpoint> out;
    for (const auto& one : answer.node_endpoints)
        if (one.node_id >= 0 && !one.host.empty() && one.port > 0 && one.port <= UINT16_MAX)
            out[one.node_id] = {.host = std::string{one.host},
                                .port = static_cast<std::uint16_t>(one.port)};
    return out;
}

[[nodiscard]] constexpr bool is_unknown_topic(Errc code) noexcept {
    return code == Errc::kUnknownTopicOrPartition || code == Errc::kUnknownTopicId;
}
/// Whether an answer about a partition says that it must be looked for again.
[[nodiscard]] bool says_leader_is_elsewhere(Errc code);

/// Threading: thread-safe.
class LeaderBoard {
  public:
    LeaderBoard(const LeaderBoard&) = delete;
    LeaderBoard& operator=(const LeaderBoard&) = delete;
    virtual ~LeaderBoard() = default;

    /// Waits until leaders are to be looked for; the topics, or none: only to see who is asked now.
    /// nullopt when stopped.
    virtual std::optional<std::set<std::string>> wanted_topics() = 0;
    /// `refused`: topics that were asked for in vain, and why.
    virtual void found(const std::map<std::int32_t, Endpoint>& brokers,
                       const std::map<TopicPartition, FoundLeader>& leaders,
                       const std::set<std::string>& asked,
                       const std::map<std::string, Errc>& refused) = 0;
    virtual void not_found(std::chrono::milliseconds pause) = 0;
    /// Brokers that are to be asked.
    [[nodiscard]] virtual std::set<std::int32_t> nodes() const = 0;
    [[nodiscard]] virtual std::optional<Endpoint> endpoint(std::int32_t node) const = 0;
    [[nodiscard]] virtual bool is_stopped() const noexcept = 0;
    /// Nothing goes any more.
    virtual void fail(const Error& why) = 0;

  protected:
    LeaderBoard() = default;
};

}  // namespace leat::client
