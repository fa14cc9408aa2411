// SPDX-License-Identifier: Apache-2.0
#include "auth/address.h"

#include <gtest/gtest.h>

namespace leat::auth {
namespace {

TEST(Address, HasOneSpelling) {
    EXPECT_EQ(canonical_address("10.0.0.7"), "10.0.0.7");
    EXPECT_EQ(canonical_address("0:0:0:0:0:0:0:1"), "::1");
    EXPECT_EQ(canonical_address("::1"), "::1");
    EXPECT_EQ(canonical_address("2001:DB8:0:0:0:0:0:7"), "2001:db8::7");
    EXPECT_EQ(canonical_address("::ffff:10.0.0.7"), "10.0.0.7");
    EXPECT_EQ(canonical_address("fe80:0:0:0:0:0:0:1%eth0"), "fe80::1%eth0");
}

TEST(Address, IsNoNameAndNoHalfOfOne) {
    using namespace std::string_view_literals;
    for (const std::string_view text : {""sv, "*"sv, "localhost"sv, "10.0.0"sv, "1:2"sv, "[::1]"sv,
                                        "10.0.0.7%eth0"sv, "::1\0x"sv})
        EXPECT_EQ(canonical_address(text), std::nullopt) << text;
}

}  // namespace
}  // namespace leat::auth
