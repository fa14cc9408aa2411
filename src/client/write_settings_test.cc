// SPDX-License-Identifier: Apache-2.0
#include "client/write_settings.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace leat::client {
namespace {

using std::chrono::milliseconds;

Result<WriteSettings> with(std::vector<Property> more) {
    more.push_back({"bootstrap.servers", "localhost:9092", 0});
    return write_settings_of(more);
}

TEST(WriteSettings, AreLibrdkafkasWhereNothingIsSaid) {
    const auto got = with({});
    ASSERT_TRUE(got) << got.error().detail();
    EXPECT_EQ(got->linger, milliseconds{5});
    EXPECT_EQ(got->batch_bytes_max, 1'000'000U);
    EXPECT_EQ(got->batch_records_max, 10'000);
    EXPECT_EQ(got->record_bytes_max, 1'000'000U);
    EXPECT_EQ(got->queued_records_max, 100'000U);
    EXPECT_EQ(got->queued_bytes_max, 1'048'576U * 1024);
    EXPECT_EQ(got->acks, -1);
    EXPECT_EQ(got->request_bytes_max, std::size_t{32} << 20U);
    EXPECT_EQ(got->ack_timeout, milliseconds{30'000});
    EXPECT_EQ(got->delivery_timeout, milliseconds{300'000});
    EXPECT_EQ(got->retries_max, INT32_MAX);
    EXPECT_EQ(got->retry, milliseconds{100});
    EXPECT_EQ(got->codec, codec::Codec::kNone);
    EXPECT_FALSE(got->is_idempotent);
    EXPECT_EQ(got->partitioner, KeyPartitioner::kConsistentRandom);
    EXPECT_TRUE(got->sticks);
    EXPECT_EQ(got->transactional_id, "");
    EXPECT_TRUE(got->creates_topics);
    EXPECT_EQ(got->refresh, milliseconds{900'000});
    EXPECT_EQ(got->propagation, milliseconds{30'000});
    EXPECT_EQ(got->pauses.first, milliseconds{100});
    EXPECT_EQ(got->pauses.most, milliseconds{10'000});
    // Longer than what the broker may take.
    EXPECT_GT(got->cluster.connection.request_timeout, got->ack_timeout);
}

TEST(WriteSettings, AreTakenUnderAllTheirNames) {
    const auto java = with({{"linger.ms", "7", 0},
                            {"batch.size", "2000", 0},
                            {"max.request.size", "3000", 0},
                            {"buffer.memory", "1048576", 0},
                            {"acks", "1", 0},
                            {"request.timeout.ms", "9000", 0},
                            {"delivery.timeout.ms", "8000", 0},
                            {"retries", "4", 0},
                            {"compression.type", "lz4", 0},
                            {"compression.lz4.level", "9", 0},
                            {"client.id", "me", 0}});
    ASSERT_TRUE(java) << java.error().detail();
    EXPECT_EQ(java->linger, milliseconds{7});
    EXPECT_EQ(java->batch_bytes_max, 2'000U);
    EXPECT_EQ(java->record_bytes_max, 3'000U);
    EXPECT_EQ(java->request_bytes_max, 3'000U);
    EXPECT_EQ(java->queued_bytes_max, 1'048'576U);
    EXPECT_EQ(java->acks, 1);
    EXPECT_EQ(java->ack_timeout, milliseconds{9'000});
    EXPECT_EQ(java->delivery_timeout, milliseconds{8'000});
    EXPECT_EQ(java->retries_max, 4);
    EXPECT_EQ(java->codec, codec::Codec::kLz4);
    EXPECT_EQ(java->level, 9);
    EXPECT_EQ(java->cluster.connection.client_id, "me");
    const auto theirs = with({{"queue.buffering.max.ms", "8", 0},
                              {"batch.num.messages", "9", 0},
                              {"queue.buffering.max.messages", "0", 0},
                              {"message.max.bytes", "1500", 0},
                              {"request.required.acks", "0", 0},
                              {"message.timeout.ms", "0", 0},
                              {"message.send.max.retries", "3", 0},
                              {"compression.codec", "gzip", 0},
                              {"partitioner", "fnv1a_random", 0},
                              {"sticky.partitioning.linger.ms", "0", 0},
                              {"allow.auto.create.topics", "false", 0}});
    ASSERT_TRUE(theirs) << theirs.error().detail();
    EXPECT_EQ(theirs->linger, milliseconds{8});
    EXPECT_EQ(theirs->batch_records_max, 9);
    EXPECT_EQ(theirs->batch_bytes_max, 1'500U);
    EXPECT_EQ(theirs->request_bytes_max, 1'500U);
    EXPECT_EQ(theirs->queued_records_max, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(theirs->acks, 0);
    EXPECT_EQ(theirs->delivery_timeout, milliseconds{0});
    EXPECT_EQ(theirs->retries_max, 3);
    EXPECT_EQ(theirs->codec, codec::Codec::kGzip);
    EXPECT_EQ(theirs->level, codec::levels(codec::Codec::kGzip).fallback);
    EXPECT_EQ(theirs->partitioner, KeyPartitioner::kFnv1aRandom);
    EXPECT_FALSE(theirs->sticks);
    EXPECT_FALSE(theirs->creates_topics);
}

TEST(WriteSettings, TransactionsWantIdempotence) {
    const auto got = with({{"transactional.id", "t", 0}, {"transaction.timeout.ms", "10000", 0}});
    ASSERT_TRUE(got) << got.error().detail();
    EXPECT_TRUE(got->is_idempotent);
    EXPECT_EQ(got->transaction_timeout, milliseconds{10'000});
    // A record that comes later than that is of no use.
    EXPECT_EQ(got->delivery_timeout, milliseconds{10'000});
}

TEST(WriteSettings, RefuseWhatDoesNotGoTogether) {
    const std::vector<std::vector<Property>> wrong{
        {{"enable.idempotence", "true", 0}, {"acks", "1", 0}},
        {{"enable.idempotence", "true", 0}, {"retries", "0", 0}},
        {{"enable.idempotence", "false", 0}, {"transactional.id", "t", 0}},
        {{"transactional.id", "t", 0}, {"message.timeout.ms", "70000", 0}},
        {{"linger.ms", "200", 0}, {"delivery.timeout.ms", "100", 0}},
        {{"partitioner", "by colour", 0}},
        {{"linger.ms", "soon", 0}},
    };
    for (const auto& properties : wrong) {
        const auto got = with(properties);
        ASSERT_FALSE(got) << properties.front().name;
        EXPECT_EQ(got.error().code(), Errc::kInvalidSetting);
    }
}

}  // namespace
}  // namespace leat::client
