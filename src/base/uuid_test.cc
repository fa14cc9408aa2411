// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat {
namespace {

TEST(Uuid, TextRoundTrips) {
    for (std::uint64_t i = 1; i < 1000; ++i) {
        const Uuid id = Uuid::from_random(i * 0x9E3779B97F4A7C15U, i * 0xC2B2AE3D27D4EB4FU);
        EXPECT_EQ(id.bytes[6] >> 4U, 4U);
        const auto back = Uuid::parse(id.text());
        ASSERT_OK(back);
        EXPECT_EQ(*back, id);
        EXPECT_EQ(id.is_usable(), id.text().front() != '-');
    }
}

TEST(Uuid, ZeroPrintsAsKafkaPrintsIt) {
    EXPECT_EQ(Uuid{}.text(), "AAAAAAAAAAAAAAAAAAAAAA");
}

TEST(Uuid, ParseRefusesOtherLengthsAndLetters) {
    EXPECT_ERRC(Uuid::parse("short"), Errc::kMalformed);
    EXPECT_ERRC(Uuid::parse("AAAAAAAAAAAAAAAAAAAA+A"), Errc::kMalformed);
}

}  // namespace
}  // namespace leat
