// SPDX-License-Identifier: Apache-2.0
//
// Method: single batches against one rule each; what of the bytes may change is compared.
#include "storage/batch_admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/endian.h"
#include "codec/compression.h"
#include "codec/crc32.h"
#include "storage/testing/log_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using testing::TestBatch;
using testing::TestRecord;

constexpr std::int64_t kNow = 1'700'000'000'000;

struct Rig {
    Rig() { topic.timestamp_after_max_ms = 3'600'000; }

    Result<Admitted> admit(std::vector<std::byte>& batch) {
        return storage::admit(batch, rules(), errors);
    }
    Result<Admitted> admit(const TestBatch& batch) {
        bytes = batch.build();
        return admit(bytes);
    }
    [[nodiscard]] AdmissionRules rules() const {
        return {.config = std::make_shared<config::TopicConfig>(topic),
                .origin = origin,
                .now = WallMs{kNow},
                .inflated_bytes_max = 1 << 20,
                .record_errors_max = errors_max,
                .skip_crc_check = skip_crc};
    }

    config::TopicConfig topic;
    Origin origin = Origin::kClient;
    std::size_t errors_max = 100;
    bool skip_crc = false;
    std::vector<std::byte> bytes;
    std::vector<RecordError> errors;
};

TestBatch records(std::size_t count, std::size_t bytes = 10, std::int64_t at = kNow) {
    TestBatch out;
    out.records.assign(count, TestRecord{.timestamp = at, .value = std::string(bytes, 'x')});
    return out;
}

TEST(Admission, LeavesAGoodBatchAsItIs) {
    Rig rig;
    const TestBatch batch = records(3);
    const auto admitted = rig.admit(batch);
    ASSERT_OK(admitted);
    EXPECT_EQ(std::vector(admitted->bytes.begin(), admitted->bytes.end()), batch.build());
    EXPECT_EQ(admitted->bytes.data(), rig.bytes.data());
    EXPECT_EQ(admitted->append_time, WallMs{-1});
}

TEST(Admission, RefusesWhatIsLargerThanAMessageOrASegment) {
    Rig rig;
    rig.topic.max_message_bytes = 100;
    EXPECT_ERRC(rig.admit(records(1, 200)), Errc::kMessageTooLarge);
    rig.topic.max_message_bytes = 10'000;
    rig.topic.segment_bytes = 150;
    EXPECT_ERRC(rig.admit(records(1, 200)), Errc::kRecordListTooLarge);
    rig.origin = Origin::kCoordinator;
    EXPECT_ERRC(rig.admit(records(1, 200)), Errc::kRecordListTooLarge);
}

TEST(Admission, ChecksTheChecksumUnlessToldNotTo) {
    Rig rig;
    auto bytes = records(1).build();
    bytes[bytes.size() - 2] ^= std::byte{1};  // Of the value.
    EXPECT_ERRC(rig.admit(bytes), Errc::kCorruptMessage);
    rig.skip_crc = true;
    EXPECT_OK(rig.admit(bytes));
}

TEST(Admission, StampsWhatTheTopicStamps) {
    Rig rig;
    rig.topic.timestamp_type = config::TimestampType::kLogAppendTime;
    const auto admitted = rig.admit(records(2, 10, 5));
    ASSERT_OK(admitted);
    EXPECT_EQ(admitted->append_time, WallMs{kNow});
    EXPECT_EQ(admitted->header.max_timestamp, WallMs{kNow});
    EXPECT_TRUE(wire::check_crc(admitted->bytes).has_value());
}

TEST(Admission, PutsAWrongMaximumRight) {
    Rig rig;
    auto bytes = records(1).build();
    wire::set_max_timestamp(bytes, WallMs{kNow + 1});
    const auto admitted = rig.admit(bytes);
    ASSERT_OK(admitted);
    EXPECT_EQ(admitted->header.max_timestamp, WallMs{kNow});
    EXPECT_TRUE(wire::check_crc(admitted->bytes).has_value());
}

TEST(Admission, NamesRecordsUpToItsBound) {
    Rig rig;
    rig.topic.cleanup_compact = true;
    TestBatch batch;
    batch.records.assign(8, TestRecord{.timestamp = kNow + 7'200'000});
    EXPECT_ERRC(rig.admit(batch), Errc::kInvalidTimestamp);
    ASSERT_EQ(rig.errors.size(), 8U);
    EXPECT_EQ(rig.errors[7].index, 7);
    rig.errors_max = 3;
    EXPECT_ERRC(rig.admit(batch), Errc::kInvalidTimestamp);
    EXPECT_EQ(rig.errors.size(), 3U);
}

TEST(Admission, PutsABatchUnderTheTopicsCodec) {
    Rig rig;
    rig.topic.compression = config::Compression::kZstd;
    const auto smaller = rig.admit(records(50, 100));
    ASSERT_OK(smaller);
    EXPECT_EQ(smaller->header.codec(), codec::Codec::kZstd);
    EXPECT_LT(smaller->bytes.size(), rig.bytes.size());
    EXPECT_EQ(smaller->header.record_count, 50);
    rig.topic.compression = config::Compression::kUncompressed;
    TestBatch packed = records(50, 100);
    packed.codec = codec::Codec::kLz4;
    const auto larger = rig.admit(packed);
    ASSERT_OK(larger);
    EXPECT_EQ(larger->header.codec(), codec::Codec::kNone);
    rig.topic.max_message_bytes = static_cast<std::int32_t>(rig.bytes.size());
    EXPECT_ERRC(rig.admit(packed), Errc::kMessageTooLarge);
}

