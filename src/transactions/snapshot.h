// SPDX-License-Identifier: Apache-2.0
//
// One transactional id as a record of __transaction_state has it, and how it becomes the next one.
// Layer: transactions (L5). Pure.
// Spec:  Kafka's TransactionMetadata and TransactionLogValue (0-1); KIP-98, KIP-360, KIP-890.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transactions/types.h"

namespace leat::transactions {

/// Threading: a value.
struct Snapshot {
    Producer producer = {};
    std::int64_t previous_producer_id = kNoProducerId;  ///< Before the last change.
    std::int64_t next_producer_id = kNoProducerId;      ///< Takes over when this one completes.
    std::int16_t last_epoch = kNoEpoch;                 ///< Not in the log.
    std::int32_t timeout_ms = 0;
    State state = State::kEmpty;
    Protocol protocol = Protocol::kOne;
    Partitions partitions = {};
    WallMs started_at{-1};
    WallMs updated_at{-1};

    /// Epochs up to the one before the largest are given out; the largest is left for fencing.
    [[nodiscard]] bool is_epoch_exhausted() const noexcept;
    [[nodiscard]] bool is_deciding() const noexcept {
        return state == State::kPrepareCommit || state == State::kPrepareAbort;
    }
    [[nodiscard]] bool is_idle() const noexcept {
        return state == State::kEmpty || state == State::kCompleteCommit ||
               state == State::kCompleteAbort;
    }

    /// With the epoch raised for its owner. Errors: kProducerFenced (`expected` is neither the
    /// epoch nor the one before). Precondition: idle, and the epoch is not exhausted.
    [[nodiscard]] Result<Snapshot> with_next_epoch(std::int32_t timeout,
                                                   std::optional<std::int16_t> expected,
                                                   WallMs now) const;
    /// With a new producer id at epoch 0; `keep_last` remembers the epoch for a repeated request.
    [[nodiscard]] Snapshot with_producer(std::int64_t id, std::int32_t timeout, bool keep_last,
                                         WallMs now) const;
    [[nodiscard]] Snapshot with_partitions(std::span<const TopicPartition> added, Protocol by,
                                           WallMs now) const;
    /// The decision. Under protocol 2 the epoch rises with it.
    struct Decision {
        bool commit = false;
        Protocol by = Protocol::kOne;
        std::int64_t next_id = kNoProducerId;  ///< When the epoch is exhausted.
        bool is_fence = false;                 ///< Ours, against the owner: the epoch rises.
    };
    [[nodiscard]] Snapshot decided(const Decision& decision, WallMs now) const;
    /// The markers are written.
    [[nodiscard]] Snapshot completed(WallMs now) const;

    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// The id in a key; nullopt for a key of another kind, which is left alone.
/// Errors: kTruncated, kMalformed.
[[nodiscard]] Result<std::optional<std::string_view>> decode_key(Bytes key);
/// Errors: kTruncated, kMalformed, kUnsupportedVersion, kLimitExceeded.
[[nodiscard]] Result<Snapshot> decode_value(Bytes value);
[[nodiscard]] std::vector<std::byte> encode_key(std::string_view transactional_id);
/// Precondition: version 0 or 1.
[[nodiscard]] std::vector<std::byte> encode_value(const Snapshot& snapshot, std::int16_t version);

}  // namespace leat::transactions
