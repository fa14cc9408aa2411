// SPDX-License-Identifier: Apache-2.0
#include "auth/principal.h"

#include <gtest/gtest.h>

namespace leat::auth {
namespace {

TEST(Principal, IsAnonymousAtFirst) {
    EXPECT_TRUE(Principal{}.is_anonymous());
    EXPECT_EQ(Principal{}.text(), "User:ANONYMOUS");
    EXPECT_TRUE(Session{}.principal.is_anonymous());
}

TEST(Principal, KeepsColonsOfItsName) {
    const Principal one = Principal::parse("User:CN=a:b,O=c");
    EXPECT_EQ(one.type(), "User");
    EXPECT_EQ(one.name(), "CN=a:b,O=c");
    EXPECT_EQ(one, Principal::user("CN=a:b,O=c"));
}

TEST(Principal, IsAnonymousWithoutAType) {
    EXPECT_TRUE(Principal::parse("alice").is_anonymous());
    EXPECT_TRUE(Principal::parse(":alice").is_anonymous());
}

}  // namespace
}  // namespace leat::auth
