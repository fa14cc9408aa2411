// SPDX-License-Identifier: Apache-2.0
//
// What the workers of transactions share: the plan, the counters and holds that the harness maps,
// transactions with their retries, reading to the end of what is committed. Layer: tests.
#pragma once

#include <functional>
#include <random>
#include <set>
#include <vector>

#include "worker_client.h"

namespace leat::crash {

/// Where a worker waits when the harness asks for it.
enum class Step : std::int64_t {
    kNone = 0,
    kBegun = 1,
    kHalf = 2,   ///< Bank: one of two records is acknowledged. Transform: the outputs are.
    kWhole = 3,  ///< Bank: both records are. Transform: the offsets are in the transaction too.
    kEnded = 4,  ///< Told, and not yet written down.
    kIdle = 5,   ///< Between transactions; every thread waits here.
};

/// Counters and wishes, in a file that the harness maps too (load.py).
struct TxnStatus {
    std::atomic<std::int64_t> committed;
    std::atomic<std::int64_t> open;  ///< Transactions that are begun and not ended.
    std::atomic<std::int64_t> read;
    std::atomic<std::int64_t> hold;  ///< The harness's: the Step to wait at.
    std::atomic<std::int64_t> held;  ///< How many threads wait there.
};

struct TxnPlan {
    Plan client;
    std::string input = "input";  ///< Transform only.
    std::string letter = "D";     ///< dump(): of its lines.
    int threads = 3;
    int accounts = 5;  ///< Of one thread.
    int incarnation = 0;
    int number = 0;  ///< audit(): which one.
};

/// Ends the process so that the harness starts another one: what it had open has an unknown fate.
[[noreturn]] void begin_anew(const std::string& why);

extern std::atomic<bool> stopping;

/// Hands a record to a producer; false: not taken.
bool put(rd_kafka_t* handle, const std::string& topic, std::int32_t partition,
         const std::string& key, const std::string& value);

/// One transactional producer and its transactions, written down. Threading: one thread's.
class Transactor {
  public:
    Transactor(const TxnPlan& plan, History& history, TxnStatus& status, int thread,
               const char* prefix);

    void begin();
    void send(const std::string& topic, std::int32_t partition, const std::string& key,
              const std::string& value);
    /// Waits for what was sent.
    void flush();
    void send_offsets(const rd_kafka_topic_partition_list_t* offsets, rd_kafka_t* consumer);
    /// False: it was aborted instead.
    bool commit();
    void abort();
    void wait_at(Step step);

    [[nodiscard]] const std::string& id() const { return id_; }
    /// The client wants it aborted.
    [[nodiscard]] bool must_abort() const { return must_abort_; }
    std::mt19937_64& random() { return random_; }
    [[nodiscard]] int thread() const { return thread_; }

  private:
    using Call = std::function<rd_kafka_error_t*()>;
    /// Again while that helps. True: done.
    bool settle(const Call& call);

    History& history_;
    TxnStatus& status_;
    int thread_;
    std::string prefix_;
    std::mt19937_64 random_;
    Kafka handle_;
    std::string id_;
    std::int64_t number_ = 0;
    bool must_abort_ = false;
};

/// Reads a topic from its start to where its partitions end now, as one who wants what is
/// committed. Ends the process when that end cannot be reached.
using OnRecord = std::function<void(const rd_kafka_message_t& message, const std::string& value)>;
void read_committed(const TxnPlan& plan, const std::string& topic, const OnRecord& on_record);

void bank(const TxnPlan& plan, History& history, TxnStatus& status);
void transform(const TxnPlan& plan, History& history, TxnStatus& status);
void feed(const TxnPlan& plan, History& history, TxnStatus& status);

}  // namespace leat::crash
