// SPDX-License-Identifier: Apache-2.0
#include "wire/batch_validation.h"

#include <algorithm>

#include "wire/record_reader.h"

namespace leat::wire {

namespace {

Error invalid(std::string_view why) {
    return Error{Errc::kInvalidRecord, why};
}

// Exactly one whole batch of magic 2.
Result<BatchHeader> take_header(Bytes records) {
    auto header = parse_batch_header(records);
    if (!header) {
        const Errc code = header.error().code();
        if (code == Errc::kTruncated) return invalid("a record batch is missing or cut off");
        if (code != Errc::kUnsupportedForMessageFormat) return std::move(header).error();
        const auto magic = static_cast<int>(records[16]);
        if (magic > kBatchMagic) return Error{Errc::kCorruptMessage, "a magic that does not exist"};
        return invalid("only record batches of magic 2 are allowed");
    }
    if (header->size_bytes() > records.size()) return invalid("a record batch is cut off");
    if (header->size_bytes() < records.size()) return invalid("more than one record batch");
    return header;
}

Result<void> check_codec(const BatchHeader& header, const BatchRules& rules) {
    const auto codec = header.codec();
    if (!codec) return Error{Errc::kUnsupportedCompressionType, "a codec that does not exist"};
    if (*codec == codec::Codec::kZstd && !rules.zstd_allowed) {
        return Error{Errc::kUnsupportedCompressionType,
                     "this version of the request is not allowed to use zstd"};
    }
    return {};
}

// Offsets, counts and producer of a client's batch.
Result<void> check_fields(const BatchHeader& header) {
    const std::int64_t span = std::int64_t{header.last_offset_delta} + 1;
    if (span <= 0) return invalid("the batch has an invalid offset range");
    if (header.record_count <= 0) return invalid("the batch has an invalid count of records");
    if (span != header.record_count) {
        return invalid("the batch's offset range does not fit its count of records");
    }
    if (header.is_control()) return invalid("clients are not allowed to write control records");
    if (header.has_delete_horizon()) return invalid("clients are not allowed to set a horizon");
    if (header.has_producer_id() && header.base_sequence < 0) {
        return invalid("a batch with a producer id has no valid sequence number");
    }
    if (header.is_transactional() && !header.has_producer_id()) {
        return invalid("a transactional batch has no producer id");
    }
    return {};
}

class Walker {
  public:
    Walker(const BatchHeader& header, const BatchRules& rules, std::vector<RecordError>& errors)
        : header_(header), rules_(rules), errors_(errors) {}

    Result<void> walk(Bytes records, ValidBatch& out) {
        for (std::int32_t i = 0; i < header_.record_count; ++i) {
            if (records.empty()) return broken("the batch has fewer records than it says");
            RecordView record;
            if (const char* why = take_record(records, record); why != nullptr) return broken(why);
            if (record.offset_delta != i) return broken("offsets in the batch do not count up");
            const WallMs timestamp = header_.timestamp(record.timestamp_delta);
            if (timestamp > out.max_timestamp || i == 0) {
                out.max_timestamp = timestamp;
                out.max_timestamp_delta = i;
            }
            if (rules_.keys_required && !record.key) [[unlikely]] {
                refuse(i, Errc::kInvalidRecord,
                       "Compacted topic cannot accept message without key");
            } else if (!is_in_bounds(timestamp)) [[unlikely]] {
                refuse(i, Errc::kInvalidTimestamp,
                       has_room() ? bounds_text(timestamp, i) : std::string{});
            }
        }
        if (!records.empty()) return broken("the batch has more records than it says");
        out.walked = true;
        return verdict();
    }

    // A whole batch with one fault.
    Result<void> refuse_all(Errc code, std::string_view why) {
        for (std::int32_t i = 0; i < header_.record_count && has_room(); ++i) refuse(i, code, why);
        refused_ = code;
        return verdict();
    }

  private:
    // Then it is not about single records any more.
    [[nodiscard]] Error broken(std::string_view why) {
        errors_.clear();
        return invalid(why);
    }
    [[nodiscard]] bool has_room() const { return errors_.size() < rules_.record_errors_max; }

