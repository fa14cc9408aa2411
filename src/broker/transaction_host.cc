// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction_host.h"

#include <algorithm>
#include <iterator>

#include "base/bounded_time.h"
#include "broker/admin/cluster.h"
#include "broker/broker.h"
#include "broker/metrics.h"
#include "groups/partition_of_group.h"
#include "obs/log.h"

namespace leat::broker {

namespace {

constexpr obs::Logger kLog{"transactions"};

using transactions::Coordinator;
using transactions::Now;
using transactions::Protocol;

}  // namespace

TransactionHost::~TransactionHost() {
    for (const auto& [id, hosted] : hosted_) hosted->stop();
}

void TransactionHost::opened(const PartitionPtr& partition) {
    // One that could not be opened at the start.
    if (UnknownTransactions open; is_started_ && !faults_.not_reconciled) {
        collect_open(*partition, open);
        Shard& first = shard_.broker().shard(0);
        if (!open.empty())
            first.executor().post([&first, open = std::move(open)]() mutable {
                static_cast<TransactionHost*>(first.transactions())->doubt(std::move(open));
            });
    }
    if (partition->spec().topic != kTransactionsTopic) return;
    auto hosted = std::make_shared<TransactionPartition>(shard_, partition, faults_);
    hosted_[partition->spec().id] = hosted;
    hosted->start();
}

void TransactionHost::closing(const PartitionPtr& partition) {
    const auto at = hosted_.find(partition->spec().id);
    if (at == hosted_.end()) return;
    const std::shared_ptr<TransactionPartition> hosted = std::move(at->second);
    hosted_.erase(at);
    hosted->stop();
}

void TransactionHost::applied(const metadata::Delta& delta) {
    const auto* broker = std::get_if<metadata::BrokerConfigChanged>(&delta);
    if (broker == nullptr) return;
    const transactions::Settings settings = transaction_settings(*broker->config);
    for (const auto& [id, hosted] : hosted_) hosted->set_settings(settings);
}

void TransactionHost::started() {
    is_started_ = true;
    if (shard_.index() == 0 && !faults_.not_reconciled) rt::start(watch());
}

rt::Task<void> TransactionHost::watch() {
    // Coordinators may still be loading, and a marker may be refused for want of room.
    constexpr std::chrono::milliseconds kLook{50};
    constexpr std::chrono::milliseconds kLookMost{1'000};
    is_watching_ = true;
    std::chrono::milliseconds rest = kLook;
    Instant look_at =
        shard_.executor().now() + bounded_ms(shard_.config().transaction_timeout_check_ms);
    doubt(co_await find_open(&shard_));  // Others may have been found meanwhile.
    while (!is_stopped_) {
        const bool is_settled = doubtful_.empty() || co_await reconcile();
        const auto check = bounded_ms(shard_.config().transaction_timeout_check_ms);
        if (!is_stopped_ && shard_.executor().now() >= look_at) {
            look_at = shard_.executor().now() + check;
            co_await look_for_hanging();
        }
        if (is_stopped_) break;
        co_await pause(is_settled ? check : std::min(rest, check));
        rest = is_settled ? kLook : std::min(rest * 2, kLookMost);
    }
    is_watching_ = false;
}

rt::Task<void> TransactionHost::pause(std::chrono::milliseconds time) {
    rt::Completion<bool> done;
    pause_ = &done;
    timer_ = shard_.executor().schedule(shard_.executor().now() + time,
                                        [this] { std::exchange(pause_, nullptr)->set(true); });
    co_await done;
}

void TransactionHost::end_pause() {
    if (pause_ == nullptr) return;
    shard_.executor().cancel(timer_);
    std::exchange(pause_, nullptr)->set(true);
}

void TransactionHost::doubt(UnknownTransactions open) {
    std::ranges::move(open, std::back_inserter(doubtful_));
    end_pause();
}

/// Order across files is not promised by a disk: a batch may have outlived its enrolment.
rt::Task<bool> TransactionHost::reconcile() {
    CoordinatorsSay say = co_await ask_coordinators(&shard_, std::exchange(doubtful_, {}));
    const bool lacks_one = say.lacks_one && !say.is_loading && !say.unknown.empty();
    if (lacks_one && !std::exchange(lacks_one_, true))
        kLog.error(
            "transactions of an earlier run stay open: a coordinator that may know them "
            "cannot be had",
            {{"transactions", say.unknown.size()}});
    if (say.is_loading || say.lacks_one) {
        doubt(std::move(say.unknown));
        const bool is_sure = doubtful_.empty();
        co_return is_sure;
    }
    lacks_one_ = false;
    for (UnknownTransaction& each : say.unknown) {
        const Errc error = co_await abort_unknown(&shard_, each);
        if (is_stopped_) co_return false;
        note_abort(each, error);
        if (error != Errc::kNone) doubtful_.push_back(std::move(each));
    }
    const bool is_sure = doubtful_.empty();
    co_return is_sure;
}

void TransactionHost::note_abort(UnknownTransaction& unknown, Errc error) {
    // Told once for each reason: it is tried again and again.
    if (error != Errc::kNone && std::exchange(unknown.refused, error) == error) return;
    kLog.warn(error == Errc::kNone
                  ? "a transaction that no coordinator knows was aborted"
                  : "a transaction that no coordinator knows cannot be aborted yet",
              {{"topic", unknown.topic},
               {"partition", unknown.id.index},
               {"producer_id", unknown.open.producer_id},
               {"epoch", unknown.open.epoch},
               {"start", unknown.open.start.value},
               {"error", error}});
}

rt::Task<void> TransactionHost::look_for_hanging() {
    // The logs first: what is open there now was enrolled before, and its coordinator knows it
    // until its markers are in the logs.
    UnknownTransactions open = co_await find_open(&shard_);
    CoordinatorsSay say = co_await ask_coordinators(&shard_, std::move(open));
    if (is_stopped_ || say.is_loading) co_return;
    UnknownTransactions fresh = note_hanging(std::move(say.unknown));
    if (fresh.empty()) co_return;
    fresh = co_await with_owners(&shard_, std::move(fresh));
    for (const UnknownTransaction& each : fresh)
        kLog.error("a transaction hangs: see leat txn find-hanging and leat txn abort",
                   {{"topic", each.topic},
                    {"partition", each.id.index},
                    {"producer_id", each.open.producer_id},
                    {"epoch", each.open.epoch},
                    {"start", each.open.start.value},
                    {"transactional_id", each.owner}});
}

UnknownTransactions TransactionHost::note_hanging(UnknownTransactions unknown) {
    const std::int64_t horizon =
        shard_.executor().wall_now().value - shard_.config().transaction_max_timeout_ms;
    std::set<std::string> hanging;
    UnknownTransactions fresh;
    for (UnknownTransaction& each : unknown) {
        if (each.open.started_at.value > horizon) continue;
        const std::string name = each.topic + "-" + std::to_string(each.id.index) + "@" +
                                 std::to_string(each.open.start.value);
        hanging.insert(name);
        if (!hanging_.contains(name)) fresh.push_back(std::move(each));
    }
    shard_.broker().metrics().hanging_transactions.set(static_cast<std::int64_t>(hanging.size()));
    hanging_ = std::move(hanging);
    return fresh;
}

rt::Task<void> TransactionHost::stop() {
    is_stopped_ = true;
    end_pause();
    const Hosted all = std::exchange(hosted_, {});
    for (const auto& [id, hosted] : all) hosted->stop();
    // Markers may be on their way to other shards' partitions, or wait to be tried again.
    constexpr std::chrono::milliseconds kLook{5};
    for (const auto& [id, hosted] : all)
        while (hosted->is_busy())
            co_await rt::sleep_until(shard_.executor(), shard_.executor().now() + kLook);
    while (is_watching_)
        co_await rt::sleep_until(shard_.executor(), shard_.executor().now() + kLook);
}

std::shared_ptr<TransactionPartition> TransactionHost::find(const storage::PartitionId& id) const {
    const auto at = hosted_.find(id);
    return at == hosted_.end() ? nullptr : at->second;
}

std::shared_ptr<TransactionPartition> TransactionPlace::host(Errc& error) const {
    const auto* hosts = static_cast<const TransactionHost*>(shard->transactions());
    std::shared_ptr<TransactionPartition> found =
        hosts != nullptr ? hosts->find(partition) : nullptr;
    error = found != nullptr                   ? found->status()
            : shard->failed_to_open(partition) ? Errc::kCoordinatorNotAvailable
                                               : Errc::kNotCoordinator;
    return error == Errc::kNone ? found : nullptr;
}

std::optional<TransactionPlace> place_of_transaction(const Shard& shard,
                                                     std::string_view transactional_id) {
    const metadata::Topic* topic = shard.image().find(kTransactionsTopic);
    if (topic == nullptr) return std::nullopt;
    // The same hash as groups'.
    const storage::PartitionId id{
        topic->id, groups::partition_of_group(transactional_id, topic->partition_count)};
    return TransactionPlace{.shard = &shard.broker().shard_of(id), .partition = id};
}

bool serves_protocol_two(const Shard& shard) {
    return admin::finalized_level(shard.broker().features(), shard.image(), "transaction.version") >
           0;
}

namespace {

/// An answer with one error a partition; Ticket gives it when the coordinator is gone.
struct Admitted {
    Errc error = Errc::kNone;
    std::vector<Errc> partitions = {};
};

Errc as_written(Errc error, const Admission& admission) {
    if (error == Errc::kProducerFenced) return Errc::kInvalidProducerEpoch;
    if (error == Errc::kTransactionAbortable && !admission.knows_abortable)
        return Errc::kInvalidTxnState;
    return error;
}

}  // namespace

rt::Task<std::vector<Errc>> admit_to_transaction(Request* request, Admission admission) {
    const std::size_t count = admission.partitions.size();
    const std::optional<TransactionPlace> place =
        place_of_transaction(*request->shard, admission.transactional_id);
    if (!place) co_return std::vector(count, Errc::kNotCoordinator);
    if (admission.enrols && !serves_protocol_two(*request->shard)) {
        co_await rt::hop(place->shard->executor());
        co_return std::vector(count, Errc::kUnsupportedVersion);
    }
    const transactions::Enrol enrol{.transactional_id = admission.transactional_id,
                                    .producer = admission.producer,
                                    .partitions = admission.partitions,
                                    .protocol = admission.enrols ? Protocol::kTwo : Protocol::kOne,
                                    .caller = {},
                                    .may_wait = true};
    const auto call = [&enrol, &admission, count](Coordinator& coordinator, Now now,
                                                  Ticket<Admitted> ticket) {
        if (!admission.enrols) {
            ticket({.error = Errc::kNone, .partitions = coordinator.verify(enrol)});
            return;
        }
        coordinator.enrol(enrol, now, [ticket = std::move(ticket), count](Errc error) mutable {
            ticket({.error = error, .partitions = std::vector(count, error)});
        });
    };
    Admitted admitted = co_await ask_transaction_there<Admitted>(*place, call);
    if (admitted.partitions.size() != count) admitted.partitions.assign(count, admitted.error);
    for (Errc& error : admitted.partitions) error = as_written(error, admission);
    co_return std::move(admitted.partitions);
}

}  // namespace leat::broker
