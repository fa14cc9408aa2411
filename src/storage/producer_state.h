// SPDX-License-Identifier: Apache-2.0
//
// What one partition knows of its producers: sequences, epochs, recent batches, open transactions.
// Layer: storage (L3). Pure.
// Spec:  KIP-98, KIP-360, KIP-890; Kafka's ProducerStateManager and ProducerAppendInfo.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/errc.h"
#include "base/result.h"
#include "base/units.h"
#include "storage/types.h"

namespace leat::config {
struct BrokerConfig;
}

namespace leat::storage {

/// `sequence` plus or minus `count`; after INT32_MAX comes 0. Preconditions: neither is negative.
[[nodiscard]] std::int32_t sequence_after(std::int32_t sequence, std::int32_t count) noexcept;
[[nodiscard]] std::int32_t sequence_before(std::int32_t sequence, std::int32_t count) noexcept;

/// What is looked at in a data batch of a producer with an id.
struct ProducerBatch {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    std::int32_t first_sequence = -1;  ///< -1: a coordinator's batch, which has none.
    std::int32_t last_offset_delta = 0;
    bool transactional = false;
    TransactionGuard guard = {};  ///< Of a transactional one.
};

/// A transaction marker.
struct EndMarker {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    std::int32_t coordinator_epoch = -1;
    std::int16_t transaction_version = 0;  ///< As EndTransaction has it.
};

/// A batch that a producer may send again.
struct RememberedBatch {
    std::int32_t last_sequence = -1;
    std::int32_t offset_delta = 0;
    Offset last_offset{-1};
    WallMs timestamp{-1};  ///< Its maximum timestamp.

    [[nodiscard]] std::int32_t first_sequence() const noexcept;
    [[nodiscard]] Offset base_offset() const noexcept { return {last_offset.value - offset_delta}; }
    friend bool operator==(const RememberedBatch&, const RememberedBatch&) = default;
};

/// One producer. Kafka's snapshot has all but `last_write`, the older four batches, `started_at`
/// and `ends`; the last two are forgotten at a restart.
struct ProducerEntry {
    static constexpr std::size_t kBatches = 5;

    std::int16_t epoch = -1;
    std::uint8_t batch_count = 0;
    std::int32_t coordinator_epoch = -1;
    std::array<RememberedBatch, kBatches> batches = {};  ///< The newest first.
    WallMs last_timestamp{-1};     ///< Of its last batch or marker, as Kafka has it.
    WallMs last_write{-1};         ///< By our clock: what expiry counts from.
    Offset transaction_start{-1};  ///< -1: none is open.
    WallMs started_at{-1};         ///< When the open transaction began.
    std::int64_t ends = 0;         ///< Decisions of the coordinator that have come for it.

    [[nodiscard]] std::int32_t last_sequence() const noexcept {
        return batch_count == 0 ? -1 : batches[0].last_sequence;
    }
    void remember(const RememberedBatch& batch) noexcept;
    friend bool operator==(const ProducerEntry&, const ProducerEntry&) = default;
};
using ProducerEntries = std::unordered_map<std::int64_t, ProducerEntry>;

struct ProducerLimits {
    std::int64_t expiration_ms = 86'400'000;
    std::size_t ids_max = 100'000;
    /// A producer that wrote within this time may still send a batch again.
    std::int64_t idle_min_ms = 600'000;
};
/// What an operator sets about them.
[[nodiscard]] ProducerLimits producer_limits(const config::BrokerConfig& config) noexcept;

/// Invariant: holds the state after every batch that was shown to it, whether from the log or new;
///            first_unstable() never goes back while the high watermark does not.
/// Threading: not synchronised.
/// Memory:    about 200 bytes a producer.
class ProducerState {
  public:
    explicit ProducerState(ProducerLimits limits) noexcept : limits_(limits) {}

