// SPDX-License-Identifier: Apache-2.0
//
// All transactional ids of one partition of __transaction_state, as a state machine without clock,
// disk or network. Layer: transactions (L5).
// Spec:  Kafka's transaction coordinator; KIP-98, KIP-360, KIP-664, KIP-890.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "coordination/answer_queue.h"
#include "coordination/append_queue.h"
#include "transactions/settings.h"
#include "transactions/snapshot.h"

namespace leat::transactions {

/// Takes commands and the time; gives answers, records to append, markers to write, the wish for
/// producer ids, and the next deadline.
///
/// Usage: load_record() for each record of the partition in order, finish_load(), then commands.
///        After each call that takes a time: append take_writes(), in order, and report each with
///        on_written(); write take_markers() and report each with on_marked(); fetch as many
///        producer ids as take_wanted_ids() says and give each with give_producer_id(); call
///        advance() at next_deadline().
/// Invariant: what an answer promises is durable; a marker is given out only after the decision is
///            durable, and no transaction begins before all markers of the one before are.
/// Answers: run before the call that settles them returns, and may call back in. Those of one
///          transactional id's enrolments keep the order of the calls.
/// Threading: shard-local. Memory: commands are not kept. Bounds: see Settings.
class Coordinator final {
  public:
    explicit Coordinator(const Settings& settings) : settings_(settings) {}
    ~Coordinator();
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;

    /// The next record of the partition; no value means a tombstone. What cannot be read is counted
    /// and left alone.
    void load_record(Bytes key, std::optional<Bytes> value);
    /// What was decided before is finished: its markers are due again.
    void finish_load(Now now);
    [[nodiscard]] std::size_t unreadable_records() const noexcept { return unreadable_; }

    /// Errors: kInvalidRequest (no id), kInvalidTransactionTimeout, kProducerFenced,
    ///         kConcurrentTransactions (another transaction is ending, or this call has begun to
    ///         abort it), kPolicyViolation (a bound of Settings), those of producer ids and of
    ///         appends.
    void init(const Init& request, Now now, Answer<InitAnswer> answer);
    /// Puts partitions into the transaction, which begins with the first of them.
    /// Errors: kInvalidRequest, kInvalidProducerIdMapping, kProducerFenced,
    ///         kConcurrentTransactions, kPolicyViolation, and those of appends.
    void enrol(const Enrol& request, Now now, Answer<Errc> answer);
    /// Whether a producer may write to the partitions: for each kNone, kTransactionAbortable (not
    /// enrolled), or what is wrong with the producer, as enrol() says it.
    [[nodiscard]] std::vector<Errc> verify(const Enrol& request) const;
    /// Errors: kInvalidRequest, kInvalidProducerIdMapping, kProducerFenced, kInvalidTxnState,
    ///         kConcurrentTransactions, those of producer ids and of appends.
    void end(const End& request, Now now, Answer<EndAnswer> answer);

    [[nodiscard]] Described describe(std::string_view transactional_id) const;
    [[nodiscard]] std::vector<Listed> list() const;
    /// Whether the producer's transaction in this partition is known and will be ended from here.
    [[nodiscard]] bool knows(std::int64_t producer_id, const TopicPartition& partition) const;
    /// Fills in the transactional ids that have these producers, as far as they are from here.
    /// Looks at all ids.
    void name_owners(std::map<std::int64_t, std::string>& by_producer) const;

    /// Bounds and times from now on.
    void set_settings(const Settings& settings) { settings_ = settings; }

    /// What is to be appended since the last call, oldest first. Each Write is one batch.
    [[nodiscard]] std::vector<Write> take_writes() { return appends_.take(); }
    /// kNone: the records are durable. Else they are not in the log and never will be. Exactly once
    /// for each token, in any order; takes effect in the order of the tokens.
    void on_written(std::uint64_t token, Errc outcome, Now now);

    [[nodiscard]] std::vector<Markers> take_markers() { return std::exchange(markers_, {}); }
    /// All of them are durable, or their partitions are gone. Exactly once for each token.
    void on_marked(std::uint64_t token, Now now);

