// SPDX-License-Identifier: Apache-2.0
//
// Producers of transactions in StorageSim, each with a coordinator that forgets nothing.
#include <utility>

#include "rt/task.h"
#include "storage_sim.h"
#include "storage_sim_parts.h"

namespace leat::sim {
namespace {

using storage::Appended;
using storage::ReadResult;

constexpr std::size_t kInFlightMax = 3;

}  // namespace

void StorageSim::add_transactors() {
    for (std::uint64_t i = 0, count = 1 + random_.below(3); i < count; ++i) {
        auto who = std::make_unique<Transactor>();
        who->number = 100 + i;
        do who->place = places_[random_.below(places_.size())].get();
        while (!who->place->model.is_durable());
        transactors_.push_back(std::move(who));
    }
}

void StorageSim::transact(Transactor& who) {
    using enum Transactor::State;
    if (who.state == kEnding) {
        if (!who.is_end_in_flight) send_end(who);
        return;
    }
    // A producer waits for all its answers before it ends.
    const bool ends = who.state == kOpen && (who.has_failed || random_.percent(30));
    if (ends && who.in_flight == 0) {
        decide(who, !who.has_failed && random_.percent(60));
        return send_end(who);
    }
    if (who.in_flight < kInFlightMax && !who.has_failed) send_in_transaction(who);
}

void StorageSim::send_in_transaction(Transactor& who) {
    if (who.state == Transactor::State::kIdle) {
        who.state = Transactor::State::kOpen;
        who.first = who.next;
        who.sequence = 0;
    }
    const BatchPlan plan{.producer = who.number,
                         .first = who.next,
                         .count = static_cast<std::int32_t>(random_.between(1, 3)),
                         .value_bytes = static_cast<std::int32_t>(random_.between(8, 700)),
                         .producer_id = who.producer_id(),
                         .epoch = who.epoch,
                         .now = world_.wall_now(),
                         .transactional = true,
                         .sequence = who.sequence};
    who.next += static_cast<std::uint32_t>(plan.count);
    who.sequence += plan.count;
    ++who.in_flight;
    ++calls_;
    who.place->model.began(plan);
    auto bytes = std::make_shared<std::vector<std::byte>>(make_batch(plan));
    auto partition = who.place->partition;
    shards_[who.place->shard]->executor->here([&] {
        storage::TransactionGuard guard = partition->transaction_guard(who.producer_id());
        guard.begins_at_zero = true;
        rt::start(partition->append(*bytes, storage::Origin::kClient, -1, guard),
                  [this, &who, plan, bytes, partition](const Appended& answer) {
                      --calls_;
                      --who.in_flight;
                      if (answer.error == Errc::kNone) {
                          ++outcome_.acked;
                          return note(who.place->model.acked(plan, answer.base_offset));
                      }
                      who.has_failed = true;
                      if (answer.error == Errc::kInvalidTxnState ||
                          answer.error == Errc::kInvalidProducerEpoch)
                          note("a batch of an open transaction was answered " + answer.message);
                  });
    });
}

void StorageSim::decide(Transactor& who, bool commit) {
    who.state = Transactor::State::kEnding;
    who.commits = commit;
    who.place->model.decided(token(who.number, who.first), token(who.number, who.next), commit);
}

void StorageSim::send_end(Transactor& who) {
    who.is_end_in_flight = true;
    ++calls_;
    const storage::EndTransaction end{.producer_id = who.producer_id(),
                                      .epoch = static_cast<std::int16_t>(who.epoch + 1),
                                      .committed = who.commits,
                                      .coordinator_epoch = 0,
                                      .transaction_version = 2};
    auto partition = who.place->partition;
    shards_[who.place->shard]->executor->here([&] {
        rt::start(partition->end_transaction(end), [this, &who, partition](const Appended& answer) {
            --calls_;
            who.is_end_in_flight = false;
            if (answer.error != Errc::kNone) {
                if (answer.error == Errc::kInvalidProducerEpoch)
                    note("the end of an open transaction was refused");
                return;  // Tried again.
            }
            who.state = Transactor::State::kIdle;
            who.has_failed = false;
            ++who.epoch;
        });
    });
}

bool StorageSim::end_transactions() {
    bool is_done = true;
    for (const auto& who : transactors_) {
        if (who->state == Transactor::State::kIdle) continue;
        is_done = false;
        if (who->in_flight > 0 || who->is_end_in_flight) continue;
        if (who->state == Transactor::State::kOpen) decide(*who, !who->has_failed);
        send_end(*who);
    }
    return is_done;
}

void StorageSim::check_ends() {
    for (const auto& who : transactors_) {
        if (who->state != Transactor::State::kIdle) continue;
        const auto open = who->place->partition->open_transaction(who->producer_id());
        if (open)
            note(who->place->spec.folder() + ": the transaction of producer " +
                 std::to_string(who->producer_id()) + " has ended, and is open");
    }
}

/// Reads a partition from its start to its last stable offset, as one who wants what is committed.
void StorageSim::check_committed(Place& place) {
    if (!place.model.is_durable()) return;
    Offset at = place.partition->log_start();
    const Offset end = place.partition->last_stable();
    while (at < end && !has_failed()) {
        const storage::ReadRequest request{.from = at,
                                           .bytes_max = 1 + random_.below(20'000),
                                           .at_least_one = true,
                                           .isolation = storage::Isolation::kReadCommitted};
        bool is_back = false;
        ReadResult result;
        shards_[place.shard]->executor->here([&] {
            rt::start(place.partition->read(request), [&](ReadResult given) {
                is_back = true;
                result = std::move(given);
            });
        });
        if (!world_.run_until([&] { return is_back; }))
            return note(place.spec.folder() + ": a read does not come back");
        if (result.error == Errc::kOffsetOutOfRange && at < result.log_start) {
            at = result.log_start;
            continue;
        }
        std::vector<std::byte> all;
        if (result.error != Errc::kNone || !collect(place, result, all))
            return note(place.spec.folder() + ": cannot be read");
        Offset next = at;
        note(place.model.read_committed(at, result, all, next));
        if (next == at && !has_failed())
            return note(place.spec.folder() + ": nothing to read below the last stable offset");
        at = next;
    }
    note(place.model.complete_committed(place.partition->log_start(), end));
}

}  // namespace leat::sim
