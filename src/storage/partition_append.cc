// SPDX-License-Identifier: Apache-2.0
//
// The way of a batch into the log.
#include <algorithm>
#include <utility>

#include "obs/log.h"
#include "rt/on_pool.h"
#include "rt/process.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/partition_state.h"
#include "wire/control_record.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

/// Under write pressure appends of this size and more leave the shard; the kernel holds back by
/// dirty pages, so that small ones rarely meet it.
constexpr std::size_t kPoolWriteBytes = std::size_t{16} * 1024;

ProducerBatch producer_batch(const wire::BatchHeader& header, const TransactionGuard& guard) {
    return {.producer_id = header.producer_id,
            .epoch = header.producer_epoch,
            .first_sequence = header.base_sequence,
            .last_offset_delta = header.last_offset_delta,
            .transactional = header.is_transactional(),
            .guard = guard};
}

Result<std::optional<wire::EndMarker>> marker_of(const Admitted& admitted) {
    return wire::read_end_marker({.header = admitted.header, .bytes = admitted.bytes});
}

Result<std::optional<EndMarker>> end_marker_of(const Admitted& admitted) {
    LEAT_TRY(const auto marker, marker_of(admitted));
    if (!marker) return std::optional<EndMarker>{};
    return std::optional{EndMarker{.producer_id = admitted.header.producer_id,
                                   .epoch = admitted.header.producer_epoch,
                                   .coordinator_epoch = marker->coordinator_epoch}};
}

}  // namespace

AdmissionRules PartitionState::admission_rules(Origin origin) const {
    return {.config = config,
            .origin = origin,
            .now = context.executor.wall_now(),
            .inflated_bytes_max = static_cast<std::size_t>(context.broker->decompressed_bytes_max),
            .record_errors_max = static_cast<std::size_t>(context.broker->record_errors_max),
            .skip_crc_check = context.faults.skip_crc_check};
}

void PartitionState::refuse(Append& append, Errc error, std::string message) {
    append.answer.error = error;
    append.answer.message = std::move(message);
    context.metrics.refused.add();
}

void PartitionState::check_producer(Append& append) {
    if (is_closed) return refuse(append, Errc::kUnknownTopicOrPartition);
    if (is_offline) return refuse(append, Errc::kKafkaStorageError);
    if (!append.admitted) {
        const Error& error = append.admitted.error();
        return refuse(append, error.code(), std::string{error.detail()});
    }
    const wire::BatchHeader& header = append.admitted->header;
    if (!header.has_producer_id()) return;
    if (header.is_control()) return check_marker(append);
    auto verdict = producers.check(producer_batch(header, append.guard), append.rules.now);
    if (verdict.error != Errc::kNone)
        return refuse(append, verdict.error, std::move(verdict.message));
    if (!verdict.duplicate || context.faults.skip_dedupe) return;
    context.metrics.duplicates.add();
    append.is_duplicate = true;
    append.answer.base_offset = verdict.duplicate->base_offset();
    if (config->timestamp_type == config::TimestampType::kLogAppendTime)
        append.answer.append_time = verdict.duplicate->timestamp;
    if (!context.faults.ack_duplicate_early)
        append.wait_for = Offset{verdict.duplicate->last_offset.value + 1};
}

void PartitionState::check_marker(Append& append) {
    const auto marker = end_marker_of(*append.admitted);
    if (!marker) return refuse(append, marker.error().code());
    if (!*marker) return;
    EndMarker end = **marker;
    end.transaction_version = append.transaction_version;
    const Errc error = producers.check(end);
    if (error != Errc::kNone) return refuse(append, error);
    if (!producers.is_repeated(end)) return;
    producers.note_end(end.producer_id);
    append.is_duplicate = true;
    append.wait_for = log_end;  // What it repeats may not be durable yet.
}

bool PartitionState::must_write_on_pool(std::size_t size) const {
    return !is_sync() && size >= kPoolWriteBytes &&
           context.flusher.is_write_pressure_high(context.executor.now());
}

Result<Placed> PartitionState::write(Append& append) {
    // First: one entry is owed at most, and no segment is closed without it.
    LEAT_TRY(append.aborted_file, log->write_aborted());
    Admitted& admitted = *append.admitted;
    admitted.header.base_offset = log->log_end();
    // Below the log's own only with an older metadata store put in the place of the newer; an epoch
    // that goes back is damage to recovery and to the scrub.
    admitted.header.leader_epoch = std::max(spec.leader_epoch, log->latest_epoch());
    wire::set_base_offset(admitted.bytes, admitted.header.base_offset);
    wire::set_leader_epoch(admitted.bytes, admitted.header.leader_epoch);
    return log->append(admitted.header, admitted.bytes, append.rules.now);
}

