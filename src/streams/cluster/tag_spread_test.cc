// SPDX-License-Identifier: Apache-2.0
// Method: the six instances by which KIP-708 explains itself.
#include "streams/cluster/tag_spread.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

using Names = std::vector<std::string>;
using Taken = TagSpread::Taken;

MemberState tagged(const std::string& zone, const std::string& cluster) {
    MemberState out;
    out.tags = {{"zone", zone}, {"cluster", cluster}};
    return out;
}

std::map<std::string, MemberState> six() {
    return {{"1", tagged("a", "k1")}, {"2", tagged("b", "k1")}, {"3", tagged("c", "k1")},
            {"4", tagged("a", "k2")}, {"5", tagged("b", "k2")}, {"6", tagged("c", "k2")}};
}

TEST(TagSpread, NextCopyHasNoTagOfTheOnesBefore) {
    const TagSpread spread{six(), {"zone", "cluster"}};
    const Taken taken = spread.taken_by(Names{"1"});
    EXPECT_EQ(taken, (Taken{{"cluster", "k1"}, {"zone", "a"}}));
    for (const std::string& id : Names{"1", "2", "3", "4"}) EXPECT_FALSE(spread.is_free(id, taken));
    for (const std::string& id : Names{"5", "6"}) EXPECT_TRUE(spread.is_free(id, taken));
}

TEST(TagSpread, AKeyWhoseValuesAreAllTakenCountsNoMore) {
    const TagSpread spread{six(), {"zone", "cluster"}};
    const Taken taken = spread.taken_by(Names{"1", "5"});
    EXPECT_EQ(taken, (Taken{{"zone", "a"}, {"zone", "b"}}));
    for (const std::string& id : Names{"3", "6"}) EXPECT_TRUE(spread.is_free(id, taken));
    EXPECT_TRUE(spread.taken_by(Names{"1", "5", "3"}).empty());
}

TEST(TagSpread, OnlyKeysThatAreNamedCount) {
    const TagSpread spread{six(), {"cluster"}};
    EXPECT_EQ(spread.taken_by(Names{"1"}), (Taken{{"cluster", "k1"}}));
    EXPECT_EQ(spread.variety(Names{"1", "2", "4"}), 2U);
    EXPECT_FALSE((TagSpread{six(), {}}.has_keys()));
    EXPECT_FALSE((TagSpread{six(), {"floor"}}.has_keys()));
}

TEST(TagSpread, AMemberWithoutTheTagIsFree) {
    auto members = six();
    members["6"].tags.erase("cluster");
    const TagSpread spread{members, {"cluster"}};
    EXPECT_TRUE(spread.is_free("6", spread.taken_by(Names{"1"})));
}

TEST(TagSpread, WithoutTagsRacksCountWhenAllTellThem) {
    auto members = six();
    for (auto& [id, member] : members) member.rack = id < "4" ? "left" : "right";
    EXPECT_EQ((TagSpread{members, {}}.taken_by(Names{"2"})), (Taken{{"rack", "left"}}));
    EXPECT_EQ((TagSpread{members, {"zone"}}.taken_by(Names{"2"})), (Taken{{"zone", "b"}}));
    members["5"].rack.clear();
    EXPECT_FALSE((TagSpread{members, {}}.has_keys()));
}

}  // namespace
}  // namespace leat::streams
