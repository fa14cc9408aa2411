// SPDX-License-Identifier: Apache-2.0
//
// The way of a batch into the log.
#include <algorithm>
#include <utility>

#include "obs/log.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/partition_state.h"
#include "wire/control_record.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

/// Under write pressure appends of this size and more leave the shard; the kernel holds back by
/// dirty pages, so that small ones rarely meet it.
constexpr std::size_t kPoolWriteBytes = 16 * 1024;

ProducerBatch producer_batch(const wire::BatchHeader& header) {
    return {.producer_id = header.producer_id,
            .epoch = header.producer_epoch,
            .first_sequence = header.base_sequence,
            .last_offset_delta = header.last_offset_delta,
            .transactional = header.is_transactional()};
}

Result<std::optional<wire::EndMarker>> marker_of(const Admitted& admitted) {
    return wire::read_end_marker({.header = admitted.header, .bytes = admitted.bytes});
}

}  // namespace

AdmissionRules PartitionState::admission_rules(Origin origin) const {
    return {.config = config,
            .origin = origin,
            .now = context.executor.wall_now(),
            .inflated_bytes_max = static_cast<std::size_t>(context.broker->decompressed_bytes_max),
            .skip_crc_check = context.faults.skip_crc_check};
}

void PartitionState::refuse(Append& append, Errc error, std::string message) {
    append.answer.error = error;
    append.answer.message = std::move(message);
    context.metrics.refused.add();
}

void PartitionState::check_producer(Append& append) {
    if (is_closed) return refuse(append, Errc::kUnknownTopicOrPartition);
    if (is_offline) return refuse(append, Errc::kKafkaStorageError, offline_reason);
    if (!append.admitted) {
        const Error& error = append.admitted.error();
        return refuse(append, error.code(), std::string{error.detail()});
    }
    const wire::BatchHeader& header = append.admitted->header;
    if (header.has_producer_id() && header.is_control()) {
        const auto marker = marker_of(*append.admitted);
        if (!marker) return refuse(append, marker.error().code());
        if (!*marker) return;
        const Errc error =
            producers.check(EndMarker{.producer_id = header.producer_id,
                                      .epoch = header.producer_epoch,
                                      .coordinator_epoch = (*marker)->coordinator_epoch});
        if (error != Errc::kNone) refuse(append, error);
        return;
    }
    if (!header.has_producer_id()) return;
    auto verdict = producers.check(producer_batch(header), append.rules.now);
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

bool PartitionState::must_write_on_pool(std::size_t size) const {
    return !is_sync() && size >= kPoolWriteBytes &&
           context.flusher.is_write_pressure_high(context.executor.now());
}

Result<Placed> PartitionState::write(Append& append) {
    Admitted& admitted = *append.admitted;
    admitted.header.base_offset = log->log_end();
    admitted.header.leader_epoch = spec.leader_epoch;
    wire::set_base_offset(admitted.bytes, admitted.header.base_offset);
    wire::set_leader_epoch(admitted.bytes, admitted.header.leader_epoch);
    return log->append(admitted.header, admitted.bytes, append.rules.now);
}

void PartitionState::after_write(Append& append, const Result<Placed>& placed) {
    if (!placed) {
        const Error& error = placed.error();
        refuse(append, Errc::kKafkaStorageError,
               std::string{info(error.code()).doc} + " " + std::string{error.detail()});
        if (error.code() == Errc::kNoSpace)
            kLog.warn("append refused", {{"partition", spec.folder()}, {"error", error.code()}});
        else
            go_offline("a write failed: " + std::string{error.detail()});
        return;
    }
    const Admitted& admitted = *append.admitted;
    const wire::BatchHeader& header = admitted.header;
    const WallMs now = append.rules.now;
    if (placed->rolled) snapshot_soon(placed->base_offset);
    if (header.has_producer_id() && !header.is_control()) {
        producers.appended(producer_batch(header), placed->base_offset, header.max_timestamp, now);
    } else if (header.has_producer_id()) {
        if (const auto marker = marker_of(admitted); marker && *marker) {
            const EndMarker end{.producer_id = header.producer_id,
                                .epoch = header.producer_epoch,
                                .coordinator_epoch = (*marker)->coordinator_epoch};
            const auto ended = producers.ended(end, placed->last_offset, header.max_timestamp, now);
            if (ended && !(*marker)->committed) {
                has_aborted = true;
                auto noted = log->append_aborted({.producer_id = header.producer_id,
                                                  .first = ended->first,
                                                  .last = ended->last,
                                                  .last_stable = ended->last_stable});
                // Without it readers would take aborted records for good.
                if (!noted) go_offline("the transaction index cannot be written");
            }
        }
    }
    const std::size_t size = admitted.bytes.size();
    if (tail.is_kept()) {
        const auto before = tail.memory_bytes();
        tail.push(placed->base_offset, placed->last_offset, admitted.bytes);
        context.metrics.tail_bytes.add(static_cast<std::int64_t>(tail.memory_bytes()) -
                                       static_cast<std::int64_t>(before));
    }
    context.metrics.appended_batches.add();
    context.metrics.appended_bytes.add(size);
    bytes_since_snapshot += static_cast<std::int64_t>(size);
    append.answer.base_offset = placed->base_offset;
    append.answer.append_time = admitted.append_time;
    if (is_sync()) {
        append.wait_for = Offset{placed->last_offset.value + 1};
        sync_wanted = true;  // Asked for when the turn ends.
        return;
    }
    context.flusher.note_unsynced(size, context.executor.now());
    unsynced_records += header.last_offset_delta + 1;
    if (placed->rolled) sync_wanted = true;  // As Kafka does: recovery need not look back further.
    if (config->durability == config::Durability::kInterval) {
        if (unsynced_records >= config->flush_messages) sync_wanted = true;
        if (!sync_wanted) schedule_flush();
    }
}

rt::Task<Appended> Partition::append(MutableBytes batch, Origin origin, std::int16_t acks) {
    const auto keep = shared_from_this();
    PartitionState& s = *state_;
    co_await s.turn.take();
    Append append{batch, s.admission_rules(origin)};
    auto admit_it = [&append] {
        append.admitted = admit(append.batch, append.rules, append.answer.record_errors);
    };
    if (is_admission_slow(batch, append.rules)) {
        s.context.metrics.appends_on_pool.add();
        co_await on_pool(s.context.pool, s.context.executor, admit_it);
    } else {
        admit_it();
    }
    s.check_producer(append);
    if (append.answer.error == Errc::kNone && !append.is_duplicate) {
        Result<Placed> placed = Error{Errc::kNone};
        auto write_it = [&s, &append, &placed] { placed = s.write(append); };
        if (s.must_write_on_pool(append.admitted->bytes.size())) {
            s.context.metrics.appends_on_pool.add();
            co_await on_pool(s.context.pool, s.context.executor, write_it);
        } else {
            write_it();
        }
        s.after_write(append, placed);
    }
    s.give_turn();
    append.answer.log_start = s.log_start;
    s.advance();
    const bool must_wait = acks != 0 && append.answer.error == Errc::kNone && s.is_sync() &&
                           append.wait_for > s.synced && !s.context.faults.ack_before_sync;
    if (must_wait) {
        PartitionState::SyncWait wait{s, append.wait_for};
        const Errc error = co_await wait;
        if (error != Errc::kNone) s.refuse(append, error, s.offline_reason);
    }
    co_return std::move(append.answer);
}

}  // namespace leat::storage
