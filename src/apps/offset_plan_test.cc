// SPDX-License-Identifier: Apache-2.0
//
// Files of offsets as people and Kafka's tools write them.
#include "apps/offset_plan.h"

#include <gtest/gtest.h>

namespace leat::apps {
namespace {

TEST(OffsetPlan, ReadsTopicPartitionOffsetALine) {
    const auto read = parse_offsets("a,0,42\n# no\n\nb.c_d-e,11, 7\r\na,1,0");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (Offsets{{{"a", 0}, 42}, {{"a", 1}, 0}, {{"b.c_d-e", 11}, 7}}));
    EXPECT_TRUE(parse_offsets("")->empty());
}

TEST(OffsetPlan, NamesTheLineThatIsNone) {
    for (const char* bad : {"a", "a,0", "a,0,", "a,x,1", "a,0,-1", ",0,1", "a,-1,2", "a,0,1,"}) {
        const auto read = parse_offsets(std::string{"ok,0,1\n"} + bad);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().code(), Errc::kUsage);
        EXPECT_NE(read.error().detail().find("line 2"), std::string::npos) << bad;
    }
}

TEST(OffsetPlan, ShiftsOnlyWhatIsCommitted) {
    const client::TopicPartition where[] = {{"a", 0}, {"a", 1}};
    EXPECT_TRUE(check_committed(where, {{{"a", 0}, 4}, {{"a", 1}, 0}}));
    const auto refused = check_committed(where, {{{"a", 0}, 4}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::kNotFound);
    EXPECT_NE(refused.error().detail().find("a-1"), std::string::npos);
}

TEST(OffsetPlan, SaysWhenAnOffsetLiesOutsideOfTheLog) {
    const client::TopicPartition where{"a", 3};
    for (const std::int64_t inside : {5, 7, 9}) {
        EXPECT_EQ(kept_within(where, inside, 5, 9).offset, inside);
        EXPECT_EQ(kept_within(where, inside, 5, 9).warning, "");
    }
    EXPECT_EQ(kept_within(where, 500, 5, 9).offset, 9);
    EXPECT_EQ(kept_within(where, 500, 5, 9).warning,
              "offset 500 lies behind the end of a-3: it is 9 instead");
    EXPECT_EQ(kept_within(where, 0, 5, 9).offset, 5);
    EXPECT_NE(kept_within(where, 0, 5, 9).warning.find("before the start of a-3"),
              std::string::npos);
}

TEST(OffsetPlan, APlaceThatCouldNotBeLookedUpIsNotTheEnd) {
    const client::TopicPartition a{"t", 0}, b{"t", 1}, c{"t", 2};
    const OffsetRule by_time{.to = StartPoint{StartPoint::Kind::kTime, 1000}};
    LogPlaces found{.first = {{.where = a, .offset = 2}, {.where = b, .offset = 2}, {.where = c}},
                    .ends = {{.where = a, .offset = 9}, {.where = b, .offset = 9}, {.where = c}},
                    .timed = {{.where = a, .offset = -1},
                              {.where = b, .offset = -1, .code = Errc::kNotLeaderOrFollower},
                              {.where = c, .offset = 0}}};
    const auto timed = targets_of(found, {}, by_time);
    ASSERT_EQ(timed.size(), 3U);
    // No record is as new as that: the end it is.
    EXPECT_EQ(timed[0].code, Errc::kNone);
    EXPECT_EQ(timed[0].offset, 9);
    EXPECT_EQ(timed[1].code, Errc::kNotLeaderOrFollower);
    EXPECT_EQ(timed[2].code, Errc::kNone);
    found.timed.clear();
    found.first[0].code = Errc::kLeaderNotAvailable;
    const auto begun = targets_of(found, {}, {.to = StartPoint{StartPoint::Kind::kBeginning, 0}});
    EXPECT_EQ(begun[0].code, Errc::kLeaderNotAvailable);
    EXPECT_EQ(begun[1].code, Errc::kNone);
    EXPECT_EQ(begun[1].offset, 2);
}

}  // namespace
}  // namespace leat::apps
