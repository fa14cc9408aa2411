// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/state_lags.h"

#include <gtest/gtest.h>

#include "leat/streams/builder.h"

namespace leat::streams {
namespace {

using States = std::map<std::string, detail::TaskState::Offsets>;
using Lags = std::map<TaskId, std::int64_t>;

/// One task with two stores, a second one without any.
Topology topology(bool one_on_disk = true, bool two_on_disk = true) {
    Builder builder;
    auto grouped = builder.stream<std::string, std::string>("in").group_by_key();
    static_cast<void>(grouped.count({.store = "one", .persistent = one_on_disk}));
    static_cast<void>(grouped.count({.store = "two", .persistent = two_on_disk}));
    builder.stream<std::string, std::string>("other").to("out");
    return *builder.build();
}

/// Partition 3's changelogs end at 100 and 50.
Result<std::vector<std::int64_t>> ends(std::span<const client::TopicPartition> where) {
    std::vector<std::int64_t> out;
    for (const auto& one : where) {
        EXPECT_EQ(one.partition, 3);
        EXPECT_TRUE(one.topic == "app-one-changelog" || one.topic == "app-two-changelog");
        out.push_back(one.topic == "app-one-changelog" ? 100 : 50);
    }
    return out;
}

TEST(StateLags, AreTheSumOverTheStoresOfATask) {
    const Topology built = topology();
    const Layout layout{built.parts(), "app"};
    EXPECT_EQ(*lags_of(States{{"0_3", {{"one", 90}, {"two", 45}}}}, layout, ends),
              (Lags{{TaskId{0, 3}, 15}}));
    EXPECT_EQ(*lags_of(States{{"0_3", {{"one", 100}, {"two", 50}}}}, layout, ends),
              (Lags{{TaskId{0, 3}, 0}}));
}

TEST(StateLags, OfAChangelogThatIsShorterAreAllOfIt) {
    const Topology built = topology();
    const Layout layout{built.parts(), "app"};
    EXPECT_EQ(*lags_of(States{{"0_3", {{"one", 1000}, {"two", 50}}}}, layout, ends),
              (Lags{{TaskId{0, 3}, 100}}));
}

TEST(StateLags, OfAStoreThatIsMissingAreItsWholeChangelog) {
    const Topology built = topology();
    const Layout layout{built.parts(), "app"};
    EXPECT_EQ(*lags_of(States{{"0_3", {{"one", 90}}}}, layout, ends), (Lags{{TaskId{0, 3}, 60}}));
}

/// Its offset is from when it was on disk, or of a task that was closed here.
TEST(StateLags, OfAStoreInMemoryAreItsWholeChangelog) {
    const States states{{"0_3", {{"one", 90}, {"two", 45}}}};
    const Topology mixed = topology(true, false);
    EXPECT_EQ(*lags_of(states, Layout{mixed.parts(), "app"}, ends), (Lags{{TaskId{0, 3}, 60}}));
    const Topology in_memory = topology(false, false);
    EXPECT_EQ(*lags_of(states, Layout{in_memory.parts(), "app"}, ends), Lags{});
}

TEST(StateLags, OfWhatIsNotKnownAreNotTold) {
    const Topology built = topology();
    const Layout layout{built.parts(), "app"};
    const States states{{"0_3", {{"none", 90}}},
                        {"7_3", {{"one", 90}, {"two", 45}}},
                        {"global", {{"one", 90}, {"two", 45}}},
                        {"0_x", {{"one", 90}, {"two", 45}}}};
    EXPECT_EQ(*lags_of(states, layout, ends), Lags{});
}

TEST(StateLags, ErrorsOfTheClusterAreTold) {
    const Topology built = topology();
    const Layout layout{built.parts(), "app"};
    const auto done =
        lags_of(States{{"0_3", {{"one", 90}, {"two", 45}}}}, layout,
                [](auto) -> Result<std::vector<std::int64_t>> { return Error{Errc::kTimedOut}; });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kTimedOut);
}

}  // namespace
}  // namespace leat::streams
