// SPDX-License-Identifier: Apache-2.0
// What producers ask of a coordinator: an id, partitions, the end.
#include <algorithm>
#include <limits>

#include "base/check.h"
#include "transactions/coordinator.h"

namespace leat::transactions {

struct Coordinator::OwnedInit {
    std::string transactional_id;
    std::int32_t timeout_ms = 0;
    std::optional<Producer> expected;
    std::uint64_t connection = 0;
};

struct Coordinator::OwnedEnd {
    std::string transactional_id;
    Producer producer;
    bool commit = false;
    Protocol protocol = Protocol::kOne;
};

namespace {

constexpr std::int16_t kLastEpoch = std::numeric_limits<std::int16_t>::max() - 1;

/// Whether what a producer says it has may stand for this transactional id (KIP-360).
bool may_resume(const Snapshot& at, const Producer& expected) {
    return at.producer.epoch == kNoEpoch || expected.id == at.producer.id ||
           (expected.id == at.previous_producer_id && expected.epoch >= kLastEpoch);
}

/// Whether the owner will be this one once the markers are written. Who has ended its transaction
/// with the last epoch is told so before, and goes on at once (KAFKA-18660).
bool is_next(const Snapshot& at, const Producer& producer) {
    return at.is_deciding() && producer.epoch == 0 && producer.id != kNoProducerId &&
           producer.id == at.next_producer_id;
}

}  // namespace

// An id and an epoch.

void Coordinator::init(const Init& request, Now now, Answer<InitAnswer> answer) {
    now_ = now;
    const auto refuse = [&](Errc error) { answer({.error = error, .producer = {}}); };
    if (request.transactional_id.empty()) return refuse(Errc::kInvalidRequest);
    if (request.timeout_ms <= 0 || request.timeout_ms > settings_.timeout_max.count())
        return refuse(Errc::kInvalidTransactionTimeout);
    init_with({.transactional_id = std::string{request.transactional_id},
               .timeout_ms = request.timeout_ms,
               .expected = request.expected,
               .connection = request.connection},
              std::move(answer));
    settle();
}

void Coordinator::init_with(OwnedInit request, Answer<InitAnswer> answer) {
    Transaction* transaction = find(request.transactional_id);
    const bool is_new = transaction == nullptr;
    const bool needs_id =
        is_new ||
        (!transaction->is_pending && transaction->now.is_idle() &&
         transaction->now.is_epoch_exhausted() &&
         (!request.expected || request.expected->epoch == transaction->now.producer.epoch));
    if (is_new && transactions_.size() >= settings_.ids_max)
        return answer({.error = Errc::kPolicyViolation, .producer = {}});
    if (needs_id && ids_.empty()) {
        ++wanted_ids_;
        waiting_for_ids_.push_back(
            [this, request = std::move(request), answer = std::move(answer)](Errc outcome) mutable {
                if (outcome == Errc::kNone)
                    init_with(std::move(request), std::move(answer));
                else
                    answer({.error = outcome, .producer = {}});
            });
        return;
    }
    if (is_new) {
        auto made = std::make_unique<Transaction>(request.transactional_id);
        made->now.producer = {.id = ids_.back(), .epoch = kNoEpoch};
        made->now.timeout_ms = request.timeout_ms;
        made->now.updated_at = now_.wall;
        ids_.pop_back();
        transaction =
            transactions_.emplace(request.transactional_id, std::move(made)).first->second.get();
    }
    init_known(*transaction, std::move(request), std::move(answer));
}

void Coordinator::init_known(Transaction& transaction, OwnedInit request,
                             Answer<InitAnswer> answer) {
    const auto refuse = [&](Errc error) { answer({.error = error, .producer = {}}); };
    const Snapshot& at = transaction.now;
    // Before the owner is looked at: it may have been told its next id already (as is_next()).
    if (transaction.is_pending || at.is_deciding()) return refuse(Errc::kConcurrentTransactions);
    if (request.expected && !may_resume(at, *request.expected) && !settings_.faults.no_fencing)
        return refuse(Errc::kProducerFenced);
    if (at.state == State::kOngoing) {
        // The epoch that this raises is given to nobody: whoever asks comes again.
        return fence(transaction, [answer = std::move(answer)](Errc outcome) mutable {
            answer({.error = outcome == Errc::kNone ? Errc::kConcurrentTransactions : outcome,
                    .producer = {}});
        });
    }
    std::optional<std::int16_t> expected;
    if (request.expected) expected = request.expected->epoch;
    if (at.is_epoch_exhausted() && (!expected || *expected == at.producer.epoch)) {
        const std::int64_t id = ids_.back();
        ids_.pop_back();
        return hand_out(transaction,
                        at.with_producer(id, request.timeout_ms, expected.has_value(), now_.wall),
                        request.connection, std::move(answer));
    }
    if (at.is_epoch_exhausted()) return refuse(Errc::kProducerFenced);
    Result<Snapshot> next = at.with_next_epoch(request.timeout_ms, expected, now_.wall);
    if (!next.has_value()) return refuse(next.error().code());
    hand_out(transaction, *std::move(next), request.connection, std::move(answer));
}

void Coordinator::hand_out(Transaction& transaction, Snapshot next, std::uint64_t connection,
                           Answer<InitAnswer> answer) {
    const Producer producer = next.producer;
    change(transaction, std::move(next),
           [this, &transaction, connection, producer,
            answer = std::move(answer)](Errc outcome) mutable {
               // Whoever is given the id owns it from there, and nobody who is refused does.
               if (outcome == Errc::kNone) transaction.connection = connection;
               later([producer, outcome, answer = std::move(answer)]() mutable {
                   answer({.error = outcome,
                           .producer = outcome == Errc::kNone ? producer : Producer{}});
               });
           });
}

// Partitions.

Errc Coordinator::check_owner(const Transaction& transaction, Producer producer) const {
    if (transaction.now.producer.id != producer.id) return Errc::kInvalidProducerIdMapping;
    // The largest epoch is nobody's: it fences.
    const bool is_its = producer.epoch == transaction.now.producer.epoch;
    if ((!is_its || producer.epoch > kLastEpoch) && !settings_.faults.no_fencing)
        return Errc::kProducerFenced;
    return Errc::kNone;
}

/// Under protocol 1 a request that a network held back looks like one of the transaction after:
/// only the connection it comes from tells (KAFKA-17754), which its sender has given up. One that
/// is still open is another of a client that has several, and uses them in any order.
bool Coordinator::is_superseded(Transaction& transaction, Protocol protocol,
                                const Caller& caller) const {
    if (caller.connection == 0) return false;
    if (caller.connection < transaction.connection)
        return protocol == Protocol::kOne && caller.has_ended && !settings_.faults.no_fencing;
    transaction.connection = caller.connection;
    return false;
}

void Coordinator::enrol(const Enrol& request, Now now, Answer<Errc> answer) {
    now_ = now;
    if (request.transactional_id.empty()) return answer(Errc::kInvalidRequest);
    Transaction* transaction = find(request.transactional_id);
    if (transaction == nullptr) return answer(Errc::kInvalidProducerIdMapping);
    const bool is_busy = transaction->is_pending || transaction->now.is_deciding();
    if (!request.may_wait && transaction->is_pending) return answer(Errc::kConcurrentTransactions);
    // What is on its way may change the owner: then nothing can be said of this one yet.
    if (!transaction->is_pending && !is_next(transaction->now, request.producer)) {
        if (const Errc error = check_owner(*transaction, request.producer); error != Errc::kNone)
            return answer(error);
    }
    if (transaction->now.producer == request.producer &&
        is_superseded(*transaction, request.protocol, request.caller))
        return answer(Errc::kProducerFenced);
    if (!request.may_wait && is_busy) return answer(Errc::kConcurrentTransactions);
    if (transaction->waiting.size() >= settings_.waiting_max)
        return answer(Errc::kConcurrentTransactions);
    const Instant until = now.mono + settings_.enrolment_wait;
    transaction->waiting.push_back(
        {.producer = request.producer,
         .partitions = {request.partitions.begin(), request.partitions.end()},
         .protocol = request.protocol,
         .until = until,
         .answer = std::move(answer)});
    ++waiting_;
    run_waiting(*transaction);
    if (!transaction->waiting.empty() && (!waiting_until_ || *waiting_until_ > until))
        waiting_until_ = until;
    settle();
}

void Coordinator::run_waiting(Transaction& transaction) {
    while (!transaction.waiting.empty() && !transaction.is_pending &&
           !transaction.now.is_deciding()) {
        Waiting next = std::move(transaction.waiting.front());
        transaction.waiting.pop_front();
        --waiting_;
        enrol_now(transaction, std::move(next));
    }
}

void Coordinator::enrol_now(Transaction& transaction, Waiting waiting) {
    const Snapshot& at = transaction.now;
    const auto tell = [this, &waiting](Errc error) {
        later([answer = std::move(waiting.answer), error]() mutable { answer(error); });
    };
    if (const Errc error = check_owner(transaction, waiting.producer); error != Errc::kNone)
        return tell(error);
    const bool is_known = at.state == State::kOngoing &&
                          std::ranges::all_of(waiting.partitions, [&at](const auto& partition) {
                              return at.partitions.contains(partition);
                          });
    if (is_known) return tell(Errc::kNone);
    if (at.partitions.size() + waiting.partitions.size() > settings_.partitions_max)
        return tell(Errc::kPolicyViolation);
    change(transaction, at.with_partitions(waiting.partitions, waiting.protocol, now_.wall),
           [this, answer = std::move(waiting.answer)](Errc outcome) mutable {
               later([answer = std::move(answer), outcome]() mutable { answer(outcome); });
           });
}

std::vector<Errc> Coordinator::verify(const Enrol& request) const {
    const auto all = [&](Errc error) { return std::vector(request.partitions.size(), error); };
    if (request.transactional_id.empty()) return all(Errc::kInvalidRequest);
    const Transaction* transaction = find(request.transactional_id);
    if (transaction == nullptr) return all(Errc::kInvalidProducerIdMapping);
    if (const Errc error = check_owner(*transaction, request.producer); error != Errc::kNone)
        return all(error);
    if (transaction->now.is_deciding()) return all(Errc::kConcurrentTransactions);
    std::vector<Errc> out;
    out.reserve(request.partitions.size());
    // What is on its way to the log as a decision is as good as decided: its markers come next.
    for (const TopicPartition& partition : request.partitions)
        out.push_back(transaction->now.partitions.contains(partition)
                          ? Errc::kNone
                          : Errc::kTransactionAbortable);
    return out;
}

// The end.

void Coordinator::end(const End& request, Now now, Answer<EndAnswer> answer) {
    now_ = now;
    const auto refuse = [&](Errc error) { answer({.error = error, .producer = {}}); };
    if (request.transactional_id.empty()) return refuse(Errc::kInvalidRequest);
    Transaction* transaction = find(request.transactional_id);
    if (transaction == nullptr) return refuse(Errc::kInvalidProducerIdMapping);
    if (transaction->now.producer == request.producer &&
        is_superseded(*transaction, request.protocol, request.caller))
        return refuse(Errc::kProducerFenced);
    end_with({.transactional_id = std::string{request.transactional_id},
              .producer = request.producer,
              .commit = request.commit,
              .protocol = request.protocol},
             std::move(answer));
    settle();
}

void Coordinator::end_with(OwnedEnd request, Answer<EndAnswer> answer) {
    Transaction* transaction = find(request.transactional_id);
    if (transaction == nullptr)
        return answer({.error = Errc::kInvalidProducerIdMapping, .producer = {}});
    const EndPlan plan = request.protocol == Protocol::kTwo ? plan_two(*transaction, request)
                                                            : plan_one(*transaction, request);
    // A request that is repeated is told what the first one was.
    if (plan.answer)
        return answer(
            {.error = *plan.answer,
             .producer = *plan.answer == Errc::kNone ? transaction->now.producer : Producer{}});
    Snapshot::Decision decision{.commit = request.commit, .by = request.protocol};
    if (plan.needs_id) {
        if (ids_.empty()) {
            ++wanted_ids_;
            waiting_for_ids_.push_back([this, request = std::move(request),
                                        answer = std::move(answer)](Errc outcome) mutable {
                if (outcome == Errc::kNone)
                    end_with(std::move(request), std::move(answer));
                else
                    answer({.error = outcome, .producer = {}});
            });
            return;
        }
        decision.next_id = ids_.back();
        ids_.pop_back();
    }
    decide(*transaction, decision, std::move(answer));
}

/// KIP-98: one epoch for many transactions. A repeated request is known by the state alone.
Coordinator::EndPlan Coordinator::plan_one(const Transaction& transaction,
                                           const OwnedEnd& request) const {
    const Snapshot& at = transaction.now;
    if (const Errc error = check_owner(transaction, request.producer); error != Errc::kNone)
        return {.answer = error};
    if (transaction.is_pending) return {.answer = Errc::kConcurrentTransactions};
    switch (at.state) {
        case State::kOngoing:
            return {};
        case State::kPrepareCommit:
        case State::kPrepareAbort: {
            const bool is_same = request.commit == (at.state == State::kPrepareCommit);
            return {.answer = is_same ? Errc::kConcurrentTransactions : Errc::kInvalidTxnState};
        }
        case State::kCompleteCommit:
        case State::kCompleteAbort: {
            const bool is_same = request.commit == (at.state == State::kCompleteCommit);
            return {.answer = is_same ? Errc::kNone : Errc::kInvalidTxnState};
        }
        case State::kEmpty:
        case State::kDead:
        case State::kPrepareEpochFence:
            break;
    }
    return {.answer = Errc::kInvalidTxnState};
}

/// KIP-890: a repeated request has the epoch of before; the same epoch means the next transaction.
Coordinator::EndPlan Coordinator::plan_two(const Transaction& transaction,
                                           const OwnedEnd& request) const {
    const Snapshot& at = transaction.now;
    const Producer& producer = request.producer;
    // What is on its way may change the id.
    if (transaction.is_pending) return {.answer = Errc::kConcurrentTransactions};
    const bool is_after_rollover = at.previous_producer_id == producer.id &&
                                   producer.epoch == kLastEpoch && at.producer.epoch == 0;
    // The largest epoch fences and is told to nobody: no marker could stand above its records
    // (KAFKA-20090).
    const bool is_after_bump = at.protocol == Protocol::kTwo && at.producer.epoch <= kLastEpoch &&
                               at.producer.epoch == producer.epoch + 1;
    const bool is_repeated = is_after_rollover || is_after_bump;
    const bool is_next_id = at.is_deciding() && at.next_producer_id == producer.id;
    if (at.producer.id != producer.id && !is_after_rollover && !is_next_id)
        return {.answer = Errc::kInvalidProducerIdMapping};
    // KAFKA-18464: before the epoch is looked at. The owner has been told the next one already.
    if (at.is_deciding()) return {.answer = Errc::kConcurrentTransactions};
    const bool is_current = at.producer.epoch == producer.epoch || settings_.faults.no_fencing;
    const bool is_complete = at.is_idle() && at.state != State::kEmpty;
    if (!is_current && !(is_complete && is_repeated)) return {.answer = Errc::kProducerFenced};
    const EndPlan decision{.answer = {}, .needs_id = at.is_epoch_exhausted()};
    if (at.state == State::kOngoing) return decision;
    if (is_complete && is_repeated && !(is_current && settings_.faults.no_fencing)) {
        const bool is_same = request.commit == (at.state == State::kCompleteCommit);
        return {.answer = is_same ? Errc::kNone : Errc::kInvalidTxnState};
    }
    // Java's client may commit before it has sent what it was given: it asks whether anything is
    // unsent, and only then sees the commit. Its first records come before it commits again. Kafka
    // still writes markers by then, and says so; we may be done.
    const bool is_early = is_complete && transaction.ended_at &&
                          now_.mono < *transaction.ended_at + settings_.enrolment_wait;
    if (request.commit && is_early) return {.answer = Errc::kConcurrentTransactions};
    // Nothing was enrolled. The client cannot know that, and may abort; it raises the epoch.
    return request.commit ? EndPlan{.answer = Errc::kInvalidTxnState} : decision;
}

void Coordinator::decide(Transaction& transaction, const Snapshot::Decision& decision,
                         Answer<EndAnswer> answer) {
    Snapshot next = transaction.now.decided(decision, now_.wall);
    // What the next transaction goes by: under protocol 2 the client is told now.
    const Producer to_tell = next.completed(now_.wall).producer;
    if (settings_.faults.answer_before_durable) {
        later([early = std::move(answer), to_tell]() mutable {
            early({.error = Errc::kNone, .producer = to_tell});
        });
        answer = [](EndAnswer) {};
    }
    const bool is_early = settings_.faults.marker_before_log;
    if (is_early) {
        markers_.push_back({.token = 0,
                            .transactional_id = transaction.id,
                            .producer = next.producer,
                            .commit = decision.commit,
                            .protocol = next.protocol,
                            .partitions = next.partitions});
    }
    change(transaction, std::move(next),
           [this, &transaction, to_tell, answer = std::move(answer)](Errc outcome) mutable {
               later([outcome, to_tell, answer = std::move(answer)]() mutable {
                   answer({.error = outcome,
                           .producer = outcome == Errc::kNone ? to_tell : Producer{}});
               });
               if (outcome == Errc::kNone) mark(transaction);
           });
}

void Coordinator::fence(Transaction& transaction, Answer<Errc> answer) {
    decide(transaction,
           {.commit = false, .by = Protocol::kTwo, .next_id = kNoProducerId, .is_fence = true},
           [answer = std::move(answer)](EndAnswer outcome) mutable { answer(outcome.error); });
}

void Coordinator::mark(Transaction& transaction) {
    const std::uint64_t token = ++last_marking_;
    marking_.emplace(token, &transaction);
    markers_.push_back({.token = token,
                        .transactional_id = transaction.id,
                        .producer = transaction.now.producer,
                        .commit = transaction.now.state == State::kPrepareCommit,
                        .protocol = transaction.now.protocol,
                        .partitions = transaction.now.partitions});
    auto& partitions = markers_.back().partitions;
    if (settings_.faults.marker_lost && partitions.size() > 1)
        partitions.erase(std::prev(partitions.end()));
}

void Coordinator::on_marked(std::uint64_t token, Now now) {
    now_ = now;
    if (token == 0) return;  // Faults::marker_before_log.
    const auto at = marking_.find(token);
    LEAT_CHECK(at != marking_.end());
    Transaction& transaction = *at->second;
    marking_.erase(at);
    // The next transaction need not wait for this to be durable: should it be lost, the markers are
    // written again, and a record of the next transaction stands behind this one in the log.
    Snapshot next = transaction.now.completed(now.wall);
    write({.key = encode_key(transaction.id), .value = encode_value(next, settings_.value_version)},
          [](Errc /*outcome*/) {});
    by_producer_.erase(transaction.now.producer.id);
    transaction.now = std::move(next);
    transaction.ended_at = now.mono;
    run_waiting(transaction);
    settle();
}

}  // namespace leat::transactions
