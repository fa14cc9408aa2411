// SPDX-License-Identifier: Apache-2.0
//
// The first byte picks the rules, the rest is a batch, whose checksum is made right first.
// Properties: what validates under full walking can be read record by record, with offsets from 0
// and with the largest timestamp as found; it validates without walking too; errors name records
// that the header counts, and come with an error about records only.
#include "wire/batch_validation.h"

#include "base/check.h"
#include "wire/record_reader.h"

namespace {

using leat::wire::BatchRules;

constexpr std::size_t kInflatedMax = std::size_t{1} << 18;

BatchRules rules_of(std::uint8_t bits) {
    BatchRules rules;
    rules.zstd_allowed = (bits & 1) == 0;
    rules.keys_required = (bits & 2) != 0;
    if ((bits & 4) != 0) rules.timestamp_type = leat::wire::TimestampType::kLogAppendTime;
    if ((bits & 8) != 0) rules.timestamp_min = leat::WallMs{1'000'000};
    if ((bits & 16) != 0) rules.timestamp_max = leat::WallMs{1'800'000'000'000};
    rules.always_walk = (bits & 32) != 0;
    rules.inflated_bytes_max = kInflatedMax;
    rules.record_errors_max = 5;
    return rules;
}

void read_through(const leat::wire::ValidBatch& valid, leat::Bytes batch) {
    auto reader =
        leat::wire::RecordReader::open({.header = valid.header, .bytes = batch}, kInflatedMax);
    LEAT_CHECK(reader.has_value());
    leat::WallMs latest{INT64_MIN};
    for (std::int32_t i = 0; i < valid.header.record_count; ++i) {
        const auto record = reader->next();
        LEAT_CHECK(record.has_value() && record->has_value());
        LEAT_CHECK((*record)->offset_delta == i);
        const leat::WallMs timestamp = valid.header.timestamp((*record)->timestamp_delta);
        if (i == valid.max_timestamp_delta) LEAT_CHECK(timestamp == valid.max_timestamp);
        latest = std::max(latest, timestamp);
    }
    LEAT_CHECK(latest == valid.max_timestamp);
    const auto end = reader->next();
    LEAT_CHECK(end.has_value() && !end->has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    BatchRules rules = rules_of(data[0]);
    const leat::Bytes in = std::as_bytes(std::span{data + 1, size - 1});
    std::vector<std::byte> batch{in.begin(), in.end()};
    if (batch.size() >= leat::wire::kBatchHeaderBytes) leat::wire::seal(batch);
    std::vector<leat::wire::RecordError> errors;
    const auto valid = leat::wire::validate_batch(batch, rules, errors);
    if (!valid) {
        const leat::Errc code = valid.error().code();
        LEAT_CHECK(errors.size() <= rules.record_errors_max);
        LEAT_CHECK(errors.empty() || code == leat::Errc::kInvalidRecord ||
                   code == leat::Errc::kInvalidTimestamp);
        for (const auto& error : errors) LEAT_CHECK(error.index >= 0);
        return 0;
    }
    LEAT_CHECK(errors.empty());
    if (valid->walked) read_through(*valid, batch);
    const BatchRules none;
    LEAT_CHECK(leat::wire::validate_batch(batch, none, errors).has_value());
    return 0;
}
