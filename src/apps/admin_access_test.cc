// SPDX-License-Identifier: Apache-2.0
//
// Names of settings held against what a resource tells of itself.
#include "apps/admin_access.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace leat::apps {
namespace {

TEST(SettingNames, AreThoseThatTheResourceTells) {
    std::vector<client::ConfigEntry> known(2);
    known[0].name = "retention.ms";
    known[1].name = "a";
    EXPECT_TRUE(check_names(known, {}));
    const std::vector<std::string> good{"a", "retention.ms", "listener.name.x.ssl.keystore.type"};
    EXPECT_TRUE(check_names(known, good));
    const std::vector<std::string> bad{"a", "foo"};
    const auto refused = check_names(known, bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::kInvalidConfig);
    EXPECT_NE(refused.error().detail().find("'foo'"), std::string::npos);
}

TEST(LogDirectories, HaveNullForWhatABrokerDoesNotTell) {
    client::LogDirInfo directory{.path = "/d", .size_bytes = 0};
    EXPECT_EQ(log_dir_json(directory), (boost::json::object{{"path", "/d"},
                                                            {"error", nullptr},
                                                            {"size_bytes", 0},
                                                            {"total_bytes", nullptr},
                                                            {"usable_bytes", nullptr}}));
    directory.total_bytes = 7;
    directory.usable_bytes = 0;
    EXPECT_EQ(log_dir_json(directory).at("total_bytes"), 7);
    EXPECT_EQ(log_dir_json(directory).at("usable_bytes"), 0);
}

}  // namespace
}  // namespace leat::apps