    void refuse(std::int32_t index, Errc code, std::string_view why) {
        // One bad timestamp makes it the error of the batch, as in Kafka.
        if (refused_ != Errc::kInvalidTimestamp) refused_ = code;
        if (has_room()) errors_.push_back({.index = index, .message = std::string{why}});
    }

    [[nodiscard]] Result<void> verdict() const {
        if (refused_ == Errc::kNone) return {};
        return Error{refused_,
                     refused_ == Errc::kInvalidTimestamp
                         ? "One or more records have been rejected due to invalid timestamp"
                         : "One or more records have been rejected"};
    }

    [[nodiscard]] bool is_in_bounds(WallMs timestamp) const {
        if (rules_.timestamp_type != TimestampType::kCreateTime || timestamp == WallMs{-1}) {
            return true;
        }
        return (!rules_.timestamp_min || timestamp >= *rules_.timestamp_min) &&
               (!rules_.timestamp_max || timestamp <= *rules_.timestamp_max);
    }

    [[nodiscard]] std::string bounds_text(WallMs timestamp, std::int32_t index) const {
        const auto bound = [](const std::optional<WallMs>& at) {
            return at ? std::to_string(at->value) : std::string{"any"};
        };
        return "Timestamp " + std::to_string(timestamp.value) + " of message with offset " +
               std::to_string(index) + " is out of range. The timestamp should be within [" +
               bound(rules_.timestamp_min) + ", " + bound(rules_.timestamp_max) + "]";
    }

    const BatchHeader& header_;
    const BatchRules& rules_;
    std::vector<RecordError>& errors_;
    Errc refused_ = Errc::kNone;
};

// What cannot be inflated stays so however often the client sends it: not kCorruptMessage, after
// which it would try again.
Error inflate_error(const Error& error) {
    if (error.code() == Errc::kLimitExceeded) return Error{Errc::kMessageTooLarge, error.detail()};
    return invalid(error.detail());
}

}  // namespace

bool needs_inflating(const BatchHeader& header, const BatchRules& rules) {
    if (header.codec() == codec::Codec::kNone) return false;
    if (rules.always_walk || rules.keys_required) return true;
    if (rules.timestamp_type != TimestampType::kCreateTime) return false;
    return rules.timestamp_min ||
           (rules.timestamp_max &&
            std::max(header.max_timestamp, header.base_timestamp) > *rules.timestamp_max);
}

Result<ValidBatch> validate_batch(Bytes records, const BatchRules& rules,
                                  std::vector<RecordError>& record_errors) {
    record_errors.clear();
    LEAT_TRY(const BatchHeader header, take_header(records));
    LEAT_TRY_VOID(check_codec(header, rules));
    if (header.base_offset != Offset{0}) return invalid("the batch's base offset is not 0");
    if (header.size_bytes() > rules.batch_bytes_max) {
        return Error{Errc::kMessageTooLarge, "the batch is larger than max.message.bytes"};
    }
    LEAT_TRY_VOID(check_crc(records));
    LEAT_TRY_VOID(check_fields(header));
    ValidBatch valid{.header = header,
                     .walked = false,
                     .max_timestamp = header.max_timestamp,
                     .max_timestamp_delta = header.last_offset_delta};
    Walker walker{header, rules, record_errors};
    if (header.timestamp_type() == TimestampType::kLogAppendTime) {
        LEAT_TRY_VOID(walker.refuse_all(
            Errc::kInvalidTimestamp, "Producer should not set timestamp type to LogAppendTime."));
    }
    const Bytes plain = records.subspan(kBatchHeaderBytes);
    if (header.codec() == codec::Codec::kNone) {
        LEAT_TRY_VOID(walker.walk(plain, valid));
    } else if (needs_inflating(header, rules)) {
        const auto inflated = codec::decompress(*header.codec(), plain, rules.inflated_bytes_max);
        if (!inflated) return inflate_error(inflated.error());
        LEAT_TRY_VOID(walker.walk(*inflated, valid));
    }
    return valid;
}

}  // namespace leat::wire
