// SPDX-License-Identifier: Apache-2.0
#include "broker/log_replay.h"

#include "broker/broker.h"
#include "rt/on_pool.h"
#include "wire/control_record.h"

namespace leat::broker {
namespace {

/// Read at once; small, since the shard serves others meanwhile.
constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

/// Bytes of all slices, one after the other. Runs on: a thread that may block.
Result<std::vector<std::byte>> bytes_of(const storage::ReadResult& read) {
    std::vector<std::byte> out;
    out.reserve(read.size_bytes);
    for (const storage::ReadSlice& slice : read.slices) {
        if (slice.file == nullptr) {
            out.insert(out.end(), slice.bytes.begin(), slice.bytes.end());
            continue;
        }
        const std::size_t before = out.size();
        out.resize(before + slice.size_bytes);
        LEAT_TRY(const std::size_t got,
                 slice.file->read_at(slice.at, std::span{out}.subspan(before)));
        if (got != slice.size_bytes) return Error{Errc::kTruncated, "the log ends inside a batch"};
    }
    return out;
}

/// The offset behind the last batch.
Result<Offset> replay_batches(Bytes batches, Offset from, const Shard& shard, Replay& replay) {
    const auto inflated_max = static_cast<std::size_t>(shard.config().decompressed_bytes_max);
    const coordination::Now now = now_of(shard);
    Offset next = from;
    wire::BatchCursor cursor{batches};
    for (;;) {
        LEAT_TRY(const std::optional<wire::BatchView> batch, cursor.next());
        if (!batch) break;
        next = Offset{batch->header.last_offset().value + 1};
        const std::int64_t producer = batch->header.producer_id;
        if (batch->header.is_control()) {
            if (!replay.on_marker) continue;
            LEAT_TRY(const auto marker, wire::read_end_marker(*batch));
            if (marker)
                replay.on_marker(marker->committed, {.producer_id = producer, .read_at = now});
            continue;
        }
        const ReplayedFrom origin{.producer_id = batch->header.is_transactional() ? producer : -1,
                                  .read_at = now};
        LEAT_TRY(wire::RecordReader records, wire::RecordReader::open(*batch, inflated_max));
        for (;;) {
            LEAT_TRY(const std::optional<wire::RecordView> record, records.next());
            if (!record) break;
            replay.on_record(*record, origin);
        }
    }
    if (next == from) return Error{Errc::kCorruptMessage, "a read gave no whole batch"};
    return next;
}

}  // namespace

coordination::Now now_of(const Shard& shard) {
    return {shard.executor().now(), shard.executor().wall_now()};
}

rt::Task<Result<std::vector<std::byte>>> read_batches(Shard* shard, storage::Partition* partition,
                                                      Offset from) {
    const storage::ReadRequest request{.from = from,
                                       .bytes_max = kReadBytes,
                                       .at_least_one = true,
                                       .isolation = storage::Isolation::kReadUncommitted};
    const storage::ReadResult read = co_await partition->read(request);
    if (read.error != Errc::kNone) co_return Error{read.error};
    co_return co_await rt::on_pool(shard->broker().pool(), shard->executor(),
                                   [&read] { return bytes_of(read); });
}

rt::Task<Result<void>> replay_log(Shard* shard, PartitionPtr partition, Replay* replay) {
    Offset at = partition->log_start();
    while (at < partition->high_watermark()) {
        const Result<std::vector<std::byte>> batches =
            co_await read_batches(shard, partition.get(), at);
        if (replay->is_cancelled()) co_return Error{Errc::kCancelled};
        if (!batches.has_value()) co_return Error{batches.error().code(), batches.error().detail()};
        LEAT_CO_TRY(const Offset next, replay_batches(*batches, at, *shard, *replay));
        at = next;
        // Others' turn: a long log must not hold the shard.
        co_await rt::sleep_until(shard->executor(), shard->executor().now());
        if (replay->is_cancelled()) co_return Error{Errc::kCancelled};
    }
    co_return Result<void>{};
}

}  // namespace leat::broker
