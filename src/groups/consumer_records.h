// SPDX-License-Identifier: Apache-2.0
//
// The records of a group of the consumer protocol in __consumer_offsets, as Kafka has them.
// Layer: groups (L5).
// Spec:  schemas/records/consumer_group_*.wire; docs/reference/formats/consumer-offsets.md.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "groups/consumer_member.h"
#include "groups/types.h"

namespace leat::groups {

// Each names what it speaks of; no value means a tombstone.

struct GroupEpochRecord {
    struct Value {
        std::int32_t epoch = 0;
        std::int64_t metadata_hash = 0;
    };
    std::optional<Value> value;
};
/// What brokers before 4.1 wrote; only its tombstone is written.
struct PartitionMetadataRecord {
    bool has_value = false;
};
struct MemberMetadataRecord {
    std::string member_id;
    std::optional<MemberMetadata> value;
};
struct TargetEpochRecord {
    struct Value {
        std::int32_t epoch = 0;
        std::int64_t timestamp = 0;
    };
    std::optional<Value> value;
};
struct TargetMemberRecord {
    std::string member_id;
    std::optional<TopicPartitions> value;
};
struct CurrentAssignmentRecord {
    std::string member_id;
    std::optional<CurrentAssignment> value;
};

/// The topics that a pattern stood for when it was last looked at.
struct ResolvedRegex {
    std::set<std::string> topics;
    std::int64_t version = 0;  ///< Of the metadata.
    std::int64_t timestamp = 0;
};
struct RegexRecord {
    std::string regex;
    std::optional<ResolvedRegex> value;
};

using ConsumerRecord =
    std::variant<GroupEpochRecord, PartitionMetadataRecord, MemberMetadataRecord, TargetEpochRecord,
                 TargetMemberRecord, CurrentAssignmentRecord, RegexRecord>;

[[nodiscard]] RecordToWrite encode(std::string_view group_id, const ConsumerRecord& record);

struct DecodedConsumerRecord {
    std::string group_id;
    ConsumerRecord record;
};

/// Whether a key of this type belongs here.
[[nodiscard]] bool is_consumer_record(std::int16_t type);
/// Precondition: is_consumer_record() of the key's type. Errors: kTruncated, kMalformed,
/// kUnsupportedVersion, kLimitExceeded.
[[nodiscard]] Result<DecodedConsumerRecord> decode_consumer_record(Bytes key,
                                                                   std::optional<Bytes> value);

}  // namespace leat::groups
