// SPDX-License-Identifier: Apache-2.0
//
// Method: a hand-written assignment, every truncation of it, and bytes of another protocol.
#include "client/member_assignment.h"

#include <gtest/gtest.h>

#include <span>

#include "testkit/bytes.h"

namespace leat::client {
namespace {

TEST(ParseMemberAssignment, GivesTopicsAndPartitionsOrNothing) {
    const auto bytes = testkit::hex(
        "00 01 00 00 00 02 00 01 61 00 00 00 02 00 00 00 00 00 00 00 05 00 01 62 00 00 00 00 FF FF "
        "FF FF");
    EXPECT_EQ(parse_member_assignment(bytes), (std::vector<TopicPartition>{{"a", 0}, {"a", 5}}));
    constexpr std::size_t kUserData = 4;
    for (std::size_t size = 0; size < bytes.size() - kUserData; ++size)
        EXPECT_TRUE(parse_member_assignment(std::span{bytes}.first(size)).empty()) << size;
}

TEST(ParseMemberAssignment, IsNotFooledByHugeCounts) {
    EXPECT_TRUE(
        parse_member_assignment(testkit::hex("00 00 7F FF FF FF 00 01 61 7F FF FF FF 00")).empty());
    EXPECT_TRUE(parse_member_assignment(testkit::hex("7B 22 61 22 3A 31 7D")).empty());
}

}  // namespace
}  // namespace leat::client
