// SPDX-License-Identifier: Apache-2.0
#include "storage/batch_admission.h"

#include <optional>
#include <string>
#include <utility>

#include "base/bounded_time.h"
#include "base/endian.h"
#include "wire/batch_builder.h"
#include "wire/batch_validation.h"
#include "wire/legacy_messages.h"

namespace leat::storage {
namespace {

constexpr std::size_t kSlowBytes = std::size_t{32} * 1024;
/// What the shard unpacks itself: more than a small batch of real records holds.
constexpr std::size_t kQuickInflatedBytes = std::size_t{256} * 1024;
constexpr std::size_t kAttributesAt = 21;

/// nullopt: records stay as the client compressed them.
std::optional<codec::Codec> wanted_codec(config::Compression compression) {
    switch (compression) {
        case config::Compression::kProducer:
            return std::nullopt;
        case config::Compression::kUncompressed:
            return codec::Codec::kNone;
        case config::Compression::kGzip:
            return codec::Codec::kGzip;
        case config::Compression::kSnappy:
            return codec::Codec::kSnappy;
        case config::Compression::kLz4:
            return codec::Codec::kLz4;
        case config::Compression::kZstd:
            return codec::Codec::kZstd;
    }
    return std::nullopt;
}

int wanted_level(const config::TopicConfig& config, codec::Codec codec) {
    switch (codec) {
        case codec::Codec::kGzip:
            return config.compression_gzip_level;
        case codec::Codec::kLz4:
            return config.compression_lz4_level;
        case codec::Codec::kZstd:
            return config.compression_zstd_level;
        case codec::Codec::kNone:
        case codec::Codec::kSnappy:
            break;
    }
    return codec::levels(codec).fallback;
}

wire::BatchRules rules_of(const AdmissionRules& rules, std::size_t inflated_bytes_max) {
    const config::TopicConfig& config = *rules.config;
    wire::BatchRules out;
    out.batch_bytes_max = static_cast<std::size_t>(config.max_message_bytes);
    out.keys_required = config.cleanup_compact;
    out.inflated_bytes_max = inflated_bytes_max;
    out.record_errors_max = rules.record_errors_max;
    if (config.timestamp_type == config::TimestampType::kLogAppendTime) {
        out.timestamp_type = wire::TimestampType::kLogAppendTime;
        return out;
    }
    if (config.timestamp_before_max_ms < rules.now.value)
        out.timestamp_min = WallMs{rules.now.value - config.timestamp_before_max_ms};
    out.timestamp_max = after(rules.now, config.timestamp_after_max_ms);
    return out;
}

std::vector<RecordError> ours(std::vector<wire::RecordError> errors) {
    std::vector<RecordError> out;
    out.reserve(errors.size());
    for (wire::RecordError& error : errors)
        out.push_back({.index = error.index, .message = std::move(error.message)});
    return out;
}

/// Puts the batch under the topic's codec.
Result<void> recompress(Admitted& admitted, const AdmissionRules& rules) {
    const auto codec = wanted_codec(rules.config->compression);
    if (!codec || admitted.header.codec() == codec) return {};
    const wire::BatchView view{.header = admitted.header, .bytes = admitted.bytes};
    auto made = wire::recompress(view, *codec, wanted_level(*rules.config, *codec),
                                 rules.inflated_bytes_max);
    if (!made) {
        if (made.error().code() == Errc::kLimitExceeded)
            return Error{Errc::kMessageTooLarge, made.error().detail()};
        return std::move(made).error();
    }
    const auto most = static_cast<std::size_t>(rules.config->max_message_bytes);
    if (made->size() > most)
        return Error{Errc::kMessageTooLarge, "the batch has " + std::to_string(made->size()) +
                                                 " bytes under the topic's compression, above " +
                                                 std::to_string(most)};
    admitted.replaced = *std::move(made);
    admitted.bytes = admitted.replaced;
    LEAT_TRY(admitted.header, wire::parse_batch_header(admitted.bytes));
    return {};
}

Result<Admitted> admit_own(MutableBytes batch) {
    Admitted out;
    LEAT_TRY(out.header, wire::parse_batch_header(batch));
    if (out.header.size_bytes() != batch.size())
        return Error{Errc::kCorruptMessage, "not exactly one batch"};
    out.bytes = batch;
    return out;
}

bool is_compressed(Bytes batch) {
    return (load_be<std::int16_t>(batch.data() + kAttributesAt) & wire::kCodecMask) != 0;
}

Result<Admitted> admit_client(MutableBytes batch, const AdmissionRules& rules,
                              std::size_t inflated_bytes_max,
                              std::vector<RecordError>& record_errors) {
    const auto segment_bytes = static_cast<std::size_t>(rules.config->segment_bytes);
    if (rules.skip_crc_check) {
        const auto header = wire::parse_batch_header(batch);
        if (header && header->size_bytes() == batch.size()) wire::seal(batch);
    }
    std::vector<wire::RecordError> errors;
    auto valid = wire::validate_batch(batch, rules_of(rules, inflated_bytes_max), errors);
    if (!valid) {
        record_errors = ours(std::move(errors));
        return std::move(valid).error();
    }
    Admitted out;
    out.header = valid->header;
    out.bytes = batch;
    if (rules.config->timestamp_type == config::TimestampType::kLogAppendTime) {
        out.append_time = rules.now;
        wire::set_append_time(batch, rules.now);
        LEAT_TRY(out.header, wire::parse_batch_header(batch));
    } else if (valid->has_wrong_max_timestamp()) {
        wire::set_max_timestamp(batch, valid->max_timestamp);
        LEAT_TRY(out.header, wire::parse_batch_header(batch));
    }
    LEAT_TRY_VOID(recompress(out, rules));
    if (out.bytes.size() > segment_bytes)
        return Error{Errc::kRecordListTooLarge,
                     "the batch has " + std::to_string(out.bytes.size()) +
                         " bytes, a segment at most " + std::to_string(segment_bytes)};
    return out;
}

}  // namespace

bool is_admission_slow(Bytes batch, const AdmissionRules& rules) {
    if (rules.origin == Origin::kCoordinator) return false;
    const bool is_large = batch.size() >= kSlowBytes;
    if (rules.origin == Origin::kOldClient)
        return is_large || wire::is_legacy_set_compressed(batch);
    if (batch.size() < wire::kBatchHeaderBytes) return false;
    const auto attributes = load_be<std::int16_t>(batch.data() + kAttributesAt);
    const auto codec = codec::codec_from_number(attributes & wire::kCodecMask);
    const auto wanted = wanted_codec(rules.config->compression);
    if (wanted && codec != wanted) return is_large || codec != codec::Codec::kNone;
    if (!is_large || codec == codec::Codec::kNone) return false;
    const auto header = wire::parse_batch_header(batch);
    return header && wire::needs_inflating(*header, rules_of(rules, rules.inflated_bytes_max));
}

Result<Admitted> admit_quickly(MutableBytes batch, const AdmissionRules& rules,
                               std::vector<RecordError>& record_errors) {
    if (rules.origin != Origin::kClient || batch.size() < wire::kBatchHeaderBytes ||
        rules.inflated_bytes_max <= kQuickInflatedBytes || !is_compressed(batch))
        return admit(batch, rules, record_errors);
    auto out = admit_client(batch, rules, kQuickInflatedBytes, record_errors);
    const bool is_larger = !out && out.error().code() == Errc::kMessageTooLarge &&
                           std::cmp_less_equal(batch.size(), rules.config->max_message_bytes);
    if (is_larger) return Error{Errc::kLimitExceeded};
    return out;
}

Result<Admitted> admit(MutableBytes batch, const AdmissionRules& rules,
                       std::vector<RecordError>& record_errors) {
    if (rules.origin == Origin::kCoordinator) {
        LEAT_TRY(Admitted out, admit_own(batch));
        if (std::cmp_greater(batch.size(), rules.config->segment_bytes))
            return Error{Errc::kRecordListTooLarge};
        return out;
    }
    if (rules.origin == Origin::kClient)
        return admit_client(batch, rules, rules.inflated_bytes_max, record_errors);
    const wire::LegacyLimits limits{
        .inflated_bytes_max = rules.inflated_bytes_max,
        .message_bytes_max = static_cast<std::size_t>(rules.config->max_message_bytes)};
    LEAT_TRY(std::vector<std::byte> converted, wire::upconvert(batch, limits));
    LEAT_TRY(Admitted out, admit_client(converted, rules, rules.inflated_bytes_max, record_errors));
    // Else it has been compressed anew, and is there already.
    if (out.replaced.empty()) out.replaced = std::move(converted);
    return out;
}

}  // namespace leat::storage
