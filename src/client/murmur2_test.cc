// SPDX-License-Identifier: Apache-2.0
#include "client/murmur2.h"

#include <gtest/gtest.h>

namespace leat::client {
namespace {

TEST(Murmur2, IsThatOfTheJavaClient) {
    const auto java = [](std::string_view text) {
        return static_cast<std::int32_t>(murmur2(text));
    };
    EXPECT_EQ(java("21"), -973932308);
    EXPECT_EQ(java("foobar"), -790332482);
    EXPECT_EQ(java("a-little-bit-long-string"), -985981536);
    EXPECT_EQ(java("a-little-bit-longer-string"), -1486304829);
    EXPECT_EQ(java("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
    EXPECT_EQ(java("abc"), 479470107);
}

TEST(Murmur2, PartitionsAreNeverNegative) {
    for (const std::string_view key : {"21", "foobar", "abc", ""})
        for (const std::int32_t count : {1, 4, 7}) {
            EXPECT_GE(partition_of(key, count), 0);
            EXPECT_LT(partition_of(key, count), count);
        }
}

}  // namespace
}  // namespace leat::client
