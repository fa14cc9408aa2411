// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/source_bytes.h"

#include <gtest/gtest.h>

#include <utility>

namespace leat::streams {
namespace {

TEST(SourceBytes, HaveAllThatTheReaderTells) {
    const client::ReceivedRecord record{.topic = "app-repartition",
                                        .partition = 3,
                                        .offset = Offset{8},
                                        .timestamp = WallMs{17},
                                        .timestamp_type = client::TimestampType::kLogAppendTime,
                                        .key = "k",
                                        .value = {},
                                        .headers = {{"trace", "7"}, {"empty", std::nullopt}}};
    Headers headers{{"of", "the record before"}};
    const detail::SourceBytes bytes = source_bytes(record, "repartition", 20, headers);
    EXPECT_EQ(bytes.topic, "repartition");
    EXPECT_EQ(bytes.key, "k");
    EXPECT_FALSE(bytes.value);
    EXPECT_EQ(bytes.timestamp, 17);
    EXPECT_EQ(bytes.partition_time, 20);
    ASSERT_EQ(bytes.headers, &headers);
    EXPECT_EQ(headers, (Headers{{"trace", "7"}, {"empty", std::nullopt}}));
}

TEST(SourceBytes, SayWhoGaveTheTime) {
    using Told = client::TimestampType;
    Headers headers;
    for (const auto& [told, shown] :
         {std::pair{Told::kNone, TimestampType::kNone},
          std::pair{Told::kCreateTime, TimestampType::kCreateTime},
          std::pair{Told::kLogAppendTime, TimestampType::kLogAppendTime}}) {
        client::ReceivedRecord record;
        record.timestamp_type = told;
        EXPECT_EQ(source_bytes(record, "in", -1, headers).timestamp_type, shown);
    }
}

}  // namespace
}  // namespace leat::streams
