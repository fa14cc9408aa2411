// SPDX-License-Identifier: Apache-2.0
//
// Method: a record is recognised as sent, and with any one of its bits flipped it is not.
#include "apps/bench_payload.h"

#include <gtest/gtest.h>

namespace leat::apps {
namespace {

TEST(BenchPayload, IsRecognisedAsSent) {
    BenchPayload payload{100};
    const BenchPayload reader{100};
    const auto stamp = reader.check(payload.make({.run = 7, .sequence = 8, .sent_ns = 9}));
    ASSERT_TRUE(stamp.has_value());
    EXPECT_EQ(stamp->run, 7U);
    EXPECT_EQ(stamp->sequence, 8U);
    EXPECT_EQ(stamp->sent_ns, 9);
}

TEST(BenchPayload, RefusesEveryFlippedBitAndOtherSizes) {
    BenchPayload payload{64};
    const std::string sent{payload.make({.run = 7, .sequence = 8, .sent_ns = 9})};
    for (std::size_t bit = 0; bit < sent.size() * 8; ++bit) {
        std::string record = sent;
        record[bit / 8] = static_cast<char>(record[bit / 8] ^ (1 << bit % 8));
        EXPECT_FALSE(payload.check(record).has_value()) << bit;
    }
    EXPECT_FALSE(payload.check(sent + "x").has_value());
    EXPECT_FALSE(payload.check("").has_value());
}

TEST(BenchPayload, DigestsDifferByRunAndSequence) {
    EXPECT_NE(BenchPayload::digest({.run = 1, .sequence = 1}),
              BenchPayload::digest({.run = 1, .sequence = 2}));
    EXPECT_NE(BenchPayload::digest({.run = 1, .sequence = 1}),
              BenchPayload::digest({.run = 2, .sequence = 1}));
}

}  // namespace
}  // namespace leat::apps
