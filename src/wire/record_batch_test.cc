// SPDX-License-Identifier: Apache-2.0
//
// Method: batches of BatchBuilder, changed in place, cut and damaged byte by byte.
#include "wire/record_batch.h"

#include <gtest/gtest.h>

#include <string_view>

#include "base/endian.h"
#include "testkit/result_matchers.h"
#include "wire/batch_builder.h"

namespace leat::wire {
namespace {

using Buffer = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

Buffer batch_at(std::int64_t offset, std::string_view value = "value") {
    BatchOptions options;
    options.base_offset = {offset};
    BatchBuilder builder{options};
    builder.add(
        {.timestamp = {1000}, .key = bytes_of("key"), .value = bytes_of(value), .headers = {}});
    builder.add({.timestamp = {999}, .key = {}, .value = {}, .headers = {}});
    return *builder.finish();
}

TEST(BatchHeader, RoundTripsAllFields) {
    BatchHeader header;
    header.base_offset = {0x0102030405060708};
    header.batch_length = 100;
    header.leader_epoch = 7;
    header.crc = 0xDEADBEEF;
    header.attributes = kAppendTimeBit | kTransactionalBit | 4;
    header.last_offset_delta = 9;
    header.base_timestamp = {-2};
    header.max_timestamp = {11};
    header.producer_id = 12;
    header.producer_epoch = 13;
    header.base_sequence = INT32_MAX - 3;
    header.record_count = 10;
    Buffer bytes(kBatchHeaderBytes);
    put_batch_header(bytes, header);
    const auto read = parse_batch_header(bytes);
    ASSERT_OK(read);
    Buffer again(kBatchHeaderBytes);
    put_batch_header(again, *read);
    EXPECT_EQ(again, bytes);
    EXPECT_EQ(read->size_bytes(), 112U);
    EXPECT_EQ(read->last_offset(), Offset{0x0102030405060711});
    EXPECT_EQ(read->last_sequence(), 5);  // Wrapped.
    EXPECT_EQ(read->codec(), codec::Codec::kZstd);
    EXPECT_EQ(read->timestamp(5), WallMs{11});
    EXPECT_TRUE(read->is_transactional() && read->has_producer_id());
    EXPECT_FALSE(read->is_control() || read->has_delete_horizon());
}

TEST(BatchHeader, IsRefusedForWhatItCannotBe) {
    const Buffer good = batch_at(0);
    for (std::size_t size = 0; size < kBatchHeaderBytes; ++size) {
        EXPECT_ERRC(parse_batch_header(Bytes{good}.first(size)), Errc::kTruncated);
    }
    for (const std::int32_t length : {0, -1, 13, 48, INT32_MIN}) {
        Buffer bad = good;
        store_be(&bad[8], length);
        EXPECT_ERRC(parse_batch_header(bad), Errc::kCorruptMessage) << length;
    }
    for (const int magic : {0, 1, 3, 255}) {
        Buffer bad = good;
        bad[16] = static_cast<std::byte>(magic);
        EXPECT_ERRC(parse_batch_header(bad), Errc::kUnsupportedForMessageFormat);
    }
    EXPECT_ERRC(parse_batch_header(Buffer(100)), Errc::kCorruptMessage);  // Never written.
}

TEST(BatchCrc, CoversEverythingFromTheAttributesOn) {
    const Buffer good = batch_at(5);
    EXPECT_OK(check_crc(good));
    for (std::size_t at = 0; at < good.size(); ++at) {
        Buffer bad = good;
        bad[at] ^= std::byte{0x10};
        EXPECT_EQ(check_crc(bad).has_value(), at < 17) << at;
    }
}

TEST(BatchPatch, OffsetAndEpochKeepTheChecksum) {
    Buffer batch = batch_at(0);
    set_base_offset(batch, {1'000'000'000'000});
    set_leader_epoch(batch, 42);
    EXPECT_OK(check_crc(batch));
    const auto header = parse_batch_header(batch);
    EXPECT_EQ(header->base_offset, Offset{1'000'000'000'000});
    EXPECT_EQ(header->leader_epoch, 42);
}

TEST(BatchPatch, TimesAreSealed) {
    Buffer batch = batch_at(0);
    set_max_timestamp(batch, {2000});
    EXPECT_OK(check_crc(batch));
    EXPECT_EQ(parse_batch_header(batch)->timestamp(-1), WallMs{999});
    set_append_time(batch, {3000});
    EXPECT_OK(check_crc(batch));
    const auto header = parse_batch_header(batch);
    EXPECT_EQ(header->timestamp_type(), TimestampType::kLogAppendTime);
    EXPECT_EQ(header->max_timestamp, WallMs{3000});
    EXPECT_EQ(header->timestamp(-1), WallMs{3000});
}

TEST(BatchCursor, WalksWholeBatchesAndStopsInFrontOfATail) {
    Buffer log;
    std::vector<std::size_t> ends;
    for (const std::int64_t offset : {0, 2, 10}) {
        const Buffer batch = batch_at(offset, std::string(static_cast<std::size_t>(offset), 'x'));
        log.insert(log.end(), batch.begin(), batch.end());
        ends.push_back(log.size());
    }
    for (std::size_t size = 0; size <= log.size(); ++size) {
        BatchCursor cursor{Bytes{log}.first(size)};
        std::size_t whole = 0;
        for (;;) {
            const auto batch = cursor.next();
            ASSERT_OK(batch);
            if (!batch->has_value()) break;
            EXPECT_OK(check_crc((*batch)->bytes));
            EXPECT_EQ(cursor.whole_bytes(), ends[whole]);
            ++whole;
        }
        const auto expected = std::upper_bound(ends.begin(), ends.end(), size) - ends.begin();
        EXPECT_EQ(whole, static_cast<std::size_t>(expected)) << size;
        EXPECT_EQ(cursor.left_bytes(), size - (whole == 0 ? 0 : ends[whole - 1]));
    }
}

TEST(BatchCursor, StaysInFrontOfWhatIsNoBatch) {
    Buffer log = batch_at(0);
    const std::size_t end = log.size();
    log.resize(end + 100);
    BatchCursor cursor{log};
    ASSERT_OK(cursor.next());
    EXPECT_ERRC(cursor.next(), Errc::kCorruptMessage);
    EXPECT_ERRC(cursor.next(), Errc::kCorruptMessage);
    EXPECT_EQ(cursor.whole_bytes(), end);
}

}  // namespace
}  // namespace leat::wire
