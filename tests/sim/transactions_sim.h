// SPDX-License-Identifier: Apache-2.0
//
// A transaction coordinator, its log, the partitions it ends transactions in, and producers with a
// network between, in simulated time. Test-only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "event_queue.h"
#include "storage/producer_state.h"
#include "testkit/sim_random.h"
#include "transactions/coordinator.h"

namespace leat::transactions::sim {

using std::chrono::milliseconds;

/// One transaction as its producer knows it.
struct Deed {
    enum class Known : std::uint8_t { kOpen, kCommitAsked, kAbortAsked, kCommitted, kAborted };
    Known known = Known::kOpen;
    std::vector<std::int32_t> acked;  ///< Partition of each of its values that was acknowledged.
};

/// One partition: entries, how many of them the disk has, and what they say of producers.
struct Log {
    struct Entry {
        Producer producer;
        std::int32_t sequence = -1;
        std::size_t deed = 0;
        bool is_marker = false;
        bool commit = false;
        std::int16_t version = 0;
    };
    std::vector<Entry> entries;
    std::size_t durable = 0;
    storage::ProducerState state{storage::ProducerLimits{}};

    /// kNone: it lies at the end, or did already.
    Errc append(const Entry& entry, bool begins_at_zero);
    void replay();

  private:
    void note(const Entry& entry, std::int64_t offset);
};

class World;

/// A producer as a client library would be, of either protocol; a new one takes its place when it
/// is fenced or dies.
class Client {
  public:
    Client(World& world, int number);
    void start() { init(); }
    /// In quiet: it has been served, or its last transaction has ended, and it begins no other.
    [[nodiscard]] bool is_at_rest() const { return is_at_rest_; }
    [[nodiscard]] const std::string& id() const { return id_; }

  private:
    void init();
    void begin();
    void step();
    void send(std::int32_t partition);
    void end(bool commit);
    void end_again(std::uint64_t attempt, bool commit);
    void replace();
    void on_sent(std::int32_t partition, Errc error);
    /// Of a request that arrives now on `connection`, which may be one that was given up.
    [[nodiscard]] transactions::Caller caller(Protocol protocol, std::uint64_t connection) const;
    /// `ask` reaches the broker after a delay, its answer the client after another, unless a crash
    /// or a newer attempt came between; without an answer `late` runs.
    template <class T>
    void call(std::function<void(Answer<T>)> ask, std::function<void(const T&)> then,
              std::function<void()> late);

    World& world_;
    std::string id_;
    Protocol protocol_;
    Producer producer_;
    std::uint64_t connection_ = 0;
    std::uint64_t attempt_ = 0;
    std::size_t deed_ = 0;
    int left_ = 0;
    bool is_at_rest_ = false;
    std::map<std::int32_t, std::int32_t> sequences_;  ///< Next, by partition.
    std::vector<std::int32_t> enrolled_;
};

class World {
  public:
    static constexpr std::int32_t kPartitions = 4;
    World(std::uint64_t seed, const Faults& faults);
    /// `time` of chaos, then quiet until everything that is open must have ended.
    void run(milliseconds time);
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
    /// Transactions that their producer knows to be committed.
    [[nodiscard]] std::ptrdiff_t committed() const {
        return std::ranges::count(deeds_, Deed::Known::kCommitted, &Deed::known);
    }

  private:
    friend class Client;
    void after(milliseconds delay, std::function<void()> fn);
    void advance_to(milliseconds until);
    [[nodiscard]] Now now() const;
    /// What the coordinator wants is begun; call after each call into it.
    void serve();
    void write(Write write);
    void mark(const Markers& markers);
    void boot();
    void crash();
    void abort_unknown();
    /// Appends for a client; `done` when it is durable.
    void append(std::int32_t partition, const Log::Entry& entry, bool begins_at_zero,
                Answer<Errc> done);
    void sync(std::size_t log, Answer<Errc> done);
    void judge();
    void judge_deed(std::size_t deed, const std::map<std::int32_t, int>& seen);

    testkit::SimRandom random_;
    Settings settings_;
    milliseconds time_{0};
    leat::sim::EventQueue events_;
    std::unique_ptr<Coordinator> coordinator_;
    std::vector<RecordToWrite> records_;  ///< Of the coordinator, durable ones only.
    std::vector<Write> writes_;           ///< On their way, in order.
    std::uint64_t boots_ = 0;
    std::int64_t next_id_ = 1;
    std::uint64_t next_connection_ = 0;
    std::vector<Log> logs_{kPartitions};
    std::vector<Deed> deeds_;
    std::vector<std::unique_ptr<Client>> clients_;
    bool is_quiet_ = false;
    std::vector<std::string> violations_;
};

}  // namespace leat::transactions::sim
