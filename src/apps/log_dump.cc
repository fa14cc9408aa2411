// SPDX-License-Identifier: Apache-2.0
#include "apps/log_dump.h"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

#include "apps/base64.h"
#include "apps/command.h"
#include "apps/internal_records.h"
#include "apps/output.h"
#include "base/utf8.h"
#include "storage/batch_scan.h"
#include "storage/folder_files.h"
#include "storage/leader_epochs.h"
#include "storage/offset_index.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_files.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"
#include "wire/control_record.h"
#include "wire/record_reader.h"

namespace leat::apps {

namespace json = boost::json;
using storage::FileKind;
using storage::FileName;

/// A batch and where it lies.
struct OneBatch {
    std::string file;
    wire::BatchView view;
};

namespace {

constexpr std::int64_t kFileMax = std::int64_t{1} << 30U;
constexpr std::size_t kInflatedMax = std::size_t{1} << 30U;

std::string detail_of(const Error& error) {
    return std::string{error.detail().empty() ? info(error.code()).name : error.detail()};
}

void put_text(json::object& out, const std::string& name, std::string_view text) {
    if (is_utf8(text)) {
        out[name] = text;
    } else {
        out[name + "_base64"] = to_base64(text);
    }
}

void put_bytes(json::object& out, const std::string& name, std::optional<Bytes> bytes) {
    if (bytes)
        put_text(out, name, {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    else
        out[name] = nullptr;
}

std::string_view codec_name(const wire::BatchHeader& header) {
    const auto codec = header.codec();
    if (!codec) return "unknown";
    switch (*codec) {
        case codec::Codec::kNone:
            return "none";
        case codec::Codec::kGzip:
            return "gzip";
        case codec::Codec::kSnappy:
            return "snappy";
        case codec::Codec::kLz4:
            return "lz4";
        case codec::Codec::kZstd:
            return "zstd";
    }
    return "unknown";
}

json::object batch_json(const OneBatch& batch, FilePos at) {
    const wire::BatchHeader& header = batch.view.header;
    const bool is_append = header.timestamp_type() == wire::TimestampType::kLogAppendTime;
    json::object out{{"type", "batch"},
                     {"file", batch.file},
                     {"position", at.value},
                     {"base_offset", header.base_offset.value},
                     {"last_offset", header.last_offset().value},
                     {"records", header.record_count},
                     {"size_bytes", header.size_bytes()},
                     {"leader_epoch", header.leader_epoch},
                     {"codec", codec_name(header)},
                     {"timestamp_type", is_append ? "append" : "create"},
                     {"base_timestamp", header.base_timestamp.value},
                     {"max_timestamp", header.max_timestamp.value},
                     {"producer_id", header.producer_id},
                     {"producer_epoch", header.producer_epoch},
                     {"base_sequence", header.base_sequence},
                     {"last_sequence", header.base_sequence < 0 ? -1 : header.last_sequence()},
                     {"transactional", header.is_transactional()},
                     {"control", header.is_control()},
                     {"delete_horizon", json::value{}},
                     {"crc", header.crc},
                     {"crc_ok", static_cast<bool>(wire::check_crc(batch.view.bytes))}};
    if (header.has_delete_horizon()) out["delete_horizon"] = header.base_timestamp.value;
    return out;
}

json::array headers_json(wire::RecordHeaders headers) {
    json::array out;
    wire::HeaderReader reader{headers};
    while (const auto header = reader.next()) {
        json::object item;
        put_text(item, "name", header->key);
        put_bytes(item, "value", header->value);
        out.push_back(std::move(item));
    }
    return out;
}

void put_control(json::object& out, const wire::RecordView& record) {
    if (!record.key) return;
    const auto type = wire::decode_control_key(*record.key);
    if (!type) return;
    out["control"] = *type == wire::ControlType::kAbort    ? "abort"
                     : *type == wire::ControlType::kCommit ? "commit"
                                                           : "other";
    if (*type == wire::ControlType::kOther || !record.value) return;
    const auto epoch = wire::decode_end_marker(*record.value);
    if (epoch) out["coordinator_epoch"] = *epoch;
}

json::object record_json(std::string_view topic, const wire::BatchHeader& header,
                         const wire::RecordView& record) {
    json::object out{{"type", "record"},
                     {"offset", header.offset(record.offset_delta).value},
                     {"timestamp", header.timestamp(record.timestamp_delta).value}};
    if (header.base_sequence >= 0)
        out["sequence"] = storage::sequence_after(header.base_sequence, record.offset_delta);
    if (header.is_control()) {
        put_control(out, record);
        return out;
    }
    if (auto decoded = decode_internal(topic, record.key, record.value)) {
        out["decoded_key"] = std::move(decoded->key);
        out["decoded_value"] = std::move(decoded->value);
    } else {
        put_bytes(out, "key", record.key);
        put_bytes(out, "value", record.value);
    }
    out["headers"] = headers_json(record.headers);
    return out;
}

/// The topic of "<topic>-<number>", also in "…-stray" and the like.
std::string topic_of(const std::string& folder) {
    std::string name = folder.substr(folder.rfind('/') + 1);
    for (const std::string_view ending : {storage::kStrayEnding, storage::kDeletedEnding})
        if (name.ends_with(ending)) name.resize(name.size() - ending.size());
    return name.substr(0, name.rfind('-'));
}

}  // namespace

LogDump::LogDump(rt::Disk& disk, std::string folder, DumpRange range, DumpSink sink)
    : disk_(disk),
      folder_(std::move(folder)),
      topic_(topic_of(folder_)),
      range_(range),
      sink_(std::move(sink)) {}

std::string LogDump::path(std::string_view name) const {
    return folder_ + "/" + std::string{name};
}

Result<void> LogDump::emit(json::object entry) {
    ++emitted_;
    return sink_(std::move(entry));
}

Result<void> LogDump::problem(const std::string& file, std::string_view what,
                              std::int64_t position) {
    ++problems_;
    return sink_({{"type", "problem"},
                  {"file", file},
                  {"position", position < 0 ? json::value{} : json::value(position)},
                  {"what", what}});
}

Result<void> LogDump::folder(DumpKind kind) {
    if (kind == DumpKind::kEpochs) return epochs();
    LEAT_TRY(const auto entries, disk_.list(folder_));
    for (const rt::DirEntry& entry : entries) {
        if (is_full()) break;
        const auto name = storage::parse_file_name(entry.name);
        if (!name || name->stage != storage::FileStage::kPlain) continue;
        if (kind == DumpKind::kProducers) {
            if (name->kind == FileKind::kSnapshot) LEAT_TRY_VOID(snapshot(name->base));
        } else if (kind == DumpKind::kIndex || kind == DumpKind::kTimeIndex ||
                   kind == DumpKind::kTxnIndex) {
            const bool is_it =
                (kind == DumpKind::kIndex && name->kind == FileKind::kIndex) ||
                (kind == DumpKind::kTimeIndex && name->kind == FileKind::kTimeIndex) ||
                (kind == DumpKind::kTxnIndex && name->kind == FileKind::kTxnIndex);
            if (is_it) LEAT_TRY_VOID(index(name->base, kind));
        } else if (name->kind == FileKind::kLog) {
            LEAT_TRY_VOID(segment(name->base, kind));
        }
    }
    return {};
}

Result<void> LogDump::file(std::string_view name, DumpKind kind) {
    if (name == storage::kEpochFileName) return epochs();
    const auto parsed = storage::parse_file_name(name);
    if (parsed && parsed->stage == storage::FileStage::kPlain) {
        switch (parsed->kind) {
            case FileKind::kLog:
                return segment(parsed->base, kind);
            case FileKind::kIndex:
                return index(parsed->base, DumpKind::kIndex);
            case FileKind::kTimeIndex:
                return index(parsed->base, DumpKind::kTimeIndex);
            case FileKind::kTxnIndex:
                return index(parsed->base, DumpKind::kTxnIndex);
            case FileKind::kSnapshot:
                return snapshot(parsed->base);
        }
    }
    return usage_error("'" + std::string{name} +
                       "' is no segment, index, snapshot or leader-epoch-checkpoint");
}

Result<void> LogDump::segment(Offset base, DumpKind kind) {
    if (base > range_.to) return {};
    if (kind != DumpKind::kSegments) return batches(base, kind == DumpKind::kRecords);
    const std::string name = to_string(FileName{.base = base});
    LEAT_TRY(auto file, disk_.open(path(name), rt::OpenMode::kRead));
    LEAT_TRY(const std::int64_t size, file->size());
    storage::BatchScan scan{std::move(file),
                            {.from = FilePos{0}, .end = FilePos{size}, .least = base},
                            storage::BatchScan::Depth::kHeaders};
    std::int64_t batch_count = 0;
    std::int64_t record_count = 0;
    std::int64_t largest = -1;
    for (;;) {
        auto found = scan.next();
        if (!found && found.error().code() != Errc::kCorruptMessage)
            return std::move(found).error();
        if (!found) LEAT_TRY_VOID(problem(name, detail_of(found.error()), scan.position().value));
        if (!found || !*found) break;
        ++batch_count;
        record_count += (*found)->header.record_count;
        largest = std::max(largest, (*found)->header.max_timestamp.value);
    }
    if (scan.next_offset() <= range_.from && range_.from > base) return {};
    return emit({{"type", "segment"},
                 {"file", name},
                 {"base_offset", base.value},
                 {"end_offset", scan.next_offset().value},
                 {"size_bytes", size},
                 {"batches", batch_count},
                 {"records", record_count},
                 {"max_timestamp", or_null(largest)}});
}

Result<void> LogDump::batches(Offset base, bool with_records) {
    const std::string name = to_string(FileName{.base = base});
    LEAT_TRY(auto file, disk_.open(path(name), rt::OpenMode::kRead));
    LEAT_TRY(const std::int64_t size, file->size());
    storage::BatchScan scan{std::move(file),
                            {.from = FilePos{0}, .end = FilePos{size}, .least = base},
                            storage::BatchScan::Depth::kWhole};
    while (!is_full()) {
        auto found = scan.next();
        if (!found && found.error().code() != Errc::kCorruptMessage)
            return std::move(found).error();
        if (!found) return problem(name, detail_of(found.error()), scan.position().value);
        if (!*found) return {};
        const storage::FoundBatch& batch = **found;
        if (batch.header.last_offset() < range_.from) continue;
        if (batch.header.base_offset > range_.to) return {};
        const OneBatch one{.file = name, .view = {.header = batch.header, .bytes = batch.bytes}};
        const bool is_good = static_cast<bool>(wire::check_crc(batch.bytes));
        if (!with_records) {
            // Its crc_ok tells of it.
            problems_ += is_good ? 0 : 1;
            LEAT_TRY_VOID(emit(batch_json(one, batch.at)));
            continue;
        }
        if (!is_good) LEAT_TRY_VOID(problem(name, "a batch with a wrong checksum", batch.at.value));
        LEAT_TRY_VOID(records(one));
    }
    return {};
}

Result<void> LogDump::records(const OneBatch& batch) {
    const wire::BatchHeader& header = batch.view.header;
    const std::string place = "the batch at offset " + std::to_string(header.base_offset.value);
    auto reader = wire::RecordReader::open(batch.view, kInflatedMax);
    if (!reader) return problem(batch.file, place + ": " + detail_of(reader.error()));
    while (!is_full()) {
        const auto record = reader->next();
        if (!record) return problem(batch.file, place + ": " + detail_of(record.error()));
        if (!*record) return {};
        const Offset offset = header.offset((*record)->offset_delta);
        if (offset < range_.from || offset > range_.to) continue;
        LEAT_TRY_VOID(emit(record_json(topic_, header, **record)));
    }
    return {};
}

namespace {

json::object entry_json(const storage::OffsetEntry& entry, Offset base) {
    return {
        {"type", "index"}, {"offset", base.value + entry.relative}, {"position", entry.position}};
}
json::object entry_json(const storage::TimeEntry& entry, Offset base) {
    return {{"type", "timeindex"},
            {"timestamp", entry.timestamp},
            {"offset", base.value + entry.relative}};
}
json::object entry_json(const storage::TxnEntry& entry, Offset /*base*/) {
    return {{"type", "txnindex"},
            {"version", entry.version},
            {"producer_id", entry.producer_id},
            {"first_offset", entry.first.value},
            {"last_offset", entry.last.value},
            {"last_stable_offset", entry.last_stable.value}};
}

Offset offset_of(const storage::OffsetEntry& entry, Offset base) {
    return {base.value + entry.relative};
}
Offset offset_of(const storage::TimeEntry& entry, Offset base) {
    return {base.value + entry.relative};
}
Offset offset_of(const storage::TxnEntry& entry, Offset /*base*/) {
    return entry.last;
}

/// An index file's entries, those that can be good.
template <class Entry>
struct IndexEntries {
    Bytes file;
    std::size_t count = 0;

    [[nodiscard]] bool has_bad_tail() const {
        const Bytes tail = file.subspan(count * Entry::kBytes);
        return std::ranges::any_of(tail, [](std::byte b) { return b != std::byte{0}; });
    }
    [[nodiscard]] Entry at(std::size_t i) const {
        return Entry::get(file.data() + i * Entry::kBytes);
    }
};

template <class Entry, class Emit>
Result<void> for_entries(const IndexEntries<Entry>& entries, const DumpRange& range, Offset base,
                         Emit emit) {
    for (std::size_t i = 0; i < entries.count; ++i) {
        const Entry entry = entries.at(i);
        const Offset offset = offset_of(entry, base);
        if (offset < range.from || offset > range.to) continue;
        LEAT_TRY(const bool goes_on, emit(entry_json(entry, base)));
        if (!goes_on) return {};
    }
    return {};
}

}  // namespace

Result<void> LogDump::index(Offset base, DumpKind kind) {
    const FileKind file_kind = kind == DumpKind::kIndex       ? FileKind::kIndex
                               : kind == DumpKind::kTimeIndex ? FileKind::kTimeIndex
                                                              : FileKind::kTxnIndex;
    const std::string name = to_string(FileName{.base = base, .kind = file_kind});
    LEAT_TRY(const auto raw, rt::read_file(disk_, path(name), kFileMax));
    const auto put = [&](json::object entry) -> Result<bool> {
        if (is_full()) return false;
        entry["file"] = name;
        LEAT_TRY_VOID(emit(std::move(entry)));
        return true;
    };
    const auto dump = [&]<class Entry>(const IndexEntries<Entry>& entries) -> Result<void> {
        LEAT_TRY_VOID(for_entries(entries, range_, base, put));
        if (!entries.has_bad_tail()) return {};
        return problem(name, "entries out of order, negative or not complete",
                       static_cast<std::int64_t>(entries.count * Entry::kBytes));
    };
    switch (file_kind) {
        case FileKind::kIndex:
            return dump(
                IndexEntries<storage::OffsetEntry>{raw, storage::OffsetIndex::valid_entries(raw)});
        case FileKind::kTimeIndex:
            return dump(
                IndexEntries<storage::TimeEntry>{raw, storage::TimeIndex::valid_entries(raw)});
        case FileKind::kTxnIndex:
            return dump(
                IndexEntries<storage::TxnEntry>{raw, storage::TxnIndex::valid_entries(raw, base)});
        case FileKind::kLog:
        case FileKind::kSnapshot:
            break;
    }
    return {};
}

Result<void> LogDump::snapshot(Offset at) {
    const std::string name = to_string(FileName{.base = at, .kind = FileKind::kSnapshot});
    LEAT_TRY(const auto raw, rt::read_file(disk_, path(name), kFileMax));
    auto entries = storage::decode_snapshot(raw);
    if (!entries) return problem(name, detail_of(entries.error()));
    const std::string window = storage::snapshot_path(folder_, at, ".window");
    LEAT_TRY(const bool has_window, disk_.exists(window));
    if (has_window) {
        LEAT_TRY(const auto older, rt::read_file(disk_, window, kFileMax));
        const auto decoded = storage::decode_window(older, at, *entries);
        if (!decoded)
            LEAT_TRY_VOID(
                problem(window.substr(window.rfind('/') + 1), detail_of(decoded.error())));
    }
    std::vector<std::int64_t> ids;
    ids.reserve(entries->size());
    for (const auto& [id, entry] : *entries) ids.push_back(id);
    std::ranges::sort(ids);
    for (const std::int64_t id : ids) {
        if (is_full()) return {};
        const storage::ProducerEntry& entry = entries->at(id);
        json::array batch_list;
        for (std::size_t i = 0; i < entry.batch_count; ++i)
            batch_list.push_back({{"first_sequence", entry.batches.at(i).first_sequence()},
                                  {"last_sequence", entry.batches.at(i).last_sequence},
                                  {"base_offset", entry.batches.at(i).base_offset().value},
                                  {"last_offset", entry.batches.at(i).last_offset.value},
                                  {"timestamp", entry.batches.at(i).timestamp.value}});
        const bool is_open = entry.transaction_start.value >= 0;
        LEAT_TRY_VOID(emit({{"type", "producer"},
                            {"file", name},
                            {"snapshot_offset", at.value},
                            {"producer_id", id},
                            {"producer_epoch", entry.epoch},
                            {"last_sequence", entry.last_sequence()},
                            {"last_timestamp", entry.last_timestamp.value},
                            {"coordinator_epoch", entry.coordinator_epoch},
                            {"transaction_start",
                             is_open ? json::value(entry.transaction_start.value) : json::value{}},
                            {"batches", std::move(batch_list)}}));
    }
    return {};
}

Result<void> LogDump::epochs() {
    const std::string name{storage::kEpochFileName};
    LEAT_TRY(const bool exists, disk_.exists(path(name)));
    if (!exists) return {};
    LEAT_TRY(const auto raw, rt::read_file(disk_, path(name), kFileMax));
    const auto decoded =
        storage::LeaderEpochs::decode({reinterpret_cast<const char*>(raw.data()), raw.size()});
    if (!decoded) return problem(name, detail_of(decoded.error()));
    for (const storage::EpochStart& entry : decoded->entries()) {
        if (is_full()) return {};
        LEAT_TRY_VOID(emit({{"type", "epoch"},
                            {"leader_epoch", entry.epoch},
                            {"start_offset", entry.start.value}}));
    }
    return {};
}

}  // namespace leat::apps
