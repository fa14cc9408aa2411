// SPDX-License-Identifier: Apache-2.0
//
// Method: small examples of answers, some partial, some about what was not asked.
#include "client/request_parts.h"

#include <gtest/gtest.h>

#include <span>
#include <utility>
#include <vector>

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

TEST(FirstRetriable, SeesWhatComesBehindWhatDoesNotPass) {
    std::vector<Item> items{{3}, {41}};
    EXPECT_EQ(first_retriable(std::span<Item>{items}), 41);
}

// Made twice, a change tells of its first success as a failure.
TEST(RetriableAsAWhole, OnlyWhenNothingWasDone) {
    const auto verdict = [](std::vector<Item> items) {
        return retriable_as_a_whole(std::span<Item>{items});
    };
    EXPECT_EQ(verdict({{89}, {41}}), 89);
    EXPECT_EQ(verdict({{0}, {89}}), 0);
    EXPECT_EQ(verdict({{89}, {36}}), 0);
    EXPECT_EQ(verdict({{7}}), 0) << "it may still be made";
    EXPECT_EQ(verdict({}), 0);
}

TEST(AskLeaders, WhatHasNoLeaderHasItsCode) {
    std::vector<PartitionOffset> out{{.where = {"a", 0}}, {.where = {"a", 1}}, {.where = {"b", 0}}};
    const LeaderMap leaders{{{"a", 0}, {.node = 7, .code = Errc::kNone}},
                            {{"a", 1}, {.node = -1, .code = Errc::kLeaderNotAvailable}},
                            {{"b", 0}, {.node = 7, .code = Errc::kNone}}};
    int asked = 0;
    const auto done = ask_leaders(
        [&leaders](std::span<const TopicPartition> /*where*/) -> Result<LeaderMap> {
            return leaders;
        },
        out,
        [&asked](std::int32_t leader, std::span<const std::size_t> at) -> Result<void> {
            ++asked;
            EXPECT_EQ(leader, 7);
            EXPECT_EQ((std::vector<std::size_t>{at.begin(), at.end()}),
                      (std::vector<std::size_t>{0, 2}));
            return {};
        });
    EXPECT_TRUE(done.has_value());
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(out[1].code, Errc::kLeaderNotAvailable);
}

TEST(AskLeaders, TheOneThatLeadsByThenIsAskedForTheRest) {
    std::vector<PartitionOffset> out{{.where = {"a", 0}}, {.where = {"a", 1}}};
    std::int32_t newest = 0;
    std::vector<std::pair<std::int32_t, std::size_t>> asked;
    const auto done = ask_leaders(
        [&newest](std::span<const TopicPartition> where) -> Result<LeaderMap> {
            ++newest;
            LeaderMap leaders;
            for (const TopicPartition& one : where)
                leaders[one] = {.node = newest, .code = Errc::kNone};
            return leaders;
        },
        out,
        [&](std::int32_t leader, std::span<const std::size_t> at) -> Result<void> {
            asked.emplace_back(leader, at.size());
            for (const std::size_t one : at)
                out[one].code = one == 1 && leader == 1 ? Errc::kNotLeaderOrFollower : Errc::kNone;
            return {};
        });
    EXPECT_TRUE(done.has_value());
    EXPECT_EQ(asked, (std::vector<std::pair<std::int32_t, std::size_t>>{{1, 2}, {2, 1}}));
    EXPECT_EQ(out[1].code, Errc::kNone);
}

TEST(AskLeaders, OneThatIsGoneAndOneThatIsBeingChosenAreWaitedFor) {
    std::vector<PartitionOffset> out{{.where = {"a", 0}}};
    int looks = 0;
    std::vector<std::int32_t> asked;
    const auto done = ask_leaders(
        [&looks](std::span<const TopicPartition> where) -> Result<LeaderMap> {
            ++looks;
            const bool is_chosen = looks != 2;
            return LeaderMap{{where[0],
                              {.node = is_chosen ? looks : -1,
                               .code = is_chosen ? Errc::kNone : Errc::kLeaderNotAvailable}}};
        },
        out,
        [&](std::int32_t leader, std::span<const std::size_t> /*at*/) -> Result<void> {
            asked.push_back(leader);
            if (leader == 1) return Error{Errc::kNetworkException, "gone"};
            out[0].code = Errc::kNone;
            return {};
        });
    EXPECT_TRUE(done.has_value());
    EXPECT_EQ(asked, (std::vector<std::int32_t>{1, 3}));
    EXPECT_EQ(out[0].code, Errc::kNone);
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
