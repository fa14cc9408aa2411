// SPDX-License-Identifier: Apache-2.0
#include "storage/cleaned_batch.h"

#include <algorithm>

#include "base/bounded_time.h"
#include "storage/segment_files.h"
#include "wire/batch_builder.h"

namespace leat::storage {

void AbortedSpans::add(const TxnEntry& entry) {
    by_producer_[entry.producer_id].emplace_back(entry.first, entry.last);
    entries_.push_back(entry);
}

bool AbortedSpans::contains(const wire::BatchHeader& header) const {
    if (!header.is_transactional() || header.is_control()) return false;
    const auto spans = by_producer_.find(header.producer_id);
    if (spans == by_producer_.end()) return false;
    return std::ranges::any_of(spans->second, [&](const auto& span) {
        return span.first <= header.base_offset && header.base_offset < span.second;
    });
}

std::vector<TxnEntry> AbortedSpans::within(Offset from, Offset to) const {
    std::vector<TxnEntry> found;
    for (const TxnEntry& entry : entries_)
        if (entry.last >= from && entry.last < to) found.push_back(entry);
    return found;
}

Result<AbortedSpans> read_aborted(rt::Disk& disk, FileCache& files, const std::string& directory) {
    AbortedSpans spans;
    LEAT_TRY(const auto names, disk.list(directory));
    for (const rt::DirEntry& entry : names) {
        const auto name = parse_file_name(entry.name);
        if (!name || name->kind != FileKind::kTxnIndex || name->stage != FileStage::kPlain)
            continue;
        TxnIndex index{files, directory + "/" + entry.name, true};
        auto raw = index.entries().raw();
        if (!raw && raw.error().code() == Errc::kNotFound) continue;  // Retention was quicker.
        if (!raw) return std::move(raw).error();
        const std::size_t count = TxnIndex::valid_entries(*raw, name->base);
        for (std::size_t i = 0; i < count; ++i)
            spans.add(TxnEntry::get(raw->data() + i * TxnEntry::kBytes));
    }
    return spans;
}

Result<void> RecordOrder::check(const wire::RecordView& record) {
    if (record.offset_delta <= last_ || record.offset_delta > last_max_)
        return Error{Errc::kCorruptMessage, "offsets of a batch's records do not rise within it"};
    last_ = record.offset_delta;
    return {};
}

/// Not the end of the numbers either: the times of the records are written as distances from it.
WallMs BatchCleaner::horizon() const {
    return after(rules_.now, bounded_ms(rules_.delete_retention_ms).count());
}

bool BatchCleaner::is_last_of_producer(const wire::BatchHeader& header) const {
    if (!header.has_producer_id()) return false;
    const auto found = rules_.producers->find(header.producer_id);
    if (found == rules_.producers->end()) return false;
    const LastOfProducer& last = found->second;
    if (last.last_data.value >= 0) return header.last_offset() == last.last_data;
    return header.is_control() && header.producer_epoch == last.epoch;
}

bool BatchCleaner::keeps(const wire::BatchHeader& header, const wire::RecordView& record) const {
    const Offset offset = header.offset(record.offset_delta);
    if (offset >= rules_.map_end) return true;
    if (!record.key) return false;  // Cannot come into a compacted topic any more.
    const auto newest = rules_.map->find(*record.key);
    if (newest && *newest > offset) return false;
    return record.value || !is_horizon_over(header);
}

Result<Bytes> BatchCleaner::empty(const wire::BatchHeader& header) {
    changed_ = changed_ || header.record_count > 0;
    removed_ += header.record_count;
    wire::BatchBuilder builder{wire::BatchOptions::like(header)};
    LEAT_TRY(built_, builder.finish({.last_offset_delta = header.last_offset_delta,
                                     .max_timestamp = header.max_timestamp}));
    return Bytes{built_};
}

Result<Bytes> BatchCleaner::with_horizon(const wire::BatchView& batch) {
    wire::BatchOptions options = wire::BatchOptions::like(batch.header);
    options.delete_horizon = horizon();
    wire::BatchBuilder builder{options};
    LEAT_TRY(auto records, wire::RecordReader::open(batch, rules_.inflated_bytes_max));
    for (RecordOrder order{batch.header};;) {
        LEAT_TRY(const auto record, records.next());
        if (!record) break;
        LEAT_TRY_VOID(order.check(*record));
        builder.copy(*record, batch.header.timestamp(record->timestamp_delta));
    }
    changed_ = true;
    LEAT_TRY(built_, builder.finish({.last_offset_delta = batch.header.last_offset_delta,
                                     .max_timestamp = std::nullopt}));
    return Bytes{built_};
}

Result<Bytes> BatchCleaner::clean_marker(const wire::BatchView& batch, bool must_stay) {
    const wire::BatchHeader& header = batch.header;
    // A marker goes only after all data of its transaction, and then after a rest.
    const bool has_data = with_data_.erase(header.producer_id) > 0;
    if (has_data) markers_with_data_.insert(header.last_offset().value);
    if (has_data) return batch.bytes;
    // Not a marker any more, but what is known of its producer.
    if (header.record_count == 0 && (must_stay || is_last_of_producer(header))) return batch.bytes;
    if (header.record_count == 0) {
        changed_ = true;
        return Bytes{};
    }
    if (!header.has_delete_horizon()) return with_horizon(batch);
    if (!is_horizon_over(header)) return batch.bytes;
    if (must_stay || is_last_of_producer(header)) return empty(header);
    changed_ = true;
    ++removed_;
    return Bytes{};
}

Result<Bytes> BatchCleaner::clean_data(const wire::BatchView& batch, bool must_stay) {
    const wire::BatchHeader& header = batch.header;
    const bool is_aborted = rules_.aborted->contains(header);
    // Also of a batch that goes now: as in Kafka its marker begins to rest in the next round.
    if (header.is_transactional()) with_data_.insert(header.producer_id);
    std::int32_t kept = 0;
    bool has_tombstone = false;
    std::vector<bool> keep;
    if (!is_aborted && header.record_count > 0) {
        LEAT_TRY(auto records, wire::RecordReader::open(batch, rules_.inflated_bytes_max));
        for (RecordOrder order{header};;) {
            LEAT_TRY(const auto record, records.next());
            if (!record) break;
            LEAT_TRY_VOID(order.check(*record));
            keep.push_back(keeps(header, *record));
            if (!keep.back()) continue;
            ++kept;
            has_tombstone = has_tombstone || !record->value;
        }
    }
    if (kept == 0) {
        if (must_stay || is_last_of_producer(header)) return empty(header);
        changed_ = true;
        removed_ += header.record_count;
        return Bytes{};
    }
    const bool sets_horizon =
        has_tombstone && !header.has_delete_horizon() && header.base_offset < rules_.map_end;
    if (kept == header.record_count && !sets_horizon) return batch.bytes;

    changed_ = true;
    removed_ += header.record_count - kept;
    wire::BatchOptions options = wire::BatchOptions::like(header);
    options.codec = header.codec().value_or(codec::Codec::kNone);
    if (sets_horizon) options.delete_horizon = horizon();
    wire::BatchBuilder builder{options};
    LEAT_TRY(auto records, wire::RecordReader::open(batch, rules_.inflated_bytes_max));
    for (std::size_t i = 0;; ++i) {
        LEAT_TRY(const auto record, records.next());
        if (!record) break;
        if (keep[i]) builder.copy(*record, header.timestamp(record->timestamp_delta));
    }
    LEAT_TRY(built_, builder.finish({.last_offset_delta = header.last_offset_delta,
                                     .max_timestamp = std::nullopt}));
    return Bytes{built_};
}

Result<Bytes> BatchCleaner::clean(const wire::BatchView& batch, bool must_stay) {
    if (batch.header.is_control()) return clean_marker(batch, must_stay);
    return clean_data(batch, must_stay);
}

}  // namespace leat::storage
