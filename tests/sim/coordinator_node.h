// SPDX-License-Identifier: Apache-2.0
//
// One coordinator of groups and its log, in simulated time; what its clients are stands elsewhere.
// Layer: test-only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "event_queue.h"
#include "groups/coordinator.h"
#include "testkit/sim_random.h"

namespace leat::groups::sim {

struct NodeOptions {
    Settings settings = {};
    const ClusterView* cluster = nullptr;  ///< Outlives the node.
    std::uint64_t slow_percent = 0;        ///< Of the messages: they take seconds.
};

/// Its writes become durable one after the other, each after a while, and fail now and then. It
/// crashes, and comes back with what the log has.
///
/// Threading: everything runs inside run().
class CoordinatorNode {
  public:
    CoordinatorNode(std::uint64_t seed, const NodeOptions& options)
        : random_(seed), options_(options) {}
    virtual ~CoordinatorNode() = default;
    CoordinatorNode(const CoordinatorNode&) = delete;
    CoordinatorNode& operator=(const CoordinatorNode&) = delete;

    // For clients.
    void at(Instant when, std::function<void()> fn) { events_.push(when, std::move(fn)); }
    [[nodiscard]] Now now() const { return now_; }
    [[nodiscard]] testkit::SimRandom& random() { return random_; }
    /// Of the network, for the next message.
    [[nodiscard]] std::chrono::milliseconds delay();
    /// Calls the coordinator now, unless it is down.
    void call(const std::function<void(Coordinator&)>& fn);
    /// Number of restarts so far: answers of an earlier life never arrive.
    [[nodiscard]] std::uint64_t life() const { return life_; }

  protected:
    /// `begin`, chaos for `time`, then quiet for as long as settling may take.
    void run(std::chrono::milliseconds time, const std::function<void()>& begin);
    [[nodiscard]] bool is_quiet() const { return is_quiet_; }
    void crash();
    /// The coordinator has read `log`.
    virtual void restarted(Coordinator& coordinator, const std::vector<RecordToWrite>& log) = 0;

  private:
    void run_until(Instant end);
    void pump();
    void write_next();
    void restart();

    testkit::SimRandom random_;
    NodeOptions options_;
    Now now_{Instant{std::chrono::hours{1}}, WallMs{1'000'000'000}};
    leat::sim::EventQueue events_;
    std::unique_ptr<Coordinator> coordinator_;
    std::uint64_t life_ = 0;
    std::vector<RecordToWrite> log_;  ///< What is durable.
    std::deque<Write> writing_;       ///< Appended, in order, and not yet durable.
    bool is_writing_ = false;
    bool is_quiet_ = false;
};

}  // namespace leat::groups::sim
