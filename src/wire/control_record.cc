// SPDX-License-Identifier: Apache-2.0
#include "wire/control_record.h"

#include "base/endian.h"
#include "wire/batch_builder.h"

namespace leat::wire {

std::array<std::byte, 4> encode_control_key(bool committed) noexcept {
    std::array<std::byte, 4> key{};
    const auto type = committed ? ControlType::kCommit : ControlType::kAbort;
    store_be(&key[2], static_cast<std::int16_t>(type));
    return key;
}

std::array<std::byte, 6> encode_end_marker(std::int32_t coordinator_epoch) noexcept {
    std::array<std::byte, 6> value{};
    store_be(&value[2], coordinator_epoch);
    return value;
}

Result<ControlType> decode_control_key(Bytes key) {
    if (key.size() < 4) return Error{Errc::kMalformed, "the key of a control record is too short"};
    const auto version = load_be<std::int16_t>(key.data());
    const auto type = load_be<std::int16_t>(&key[2]);
    if (version < 0 || type < 0) {
        return Error{Errc::kMalformed, "a control record of a kind that cannot be"};
    }
    if (type > static_cast<std::int16_t>(ControlType::kCommit)) return ControlType::kOther;
    return static_cast<ControlType>(type);
}

Result<std::int32_t> decode_end_marker(Bytes value) {
    if (value.size() < 6)
        return Error{Errc::kMalformed, "the marker of a transaction is too short"};
    if (load_be<std::int16_t>(value.data()) < 0) {
        return Error{Errc::kMalformed, "the marker of a transaction has a negative version"};
    }
    return load_be<std::int32_t>(&value[2]);
}

Result<std::optional<EndMarker>> read_end_marker(const BatchView& batch) {
    LEAT_CHECK(batch.header.is_control());
    if (batch.header.codec() != codec::Codec::kNone) {
        return Error{Errc::kCorruptMessage, "a control batch is compressed"};
    }
    LEAT_TRY(RecordReader reader, RecordReader::open(batch, 0));
    LEAT_TRY(const auto record, reader.next());
    if (!record) return std::optional<EndMarker>{};
    if (!record->key) return Error{Errc::kCorruptMessage, "a control record has no key"};
    const auto type = decode_control_key(*record->key);
    if (!type) return Error{Errc::kCorruptMessage, type.error().detail()};
    if (*type == ControlType::kOther) return std::optional<EndMarker>{};
    const auto epoch = decode_end_marker(record->value.value_or(Bytes{}));
    if (!epoch) return Error{Errc::kCorruptMessage, epoch.error().detail()};
    return std::optional{
        EndMarker{.committed = *type == ControlType::kCommit, .coordinator_epoch = *epoch}};
}

std::vector<std::byte> end_marker_batch(const MarkerPlace& place, EndMarker marker) {
    BatchOptions options;
    options.base_offset = place.base_offset;
    options.leader_epoch = place.leader_epoch;
    options.producer_id = place.producer_id;
    options.producer_epoch = place.producer_epoch;
    options.transactional = true;
    options.control = true;
    BatchBuilder builder{options};
    const auto key = encode_control_key(marker.committed);
    const auto value = encode_end_marker(marker.coordinator_epoch);
    builder.add({.timestamp = place.timestamp, .key = key, .value = value, .headers = {}});
    auto batch = builder.finish();
    LEAT_CHECK(batch.has_value());  // Nothing to compress, and never too large.
    return *std::move(batch);
}

}  // namespace leat::wire
