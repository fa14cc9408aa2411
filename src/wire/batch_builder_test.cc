// SPDX-License-Identifier: Apache-2.0
//
// Method: random records through BatchBuilder and back through RecordReader with every codec, held
// against plain structs; then the reader alone against damaged records.
#include "wire/batch_builder.h"

#include <gtest/gtest.h>

#include <string>

#include "base/endian.h"
#include "testkit/bytes.h"
#include "testkit/random.h"
#include "testkit/result_matchers.h"

namespace leat::wire {
namespace {

using Buffer = std::vector<std::byte>;
using codec::Codec;
using testkit::hex;

constexpr std::size_t kPlenty = std::size_t{1} << 24;
constexpr Codec kCodecs[] = {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}
std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::optional<std::string> text_of(const std::optional<Bytes>& bytes) {
    return bytes ? std::optional{text_of(*bytes)} : std::nullopt;
}
std::optional<Bytes> bytes_of(const std::optional<std::string>& text) {
    return text ? std::optional{bytes_of(std::string_view{*text})} : std::nullopt;
}

struct Plain {
    std::int64_t timestamp = 0;
    std::int32_t delta = 0;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    friend bool operator==(const Plain&, const Plain&) = default;
};

std::optional<std::string> random_text(testkit::Random& random, int size_max) {
    if (random.between(0, 4) == 0) return std::nullopt;
    return std::string(static_cast<std::size_t>(random.between(0, size_max)),
                       static_cast<char>(random.between('a', 'z')));
}

std::vector<Plain> random_records(testkit::Random& random) {
    std::vector<Plain> records(static_cast<std::size_t>(random.between(1, 40)));
    std::int32_t delta = -1;
    for (Plain& record : records) {
        delta += 1 + (random.between(0, 3) == 0 ? random.between(0, 1000) : 0);
        record.delta = delta;
        record.timestamp = std::int64_t{1'700'000'000'000} + random.between(-100000, 100000);
        record.key = random_text(random, 200);
        record.value = random_text(random, 3000);
        for (int i = random.between(-3, 3); i > 0; --i) {
            record.headers.emplace_back(random_text(random, 20).value_or(""),
                                        random_text(random, 90));
        }
    }
    return records;
}

void add(BatchBuilder& builder, const Plain& record) {
    std::vector<HeaderView> headers;
    headers.reserve(record.headers.size());
    for (const auto& [key, value] : record.headers) headers.push_back({key, bytes_of(value)});
    builder.add(record.delta, {.timestamp = {record.timestamp},
                               .key = bytes_of(record.key),
                               .value = bytes_of(record.value),
                               .headers = headers});
}

BatchView view(const Buffer& bytes) {
    const auto header = parse_batch_header(bytes);
    LEAT_CHECK(header.has_value() && header->size_bytes() == bytes.size());
    return {.header = *header, .bytes = bytes};
}

std::vector<Plain> read_all(const Buffer& bytes) {
    const BatchView batch = view(bytes);
    std::vector<Plain> records;
    auto reader = RecordReader::open(batch, kPlenty);
    EXPECT_OK(reader);
    if (!reader) return records;
    RecordReader moved = *std::move(reader);
    for (;;) {
        const auto record = moved.next();
        EXPECT_OK(record);
        if (!record || !record->has_value()) return records;
        Plain plain{.timestamp = batch.header.timestamp((*record)->timestamp_delta).value,
                    .delta = (*record)->offset_delta,
                    .key = text_of((*record)->key),
                    .value = text_of((*record)->value),
                    .headers = {}};
        HeaderReader headers{(*record)->headers};
        while (const auto header = headers.next()) {
            plain.headers.emplace_back(header->key, text_of(header->value));
        }
        records.push_back(std::move(plain));
    }
}

TEST(BatchBuilder, WritesWhatTheReaderReads) {
    testkit::Random random;
    for (int round = 0; round < 300; ++round) {
        const std::vector<Plain> records = random_records(random);
        BatchOptions options;
        options.base_offset = {random.between(0, 1 << 30)};
        options.codec = kCodecs[random.between(0, 4)];
        options.producer_id = random.between(-1, 5);
        options.transactional = random.between(0, 1) == 1;
        BatchBuilder builder{options};
        WallMs latest{-1};
        for (const Plain& record : records) {
            add(builder, record);
            latest = std::max(latest, WallMs{record.timestamp});
        }
        const auto batch = builder.finish();
        ASSERT_OK(batch);
        ASSERT_OK(check_crc(*batch));
        ASSERT_EQ(read_all(*batch), records);
        const BatchHeader header = view(*batch).header;
        EXPECT_EQ(header.codec(), options.codec);
        EXPECT_EQ(header.max_timestamp, latest);
        EXPECT_EQ(header.base_timestamp, WallMs{records.front().timestamp});
        EXPECT_EQ(header.last_offset_delta, records.back().delta);
        EXPECT_EQ(header.record_count, static_cast<std::int32_t>(records.size()));
        EXPECT_EQ(header.is_transactional(), options.transactional);
    }
}

TEST(BatchBuilder, CopiesRecordsWithTheirHeaders) {
    testkit::Random random;
    for (int round = 0; round < 100; ++round) {
        const std::vector<Plain> records = random_records(random);
        BatchBuilder first{{}};
        for (const Plain& record : records) add(first, record);
        const Buffer source = *first.finish();
        const BatchView batch = view(source);
        auto reader = RecordReader::open(batch, kPlenty);
        ASSERT_OK(reader);
        // As the cleaner does: same offsets, times relative to a horizon.
        BatchOptions options = BatchOptions::like(batch.header);
        options.delete_horizon = WallMs{1'800'000'000'000};
        BatchBuilder second{options};
        std::vector<Plain> kept;
        for (const Plain& record : records) {
            const auto read = reader->next();
            ASSERT_OK(read);
            if (random.between(0, 1) == 0 && record.delta != records.back().delta) continue;
            second.copy(**read, batch.header.timestamp((*read)->timestamp_delta));
            kept.push_back(record);
        }
        const auto cleaned = second.finish(
            {.last_offset_delta = batch.header.last_offset_delta, .max_timestamp = {}});
        ASSERT_OK(cleaned);
        EXPECT_EQ(read_all(*cleaned), kept);
        EXPECT_TRUE(view(*cleaned).header.has_delete_horizon());
        EXPECT_EQ(view(*cleaned).header.base_timestamp, WallMs{1'800'000'000'000});
        EXPECT_EQ(view(*cleaned).header.last_offset(), batch.header.last_offset());
    }
}

TEST(BatchBuilder, LeavesAHeaderWhenNoRecordIsLeft) {
    BatchOptions options;
    options.base_offset = {100};
    options.codec = Codec::kZstd;
    options.delete_horizon = WallMs{5};
    options.producer_id = 9;
    options.producer_epoch = 1;
    options.base_sequence = 3;
    BatchBuilder builder{options};
    const auto batch = builder.finish({.last_offset_delta = 4, .max_timestamp = WallMs{77}});
    ASSERT_OK(batch);
    EXPECT_EQ(batch->size(), kBatchHeaderBytes);
    EXPECT_OK(check_crc(*batch));
    const BatchHeader header = view(*batch).header;
    EXPECT_EQ(header.last_offset(), Offset{104});
    EXPECT_EQ(header.last_sequence(), 7);
    EXPECT_EQ(header.record_count, 0);
    EXPECT_EQ(header.attributes, 0);
    EXPECT_EQ(header.max_timestamp, WallMs{77});
    EXPECT_TRUE(read_all(*batch).empty());
}

TEST(BatchBuilder, RefusesALevelThatTheCodecDoesNotHave) {
    BatchOptions options;
    options.codec = Codec::kGzip;
    options.level = 10;
    BatchBuilder builder{options};
    builder.add({});
    EXPECT_ERRC(builder.finish(), Errc::kInvalidSetting);
}

TEST(Recompress, KeepsAllButTheCodec) {
    testkit::Random random;
    const std::vector<Plain> records = random_records(random);
    for (const Codec from : kCodecs) {
        BatchOptions options;
        options.base_offset = {7};
        options.codec = from;
        options.append_time = WallMs{123};
        BatchBuilder builder{options};
        for (const Plain& record : records) add(builder, record);
        const Buffer source = *builder.finish();
        for (const Codec to : kCodecs) {
            const auto batch = recompress(view(source), to, codec::levels(to).fallback, kPlenty);
            ASSERT_OK(batch);
            EXPECT_OK(check_crc(*batch));
            EXPECT_EQ(view(*batch).header.codec(), to);
            EXPECT_EQ(view(*batch).header.max_timestamp, WallMs{123});
            EXPECT_EQ(read_all(*batch), read_all(source));
        }
        if (from != Codec::kNone) {
            EXPECT_ERRC(recompress(view(source), Codec::kNone, 0, 10), Errc::kLimitExceeded);
        }
    }
}

// A batch whose records are `records`, counted as `count`.
Buffer raw_batch(const Buffer& records, std::int32_t count) {
    Buffer batch(kBatchHeaderBytes);
    batch.insert(batch.end(), records.begin(), records.end());
    BatchHeader header;
    header.batch_length = static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes);
    header.record_count = count;
    put_batch_header(batch, header);
    return batch;
}

Result<std::vector<RecordView>> read_raw(const Buffer& batch) {
    LEAT_TRY(RecordReader reader, RecordReader::open(view(batch), kPlenty));
    std::vector<RecordView> records;
    for (;;) {
        LEAT_TRY(const auto record, reader.next());
        if (!record) return records;
        records.push_back(*record);
    }
}

TEST(RecordReader, RefusesWhatDoesNotAddUp) {
    // length 7: attributes, ts 0, offset 0, key null, value "a", no headers.
    EXPECT_OK(read_raw(raw_batch(hex("0E 00 00 00 01 02 61 00"), 1)));
    struct Case {
        const char* what;
        const char* records;
        std::int32_t count;
    };
    const Case cases[] = {
        {"more records than counted", "0E 00 00 00 01 02 61 00 0E 00 00 00 01 02 61 00", 1},
        {"fewer than counted", "0E 00 00 00 01 02 61 00", 2},
        {"negative count", "0E 00 00 00 01 02 61 00", -1},
        {"record longer than its fields", "10 00 00 00 01 02 61 00 00", 1},
        {"record shorter than its fields", "0C 00 00 00 01 02 61 00", 1},
        {"length past the batch", "7E 00 00 00 01 02 61 00", 1},
        {"length of zero", "00", 1},
        {"negative length", "01 00", 1},
        {"value past the record", "0E 00 00 00 01 04 61 00", 1},
        {"length -2", "0E 00 00 00 03 02 61 00", 1},
        {"negative header count", "0E 00 00 00 01 02 61 01", 1},
        {"more headers than bytes", "0E 00 00 00 01 02 61 7E", 1},
        {"null header key", "12 00 00 00 01 02 61 02 01 01", 1},
        {"varint without end", "0E 00 80 80 80 80 80 80 80 80 80 80 80 00", 1},
        {"empty with a count", "", 1},
    };
    for (const Case& c : cases) {
        EXPECT_ERRC(read_raw(raw_batch(hex(c.records), c.count)), Errc::kCorruptMessage) << c.what;
    }
}

TEST(RecordReader, NeverReadsPastADamagedBatch) {
    testkit::Random random;
    BatchBuilder builder{{}};
    for (const Plain& record : random_records(random)) add(builder, record);
    const Buffer good = *builder.finish();
    for (int round = 0; round < 3000; ++round) {
        Buffer bad = good;
        const auto at = static_cast<std::size_t>(
            random.between(kBatchHeaderBytes, static_cast<std::int32_t>(bad.size()) - 1));
        bad[at] = static_cast<std::byte>(random.between(0, 255));
        const auto records = read_raw(bad);
        if (!records) EXPECT_EQ(records.error().code(), Errc::kCorruptMessage);
    }
}

}  // namespace
}  // namespace leat::wire
