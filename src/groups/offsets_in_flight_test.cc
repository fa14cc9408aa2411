// SPDX-License-Identifier: Apache-2.0
// Method: deletions while a commit is between the coordinator and the log; what is left of it in
// memory, and after a restart.
#include "groups/offsets_in_flight.h"

#include <gtest/gtest.h>

#include "groups/testing/coordinator_fixture.h"

namespace leat::groups {
namespace {

using testing::Fixture;

TEST(OffsetsInFlight, DeletedTopicTakesThemAlong) {
    Fixture f;
    const auto answer = f.commit("g", -1, "", {.topic = "t1", .offset = 5});
    f.collect();  // On its way to the log.
    f.c->on_topic_deleted("t1", f.now);
    f.write();
    ASSERT_TRUE(*answer);
    EXPECT_EQ(f.committed("g"), -1);
    f.restart();
    EXPECT_EQ(f.committed("g"), -1);
}

TEST(OffsetsInFlight, DeletedTopicLeavesCommitsToItsSuccessorAlone) {
    Fixture f;
    f.commit("g", -1, "", {.topic = "t1", .offset = 5});
    f.collect();
    f.c->on_topic_deleted("t1", f.now);
    f.commit("g", -1, "", {.topic = "t1", .offset = 1});
    f.write();
    EXPECT_EQ(f.committed("g"), 1);
    f.restart();
    EXPECT_EQ(f.committed("g"), 1);
}

TEST(OffsetsInFlight, DeletedTopicHoldsWhenACommitToItCouldNotBeWritten) {
    Fixture f;
    f.commit_error("g", -1, "");
    f.commit("g", -1, "", {.topic = "t1", .offset = 6});
    f.c->on_topic_deleted("t1", f.now);
    f.collect();
    f.c->on_written(f.unwritten.front().token, Errc::kMessageTooLarge, f.now);
    f.unwritten.erase(f.unwritten.begin());
    f.write();
    EXPECT_EQ(f.committed("g"), -1);
}

TEST(OffsetsInFlight, DeletionTakesThemAlong) {
    for (const bool whole_group : {false, true}) {
        Fixture f;
        f.commit_error("g", -1, "", {.topic = "t0", .offset = 3});
        const auto answer = f.commit("g", -1, "", {.topic = "t1", .offset = 5});
        f.collect();
        Errc error = Errc::kUnknownServerError;
        const TopicPartition one{.topic = "t1", .partition = 0};
        if (whole_group)
            f.c->delete_group("g", f.now, [&](Errc outcome) { error = outcome; });
        else
            f.c->delete_offsets("g", {&one, 1}, f.now, [&](const DeleteOffsetsAnswer& with) {
                error = with.partitions.front();
            });
        f.write();
        EXPECT_EQ(error, Errc::kNone);
        ASSERT_TRUE(*answer);
        EXPECT_EQ(f.committed("g"), -1);
        EXPECT_EQ(f.c->has_group("g"), !whole_group);
    }
}

}  // namespace
}  // namespace leat::groups
