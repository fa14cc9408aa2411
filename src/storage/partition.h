// SPDX-License-Identifier: Apache-2.0
//
// One partition as the broker sees it: log, producers' state, high watermark, waiting readers.
// Layer: storage (L3).
// Spec:  docs/explanation/durability.md; Kafka's UnifiedLog and ProducerStateManager for what is
//        answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "rt/task.h"
#include "storage/types.h"

namespace leat::storage {

class Log;
class Partition;
class PartitionState;  // Defined in partition_state.h: log, producers, sync bookkeeping.
struct ShardContext;   // Defined in shard_context.h: what partitions of a shard share.

/// Told when there may be more to read, and when there never will be.
///
/// Threading: shard-local. May unwatch itself and others from inside.
class Watcher {
  public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    virtual ~Watcher() = default;
    /// High watermark, last stable offset or log start have moved.
    virtual void on_advanced(Partition& partition) = 0;
    /// Deleted, or gone offline: reads answer errors from now on.
    virtual void on_closed(Partition& partition) = 0;
};

/// Invariant: nothing above high_watermark() is ever returned by a read. With durability sync the
///            high watermark is never above what is on disk; it never goes back.
/// Threading: shard-local: every call on the shard's executor; open() on a thread that may block.
/// Memory:    shared: a request that suspended keeps its partition alive, also after close().
/// Failure:   after a failed sync, and when damage is found below the durable mark, the partition
///            is offline: appends answer kKafkaStorageError until restart, those that were in the
///            log already kNotEnoughReplicasAfterAppend; reads of what was synced go on where they
///            can. Disk full, or no descriptor left: appends answer kKafkaStorageError, nothing is
///            offline.
class Partition final : public std::enable_shared_from_this<Partition> {
  public:
    /// Opens the partition's folder, made when missing, and recovers what needs it.
    /// Runs on: a thread that may block; the result belongs to the shard of `context`.
    /// Errors: kIoError, kNoSpace, kTooManyOpenFiles, kDataDirFormat (the folder is another
    ///         topic's). Damage is no error: the partition is offline and says why.
    static Result<std::shared_ptr<Partition>> open(ShardContext& context, PartitionSpec spec,
                                                   SyncOfNew syncs = SyncOfNew::kByOpen);
    /// Takes away what open() has left of a partition that it could not open, when that is the
    /// topic's: as destroy() does. Runs on: a thread that may block. Errors: as open().
    static Result<void> discard(ShardContext& context, const PartitionSpec& spec);
    ~Partition();

    /// Appends the one batch in `batch`, whose offset, epoch and (where needed) timestamps are
    /// written in place; an oversized or recompressed one is replaced. Appends of one partition
    /// take effect in the order of the calls. Completes when `acks` says so: 0 and 1 and -1 as
    /// leat.durability has it. `batch` must live until then.
    /// Errors, in the answer: kCorruptMessage, kInvalidRecord, kMessageTooLarge,
    ///         kRecordListTooLarge, kInvalidTimestamp, kUnsupportedForMessageFormat,
    ///         kUnsupportedCompressionType, kOutOfOrderSequenceNumber, kInvalidProducerEpoch,
    ///         kKafkaStorageError, kUnknownTopicOrPartition (closed), kNotEnoughReplicas (too many
    ///         producer ids), kInvalidTxnState (a transactional batch without an open transaction
    ///         whose `guard` is not of now, or one outside of its open transaction),
    ///         kNotEnoughReplicasAfterAppend (written or in part, and whether it lasts is unknown).
    rt::Task<Appended> append(MutableBytes batch, Origin origin, std::int16_t acks,
                              TransactionGuard guard = {});

    /// Appends the marker that ends the producer's transaction here, or one that stands for a
    /// transaction without batches; completes as append() with acks=-1. One that is there already
    /// is not written again.
    /// Errors, in the answer: kInvalidProducerEpoch, kTransactionCoordinatorFenced,
    ///         kKafkaStorageError, kNotEnoughReplicasAfterAppend, kUnknownTopicOrPartition
    ///         (closed).
    rt::Task<Appended> end_transaction(EndTransaction end);
    /// For append(), taken before the coordinator is asked.
    [[nodiscard]] TransactionGuard transaction_guard(std::int64_t producer_id) const;
    /// The producer's open transaction; nullopt when there is none.
    [[nodiscard]] std::optional<OpenTransaction> open_transaction(std::int64_t producer_id) const;
    /// All of them, the earliest first.
    [[nodiscard]] std::vector<OpenTransaction> open_transactions() const;

