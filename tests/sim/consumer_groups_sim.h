// SPDX-License-Identifier: Apache-2.0
//
// One coordinator, and members of the consumer protocol with a network between. Test-only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator_node.h"

namespace leat::groups::sim {

class ConsumerGroupWorld;

/// A client of the consumer protocol: heartbeats, gives up what it has to after a while, commits.
class Reader {
  public:
    Reader(ConsumerGroupWorld& world, int number) : world_(world), number_(number) { become_new(); }
    void start() { tick(); }
    void freeze(std::chrono::milliseconds time);
    /// Gone without a word; somebody new takes its seat.
    void die();
    void leave();

    std::string id;
    std::int32_t epoch = 0;
    std::set<std::int32_t> owned;
    Instant heard{};  ///< When the coordinator last took a heartbeat of it.
    bool in_group = false;

  private:
    void become_new();
    void tick();
    void beat();
    /// The coordinator answers a heartbeat that reached it then; the answer is still on its way.
    void took(const ConsumerHeartbeatAnswer& answer, std::uint64_t beat, std::uint64_t attempt,
              Instant at);
    void on_answer(const ConsumerHeartbeatAnswer& answer);
    /// One step towards what it was told to own, if it is not there.
    void reconcile();
    void commit();
    void after(std::chrono::milliseconds delay, std::function<void()> fn);

    ConsumerGroupWorld& world_;
    int number_;
    int lives_ = 0;
    std::uint64_t attempt_ = 0;
    std::uint64_t beats_ = 0;                       ///< Sent so far; the last may be on its way.
    std::optional<Instant> waits_since_{};          ///< For the answer to the last.
    std::optional<std::set<std::int32_t>> told_{};  ///< By the last answer that said so.
    bool must_tell_all_ = false;                    ///< An answer was lost, or an error.
    bool must_tell_owned_ = false;
    bool is_revoking_ = false;
    std::chrono::milliseconds interval_{500};
    Instant frozen_until_{};
    std::deque<std::function<void()>> held_up_;
};

/// What must hold of them:
///   exclusive  nobody is given a partition that a member in good standing still reads;
///   fenced     nobody commits what has been given to another;
///   durable    after a restart each member is there, where it was told to be, or further;
///   settled    once it is quiet, all are at one epoch and every partition has one reader.
///
/// Threading: everything runs inside run().
class ConsumerGroupWorld final : public CoordinatorNode {
  public:
    ConsumerGroupWorld(std::uint64_t seed, const Faults& faults);

    /// Chaos for `time`, then quiet until the group is settled.
    void run(std::chrono::milliseconds time);
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

    // For readers.
    void violated(std::string what) { violations_.push_back(std::move(what)); }
    /// Told by the coordinator, durable: from now on they are this reader's.
    void given(const Reader& to, const std::set<std::int32_t>& partitions);

    std::uint64_t commits = 0;                  ///< That were accepted.
    std::uint64_t gifts = 0;                    ///< Answers that gave a reader partitions.
    std::uint64_t found_again = 0;              ///< Readers that had to be there after a restart.
    std::map<std::int32_t, std::string> owner;  ///< Who was given it last.
    std::map<std::string, std::int32_t> told_epoch;  ///< Of members, by the last answer.

  private:
    void restarted(Coordinator& coordinator, const std::vector<RecordToWrite>& log) override;
    void disturb();
    void check_settled();

    std::vector<std::string> violations_;
    std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace leat::groups::sim