    [[nodiscard]] std::size_t take_wanted_ids() { return std::exchange(wanted_ids_, 0); }
    /// An error is what the one who waits longest is told.
    void give_producer_id(Result<std::int64_t> id, Now now);

    /// When to call advance() at the latest.
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    void advance(Now now);

  private:
    struct Waiting {
        Producer producer;
        std::vector<TopicPartition> partitions;
        Protocol protocol;
        Instant until;
        Answer<Errc> answer;
    };
    struct Transaction {
        explicit Transaction(std::string name) : id(std::move(name)) {}
        std::string id;
        Snapshot now;             ///< As the log has it.
        bool is_pending = false;  ///< A change is on its way to the log.
        std::optional<Instant>
            ended_at;  ///< When the markers of its last transaction were written.
        /// Newest connection that its owner has called from; older ones are superseded.
        std::uint64_t connection = 0;
        std::deque<Waiting> waiting;  ///< Enrolments, in the order of the calls.
    };
    using Done = std::move_only_function<void(Errc)>;
    struct OwnedInit;
    struct OwnedEnd;
    /// What is to be done about a request to end: an answer, or a decision.
    struct EndPlan {
        std::optional<Errc> answer;
        bool needs_id = false;
    };

    void later(std::move_only_function<void()> answer) { answers_.push(std::move(answer)); }
    void settle() { answers_.give(); }
    [[nodiscard]] Transaction* find(std::string_view id) const;
    void write(RecordToWrite record, Done done);
    /// Writes `next`; `done` runs when it is, or is not, what the transaction has become.
    void change(Transaction& transaction, Snapshot next, Done done);
    void init_with(OwnedInit request, Answer<InitAnswer> answer);
    void init_known(Transaction& transaction, OwnedInit request, Answer<InitAnswer> answer);
    void hand_out(Transaction& transaction, Snapshot next, std::uint64_t connection,
                  Answer<InitAnswer> answer);
    [[nodiscard]] Errc check_owner(const Transaction& transaction, Producer producer) const;
    [[nodiscard]] bool is_superseded(Transaction& transaction, Protocol protocol,
                                     const Caller& caller) const;
    void run_waiting(Transaction& transaction);
    void enrol_now(Transaction& transaction, Waiting waiting);
    void end_with(OwnedEnd request, Answer<EndAnswer> answer);
    [[nodiscard]] EndPlan plan_one(const Transaction& transaction, const OwnedEnd& request) const;
    [[nodiscard]] EndPlan plan_two(const Transaction& transaction, const OwnedEnd& request) const;
    void decide(Transaction& transaction, const Snapshot::Decision& decision,
                Answer<EndAnswer> answer);
    /// Against the owner: who let its time pass, or whose id another asks for.
    void fence(Transaction& transaction, Answer<Errc> answer);
    void mark(Transaction& transaction);
    void abort_overdue();
    void expire_ids();
    void refuse_overdue();
    /// Precondition: it is in no list of those that wait any more.
    void refuse_waiting(Waiting waiting, Errc error);

    Settings settings_;
    Now now_;
    std::map<std::string, std::unique_ptr<Transaction>, std::less<>> transactions_;
    std::map<std::int64_t, Transaction*> by_producer_;  ///< Those with an open transaction.
    coordination::AppendQueue<Done> appends_;
    std::vector<Markers> markers_;
    std::map<std::uint64_t, Transaction*> marking_;
    std::uint64_t last_marking_ = 0;
    std::vector<std::int64_t> ids_;
    std::deque<Done> waiting_for_ids_;
    std::size_t wanted_ids_ = 0;
    coordination::AnswerQueue answers_;
    std::size_t unreadable_ = 0;
    std::size_t waiting_ = 0;  ///< Enrolments that wait, of all transactions.
    std::optional<Instant> timeouts_at_;
    std::optional<Instant> expiry_at_;
    std::optional<Instant> waiting_until_;  ///< Not later than the first of them.
};

}  // namespace leat::transactions
