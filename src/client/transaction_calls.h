// SPDX-License-Identifier: Apache-2.0
//
// What a writer asks of the transaction coordinator, and of the group coordinator in a transaction.
// Layer: client (L3), on wire.
// Spec:  KIP-98; KIP-360 (a higher epoch instead of an end), KIP-447 (offsets as a member), KIP-890
//        (protocol 2: writing enrols, each transaction has an epoch of its own).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "client/consumer.h"
#include "client/coordinator_asker.h"
#include "client/group_member.h"
#include "client/group_offsets.h"
#include "client/producer_identity.h"

namespace leat::client {

/// What is left to do after an error, as Kafka's own producer sees it.
enum class TransactionFate : std::uint8_t {
    kMayRetry,   ///< The same again; nothing is lost yet.
    kMustAbort,  ///< The writer is good for another transaction once this one is aborted.
    kFatal,      ///< Only a new writer, which init() fences this one by, goes on.
};

/// Of an error of TransactionCalls, or in the answer of a coordinator.
[[nodiscard]] TransactionFate fate_of(Errc code);
/// Of an error in the answer to Produce: what is not known to be worse ends the transaction alone.
[[nodiscard]] TransactionFate fate_of_batch(Errc code);

struct TransactionCallSettings {
    /// Its `stop` ends all calls with kCancelled; retries_max and start_patience are passed over.
    ClusterOptions cluster;
    std::string transactional_id;  ///< Not empty.
    std::chrono::milliseconds transaction_timeout{60'000};
    /// Before a question is asked again; doubled each time, up to a second.
    std::chrono::milliseconds retry{100};
};

/// Calls block for `wait` at most. One that could not be done in that time ends with kTimedOut, and
/// goes on when it is called again with the same arguments.
///
/// Errors: Kafka's codes, with which call it was in the detail; fate_of() says what they mean.
///         kProducerFenced for kInvalidProducerEpoch, which older coordinators say; kTimedOut,
///         kCancelled, and those of Cluster::connect() that do not pass.
/// Threading: thread-safe: calls of several threads take turns.
class TransactionCalls {
  public:
    using milliseconds = std::chrono::milliseconds;

    explicit TransactionCalls(TransactionCallSettings settings);
    TransactionCalls(const TransactionCalls&) = delete;
    TransactionCalls& operator=(const TransactionCalls&) = delete;
    /// As ~CoordinatorAsker(). Transactions stay as they are.
    ~TransactionCalls() = default;

    /// Fences who had the transactional id before, and waits until its transaction has ended.
    Result<ProducerIdentity> init(milliseconds wait);
    /// For the same writer to start its sequences anew; aborts its transaction if one is open.
    /// Errors: kUnsupportedVersion where the coordinator is older than KIP-360: only init() helps.
    Result<ProducerIdentity> raise_epoch(ProducerIdentity now, milliseconds wait);
    /// Protocol 2: partitions and groups are enrolled by what is written to them, in Produce 12 or
    /// higher (and in 11 or lower without). Stays as it is while a transaction may be open.
    [[nodiscard]] bool enrols_by_itself() const noexcept { return enrols_by_itself_; }
    /// Before the first batch for each of them in a transaction. On protocol 2 there is nothing to
    /// do; what is enrolled already is passed over.
    Result<void> enrol(ProducerIdentity as, std::span<const TopicPartition> where,
                       milliseconds wait);
    /// In the transaction: they count for the group as soon as it is committed.
    /// Errors: kIllegalGeneration, kUnknownMemberId, kFencedInstanceId, kRebalanceInProgress: the
    /// group has moved on from who commits.
    Result<void> send_offsets(ProducerIdentity as, const GroupIdentity& group,
                              std::span<const CommittedOffset> offsets, milliseconds wait);
    /// Gives the identity for the next transaction. On protocol 1 nobody is asked about one in
    /// which nothing was enrolled; on protocol 2 it may only be aborted.
    Result<ProducerIdentity> end(ProducerIdentity as, bool commit, milliseconds wait);

  private:
    /// Of the transaction that is open, on protocol 1.
    struct Enrolled {
        std::set<TopicPartition> partitions;
        std::set<std::string> groups;
        bool may_have_more = false;  ///< Asked for, but not answered with success.

        [[nodiscard]] bool is_empty() const { return partitions.empty() && groups.empty(); }
    };

    /// Asks until there is an answer that stands.
    Result<CoordinatorWord> run(std::string_view what, const std::string& key,
                                const CoordinatorAsker::Question& question, milliseconds wait);
    /// Errors: kCancelled.
    Result<void> pause(Errc why, int failures, CoordinatorAsker::Clock::time_point end) const;
    Result<ProducerIdentity> ask_identity(ProducerIdentity now, milliseconds wait);
    Result<void> enrol_group(ProducerIdentity as, const std::string& group, milliseconds wait);
    /// A new transaction may begin, by the protocol that the coordinator has now.
    void note_ended(const CoordinatorWord& word);

    const TransactionCallSettings settings_;
    std::atomic<bool> enrols_by_itself_ = false;
    std::mutex mutex_;  ///< Of what is enrolled.
    Enrolled enrolled_;
    CoordinatorAsker asker_;  ///< The last one: its thread uses settings_.
};

}  // namespace leat::client