void PartitionState::note_aborted(const std::shared_ptr<rt::File>& file, Offset up_to) {
    if (!file) return;
    aborted_last = up_to;
    if (std::ranges::find(aborted_files, file) == aborted_files.end())
        aborted_files.push_back(file);
}

void PartitionState::after_write(Append& append, const Result<Placed>& placed) {
    // A sync that was asked for before does not cover it: log_end is not moved yet.
    note_aborted(append.aborted_file, log_end);
    if (!placed) {
        const Error& error = placed.error();
        const bool is_short = is_shortage(error.code());
        // Whatever a write left that failed otherwise may be found whole by the next start. What
        // failed names files of this machine: the log says it, peers get no text, as in Kafka.
        refuse(append, is_short ? Errc::kKafkaStorageError : Errc::kNotEnoughReplicasAfterAppend);
        const wire::BatchHeader& sent = append.admitted->header;
        if (is_short && sent.has_producer_id() && !sent.is_control())
            producers.found_no_room(producer_batch(sent, append.guard), append.rules.now);
        if (is_short)
            kLog.warn("append refused", {{"partition", spec.folder()},
                                         {"error", error.code()},
                                         {"detail", error.detail()}});
        else
            go_offline("a write failed: " + std::string{error.detail()});
        return;
    }
    const Admitted& admitted = *append.admitted;
    const wire::BatchHeader& header = admitted.header;
    if (placed->rolled) snapshot_soon(placed->base_offset);
    if (header.has_producer_id()) note_producer(append, *placed);
    const std::size_t size = admitted.bytes.size();
    if (tail.is_kept()) {
        const auto before = tail.memory_bytes();
        tail.push(placed->base_offset, placed->last_offset, admitted.bytes);
        context.metrics.tail_bytes.add(static_cast<std::int64_t>(tail.memory_bytes()) -
                                       static_cast<std::int64_t>(before));
    }
    context.metrics.appended_batches.add();
    context.metrics.appended_bytes.add(size);
    snapshots.bytes_since += static_cast<std::int64_t>(size);
    append.answer.base_offset = placed->base_offset;
    append.answer.append_time = admitted.append_time;
    if (is_sync()) {
        append.wait_for = Offset{placed->last_offset.value + 1};
        sync.is_wanted = true;  // Asked for when the turn ends.
        return;
    }
    context.flusher.note_unsynced(size, context.executor.now());
    sync.records += header.last_offset_delta + 1;
    if (placed->rolled)
        sync.is_wanted = true;  // As Kafka does: recovery need not look back further.
    if (sync.records >= config->flush_messages) sync.is_wanted = true;
    if (!sync.is_wanted) schedule_flush();
}

void PartitionState::note_producer(const Append& append, const Placed& placed) {
    const wire::BatchHeader& header = append.admitted->header;
    const WallMs now = append.rules.now;
    if (!header.is_control()) {
        producers.appended(producer_batch(header, append.guard), placed.base_offset,
                           header.max_timestamp, now);
        return;
    }
    const auto marker = marker_of(*append.admitted);
    if (!marker || !*marker) return;
    const EndMarker end{.producer_id = header.producer_id,
                        .epoch = header.producer_epoch,
                        .coordinator_epoch = (*marker)->coordinator_epoch,
                        .transaction_version = append.transaction_version};
    const auto ended = producers.ended(end, placed.last_offset, header.max_timestamp, now);
    if (!ended || (*marker)->committed) return;
    has_aborted = true;
    auto noted = log->append_aborted({.producer_id = header.producer_id,
                                      .first = ended->first,
                                      .last = ended->last,
                                      .last_stable = ended->last_stable});
    if (!noted && log->owes_aborted()) {
        kLog.warn("an entry of the transaction index waits", {{"partition", spec.folder()},
                                                              {"offset", ended->last.value},
                                                              {"error", noted.error().code()}});
        return;
    }
    // Without it readers would take aborted records for good.
    if (!noted) return go_offline("the transaction index cannot be written");
    note_aborted(*noted, ended->last);
}

namespace {

/// What is appended, and by whom.
struct NewBatch {
    MutableBytes bytes;
    std::vector<std::byte> owned;  ///< What `bytes` views, when the caller has it not.
    Origin origin = Origin::kClient;
    TransactionGuard guard = {};
    std::int16_t transaction_version = 0;
};

}  // namespace

