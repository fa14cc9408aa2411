// SPDX-License-Identifier: Apache-2.0
#include "transactions/coordinator.h"

#include <algorithm>

#include "base/check.h"

namespace leat::transactions {
namespace {

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

}  // namespace

Coordinator::~Coordinator() = default;

// Loading.

void Coordinator::load_record(Bytes key, std::optional<Bytes> value) {
    const Result<std::optional<std::string_view>> id = decode_key(key);
    if (!id.has_value() || !id->has_value()) {
        ++unreadable_;
        return;
    }
    if (!value) {
        if (const auto at = transactions_.find(**id); at != transactions_.end())
            transactions_.erase(at);
        return;
    }
    Result<Snapshot> snapshot = decode_value(*value);
    if (!snapshot.has_value()) {
        ++unreadable_;
        return;
    }
    // The log is the truth: no bound holds back what was acknowledged once.
    auto& place = transactions_[std::string{**id}];
    if (!place) place = std::make_unique<Transaction>(std::string{**id});
    place->now = *std::move(snapshot);
}

void Coordinator::finish_load(Now now) {
    now_ = now;
    for (const auto& [id, transaction] : transactions_) {
        if (!transaction->now.is_idle())
            by_producer_[transaction->now.producer.id] = transaction.get();
        if (transaction->now.is_deciding() && !settings_.faults.not_reconciled) mark(*transaction);
    }
    timeouts_at_ = now.mono + settings_.timeout_check_interval;
    expiry_at_ = now.mono + settings_.id_expiration_check_interval;
    settle();
}

// The log and the answers.

Coordinator::Transaction* Coordinator::find(std::string_view id) const {
    const auto at = transactions_.find(id);
    return at == transactions_.end() ? nullptr : at->second.get();
}

void Coordinator::write(RecordToWrite record, Done done) {
    std::vector<RecordToWrite> records;
    records.push_back(std::move(record));
    appends_.push(std::move(records), std::move(done));
}

void Coordinator::change(Transaction& transaction, Snapshot next, Done done) {
    LEAT_CHECK(!transaction.is_pending);
    transaction.is_pending = true;
    RecordToWrite record{.key = encode_key(transaction.id),
                         .value = encode_value(next, settings_.value_version)};
    write(std::move(record), [this, &transaction, next = std::move(next),
                              done = std::move(done)](Errc outcome) mutable {
        transaction.is_pending = false;
        if (outcome == Errc::kNone) {
            by_producer_.erase(transaction.now.producer.id);
            transaction.now = std::move(next);
            if (!transaction.now.is_idle())
                by_producer_[transaction.now.producer.id] = &transaction;
        }
        done(outcome);
        run_waiting(transaction);
    });
}

void Coordinator::on_written(std::uint64_t token, Errc outcome, Now now) {
    now_ = now;
    appends_.on_written(token, outcome, [](Done done, Errc error) { done(error); });
    settle();
}

void Coordinator::give_producer_id(Result<std::int64_t> id, Now now) {
    now_ = now;
    if (id.has_value()) ids_.push_back(*id);
    if (!waiting_for_ids_.empty()) {
        const Errc outcome = id.has_value() ? Errc::kNone : Errc::kCoordinatorNotAvailable;
        Done again = std::move(waiting_for_ids_.front());
        waiting_for_ids_.pop_front();
        again(outcome);
    }
    settle();
}

// Time.

std::optional<Instant> Coordinator::next_deadline() const {
    return earlier(earlier(timeouts_at_, expiry_at_), waiting_until_);
}

void Coordinator::advance(Now now) {
    now_ = now;
    if (timeouts_at_ && *timeouts_at_ <= now.mono) {
        timeouts_at_ = now.mono + settings_.timeout_check_interval;
        abort_overdue();
    }
    if (expiry_at_ && *expiry_at_ <= now.mono) {
        expiry_at_ = now.mono + settings_.id_expiration_check_interval;
        expire_ids();
    }
    if (waiting_until_ && *waiting_until_ <= now.mono) refuse_overdue();
    settle();
}

void Coordinator::abort_overdue() {
    for (const auto& [id, transaction] : transactions_) {
        const Snapshot& at = transaction->now;
        if (transaction->is_pending || at.state != State::kOngoing) continue;
        if (at.started_at.value + at.timeout_ms < now_.wall.value)
            fence(*transaction, [](Errc /*outcome*/) {});
    }
}

void Coordinator::expire_ids() {
    const std::int64_t horizon = now_.wall.value - settings_.id_expiration.count();
    for (const auto& [id, transaction] : transactions_) {
        const Snapshot& at = transaction->now;
        if (transaction->is_pending || !at.is_idle() || at.updated_at.value > horizon) continue;
        if (!transaction->waiting.empty()) continue;
        transaction->is_pending = true;
        write({.key = encode_key(id), .value = {}}, [this, gone = transaction.get()](Errc outcome) {
            gone->is_pending = false;
            if (outcome != Errc::kNone) return run_waiting(*gone);
            // Whoever came meanwhile came too late.
            for (Waiting& late : std::exchange(gone->waiting, {}))
                refuse_waiting(std::move(late), Errc::kInvalidProducerIdMapping);
            const std::string name = gone->id;
            transactions_.erase(name);
        });
    }
}

void Coordinator::refuse_overdue() {
    waiting_until_.reset();
    if (waiting_ == 0) return;
    for (const auto& [id, transaction] : transactions_) {
        auto& waiting = transaction->waiting;
        // In the order of the calls, so that they end in the order of their times too.
        while (!waiting.empty() && waiting.front().until <= now_.mono) {
            Waiting late = std::move(waiting.front());
            waiting.pop_front();
            refuse_waiting(std::move(late), Errc::kConcurrentTransactions);
        }
        if (!waiting.empty()) waiting_until_ = earlier(waiting_until_, waiting.front().until);
    }
}

void Coordinator::refuse_waiting(Waiting waiting, Errc error) {
    --waiting_;
    later([answer = std::move(waiting.answer), error]() mutable { answer(error); });
}

// What is shown.

Described Coordinator::describe(std::string_view transactional_id) const {
    Described out;
    const Transaction* transaction = find(transactional_id);
    if (transaction == nullptr) {
        out.error = Errc::kTransactionalIdNotFound;
        return out;
    }
    const Snapshot& at = transaction->now;
    return {.error = Errc::kNone,
            .state = at.state,
            .timeout_ms = at.timeout_ms,
            .started_at = at.started_at,
            .producer = at.producer,
            .partitions = at.partitions};
}

std::vector<Listed> Coordinator::list() const {
    std::vector<Listed> out;
    out.reserve(transactions_.size());
    for (const auto& [id, transaction] : transactions_)
        out.push_back({.transactional_id = id,
                       .producer_id = transaction->now.producer.id,
                       .state = transaction->now.state,
                       .started_at = transaction->now.started_at});
    return out;
}

bool Coordinator::knows(std::int64_t producer_id, const TopicPartition& partition) const {
    const auto at = by_producer_.find(producer_id);
    return at != by_producer_.end() && at->second->now.partitions.contains(partition);
}

void Coordinator::name_owners(std::map<std::int64_t, std::string>& by_producer) const {
    for (const auto& [id, transaction] : transactions_)
        if (const auto at = by_producer.find(transaction->now.producer.id); at != by_producer.end())
            at->second = id;
}

}  // namespace leat::transactions
