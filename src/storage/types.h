// SPDX-License-Identifier: Apache-2.0
//
// What goes into a partition's log and what comes out of it. Layer: storage (L3).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/errc.h"
#include "base/units.h"
#include "base/uuid.h"
#include "config/topic_config.h"
#include "rt/disk.h"

namespace leat::storage {

/// What a stored batch may unpack to, unless leat.decompressed.max.bytes allows more: its default.
/// A batch in the log was admitted under the setting of its time, and compaction that refuses it
/// would stop for good.
inline constexpr std::size_t kStoredInflatedMax = std::size_t{1} << 30U;

/// Names a partition for ever: a topic made again under its old name has another id.
struct PartitionId {
    Uuid topic;
    std::int32_t index = 0;
    friend bool operator==(const PartitionId&, const PartitionId&) = default;
};

/// A partition as the metadata knows it.
struct PartitionSpec {
    std::string topic;
    PartitionId id;
    std::int32_t leader_epoch = 0;
    std::shared_ptr<const config::TopicConfig> config;

    /// Name of its folder, "<topic>-<index>".
    [[nodiscard]] std::string folder() const { return topic + "-" + std::to_string(id.index); }
};

/// Who makes a folder durable that open() makes: open(), or its caller, with one sync of the file
/// system for many folders. Nothing may be appended before.
enum class SyncOfNew : std::uint8_t { kByOpen, kByCaller };

/// Who appends: decides what is checked.
enum class Origin : std::uint8_t {
    kClient,       ///< A Produce request: everything is checked, sequences included.
    kOldClient,    ///< The same with messages of magic 0 or 1, which become a batch first.
    kCoordinator,  ///< Our own records: built by us, control batches allowed.
};

/// What stands for an answer of the transaction coordinator: how many transactions of the producer
/// had ended in the partition before it was asked. One that has ended since has taken the answer
/// with it: a late batch must not open a transaction that nobody will end (KIP-890).
struct TransactionGuard {
    std::int64_t ends = -1;  ///< -1: nobody was asked.
    bool begins_at_zero =
        false;  ///< Protocol 2: a producer that is not known begins at sequence 0.
};

/// How a transaction ends in one partition, as its coordinator has decided.
struct EndTransaction {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    bool committed = false;
    std::int32_t coordinator_epoch = 0;
    /// Decided by this node, which has no other coordinator: where the partition has seen a larger
    /// `coordinator_epoch`, the marker takes that one and is not refused.
    bool is_of_this_node = false;
    /// 2: the epoch is one above that of the transaction's batches (KIP-890), so that an end that
    /// comes late cannot take the next transaction with it.
    std::int16_t transaction_version = 0;
};

/// A transaction that has no marker yet.
struct OpenTransaction {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    std::int32_t coordinator_epoch = -1;  ///< Of the last marker; -1: there was none.
    Offset start{-1};
    /// By our clock; after a restart as the records tell it.
    WallMs started_at{-1};
    WallMs last_timestamp{-1};  ///< Of its last batch.
};

struct RecordError {
    std::int32_t index = 0;  ///< Of the record in its batch.
    std::string message;
};

/// What became of one append.
struct Appended {
    Errc error = Errc::kNone;
    Offset base_offset{-1};
    WallMs append_time{-1};  ///< Only with LogAppendTime.
    Offset log_start{-1};
    std::vector<RecordError> record_errors;
    std::string message;               ///< "" when the code says it all.
    std::chrono::nanoseconds busy{0};  ///< Processor time, with ShardContext::measures_time.
};

enum class Isolation : std::uint8_t { kReadUncommitted, kReadCommitted };

/// Whole batches, in a file or in memory; whoever holds the slice keeps them alive.
struct ReadSlice {
    std::shared_ptr<rt::File> file;      ///< Null: in memory.
    FilePos at;                          ///< In `file`.
    std::shared_ptr<const void> memory;  ///< Keeps `bytes` alive.
    Bytes bytes;
    std::size_t size_bytes = 0;
};

struct AbortedTransaction {
    std::int64_t producer_id = 0;
    Offset first_offset;
};

struct ReadRequest {
    Offset from;
    std::size_t bytes_max = 0;
    /// Return one whole batch even if it is larger than `bytes_max`.
    bool at_least_one = false;
    Isolation isolation = Isolation::kReadUncommitted;
};

struct ReadResult {
    Errc error = Errc::kNone;  ///< kOffsetOutOfRange, kKafkaStorageError.
    std::vector<ReadSlice> slices;
    std::size_t size_bytes = 0;  ///< Of all slices.
    Offset high_watermark{-1};
    Offset last_stable{-1};
    Offset log_start{-1};
    std::vector<AbortedTransaction> aborted;  ///< Only of read_committed.
    std::chrono::nanoseconds busy{0};         ///< As in Appended.
};

struct TimestampedOffset {
    Offset offset{-1};
    WallMs timestamp{-1};
    std::int32_t leader_epoch = -1;
};

/// One producer as DescribeProducers shows it.
struct ActiveProducer {
    std::int64_t producer_id = 0;
    std::int16_t epoch = 0;
    std::int32_t last_sequence = -1;
    WallMs last_timestamp{-1};
    std::int32_t coordinator_epoch = -1;
    Offset transaction_start{-1};  ///< -1: none is open.
};

}  // namespace leat::storage
