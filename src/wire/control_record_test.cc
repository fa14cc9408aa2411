// SPDX-License-Identifier: Apache-2.0
//
// Method: edges of the two small structures; record_fixtures_test.cc has Kafka's own bytes.
#include "wire/control_record.h"

#include <gtest/gtest.h>

#include "testkit/bytes.h"
#include "testkit/result_matchers.h"
#include "wire/batch_builder.h"

namespace leat::wire {
namespace {

using testkit::hex;

TEST(ControlRecord, KeysAndMarkersRoundTrip) {
    EXPECT_EQ(*decode_control_key(encode_control_key(true)), ControlType::kCommit);
    EXPECT_EQ(*decode_control_key(encode_control_key(false)), ControlType::kAbort);
    EXPECT_EQ(*decode_end_marker(encode_end_marker(-7)), -7);
}

TEST(ControlRecord, NewerVersionsAreReadAsFarAsKnown) {
    EXPECT_EQ(*decode_control_key(hex("00 01 00 01 FF FF")), ControlType::kCommit);
    EXPECT_EQ(*decode_end_marker(hex("00 05 00 00 00 03 FF")), 3);
    EXPECT_EQ(*decode_control_key(hex("00 00 00 06")), ControlType::kOther);
}

TEST(ControlRecord, IsRefusedWhenShortOrNegative) {
    for (const char* key : {"", "00 00 00", "FF FF 00 00", "00 00 FF FF"}) {
        EXPECT_ERRC(decode_control_key(hex(key)), Errc::kMalformed) << key;
    }
    for (const char* value : {"", "00 00 00 00 00", "FF FF 00 00 00 00"}) {
        EXPECT_ERRC(decode_end_marker(hex(value)), Errc::kMalformed) << value;
    }
}

Result<std::optional<EndMarker>> marker_of(const NewRecord& record) {
    BatchOptions options;
    options.control = true;
    BatchBuilder builder{options};
    builder.add(record);
    const auto batch = *builder.finish();
    return read_end_marker({.header = *parse_batch_header(batch), .bytes = batch});
}

TEST(EndMarker, IsTakenOutOfItsBatchOnly) {
    const auto other = hex("00 00 00 02");
    EXPECT_EQ(*marker_of({.timestamp = {}, .key = other, .value = {}, .headers = {}}),
              std::nullopt);
    EXPECT_ERRC(marker_of({}), Errc::kCorruptMessage);
    const auto key = encode_control_key(true);
    EXPECT_ERRC(marker_of({.timestamp = {}, .key = key, .value = {}, .headers = {}}),
                Errc::kCorruptMessage);
}

TEST(EndMarker, IsNoneInAnEmptiedBatch) {
    BatchOptions options;
    options.control = true;
    BatchBuilder builder{options};
    const auto batch = *builder.finish({.last_offset_delta = 0, .max_timestamp = {}});
    EXPECT_EQ(*read_end_marker({.header = *parse_batch_header(batch), .bytes = batch}),
              std::nullopt);
}

}  // namespace
}  // namespace leat::wire