    struct Verdict {
        Errc error = Errc::kNone;
        /// The same batch as it was appended before: answer with it, append nothing.
        std::optional<RememberedBatch> duplicate;
        std::string message;  ///< Says what was expected; "" without an error.
    };
    /// Whether a client may append `batch`. `now` decides which ids have expired when there is no
    /// room for a new one; without any `batch` is one that found_no_room().
    /// Errors: kOutOfOrderSequenceNumber, kInvalidProducerEpoch, kInvalidTxnState (a batch outside
    ///         of its open transaction, or one that would open one without its coordinator),
    ///         kNotEnoughReplicas (ids_max, and nobody has been idle for idle_min_ms: clients try
    ///         again), kKafkaStorageError (behind one that found_no_room()).
    [[nodiscard]] Verdict check(const ProducerBatch& batch, WallMs now);

    /// `batch`, which check() let pass, was refused for want of space, to be sent again. Until it
    /// is there, what its producer sent behind it meanwhile is refused as it was: a gap is not the
    /// client's fault then, and one that was not known yet must not begin behind it.
    void found_no_room(const ProducerBatch& batch, WallMs now);

    /// `batch` lies in the log at `base_offset`. Also for replay: nothing is checked.
    void appended(const ProducerBatch& batch, Offset base_offset, WallMs max_timestamp, WallMs now);

    /// Whether a coordinator may end the producer's transaction.
    /// Errors: kInvalidProducerEpoch, kTransactionCoordinatorFenced.
    [[nodiscard]] Errc check(const EndMarker& marker) const;
    /// True when the marker would change nothing: it came before, or nothing was open.
    /// Precondition: check() has let it pass.
    [[nodiscard]] bool is_repeated(const EndMarker& marker) const;
    /// Of the producer's last marker; -1: it had none.
    [[nodiscard]] std::int32_t coordinator_epoch(std::int64_t producer_id) const;
    /// A decision of the coordinator has come that no marker is written for.
    void note_end(std::int64_t producer_id);
    [[nodiscard]] TransactionGuard guard(std::int64_t producer_id) const;

    /// What ended with a marker.
    struct Ended {
        Offset first;        ///< Of the transaction.
        Offset last;         ///< The marker's.
        Offset last_stable;  ///< Without this transaction, as the aborted index records it.
    };
    /// `marker` lies in the log at `at`. nullopt: it had no open transaction. The transaction stays
    /// unstable until the high watermark has passed the marker.
    std::optional<Ended> ended(const EndMarker& marker, Offset at, WallMs timestamp, WallMs now);

    /// Drops transactions whose markers lie below `high_watermark`.
    void advance(Offset high_watermark);

    /// First offset of the earliest transaction that is open or whose marker is not yet below the
    /// high watermark; -1: none.
    [[nodiscard]] Offset first_unstable() const noexcept;

    /// Forgets producers that have not written for expiration_ms and have no open transaction.
    /// Returns how many.
    std::size_t expire(WallMs now);

    /// Takes the place of everything: from a snapshot.
    void restore(ProducerEntries entries);

    [[nodiscard]] const ProducerEntries& entries() const noexcept { return entries_; }
    /// For DescribeProducers, by id.
    [[nodiscard]] std::vector<ActiveProducer> active() const;
    void set_limits(ProducerLimits limits) noexcept;
    [[nodiscard]] std::optional<OpenTransaction> open_transaction(std::int64_t producer_id) const;
    /// The earliest first.
    [[nodiscard]] std::vector<OpenTransaction> open_transactions() const;

  private:
    /// At ids_max those make room that expired, then those that have been idle the longest.
    [[nodiscard]] bool has_room(WallMs now);
    void forget_idle(WallMs now);
    [[nodiscard]] bool is_behind_refused(const ProducerBatch& batch, WallMs now);
    [[nodiscard]] static Verdict check_guard(const ProducerBatch& batch, std::int64_t ends);

    struct Refused {
        std::int16_t epoch;
        std::int32_t first_sequence;
        WallMs since;
    };

    ProducerLimits limits_;
    ProducerEntries entries_;
    std::unordered_map<std::int64_t, Refused> refused_;  ///< By producer; not kept over a restart.
    std::map<Offset, std::int64_t> open_;                ///< First offset, producer.
    std::map<Offset, Offset> ended_;  ///< First offset, marker above the high watermark.
    WallMs expire_again_{-1};         ///< Before this nothing can have expired.
    WallMs forget_again_{-1};         ///< Before this nobody can have been idle long enough.
};

}  // namespace leat::storage