/// From the batch to its answer.
static rt::Task<Appended> carry_out(std::shared_ptr<Partition> /*keep*/, PartitionState* state,
                                    NewBatch batch, std::int16_t acks) {
    PartitionState& s = *state;
    HeldTurn turn = co_await s.take_turn();
    Append append{batch.bytes, s.admission_rules(batch.origin)};
    append.guard = batch.guard;
    append.transaction_version = batch.transaction_version;
    const bool is_end = !batch.owned.empty();
    const bool measures = s.context.measures_time;
    auto admit_it = [&append, measures] {
        rt::CpuMeter meter{measures};
        append.admitted = admit(append.batch, append.rules, append.answer.record_errors);
        append.answer.busy += meter.stop();
    };
    bool is_slow = is_admission_slow(batch.bytes, append.rules);
    if (!is_slow) {
        rt::CpuMeter meter{measures};
        append.admitted = admit_quickly(append.batch, append.rules, append.answer.record_errors);
        append.answer.busy += meter.stop();
        is_slow = !append.admitted && append.admitted.error().code() == Errc::kLimitExceeded;
    }
    if (is_slow) {
        s.context.metrics.appends_on_pool.add();
        co_await rt::on_pool_for_long(s.context.pool, s.context.executor, admit_it);
    }
    s.check_producer(append);
    if (append.answer.error == Errc::kNone && !append.is_duplicate) {
        Result<Placed> placed = Error{Errc::kNone};
        auto write_it = [&s, &append, &placed, measures] {
            rt::CpuMeter meter{measures};
            placed = s.write(append);
            append.answer.busy += meter.stop();
        };
        if (s.must_write_on_pool(append.admitted->bytes.size())) {
            s.context.metrics.appends_on_pool.add();
            co_await rt::on_pool(s.context.pool, s.context.executor, write_it);
        } else {
            write_it();
        }
        s.after_write(append, placed);
    }
    turn.give();
    append.answer.log_start = s.log_start;
    s.advance();
    const bool must_wait = acks != 0 && append.answer.error == Errc::kNone && s.is_sync() &&
                           append.wait_for > s.synced && !s.context.faults.ack_before_sync &&
                           !(is_end && s.context.faults.marker_before_log);
    if (must_wait) {
        PartitionState::SyncWait wait{s, append.wait_for};
        const Errc error = co_await wait;
        if (error != Errc::kNone) s.refuse(append, error);
    }
    co_return std::move(append.answer);
}

rt::Task<Appended> Partition::append(MutableBytes batch, Origin origin, std::int16_t acks,
                                     TransactionGuard guard) {
    NewBatch what{.bytes = batch, .owned = {}, .origin = origin, .guard = guard};
    return carry_out(shared_from_this(), state_.get(), std::move(what), acks);
}

namespace {

NewBatch marker_for(const PartitionState& s, const EndTransaction& end) {
    const wire::MarkerPlace place{.leader_epoch = s.spec.leader_epoch,
                                  .producer_id = end.producer_id,
                                  .producer_epoch = end.epoch,
                                  .timestamp = s.context.executor.wall_now()};
    NewBatch what{
        .bytes = {},
        .owned = wire::end_marker_batch(
            place, {.committed = end.committed, .coordinator_epoch = end.coordinator_epoch}),
        .origin = Origin::kCoordinator,
        .guard = {},
        .transaction_version = end.transaction_version};
    what.bytes = what.owned;  // Stays where it is when `what` is moved.
    return what;
}

rt::Task<Appended> carry_out_end(std::shared_ptr<Partition> self, PartitionState* state,
                                 EndTransaction end) {
    constexpr std::int16_t kAll = -1;
    for (;;) {
        Appended answer = co_await carry_out(self, state, marker_for(*state, end), kAll);
        const std::int32_t known = state->producers.coordinator_epoch(end.producer_id);
        const bool is_ahead =
            answer.error == Errc::kTransactionCoordinatorFenced && known > end.coordinator_epoch;
        if (!is_ahead || !end.is_of_this_node) co_return answer;
        // Our count went back (older metadata were put in place), or WriteTxnMarkers had an epoch
        // of its own. Another coordinator does not exist: what ours decided has to come true.
        end.coordinator_epoch = known;
    }
}

}  // namespace

rt::Task<Appended> Partition::end_transaction(EndTransaction end) {
    return carry_out_end(shared_from_this(), state_.get(), end);
}

}  // namespace leat::storage
