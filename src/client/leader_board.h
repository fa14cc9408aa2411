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

/// How long brokers may not know a topic that was there: one that has just started does not yet.
inline constexpr std::chrono::milliseconds kLossPatience{5'000};

struct FoundLeader {
    Errc code = Errc::kNone;
    Uuid topic_id{};
    std::int32_t leader = -1;
    std::int32_t epoch = -1;
};

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
