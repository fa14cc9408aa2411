// SPDX-License-Identifier: Apache-2.0
//
// What a reader, the thread that looks for leaders and those that fetch have in common: which
// partitions are read, from whom, how far, and what came of them. Layer: client (L3). Internal to
// client.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/fetch_settings.h"
#include "client/leader_board.h"

namespace leat::client {

/// Threading: `where` is immutable, all else is guarded by its board.
struct FetchPartition {
    explicit FetchPartition(StartAt start) : where(std::move(start.where)), next(start.offset) {}

    const TopicPartition where;
    Uuid topic_id{};
    std::int32_t leader = -1;  ///< -1: to be looked for.
    std::int32_t epoch = -1;
    std::int32_t replica = -1;  ///< Whom the leader wants to be asked instead, until then.
    Steady replica_until{};
    bool was_found = false;
    std::optional<Steady> unknown_since;  ///< To the brokers.

    Offset next;            ///< Of the next fetch.
    Offset end{-1};         ///< Of what may be read, as the last fetch told.
    Offset told_end{-1};    ///< The last end that was told.
    Steady not_before{};    ///< It is fetched.
    bool is_asked = false;  ///< A fetch is under way.
    bool is_full = false;   ///< Until half of it is read.
    bool stands = false;    ///< Its position is gone.
    bool is_removed = false;
    std::size_t bytes = 0;  ///< Waiting to be read, as are the records.
    std::size_t records = 0;
    std::vector<Fetched> came;  ///< Not yet taken by the reader.
};

/// One fetch of one broker.
struct FetchPlan {
    std::int32_t node = -1;
    struct Part {
        std::shared_ptr<FetchPartition> partition;
        Uuid topic_id{};
        std::int32_t epoch = -1;
        Offset from{};
    };
    std::vector<Part> parts;  ///< By topic and partition.
    std::size_t first = 0;    ///< The part that is asked for first: each has its turn.
    std::chrono::milliseconds wait{0};
};

/// What an answer says of one part.
struct FetchOutcome {
    Fetched fetched;
    bool leader_is_elsewhere = false;
    NamedLeader leader{};
    bool is_held_up = false;  ///< To be asked again a little later.
    bool is_out_of_range = false;
    bool is_cut = false;        ///< Its first batch did not come whole: it must be asked for first.
    Offset end{-1};             ///< Of what may be read; -1 when it was not told.
    std::int32_t replica = -1;  ///< Whom to ask instead.
};

/// Threading: thread-safe; what reader_*() calls belongs to the reader's thread.
class FetchBoard final : public LeaderBoard {
  public:
    explicit FetchBoard(const FetchSettings& settings) : settings_(settings) {}

    void reader_add(std::vector<std::shared_ptr<FetchPartition>> partitions);
    void reader_remove(FetchPartition& partition);
    /// Appends what came to `into`.
    void reader_take(FetchPartition& partition, std::vector<Fetched>& into);
    void reader_done(FetchPartition& partition, std::size_t bytes, std::size_t records);
    [[nodiscard]] std::size_t reader_waiting(const FetchPartition& partition) const;
    [[nodiscard]] Offset reader_end(const FetchPartition& partition) const;
    /// Until something came, wake(), or `wait` is over. Errors: what ends all reading.
    Result<void> reader_wait(std::chrono::milliseconds wait);
    void wake();

    /// No more waiting for anybody.
    void stop();
    [[nodiscard]] bool is_stopped() const noexcept override { return stopped_; }
    void fail(const Error& why) override;

    /// Waits until there is something to fetch from the broker; nullopt when stopped.
    std::optional<FetchPlan> plan(std::int32_t node);
    /// Outcomes by part; nullopt: the answer does not have it. `named`: brokers whose address was
    /// told.
    void deliver(FetchPlan& plan, std::vector<std::optional<FetchOutcome>> outcomes,
                 const std::map<std::int32_t, Endpoint>& named);
    /// The broker could not be asked: leaders are looked for, and nobody asks before `pause` is
    /// over.
    void give_up(FetchPlan& plan, std::chrono::milliseconds pause);
    /// Waits; false when stopped.
    bool pause(std::chrono::milliseconds wait);

    std::optional<std::set<std::string>> wanted_topics() override;
    void found(const std::map<std::int32_t, Endpoint>& brokers,
               const std::map<TopicPartition, FoundLeader>& leaders,
               const std::set<std::string>& asked,
               const std::map<std::string, Errc>& refused) override;
    void not_found(std::chrono::milliseconds pause) override;
    [[nodiscard]] std::set<std::int32_t> nodes() const override;
    [[nodiscard]] std::optional<Endpoint> endpoint(std::int32_t node) const override;

  private:
    using Lock = std::unique_lock<std::mutex>;
    [[nodiscard]] std::int32_t node_of(const FetchPartition& partition, Steady now) const;
    [[nodiscard]] bool is_wanted(const FetchPartition& partition) const;
    std::optional<FetchPlan> try_plan(std::int32_t node, Steady now, Steady& again);
    void settle(FetchPartition& partition, FetchOutcome outcome, Steady now);
    bool follow(FetchPartition& partition, NamedLeader leader);
    void apply(FetchPartition& partition, const FoundLeader& leader, Steady now);
    void put(FetchPartition& partition, Fetched fetched);
    void tell_reader();
    void tell_others(const FetchPlan& plan, Steady now);

    const FetchSettings& settings_;
    mutable std::mutex mutex_;
    std::condition_variable came_;  ///< For the reader.
    std::condition_variable work_;  ///< For those who fetch.
    std::condition_variable look_;  ///< For who looks for leaders.
    std::map<TopicPartition, std::shared_ptr<FetchPartition>> partitions_;
    std::map<std::int32_t, Endpoint> brokers_;
    std::map<std::int32_t, TopicPartition> turns_;  ///< Where each broker's next plan begins.
    std::size_t bytes_ = 0;
    bool nodes_changed_ = false;
    Steady look_not_before_{};
    Steady look_at_{};  ///< At the latest.
    std::optional<Error> fatal_;
    std::atomic<bool> has_news_ = false;
    std::atomic<bool> has_failed_ = false;
    std::atomic<bool> stopped_ = false;
};

}  // namespace leat::client
