// SPDX-License-Identifier: Apache-2.0
//
// Control records: the markers that end a transaction in a partition. Layer: wire (L2).
// Spec:  KIP-98. key: version i16 (0), type i16; value: version i16 (0), coordinatorEpoch i32.
#pragma once

#include <array>
#include <vector>

#include "wire/record_batch.h"

namespace leat::wire {

/// Those from 2 on belong to Kafka's metadata quorum; they are passed over.
enum class ControlType : std::uint8_t { kAbort = 0, kCommit = 1, kOther = 2 };

struct EndMarker {
    bool committed = false;
    std::int32_t coordinator_epoch = 0;
    friend bool operator==(const EndMarker&, const EndMarker&) = default;
};

[[nodiscard]] std::array<std::byte, 4> encode_control_key(bool committed) noexcept;
[[nodiscard]] std::array<std::byte, 6> encode_end_marker(std::int32_t coordinator_epoch) noexcept;

/// A newer version may have more behind what is known, which is ignored, as Kafka ignores it.
/// Errors: kMalformed (too short, a negative version or type).
[[nodiscard]] Result<ControlType> decode_control_key(Bytes key);
/// The coordinator's epoch. Errors: kMalformed.
[[nodiscard]] Result<std::int32_t> decode_end_marker(Bytes value);

/// The marker in a control batch; nullopt when it is of another kind, or emptied by compaction.
/// Precondition: header.is_control(). Errors: kCorruptMessage.
[[nodiscard]] Result<std::optional<EndMarker>> read_end_marker(const BatchView& batch);

/// Where and for whom a marker is written.
struct MarkerPlace {
    Offset base_offset = {};
    std::int32_t leader_epoch = -1;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    WallMs timestamp = {};
};
/// A control batch of one record.
[[nodiscard]] std::vector<std::byte> end_marker_batch(const MarkerPlace& place, EndMarker marker);

}  // namespace leat::wire
