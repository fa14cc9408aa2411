// SPDX-License-Identifier: Apache-2.0
//
// Method: small examples of answers, some partial, some about what was not asked.
#include "client/request_parts.h"

#include <gtest/gtest.h>

namespace leat::client {
namespace {

struct Item {
    std::int16_t error_code;
};
struct Topic {
    std::span<Item> partitions;
};

TEST(FirstRetriable, PassesOverDoneAndFinal) {
    std::vector<Item> items{{0}, {36}, {41}, {7}};
    const std::span<Item> all{items};
    EXPECT_EQ(first_retriable(all), 41);
    EXPECT_EQ(first_retriable(std::span<Item>{all.first(2)}), 0);
    std::vector<Topic> topics{{.partitions = all.first(1)}, {.partitions = all.subspan(3)}};
    EXPECT_EQ(first_retriable_of_partitions(std::span<Topic>{topics}), 7);
}

TEST(GroupByLeader, LeavesOutWhatHasNoLeaderWithItsCode) {
    std::vector<PartitionOffset> out{{.where = {"a", 0}}, {.where = {"a", 1}}, {.where = {"b", 0}}};
    const LeaderMap leaders{{{"a", 0}, {.node = 7, .code = Errc::kNone}},
                            {{"a", 1}, {.node = -1, .code = Errc::kLeaderNotAvailable}},
                            {{"b", 0}, {.node = 7, .code = Errc::kNone}}};
    const auto groups = group_by_leader(leaders, out);
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups.at(7), (std::vector<std::size_t>{0, 2}));
    EXPECT_EQ(out[1].code, Errc::kLeaderNotAvailable);
}

TEST(SetResult, IgnoresAnswersToWhatWasNotAsked) {
    std::vector<PartitionOffset> out{{.where = {"a", 0}}, {.where = {"a", 1}}};
    set_result(out, "a", 1, 42, 0);
    set_result(out, "z", 0, 1, 3);
    EXPECT_EQ(out[0].offset, -1);
    EXPECT_EQ(out[1].offset, 42);
}

TEST(OutcomeOf, TakesAnUnknownCodeForAnUnknownError) {
    EXPECT_EQ(outcome_of("a", 999, std::nullopt).code, Errc::kUnknownServerError);
    EXPECT_EQ(outcome_of("a", 36, "there").message, "there");
}

}  // namespace
}  // namespace leat::client
