// SPDX-License-Identifier: Apache-2.0
//
// The transaction coordinators of one shard, and how a handler calls the one of a transactional id.
// Layer: broker (L6).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/open_transactions.h"
#include "broker/parked_answer.h"
#include "broker/request.h"
#include "broker/shard.h"
#include "broker/shard_service.h"
#include "broker/transaction_partition.h"

namespace leat::broker {

inline constexpr std::string_view kTransactionsTopic = "__transaction_state";

/// One TransactionPartition for each partition of __transaction_state that is this shard's.
///
/// Threading: shard-local.
class TransactionHost final : public ShardService {
  public:
    explicit TransactionHost(Shard& shard, const transactions::Faults& faults = {})
        : shard_(shard), faults_(faults) {}
    ~TransactionHost() override;

    void opened(const PartitionPtr& partition) override;
    void closing(const PartitionPtr& partition) override;
    void applied(const metadata::Delta& delta) override;
    /// On the first shard: what a crash has left open is aborted, as soon as that can be, and what
    /// hangs is looked for.
    void started() override;
    rt::Task<void> stop() override;

    /// The partition's coordinator; null when it is not here.
    [[nodiscard]] std::shared_ptr<TransactionPartition> find(const storage::PartitionId& id) const;
    using Hosted = std::unordered_map<storage::PartitionId, std::shared_ptr<TransactionPartition>,
                                      PartitionIdHash>;
    [[nodiscard]] const Hosted& hosted() const noexcept { return hosted_; }

  private:
    rt::Task<void> watch();
    rt::Task<void> pause(std::chrono::milliseconds time);
    void end_pause();
    /// Tries to abort what is doubtful and has no coordinator; true: nothing is doubtful any more.
    rt::Task<bool> reconcile();
    void note_abort(UnknownTransaction& unknown, Errc error);
    rt::Task<void> look_for_hanging();
    /// Counts those that hang; gives those that were not told of.
    [[nodiscard]] UnknownTransactions note_hanging(UnknownTransactions unknown);
    /// More of them. On the first shard.
    void doubt(UnknownTransactions open);

    Shard& shard_;
    transactions::Faults faults_;
    Hosted hosted_;
    bool is_stopped_ = false;
    bool is_started_ = false;
    bool is_watching_ = false;
    /// Open since before this start: of a coordinator that knows them, or of none.
    UnknownTransactions doubtful_;
    bool lacks_one_ = false;                 ///< As it was told of.
    rt::Completion<bool>* pause_ = nullptr;  ///< Of the watch, while it rests.
    rt::TimerId timer_;
    std::set<std::string> hanging_;  ///< As they were told of.
};

/// Where a transactional id lives.
struct TransactionPlace {
    Shard* shard = nullptr;
    storage::PartitionId partition;

    /// The coordinator, on `shard`; null with a reason in `error` when it cannot be called.
    [[nodiscard]] std::shared_ptr<TransactionPartition> host(Errc& error) const;
};

/// nullopt while __transaction_state does not exist. On `shard`.
[[nodiscard]] std::optional<TransactionPlace> place_of_transaction(
    const Shard& shard, std::string_view transactional_id);

/// Runs `call(coordinator, now, ticket)` on the shard of the transactional id and resumes THERE
/// with what the ticket was given. What the caller then sends straight to a partition's shard gets
/// there before any marker of a later decision. `call` is a plain function object; what it refers
/// to outlives the await.
/// Errors: those of the call, kNotCoordinator, kCoordinatorLoadInProgress,
/// kCoordinatorNotAvailable.
template <class T, class Call>
rt::Task<T> ask_transaction_there(TransactionPlace place, Call call) {
    co_await rt::hop(place.shard->executor());
    Errc error = Errc::kNone;
    const std::shared_ptr<TransactionPartition> host = place.host(error);
    if (host == nullptr) co_return refused_with<T>(error);
    const auto parked = std::make_shared<ParkedAnswer<T>>();
    host->run([&](transactions::Coordinator& coordinator, transactions::Now now) {
        call(coordinator, now, Ticket<T>{parked});
    });
    co_return co_await parked->done;
}

/// The same, and resumes on the request's shard.
template <class T, class Call>
rt::Task<T> ask_transaction(Request* request, std::string_view transactional_id, Call call) {
    const std::optional<TransactionPlace> place =
        place_of_transaction(*request->shard, transactional_id);
    if (!place) co_return refused_with<T>(Errc::kNotCoordinator);
    T out = co_await ask_transaction_there<T>(*place, std::move(call));
    co_await rt::hop(request->shard->executor());
    co_return out;
}

/// Whether the finalized level of transaction.version allows protocol 2 (KIP-890). At level 0 Kafka
/// refuses what begins by it with UNSUPPORTED_VERSION; level 1 changes nothing for clients.
[[nodiscard]] bool serves_protocol_two(const Shard& shard);

/// What a producer wants to write into its transaction, not by the coordinator's own APIs.
struct Admission {
    std::string_view transactional_id = {};
    transactions::Producer producer = {};
    std::span<const transactions::TopicPartition> partitions = {};
    bool enrols = false;          ///< Protocol 2: they are enrolled by this.
    bool knows_abortable = true;  ///< The version knows TRANSACTION_ABORTABLE.
};

/// Whether they may be written, each with its error; resumes on the coordinator's shard as
/// ask_transaction_there() does, on the request's own when there is no coordinator. What
/// `admission` views outlives the await.
/// Errors: kInvalidProducerEpoch, kInvalidProducerIdMapping, kTransactionAbortable or (for versions
///         that do not know it) kInvalidTxnState, kConcurrentTransactions, kNotCoordinator,
///         kCoordinatorLoadInProgress, kCoordinatorNotAvailable, kUnsupportedVersion (see
///         serves_protocol_two()), and those of appends.
rt::Task<std::vector<Errc>> admit_to_transaction(Request* request, Admission admission);

}  // namespace leat::broker
