// SPDX-License-Identifier: Apache-2.0
// Method: what is encoded here is read by wire.
#include "client/write_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/testing/batches.h"
#include "wire/record_reader.h"

namespace leat::client {
namespace {

void add(WriteBatch& batch, const OutgoingRecord& record, std::int64_t time) {
    batch.add(record, time, WriteBatch::weight_of(record));
}

/// "key=value@time", headers behind.
std::vector<std::string> read(const WriteBatch& batch) {
    std::vector<std::string> out;
    const auto header = wire::parse_batch_header(batch.bytes());
    EXPECT_TRUE(header && wire::check_crc(batch.bytes()));
    EXPECT_EQ(header->size_bytes(), batch.size_bytes());
    auto reader = wire::RecordReader::open({*header, batch.bytes()}, 1'000'000);
    EXPECT_TRUE(reader);
    const auto text = [](const std::optional<Bytes>& bytes) {
        if (!bytes) return std::string{"null"};
        return std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
    };
    for (;;) {
        const auto record = reader->next();
        if (!record || !*record) {
            EXPECT_TRUE(record);
            return out;
        }
        std::string line = text((*record)->key) + "=" + text((*record)->value) + "@" +
                           std::to_string(header->timestamp((*record)->timestamp_delta).value);
        wire::HeaderReader headers{(*record)->headers};
        while (const auto one = headers.next())
            line += " " + std::string{one->key} + ":" + text(one->value);
        out.push_back(std::move(line));
    }
}

const std::vector<std::string> kThree{"k=v@100", "null=@50 a:b n:null", "=null@300"};

WriteBatch three() {
    static const std::vector<Header> headers{{"a", "b"}, {"n", std::nullopt}};
    WriteBatch out;
    out.begin({});
    add(out, {.key = "k", .value = "v", .tag = 1}, 100);
    add(out, {.key = std::nullopt, .value = "", .headers = &headers, .tag = 2}, 50);
    add(out, {.key = "", .value = std::nullopt, .tag = 2}, 300);
    return out;
}

TEST(WriteBatch, IsReadAsItWasWritten) {
    WriteBatch batch = three();
    batch.pack(codec::Codec::kNone, 0);
    batch.identity = {.id = 7, .epoch = 3};
    batch.base_sequence = 11;
    batch.stamp(true);
    EXPECT_EQ(read(batch), kThree);
    const auto header = wire::parse_batch_header(batch.bytes());
    EXPECT_EQ(header->producer_id, 7);
    EXPECT_EQ(header->producer_epoch, 3);
    EXPECT_EQ(header->base_sequence, 11);
    EXPECT_EQ(header->last_sequence(), 13);
    EXPECT_TRUE(header->is_transactional());
    EXPECT_EQ(header->max_timestamp, WallMs{300});
    EXPECT_EQ(batch.count(), 3);
    ASSERT_EQ(batch.tags().size(), 2U);
    EXPECT_EQ(batch.tags()[1].count, 2);
}

TEST(WriteBatch, NumbersMayChangeAfterwards) {
    WriteBatch batch = three();
    batch.pack(codec::Codec::kNone, 0);
    batch.stamp(false);
    batch.base_sequence = 5;
    batch.stamp(false);
    EXPECT_EQ(read(batch), kThree);
    EXPECT_EQ(wire::parse_batch_header(batch.bytes())->base_sequence, 5);
}

TEST(WriteBatch, CompressionThatDoesNotHelpIsLeftOut) {
    WriteBatch batch = three();
    batch.pack(codec::Codec::kGzip, codec::levels(codec::Codec::kGzip).fallback);
    batch.stamp(false);
    EXPECT_EQ(wire::parse_batch_header(batch.bytes())->codec(), codec::Codec::kNone);
    EXPECT_EQ(read(batch), kThree);
}

TEST(WriteBatch, HalvesHaveWhatTheWholeHad) {
    for (const auto codec : {codec::Codec::kNone, codec::Codec::kZstd}) {
        WriteBatch batch = three();
        const std::string value(2'000, 'v');
        add(batch, {.key = std::nullopt, .value = value, .tag = 3}, 400);
        batch.pack(codec, codec::levels(codec).fallback);
        batch.stamp(false);
        auto halves = batch.split();
        ASSERT_TRUE(halves) << halves.error().detail();
        std::vector<std::string> all;
        std::size_t weight = 0;
        for (WriteBatch* half : {halves->first.get(), halves->second.get()}) {
            EXPECT_EQ(half->count(), 2);
            weight += half->weight();
            half->pack(codec::Codec::kNone, 0);
            half->stamp(false);
            for (auto& line : read(*half)) all.push_back(std::move(line));
        }
        std::vector<std::string> expected = kThree;
        expected.push_back("null=" + value + "@400");
        EXPECT_EQ(all, expected);
        EXPECT_EQ(weight, batch.weight());
        EXPECT_EQ(halves->first->tags().back().tag, 2U);
        EXPECT_EQ(halves->second->tags().front().tag, 2U);
        EXPECT_EQ(halves->second->tags().back().tag, 3U);
    }
}

TEST(WriteBatch, IsUsedAgain) {
    WriteBatch batch = three();
    batch.pack(codec::Codec::kNone, 0);
    batch.stamp(true);
    batch.begin({});
    EXPECT_EQ(batch.count(), 0);
    EXPECT_EQ(batch.weight(), 0U);
    EXPECT_TRUE(batch.tags().empty());
    add(batch, {.key = "k", .value = "v"}, 1);
    batch.pack(codec::Codec::kNone, 0);
    batch.stamp(false);
    EXPECT_EQ(read(batch), (std::vector<std::string>{"k=v@1"}));
}

TEST(WriteBatch, FitsWhatIsNotTooMuch) {
    WriteBatch batch;
    batch.begin({});
    EXPECT_TRUE(batch.fits(1'000'000, 100, 1));  // The first one always does.
    add(batch, {.key = std::nullopt, .value = "v"}, 1);
    EXPECT_FALSE(batch.fits(1, 1'000, 1));
    EXPECT_FALSE(batch.fits(1'000, 1'000, 10));
    EXPECT_TRUE(batch.fits(100, 1'000, 10));
}

}  // namespace
}  // namespace leat::client
