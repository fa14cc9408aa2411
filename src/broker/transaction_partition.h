// SPDX-License-Identifier: Apache-2.0
//
// The coordinator of one partition of __transaction_state, and the partitions that it ends
// transactions in. Layer: broker (L6).
// Spec:  transactions/coordinator.h; docs/reference/formats/transaction-state.md for the records.
#pragma once

#include <vector>

#include "broker/log_backed_coordinator.h"
#include "broker/markers.h"
#include "broker/shard.h"
#include "rt/task.h"
#include "transactions/coordinator.h"

namespace leat::broker {

/// Writes the coordinator's markers until each is durable, and fetches producer ids for it.
///
/// Threading: shard-local.
class TransactionPartition final
    : public LogBackedCoordinator<TransactionPartition, transactions::Coordinator> {
  public:
    TransactionPartition(Shard& shard, PartitionPtr partition,
                         const transactions::Faults& faults = {});

    /// Precondition: status() is kNone.
    [[nodiscard]] const transactions::Coordinator& coordinator() const { return *coordinator_; }

    void set_settings(const transactions::Settings& settings);

  private:
    friend LogBackedCoordinator;
    static constexpr CoordinatorLog kLog{
        .logger = obs::Logger{"transactions"},
        .not_loaded = "transactions not loaded",
        .unreadable = "records of transactions left alone that cannot be read"};

    [[nodiscard]] Replay replay();
    void on_loaded() {}
    void follow_up();
    void send_markers();
    static rt::Task<void> mark(Self self, transactions::Markers markers);
    /// Leaves those that are not marked yet; what will never be marked is let go.
    void drop_marked(std::vector<ToMark>& partitions, const transactions::Markers& markers) const;
    static rt::Task<void> fetch_id(Self self);

    transactions::Faults faults_;
};
extern template class LogBackedCoordinator<TransactionPartition, transactions::Coordinator>;

/// What an operator sets about transactions.
[[nodiscard]] transactions::Settings transaction_settings(const config::BrokerConfig& config);

}  // namespace leat::broker
