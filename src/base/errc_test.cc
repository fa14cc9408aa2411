// SPDX-License-Identifier: Apache-2.0
#include "base/errc.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Errc, KafkaCodesKeepTheirNumbers) {
    EXPECT_EQ(static_cast<int>(Errc::kUnknownTopicOrPartition), 3);
    EXPECT_EQ(info(Errc::kUnknownTopicOrPartition).name, "UNKNOWN_TOPIC_OR_PARTITION");
    EXPECT_TRUE(info(Errc::kUnknownTopicOrPartition).retriable);
    EXPECT_EQ(wire_code(Errc::kOffsetOutOfRange), 1);
}

TEST(Errc, OwnCodesNeverReachTheWire) {
    EXPECT_EQ(wire_code(Errc::kIoError), 56);
    EXPECT_EQ(wire_code(Errc::kLimitExceeded), -1);
    EXPECT_EQ(wire_code(Errc::kTooManyOpenFiles), 56);
    EXPECT_EQ(errc_from_wire(1001), Errc::kUnknownServerError);
    EXPECT_EQ(errc_from_wire(999), Errc::kUnknownServerError);
    EXPECT_EQ(errc_from_wire(3), Errc::kUnknownTopicOrPartition);
}

}  // namespace
}  // namespace leat
