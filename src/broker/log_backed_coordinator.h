// SPDX-License-Identifier: Apache-2.0
//
// A coordinator between the partition that its state is in and its callers. Layer: broker (L6).
// Spec:  coordination/README.md; groups/coordinator.h and transactions/coordinator.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "broker/log_replay.h"
#include "broker/shard.h"
#include "coordination/types.h"
#include "obs/log.h"
#include "rt/executor.h"
#include "rt/task.h"
#include "storage/partition.h"

namespace leat::broker {

/// What the log calls a kind of coordinator.
struct CoordinatorLog {
    obs::Logger logger;
    std::string_view not_loaded;
    std::string_view unreadable;  ///< Records that were left alone.
};

/// Reads the partition into a `Coordinator`, appends what that one writes, in order, tells it what
/// became of it, and calls it when time has passed.
///
/// `Derived` befriends it, makes coordinator_, and has what its kind adds:
///     static constexpr CoordinatorLog kLog;
///     Replay replay();                // What becomes of the records while it loads.
///     void on_loaded();               // finish_load() was called just before.
///     void follow_up();               // What else the coordinator wants after a call.
/// Threading: shard-local.
/// Memory:    shared: what is under way keeps it alive.
/// Failure:   a log that cannot be read, or that goes offline, leaves status() an error: clients
///            look for another coordinator until this one is back after a restart.
template <class Derived, class Coordinator>
class LogBackedCoordinator : public std::enable_shared_from_this<Derived> {
  public:
    /// Begins to read the partition.
    void start() { rt::start(load(this->shared_from_this())); }
    /// Ends it for good. Whoever still waits for an answer is told kNotCoordinator by its Ticket.
    void stop();
    /// Whether something it began is still under way after stop().
    [[nodiscard]] bool is_busy() const noexcept { return tasks_ > 0; }

    /// kNone when calls may be made; kCoordinatorLoadInProgress, kCoordinatorNotAvailable (failed),
    /// kNotCoordinator (stopped).
    [[nodiscard]] Errc status() const;

    /// `call(coordinator, now)`, and what follows from it. Precondition: status() is kNone.
    template <class Call>
    void run(Call call) {
        const Entry entry{*this};
        call(*coordinator_, now());
    }

  private:
    friend Derived;
    using Self = std::shared_ptr<Derived>;
    enum class State : std::uint8_t { kLoading, kReady, kFailed, kStopped };

    /// One call into the coordinator: afterwards what it wants is done. Answers may call back in,
    /// and stop() may come from one of them.
    class Entry {
      public:
        explicit Entry(LogBackedCoordinator& owner) : owner_(owner.shared_from_this()) {
            ++owner_->entries_;
        }
        ~Entry() { owner_->leave(); }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

      private:
        Self owner_;
    };
    /// Counts what is under way.
    class Busy {
      public:
        explicit Busy(LogBackedCoordinator& owner) : owner_(owner) { ++owner_.tasks_; }
        ~Busy() { --owner_.tasks_; }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;

      private:
        LogBackedCoordinator& owner_;
    };

    LogBackedCoordinator(Shard& shard, PartitionPtr partition)
        : shard_(shard), partition_(std::move(partition)) {}
    LogBackedCoordinator(const LogBackedCoordinator&) = delete;
    LogBackedCoordinator& operator=(const LogBackedCoordinator&) = delete;
    ~LogBackedCoordinator() { cancel_timer(); }

    [[nodiscard]] Derived& derived() { return static_cast<Derived&>(*this); }
    [[nodiscard]] coordination::Now now() const { return now_of(shard_); }
    [[nodiscard]] bool is_ready() const noexcept {
        return state_ == State::kReady && coordinator_ != nullptr;
    }
    void leave();
    static rt::Task<void> load(Self self);
    void loaded(const Result<void>& result);
    void append_writes();
    static rt::Task<void> append(Self self, coordination::Write write);
    void set_timer();
    void cancel_timer();

    Shard& shard_;
    PartitionPtr partition_;
    State state_ = State::kLoading;
    std::unique_ptr<Coordinator> coordinator_;  ///< Null once it is stopped.
    std::size_t entries_ = 0;                   ///< Calls into it that have not returned.
    std::size_t tasks_ = 0;                     ///< Loading, appends, and what Derived began.
    std::deque<coordination::Write> writes_;
    bool is_appending_ = false;
    rt::TimerId timer_;
    std::optional<Instant> timer_at_;
};

}  // namespace leat::broker
