// SPDX-License-Identifier: Apache-2.0
//
// Method: one example for every accepted form and every refusal.
#include "client/endpoint.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::client {
namespace {

TEST(ParseEndpoints, ReadsNamesAddressesAndDefaults) {
    const auto got = parse_endpoints("a:1, b ,PLAINTEXT://c:3,[::1]:4,::1,[fe80::1%eth0]");
    ASSERT_OK(got);
    const std::vector<Endpoint> want{{"a", 1},   {"b", 9092},   {"c", 3},
                                     {"::1", 4}, {"::1", 9092}, {"fe80::1%eth0", 9092}};
    EXPECT_EQ(*got, want);
    EXPECT_EQ(got->at(3).text(), "[::1]:4");
    EXPECT_EQ(got->at(0).text(), "a:1");
}

TEST(ParseEndpoints, RefusesWhatIsNoAddress) {
    for (const char* bad :
         {"", ",", "a:", "a:0", "a:65536", "a:x", ":9092", "[::1", "[::1]x", "[::1]:"})
        EXPECT_ERRC(parse_endpoints(bad), Errc::kUsage) << bad;
}

}  // namespace
}  // namespace leat::client