    /// Reads whole batches from `request.from`; never waits for records, may wait for the disk.
    rt::Task<ReadResult> read(ReadRequest request);

    /// Bytes that a read from `from` could return now, as file positions tell; at most `enough` is
    /// looked for. 0 for an offset out of range.
    [[nodiscard]] std::size_t available_bytes(Offset from, Isolation isolation,
                                              std::size_t enough) const;

    /// Calls `watcher` until unwatch(). Precondition: not watching yet.
    void watch(Watcher& watcher);
    void unwatch(Watcher& watcher);

    /// First record whose timestamp is at least `at`, below the high watermark (or last stable
    /// offset); offset -1 when there is none.
    rt::Task<Result<TimestampedOffset>> find_by_time(WallMs at, Isolation isolation);
    /// The record below the high watermark that has the largest timestamp. As in Kafka, offset -1
    /// when `isolation` does not let it be read, and in an empty log.
    rt::Task<Result<TimestampedOffset>> find_max_timestamp(Isolation isolation);
    static constexpr std::int32_t kNoEpoch = -1;
    /// Largest known epoch <= `epoch` and where it ends. Of one whose records are gone: itself, and
    /// where the log begins, so that who read it to its end goes on. {-1, -1} of kNoEpoch and of
    /// those that are still to come (KIP-320).
    struct EpochEnd {
        std::int32_t epoch = kNoEpoch;
        Offset end{-1};
    };
    [[nodiscard]] EpochEnd end_of_epoch(std::int32_t epoch) const;
    /// Of the first record there is, or the next one; kNoEpoch when it is not known.
    [[nodiscard]] std::int32_t first_epoch() const;
    /// kNone, kFencedLeaderEpoch or kUnknownLeaderEpoch for what a client believes; -1 is not
    /// asked.
    [[nodiscard]] Errc check_leader_epoch(std::int32_t current) const;

    /// Moves the log start to `before` (-1: the high watermark), durably; returns the new log
    /// start. Errors: kOffsetOutOfRange, kPolicyViolation (compacted only), kKafkaStorageError.
    rt::Task<Result<Offset>> delete_records(Offset before);

    [[nodiscard]] std::vector<ActiveProducer> producers() const;

    /// The topic's settings or the node's epoch changed.
    void set_config(std::shared_ptr<const config::TopicConfig> config);

    /// Runs `work` on the pool while nothing else uses the log: appends and reads from files wait.
    /// For what the cleaner must do at once, such as putting segments in the place of others.
    /// Errors: of `work`; kClosed, kOffline without calling it.
    using LogWork = std::move_only_function<Result<void>(Log& log)>;
    rt::Task<Result<void>> with_log(LogWork work);

    /// Stops appends (kUnknownTopicOrPartition) and tells watchers; pending acks are still settled.
    void close();
    /// After close(): syncs and closes the files, so that the next open() need not recover.
    rt::Task<Result<void>> shut_down();
    /// After close(): renames the folder to "<name>.<hex>-delete" at once, durably, and removes it
    /// after file.delete.delay.ms.
    rt::Task<Result<void>> destroy();

    [[nodiscard]] const PartitionSpec& spec() const noexcept;
    [[nodiscard]] Offset log_start() const noexcept;
    [[nodiscard]] Offset high_watermark() const noexcept;
    [[nodiscard]] Offset last_stable() const noexcept;
    [[nodiscard]] Offset log_end() const noexcept;
    [[nodiscard]] std::int64_t size_bytes() const noexcept;
    [[nodiscard]] bool is_offline() const noexcept;
    /// Damage was found below the durable mark: there is no log to ask, and what the offsets above
    /// say of it is not to be told. is_offline() too.
    [[nodiscard]] bool is_quarantined() const noexcept;

  private:
    explicit Partition(std::unique_ptr<PartitionState> state);
    std::unique_ptr<PartitionState> state_;
};

}  // namespace leat::storage
