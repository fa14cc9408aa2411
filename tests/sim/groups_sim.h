// SPDX-License-Identifier: Apache-2.0
//
// One coordinator, and consumers of the classic protocol with a network between. Test-only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator_node.h"
#include "groups/coordinator.h"
#include "groups_sim_model.h"

namespace leat::groups::sim {

class World;

/// A consumer as a client library would be: joins, takes its assignment, sends heartbeats, commits;
/// dies without a word, is held up for long and goes on as if nothing had been.
class Consumer {
  public:
    Consumer(World& world, int number);
    void start();
    /// Says nothing for `time`, then goes on where it was (a zombie if its place is taken).
    void freeze(std::chrono::milliseconds time);
    void leave();
    [[nodiscard]] bool is_active() const { return state_ == State::kActive; }
    [[nodiscard]] std::int32_t generation() const { return generation_; }
    [[nodiscard]] const std::vector<std::int32_t>& owned() const { return owned_; }

  private:
    enum class State : std::uint8_t { kOut, kJoining, kSyncing, kActive };
    void join();
    void on_joined(const JoinAnswer& answer);
    void sync(const JoinAnswer& joined);
    void on_synced(const SyncAnswer& answer);
    void beat();
    void on_beat(Errc error);
    void commit();
    void rejoin(Errc error);
    void tick();
    /// Runs `fn` here after the network's delay, unless a newer attempt was begun.
    template <class T>
    Answer<T> back(std::function<void(const T&)> fn);
    void after(std::chrono::milliseconds delay, std::function<void()> fn);

    World& world_;
    std::string client_;
    std::optional<std::string> instance_;
    State state_ = State::kOut;
    std::string member_;
    std::int32_t generation_ = -1;
    std::vector<std::int32_t> owned_;
    std::uint64_t attempt_ = 0;  ///< Answers to earlier ones are of no interest.
    Instant frozen_until_{};
    std::deque<std::function<void()>> held_up_;
};

/// Threading: everything runs inside run().
class World final : public CoordinatorNode {
  public:
    World(std::uint64_t seed, const Faults& faults);

    /// Chaos for `time`, then quiet until the group is settled.
    void run(std::chrono::milliseconds time);
    [[nodiscard]] const std::vector<std::string>& violations() const { return model_.violations(); }
    [[nodiscard]] Model& model() { return model_; }

    static constexpr std::int32_t kPartitions = 8;
    static constexpr std::string_view kGroup = "readers";
    static constexpr std::string_view kTopic = "events";
    static constexpr std::chrono::milliseconds kSession{6'000};
    static constexpr std::chrono::milliseconds kRebalance{9'000};

  private:
    void restarted(Coordinator& coordinator, const std::vector<RecordToWrite>& log) override;
    void disturb();
    void read_offsets();
    void forget_some();
    void check_settled();

    Model model_;
    std::vector<std::unique_ptr<Consumer>> consumers_;
};

}  // namespace leat::groups::sim
