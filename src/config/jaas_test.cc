// SPDX-License-Identifier: Apache-2.0
#include "config/jaas.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

TEST(Jaas, ReadsKafkasExample) {
    const auto modules = parse_jaas(
        "org.apache.kafka.common.security.plain.PlainLoginModule required \\\n"
        "  username=\"admin\" password=\"a;b=\\\"c\\\"\"  user_admin='x y' user_alice=pw;");
    ASSERT_FALSE(modules.has_value());  // The backslash belongs to the properties file.
    const auto good = parse_jaas(
        "org.apache.kafka.common.security.plain.PlainLoginModule required\n"
        "  username=\"admin\" password=\"a;b=\\\"c\\\"\"  user_admin='x y' user_alice=pw;");
    ASSERT_OK(good);
    ASSERT_EQ(good->size(), 1U);
    EXPECT_EQ(good->front().short_name(), "PlainLoginModule");
    EXPECT_EQ(good->front().option("password"), "a;b=\"c\"");
    EXPECT_EQ(good->front().option("user_admin"), "x y");
    EXPECT_EQ(good->front().option("user_alice"), "pw");
    EXPECT_EQ(good->front().option("none"), "");
}

TEST(Jaas, NeverRepeatsAValueInItsErrors) {
    for (const std::string_view text :
         {"", ";", "M", "M required", "M maybe a=\"secret\";", "M required a=\"secret;",
          "M required a=\"secret\"", "M required secret;", "M required a = ;",
          "M required a \"secret\" b;"}) {
        const auto modules = parse_jaas(text);
        ASSERT_FALSE(modules.has_value()) << text;
        EXPECT_FALSE(modules.error().detail().contains("secret")) << modules.error().detail();
    }
}

}  // namespace
}  // namespace leat::config
