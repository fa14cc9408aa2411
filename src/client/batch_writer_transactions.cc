// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "client/batch_writer.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;

milliseconds left_until(Steady end) {
    return std::max(std::chrono::ceil<milliseconds>(end - steady_now()), milliseconds{1});
}

}  // namespace

Error BatchWriter::note(Error error) {
    switch (fate_of(error.code())) {
        case TransactionFate::kMayRetry:
            break;
        case TransactionFate::kMustAbort:
            board_.break_transaction(error.code());
            break;
        case TransactionFate::kFatal:
            board_.fail(error);
            break;
    }
    report();
    return error;
}

Result<void> BatchWriter::init_transactions(milliseconds wait) {
    if (transactions_ == nullptr)
        return Error{Errc::kUsage, "transactions need a transactional.id"};
    Result<ProducerIdentity> found = transactions_->init(wait);
    if (!found) {
        if (fate_of(found.error().code()) == TransactionFate::kFatal) board_.fail(found.error());
        return std::move(found).error();
    }
    identity_ = *found;
    return {};
}

Result<void> BatchWriter::begin() {
    if (board_.fatal()) return board_.refusal();
    if (!identity_) return Error{Errc::kUsage, "transactions have not been started"};
    if (is_in_transaction_) return Error{Errc::kUsage, "a transaction is open already"};
    board_.writer_begin(*identity_);
    is_in_transaction_ = true;
    has_offsets_ = may_be_committed_ = false;
    return {};
}

Result<void> BatchWriter::send_offsets(const GroupIdentity& as,
                                       std::span<const CommittedOffset> offsets,
                                       milliseconds wait) {
    if (!is_in_transaction_) return Error{Errc::kUsage, "no transaction has begun"};
    if (board_.refuses_all()) return board_.refusal();
    if (may_be_committed_) return Error{Errc::kUsage, "the transaction is being committed"};
    if (offsets.empty()) return {};
    has_offsets_ = true;
    Result<void> done = transactions_->send_offsets(*identity_, as, offsets, wait);
    if (!done) return note(std::move(done).error());
    report();
    return {};
}

Result<void> BatchWriter::commit(milliseconds wait) {
    if (!is_in_transaction_) return Error{Errc::kUsage, "no transaction has begun"};
    if (board_.refuses_all()) return board_.refusal();
    const Steady end = steady_now() + wait;
    LEAT_TRY_VOID(flush_until(end));
    // Whatever was refused is not in it.
    if (board_.refuses_all()) return board_.refusal();
    if (board_.transaction().has_sent || has_offsets_) {
        Result<ProducerIdentity> next = transactions_->end(*identity_, true, left_until(end));
        may_be_committed_ = !next;
        if (!next) return note(std::move(next).error());
        identity_ = *next;
    }
    is_in_transaction_ = false;
    return {};
}

Result<void> BatchWriter::abort(milliseconds wait) {
    const Steady end = steady_now() + wait;
    if (board_.fatal()) return board_.refusal();
    if (!is_in_transaction_) return {};
    board_.writer_drop();
    drop_kept();
    for (;;) {
        const std::uint64_t news = board_.writer_news();
        report();
        if (in_flight() == 0 && !board_.is_asking()) break;
        // What is under way could be written into the next transaction.
        if (steady_now() >= end) return Error{Errc::kTimedOut, "waiting for what is under way"};
        wait_for_news(news, end);
    }
    const WriteBoard::Transaction was = board_.transaction();
    if (was.has_sent || has_offsets_) {
        Result<ProducerIdentity> next = transactions_->end(*identity_, false, left_until(end));
        // Under the same epoch a request that is still on its way would be taken for the next
        // transaction's: a batch, or the commit that nobody answered.
        if (next && *next == *identity_ && (was.is_uncertain || may_be_committed_))
            next = transactions_->raise_epoch(*next, left_until(end));
        if (!next) return note(std::move(next).error());
        identity_ = *next;
    }
    is_in_transaction_ = false;
    return {};
}

bool BatchWriter::must_abort() const {
    return is_in_transaction_ && board_.transaction().broken.has_value();
}

bool BatchWriter::is_fatal() const {
    return board_.fatal().has_value();
}

}  // namespace leat::client
