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

}  // namespace
}  // namespace leat::apps
