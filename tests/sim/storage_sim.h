// SPDX-License-Identifier: Apache-2.0
//
// Partitions, flusher, marks and logs on a simulated disk, with producers and readers that live
// through power cuts, kills and clean stops. Layer: test-only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "obs/metrics.h"
#include "storage/data_directory.h"
#include "storage/durable_marks.h"
#include "storage/file_cache.h"
#include "storage/flusher.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/shard_context.h"
#include "storage_sim_model.h"
#include "testkit/sim_disk.h"
#include "testkit/sim_executor.h"

namespace leat::sim {

/// What one seed came to.
struct Outcome {
    std::string wrong;  ///< "" when every rule held.
    std::uint64_t acked = 0;
    std::uint64_t restarts = 0;
};

/// Usage: run() once. Two runs of one seed and the same faults do the same.
class StorageSim {
  public:
    StorageSim(std::uint64_t seed, storage::Faults faults);
    ~StorageSim();

    Outcome run();

  private:
    struct Shard;
    struct Producer;
    struct Place;
    struct Sending;
    struct Transactor;
    class Ear;

    // One life of the process.
    void open();
    void live();
    void act();
    void end_life();
    void drain();
    void stop_clean();
    void forget_process();
    void break_something();

    // Clients.
    void produce(Producer& producer);
    void send(Producer& producer, std::size_t index);
    void answered(Producer& producer, std::uint32_t first, const storage::Appended& answer);
    void resend(Producer& producer);
    void send_damaged(Place& place);
    void read_some(Place& place);
    void took(Place& place, Offset from, const storage::ReadResult& result, bool& done,
              Offset& next);
    void delete_some(Place& place);

    // Transactions (storage_sim_transactions.cc).
    void add_transactors();
    void transact(Transactor& who);
    void send_in_transaction(Transactor& who);
    void decide(Transactor& who, bool commit);
    void send_end(Transactor& who);
    /// Brings what is open to its end; true when nothing is.
    bool end_transactions();
    /// An end that was answered stays.
    void check_ends();
    void check_committed(Place& place);
    [[nodiscard]] bool collect(Place& place, const storage::ReadResult& result,
                               std::vector<std::byte>& out);
    void check_all();
    void check_place(Place& place);
    void note(std::string wrong);
    [[nodiscard]] bool has_failed() const { return !outcome_.wrong.empty(); }

    testkit::SimRandom random_;
    testkit::SimRandom openings_;  ///< A stream of its own: histories stay what they were.
    testkit::SimWorld world_;
    testkit::SimDisk disk_;
    storage::Faults faults_;
    std::shared_ptr<config::BrokerConfig> broker_;
    testkit::SimPool& pool_;
    std::vector<testkit::SimExecutor*> executors_;

    std::unique_ptr<obs::Registry> registry_;
    std::unique_ptr<storage::Metrics> metrics_;
    std::unique_ptr<storage::FileCache> files_;
    std::unique_ptr<storage::DataDirectory> directory_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::unique_ptr<Place>> places_;
    std::vector<std::unique_ptr<Producer>> producers_;
    std::vector<std::unique_ptr<Transactor>> transactors_;
    std::size_t calls_ = 0;  ///< Of clients, not answered yet.
    bool was_clean_ = false;
    bool may_be_clean_ = false;       ///< The power went while the stop was being marked.
    bool is_broken_ = false;          ///< A fault of this life: appends may fail for good.
    bool lacks_descriptors_ = false;  ///< So too: reads may be refused, and nothing fails for good.
    Outcome outcome_;
};

}  // namespace leat::sim
