// SPDX-License-Identifier: Apache-2.0
//
// What happens to a batch before it gets its offset: checks, timestamps, compression. Pure.
// Layer: storage (L3).
// Spec:  Kafka's LogValidator.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "config/topic_config.h"
#include "storage/types.h"
#include "wire/record_batch.h"

namespace leat::storage {

struct AdmissionRules {
    std::shared_ptr<const config::TopicConfig> config;
    Origin origin = Origin::kClient;
    WallMs now;
    std::size_t inflated_bytes_max = 0;
    std::size_t record_errors_max = 100;
    bool skip_crc_check = false;  ///< Faults::skip_crc_check.
};

/// A batch that may be appended, but for its producer's sequence.
struct Admitted {
    wire::BatchHeader header;
    /// The batch, with its final timestamps: what was given, or what `replaced` holds.
    MutableBytes bytes;
    std::vector<std::byte> replaced;
    WallMs append_time{-1};  ///< Only with LogAppendTime.
};

/// True when admit() may take long: records are to be inflated or compressed anew, or messages of
/// an old format converted.
[[nodiscard]] bool is_admission_slow(Bytes batch, const AdmissionRules& rules);

/// admit() of a batch that is_admission_slow() did not find slow by what its header says.
/// Errors: those of admit(); kLimitExceeded: it unpacks to more than should be unpacked here. Then
///         nothing has been changed, and admit() is for another thread.
[[nodiscard]] Result<Admitted> admit_quickly(MutableBytes batch, const AdmissionRules& rules,
                                             std::vector<RecordError>& record_errors);

/// Threading: any thread. Changes timestamps in `batch` in place.
/// Errors: those of wire::validate_batch(), of wire::upconvert(), of wire::recompress() as
///         kCorruptMessage or kMessageTooLarge, kRecordListTooLarge (larger than a segment).
///         `record_errors` tells which records are to blame.
[[nodiscard]] Result<Admitted> admit(MutableBytes batch, const AdmissionRules& rules,
                                     std::vector<RecordError>& record_errors);

}  // namespace leat::storage
