// SPDX-License-Identifier: Apache-2.0
//
// Fetch sessions: what a consumer reads, remembered between its requests. Layer: broker (L6).
// Spec:  KIP-227 (incremental fetch requests), KIP-516 (topic ids in them).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "storage/types.h"

namespace leat::broker {

/// One partition that a session reads: what was asked, and what was answered last.
struct SessionPartition {
    std::string topic;        ///< "" when the client names topics by id.
    storage::PartitionId id;  ///< Zero topic: unknown, by name only.
    Offset fetch_offset{};
    std::int32_t bytes_max = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t last_fetched_epoch = -1;
    Offset log_start{-1};       ///< As last answered.
    Offset high_watermark{-1};  ///< As last answered.
    bool had_error = false;     ///< The last answer carried one: the next is sent in any case.
};

/// Threading: shard-local. One request at a time: the others are refused while `in_use`.
class FetchSession {
  public:
    /// `total`: of all sessions' weights, which outlives it.
    explicit FetchSession(std::size_t* total) : total_(total) {}
    ~FetchSession() { *total_ -= weight_; }
    FetchSession(const FetchSession&) = delete;
    FetchSession& operator=(const FetchSession&) = delete;

    std::int32_t id = 0;
    std::int32_t next_epoch = 1;
    bool uses_topic_ids = false;
    bool in_use = false;  ///< A request holds pointers into it: it is neither changed nor erased.
    Instant last_used{};

    /// In the order in which they are served; those that gave data go to the end.
    [[nodiscard]] std::list<SessionPartition>& partitions() noexcept { return partitions_; }
    /// `topic` is "" for a client that uses topic ids.
    [[nodiscard]] SessionPartition* find(std::string_view topic,
                                         const storage::PartitionId& partition);
    SessionPartition& add(SessionPartition partition);
    void remove(std::string_view topic, const storage::PartitionId& partition);
    void move_to_end(const SessionPartition& partition);
    /// What one partition counts for: 1, and more when its topic's name is longer than any that
    /// exists.
    [[nodiscard]] static std::size_t weight_of(std::string_view topic) noexcept;

  private:
    static std::string key_of(std::string_view topic, const storage::PartitionId& partition);
    std::size_t* total_;
    std::size_t weight_ = 0;  ///< Of its partitions; a part of the total.
    std::list<SessionPartition> partitions_;
    std::unordered_map<std::string, std::list<SessionPartition>::iterator> by_key_;
};

/// The sessions of one shard: those of the connections that it serves. A client that comes back on
/// another shard is told that its session is unknown and begins a new one, as it does when Kafka
/// had to forget it.
///
/// Threading: shard-local.
/// Memory:    at most `slots` sessions, which remember at most `partitions` together. A session
///            outlives its connection until somebody needs its place, as in Kafka, whose cache
///            (FetchSessionCache) knows no connections: a client may come back on another one.
class FetchSessions {
  public:
    struct Options {
        std::size_t slots = 1'000;
        std::size_t partitions = 200'000;
        /// A session unused for so long may be taken over.
        std::chrono::nanoseconds idle_after = std::chrono::minutes{2};
    };
    explicit FetchSessions(Options options) : options_(options) {}

    /// A new session; nullptr when no slot can be had. `random` picks the id.
    FetchSession* create(Instant now, const std::function<std::uint64_t()>& random);
    [[nodiscard]] bool has_room_for(std::size_t weight) const noexcept {
        return weight <= options_.partitions && weight_ <= options_.partitions - weight;
    }
    /// Whether partitions of `weight` more can be remembered. May take the place of sessions that
    /// are idle.
    bool make_room_for(std::size_t weight, Instant now);
    /// nullptr when there is none.
    [[nodiscard]] FetchSession* find(std::int32_t id);
    void erase(std::int32_t id);
    /// After it was used: it is the youngest now.
    void touch(FetchSession& session, Instant now);
    [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

    /// The epoch after `epoch`: 1 after the last.
    [[nodiscard]] static std::int32_t epoch_after(std::int32_t epoch) noexcept;

  private:
    bool make_room(Instant now);
    /// Ends the session that was unused for longest; false when all are in use or too young.
    bool erase_idle(Instant now);

    using Order = std::list<std::unique_ptr<FetchSession>>;  ///< Least recently used first.
    Options options_;
    std::size_t weight_ = 0;  ///< Of all sessions; before them, who count themselves in it.
    Order order_;
    std::unordered_map<std::int32_t, Order::iterator> by_id_;
};

}  // namespace leat::broker
