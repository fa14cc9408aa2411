// SPDX-License-Identifier: Apache-2.0
//
// What StorageSim is made of. Layer: test-only.
#pragma once

#include <deque>
#include <memory>

#include "storage_sim.h"

namespace leat::sim {

struct StorageSim::Shard {
    testkit::SimExecutor* executor = nullptr;
    std::unique_ptr<storage::Flusher> flusher;
    std::unique_ptr<storage::ShardContext> context;
};

/// Hears of every move of one partition.
class StorageSim::Ear final : public storage::Watcher {
  public:
    Ear(StorageSim& sim, Place& place) : sim_(sim), place_(place) {}
    void on_advanced(storage::Partition& partition) override;
    void on_closed(storage::Partition& /*partition*/) override {}

  private:
    StorageSim& sim_;
    Place& place_;
};

/// One partition over all lives.
struct StorageSim::Place {
    storage::PartitionSpec spec;
    std::size_t shard = 0;
    PartitionModel model;
    std::shared_ptr<storage::Partition> partition;
    std::unique_ptr<Ear> ear;
    Offset position{0};
    bool is_reading = false;
};

/// A batch that is not acknowledged.
struct StorageSim::Sending {
    BatchPlan plan;
    std::size_t in_flight = 0;  ///< Copies of it under way.
    bool is_acked = false;
};

/// A producer of transactions, and their coordinator, whose decisions outlive all crashes.
struct StorageSim::Transactor {
    enum class State : std::uint8_t { kIdle, kOpen, kEnding };

    std::uint64_t number = 0;
    Place* place = nullptr;
    State state = State::kIdle;
    std::int16_t epoch = 0;
    std::uint32_t next = 0;   ///< Number of the next record.
    std::uint32_t first = 0;  ///< Of the transaction.
    std::int32_t sequence = 0;
    std::size_t in_flight = 0;
    bool has_failed = false;
    bool commits = false;  ///< The decision.
    bool is_end_in_flight = false;

    [[nodiscard]] std::int64_t producer_id() const {
        return 1'000 + static_cast<std::int64_t>(number);
    }
};

struct StorageSim::Producer {
    std::uint64_t number = 0;
    bool is_idempotent = false;
    Place* place = nullptr;
    std::uint32_t next = 0;
    std::deque<Sending> unacked;
    bool must_resend = false;
};

}  // namespace leat::sim