TEST(Admission, TakesOurOwnWithoutLooking) {
    Rig rig;
    rig.origin = Origin::kCoordinator;
    rig.topic.max_message_bytes = 10;
    EXPECT_OK(rig.admit(records(3)));
    auto two = records(1).build();
    two.resize(two.size() * 2);
    EXPECT_ERRC(rig.admit(two), Errc::kCorruptMessage);
}

std::vector<std::byte> packed_of(TestBatch batch, codec::Codec codec = codec::Codec::kZstd) {
    batch.codec = codec;
    return batch.build();
}

TEST(Admission, UnpacksSmallBatchesThatStaySmallOnly) {
    Rig rig;
    const std::int64_t tomorrow = kNow + 86'400'000;
    auto bomb = packed_of(records(1, 900'000, tomorrow));
    ASSERT_LT(bomb.size(), 1'000U);
    ASSERT_FALSE(is_admission_slow(bomb, rig.rules()));
    const auto before = bomb;
    EXPECT_ERRC(admit_quickly(bomb, rig.rules(), rig.errors), Errc::kLimitExceeded);
    EXPECT_EQ(bomb, before);
    EXPECT_ERRC(rig.admit(bomb), Errc::kInvalidTimestamp) << "it was unpacked";
    auto small = packed_of(records(1, 9'000, tomorrow));
    EXPECT_ERRC(admit_quickly(small, rig.rules(), rig.errors), Errc::kInvalidTimestamp);
    rig.topic.max_message_bytes = 10;
    EXPECT_ERRC(admit_quickly(bomb, rig.rules(), rig.errors), Errc::kMessageTooLarge);
}

/// One message of magic 1 and `value`.
std::vector<std::byte> old_message(Bytes value, codec::Codec codec = codec::Codec::kNone) {
    std::vector<std::byte> out(34 + value.size());
    store_be(&out[8], static_cast<std::int32_t>(out.size() - 12));
    out[16] = std::byte{1};
    out[17] = static_cast<std::byte>(codec);
    store_be(&out[18], kNow);
    store_be(&out[26], std::int32_t{-1});
    store_be(&out[30], static_cast<std::int32_t>(value.size()));
    std::ranges::copy(value, out.begin() + 34);
    store_be(&out[12], codec::crc32(Bytes{out}.subspan(16)));
    return out;
}

TEST(Admission, ConvertsMessagesOfAnOldFormat) {
    Rig rig;
    rig.origin = Origin::kOldClient;
    auto plain = old_message(testing::bytes_of("value"));
    EXPECT_FALSE(is_admission_slow(plain, rig.rules()));
    const auto admitted = rig.admit(plain);
    ASSERT_OK(admitted);
    EXPECT_EQ(admitted->bytes.data(), admitted->replaced.data());
    EXPECT_EQ(admitted->header.record_count, 1);
    EXPECT_EQ(admitted->header.max_timestamp, WallMs{kNow});
    const auto packed = codec::compress(codec::Codec::kGzip, plain);
    ASSERT_OK(packed);
    auto set = old_message(*packed, codec::Codec::kGzip);
    EXPECT_TRUE(is_admission_slow(set, rig.rules())) << "however small it is";
    const auto unpacked = rig.admit(set);
    ASSERT_OK(unpacked);
    EXPECT_EQ(unpacked->header.codec(), codec::Codec::kGzip);
    rig.topic.compression = config::Compression::kLz4;
    const auto again = rig.admit(set);
    ASSERT_OK(again);
    EXPECT_EQ(again->header.codec(), codec::Codec::kLz4);
    EXPECT_EQ(again->bytes.data(), again->replaced.data());
    rig.topic.max_message_bytes = static_cast<std::int32_t>(set.size()) - 1;
    EXPECT_ERRC(rig.admit(set), Errc::kMessageTooLarge);
}

TEST(Admission, IsSlowWhereRecordsAreUnpacked) {
    Rig rig;
    TestBatch packed = records(1, 64);
    packed.codec = codec::Codec::kLz4;
    // Values that do not shrink, so that the batch is above what is always quick.
    packed.records.clear();
    std::uint64_t bits = 1;
    for (int i = 0; i < 600; ++i) {
        std::string value(100, '\0');
        for (char& c : value)
            c = static_cast<char>((bits = bits * 6364136223846793005U + 1) >> 56U);
        packed.records.push_back({.timestamp = kNow, .value = value});
    }
    const auto bytes = packed.build();
    EXPECT_FALSE(is_admission_slow(bytes, rig.rules()));
    rig.topic.cleanup_compact = true;
    EXPECT_TRUE(is_admission_slow(bytes, rig.rules()));
    rig.topic.cleanup_compact = false;
    auto future = bytes;
    wire::set_max_timestamp(future, WallMs{kNow + 7'200'000});
    EXPECT_TRUE(is_admission_slow(future, rig.rules())) << "it says that a rule needs its records";
    rig.topic.compression = config::Compression::kGzip;
    EXPECT_TRUE(is_admission_slow(bytes, rig.rules()));
    EXPECT_TRUE(is_admission_slow(packed_of(records(1)), rig.rules())) << "to be unpacked";
    EXPECT_FALSE(is_admission_slow(records(1).build(), rig.rules()));
    rig.origin = Origin::kCoordinator;
    EXPECT_FALSE(is_admission_slow(bytes, rig.rules()));
}

}  // namespace
}  // namespace leat::storage
