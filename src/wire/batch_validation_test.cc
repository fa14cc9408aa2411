// SPDX-License-Identifier: Apache-2.0
//
// Method: what record_fixtures_test.cc cannot hold against Kafka: limits, what is skipped for
// compressed batches, what the result tells, and rules that are ours.
#include "wire/batch_validation.h"

#include <gtest/gtest.h>

#include <cstring>

#include "testkit/result_matchers.h"
#include "wire/batch_builder.h"

namespace leat::wire {
namespace {

using Buffer = std::vector<std::byte>;
using codec::Codec;

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

Buffer batch_of(std::initializer_list<std::int64_t> timestamps, Codec codec = Codec::kNone) {
    BatchOptions options;
    options.codec = codec;
    BatchBuilder builder{options};
    for (const std::int64_t timestamp : timestamps) {
        builder.add(
            {.timestamp = {timestamp}, .key = {}, .value = bytes_of("value"), .headers = {}});
    }
    return *builder.finish();
}

template <class Change>
Buffer changed(Buffer batch, Change change) {
    BatchHeader header = *parse_batch_header(batch);
    change(header);
    put_batch_header(batch, header);
    seal(batch);
    return batch;
}

Result<ValidBatch> check(const Buffer& batch, const BatchRules& rules = {}) {
    std::vector<RecordError> errors;
    return validate_batch(batch, rules, errors);
}

TEST(BatchValidation, FindsTheFirstLargestTimestamp) {
    const auto valid = check(batch_of({5, 9, -1, 9, 3}));
    ASSERT_OK(valid);
    EXPECT_TRUE(valid->walked);
    EXPECT_EQ(valid->max_timestamp, WallMs{9});
    EXPECT_EQ(valid->max_timestamp_delta, 1);
    EXPECT_FALSE(valid->has_wrong_max_timestamp());
    const auto wrong = check(changed(batch_of({5, 9}), [](auto& h) { h.max_timestamp = {50}; }));
    ASSERT_OK(wrong);
    EXPECT_TRUE(wrong->has_wrong_max_timestamp());
    EXPECT_EQ(wrong->max_timestamp, WallMs{9});
}

TEST(BatchValidation, LooksIntoCompressedBatchesOnlyWhenARuleNeedsIt) {
    const Buffer batch = batch_of({100, 300}, Codec::kZstd);
    EXPECT_FALSE(check(batch)->walked);
    EXPECT_EQ(check(batch)->max_timestamp, WallMs{300});
    BatchRules rules;
    rules.timestamp_max = WallMs{300};
    EXPECT_FALSE(check(batch, rules)->walked);
    rules.timestamp_max = WallMs{299};
    EXPECT_ERRC(check(batch, rules), Errc::kInvalidTimestamp);
    rules.timestamp_type = TimestampType::kLogAppendTime;
    EXPECT_FALSE(check(batch, rules)->walked);
    rules = {};
    rules.timestamp_min = WallMs{100};
    EXPECT_TRUE(check(batch, rules)->walked);
    rules = {};
    rules.always_walk = true;
    EXPECT_TRUE(check(batch, rules)->walked);
    rules.inflated_bytes_max = 10;
    EXPECT_ERRC(check(batch, rules), Errc::kMessageTooLarge);
}

TEST(BatchValidation, ListsNoMoreErrorsThanAllowed) {
    BatchRules rules;
    rules.keys_required = true;
    rules.record_errors_max = 3;
    std::vector<RecordError> errors;
    EXPECT_ERRC(validate_batch(batch_of({1, 2, 3, 4, 5}), rules, errors), Errc::kInvalidRecord);
    ASSERT_EQ(errors.size(), 3U);
    EXPECT_EQ(errors[2].index, 2);
    EXPECT_FALSE(errors[2].message.empty());
    EXPECT_OK(validate_batch(batch_of({1}), {}, errors));
    EXPECT_TRUE(errors.empty());
}

TEST(BatchValidation, HoldsTheSizeLimitExactly) {
    const Buffer batch = batch_of({1, 2});
    BatchRules rules;
    rules.batch_bytes_max = batch.size();
    EXPECT_OK(check(batch, rules));
    --rules.batch_bytes_max;
    EXPECT_ERRC(check(batch, rules), Errc::kMessageTooLarge);
}

TEST(BatchValidation, RefusesWhatOnlyABrokerMayWrite) {
    const Buffer good = batch_of({1});
    const auto with = [&good](std::int16_t bits) {
        return changed(good, [bits](auto& h) { h.attributes |= bits; });
    };
    EXPECT_ERRC(check(with(kDeleteHorizonBit)), Errc::kInvalidRecord);
    EXPECT_ERRC(check(with(kControlBit)), Errc::kInvalidRecord);
    EXPECT_ERRC(check(with(kAppendTimeBit)), Errc::kInvalidTimestamp);
    EXPECT_ERRC(check(with(kTransactionalBit)), Errc::kInvalidRecord);  // No producer id.
    EXPECT_ERRC(check(with(5)), Errc::kUnsupportedCompressionType);
}

TEST(BatchValidation, RefusesOffsetsThatDoNotCountUp) {
    for (const Codec codec : {Codec::kNone, Codec::kLz4}) {
        BatchOptions options;
        options.codec = codec;
        BatchBuilder builder{options};
        builder.add(0, {});
        builder.add(2, {});
        const Buffer gap = *builder.finish();
        EXPECT_ERRC(check(gap), Errc::kInvalidRecord);
        BatchRules rules;
        rules.always_walk = true;
        const Buffer hidden = changed(gap, [](auto& h) { h.last_offset_delta = 1; });
        EXPECT_ERRC(check(hidden, rules), Errc::kInvalidRecord);
    }
}

TEST(BatchValidation, AbsurdCountsCostNothing) {
    const Buffer batch = changed(batch_of({1}), [](auto& h) {
        h.record_count = INT32_MAX;
        h.last_offset_delta = INT32_MAX - 1;
    });
    EXPECT_ERRC(check(batch), Errc::kInvalidRecord);
}

TEST(BatchValidation, NoByteOfABatchIsTakenOnTrust) {
    const Buffer good = batch_of({1, 2, 3});
    for (std::size_t at = 0; at < good.size(); ++at) {
        if (at >= 12 && at < 16) continue;  // The leader epoch is the broker's to set.
        Buffer bad = good;
        bad[at] ^= std::byte{0x41};
        EXPECT_FALSE(check(bad).has_value()) << at;
    }
}

}  // namespace
}  // namespace leat::wire
