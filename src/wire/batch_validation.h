// SPDX-License-Identifier: Apache-2.0
//
// What a broker checks in a client's batch before it appends it. Layer: wire (L2).
// Spec:  Kafka's ProduceRequest.validateRecords and LogValidator; tests/fixtures has their
// verdicts.
#pragma once

#include <string>
#include <vector>

#include "wire/record_batch.h"

namespace leat::wire {

/// What the topic and the request allow.
struct BatchRules {
    std::size_t batch_bytes_max = 1'048'588;                    ///< max.message.bytes.
    bool zstd_allowed = true;                                   ///< Produce from version 7 on.
    bool keys_required = false;                                 ///< The topic is compacted.
    TimestampType timestamp_type = TimestampType::kCreateTime;  ///< The topic's.
    /// Bounds of timestamps, both included; for CreateTime only. -1 passes in any case.
    std::optional<WallMs> timestamp_min = {};
    std::optional<WallMs> timestamp_max = {};
    /// Inflates compressed batches even if no other rule needs to see their records.
    bool always_walk = false;
    std::size_t inflated_bytes_max = std::size_t{64} << 20;
    std::size_t record_errors_max = 100;  ///< More are not listed.
};

struct RecordError {
    std::int32_t index = 0;  ///< Of the record in its batch.
    std::string message;
};

struct ValidBatch {
    BatchHeader header;
    bool walked = false;  ///< The records were looked at.
    /// Largest timestamp and the first record that has it; what the header says (and the last
    /// record) when they were not.
    WallMs max_timestamp{-1};
    std::int32_t max_timestamp_delta = 0;

    /// The header's maxTimestamp is not that of the records: set_max_timestamp() before appending.
    [[nodiscard]] bool has_wrong_max_timestamp() const noexcept {
        return max_timestamp != header.max_timestamp;
    }
};

/// Whether validate_batch() inflates a batch with this header: it is compressed, and a rule needs
/// its records.
[[nodiscard]] bool needs_inflating(const BatchHeader& header, const BatchRules& rules);

/// Checks what one partition of a Produce request (version 3 or newer) carries.
///
/// The checksum is the one pass over the bytes. Records of an uncompressed batch are walked from
/// length to length. A compressed batch is inflated only if a rule needs its records:
/// keys_required, timestamp_min, always_walk, or a header whose timestamps pass timestamp_max. So a
/// client that writes a wrong maxTimestamp into a compressed batch gets around timestamp_max,
/// nothing else. Nothing is allocated for a good batch that is not inflated.
///
/// Errors: kCorruptMessage (checksum, lengths); kInvalidRecord (not exactly one batch of magic 2,
///         base offset, counts, control or delete-horizon bit, producer, records that do not add up
///         or cannot be inflated, keys); kInvalidTimestamp; kMessageTooLarge (batch, or inflated);
///         kUnsupportedCompressionType. `record_errors` then says which records are to blame, if
///         it is about records.
[[nodiscard]] Result<ValidBatch> validate_batch(Bytes records, const BatchRules& rules,
                                                std::vector<RecordError>& record_errors);

}  // namespace leat::wire
