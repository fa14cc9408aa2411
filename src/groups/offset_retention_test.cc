// SPDX-License-Identifier: Apache-2.0
// Method: what a commit that brings its own retention (OffsetCommit v2 to v4) has in the log.
#include <gtest/gtest.h>

#include <limits>

#include "groups/coordinator.h"
#include "groups/offset_records.h"
#include "testkit/result_matchers.h"

namespace leat::groups {
namespace {

constexpr Now kNow{.mono = {}, .wall = WallMs{1'800'000'000'000}};

/// When the offset expires that was committed to be kept for `retention_ms`.
WallMs expiry_of(std::int64_t retention_ms) {
    Coordinator coordinator{Settings{}, [] { return std::uint64_t{1}; }};
    coordinator.finish_load(kNow);
    const OffsetToCommit one{.topic = "t", .partition = 0, .offset = 5};
    coordinator.commit_offsets(
        {.group_id = "g", .retention_ms = retention_ms, .offsets = {&one, 1}}, kNow,
        [](const CommitAnswer&) {});
    const std::vector<Write> writes = coordinator.take_writes();
    EXPECT_EQ(writes.size(), 1);
    const auto value = decode_offset_value(writes.at(0).records.at(0).value.value());
    EXPECT_OK(value);
    return value->expires_at;
}

TEST(OffsetRetention, OfACommitIsCountedFromNow) {
    EXPECT_EQ(expiry_of(60'000), WallMs{kNow.wall.value + 60'000});
    EXPECT_EQ(expiry_of(0), kNow.wall);
    EXPECT_EQ(expiry_of(-1), WallMs{-1}) << "the broker's";
}

TEST(OffsetRetention, OfACommitMayHaveNoEnd) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(expiry_of(kMost), WallMs{kMost});
    EXPECT_EQ(expiry_of(kMost - 1), WallMs{kMost});
}

}  // namespace
}  // namespace leat::groups
