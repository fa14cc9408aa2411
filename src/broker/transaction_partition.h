// SPDX-License-Identifier: Apache-2.0
//
// The coordinator of one partition of __transaction_state, between its log, the partitions it ends
// transactions in, and its callers. Layer: broker (L6).
// Spec:  transactions/coordinator.h; docs/reference/formats/transaction-state.md for the records.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "broker/markers.h"
#include "broker/shard.h"
#include "rt/executor.h"
#include "rt/task.h"
#include "storage/partition.h"
#include "transactions/coordinator.h"

namespace leat::broker {

/// Reads the partition into a coordinator, appends what that one writes, in order, writes its
/// markers until each is durable, fetches producer ids, and calls it when time has passed.
///
/// Threading: shard-local.
/// Memory:    shared: appends and markers on their way keep it alive.
/// Failure:   a log that cannot be read, or that goes offline, leaves status() an error: clients
///            look for another coordinator until this one is back after a restart.
class TransactionPartition final : public std::enable_shared_from_this<TransactionPartition> {
  public:
    TransactionPartition(Shard& shard, PartitionPtr partition,
                         const transactions::Faults& faults = {});
    ~TransactionPartition();
    TransactionPartition(const TransactionPartition&) = delete;
    TransactionPartition& operator=(const TransactionPartition&) = delete;

    /// Begins to read the partition.
    void start();
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
    /// Precondition: status() is kNone.
    [[nodiscard]] const transactions::Coordinator& coordinator() const { return *coordinator_; }

    void set_settings(const transactions::Settings& settings);

  private:
    using Self = std::shared_ptr<TransactionPartition>;
    enum class Phase : std::uint8_t { kLoading, kReady, kFailed, kStopped };

    /// One call into the coordinator: afterwards what it wants is done. Answers may call back in,
    /// and stop() may come from one of them.
    class Entry {
      public:
        explicit Entry(TransactionPartition& owner);
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

      private:
        Self owner_;
    };
    /// Counts what is under way.
    class Busy {
      public:
        explicit Busy(TransactionPartition& owner) : owner_(owner) { ++owner_.tasks_; }
        ~Busy() { --owner_.tasks_; }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;

      private:
        TransactionPartition& owner_;
    };

    [[nodiscard]] transactions::Now now() const;
    [[nodiscard]] bool is_ready() const noexcept {
        return phase_ == Phase::kReady && coordinator_ != nullptr;
    }
    static rt::Task<void> load(Self self);
    void loaded(const Result<void>& result);
    void append_writes();
    static rt::Task<void> append(Self self, transactions::Write write);
    void send_markers();
    static rt::Task<void> mark(Self self, transactions::Markers markers);
    /// Leaves those that are not marked yet; what will never be marked is let go.
    void drop_marked(std::vector<ToMark>& partitions, const transactions::Markers& markers) const;
    static rt::Task<void> fetch_id(Self self);
    void set_timer();

    Shard& shard_;
    PartitionPtr partition_;
    transactions::Faults faults_;
    Phase phase_ = Phase::kLoading;
    std::unique_ptr<transactions::Coordinator> coordinator_;
    std::size_t entries_ = 0;  ///< Calls into the coordinator that have not returned.
    std::size_t tasks_ = 0;    ///< Appends, markers and fetches under way.
    std::deque<transactions::Write> writes_;
    bool is_appending_ = false;
    rt::TimerId timer_;
    std::optional<Instant> timer_at_;
};

/// What an operator sets about transactions.
[[nodiscard]] transactions::Settings transaction_settings(const config::BrokerConfig& config);

}  // namespace leat::broker
