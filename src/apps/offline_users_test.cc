// SPDX-License-Identifier: Apache-2.0
//
// Method: users put into a directory, read back and removed, with the server never running.
#include "apps/offline_users.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "storage/testing/temp_dir.h"
#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

namespace fs = std::filesystem;
using enum auth::ScramMechanism;

OfflineUser user(std::string name, bool is_super) {
    return {.name = std::move(name),
            .password = "pw",
            .mechanisms = {kSha256, kSha512},
            .iterations = auth::kScramIterationsMin,
            .is_super = is_super};
}

metadata::Credentials all(const std::string& directory) {
    auto read = offline_credentials(directory);
    EXPECT_OK(read);
    return read ? *std::move(read) : metadata::Credentials{};
}

TEST(OfflineUsers, SuperIsToldAndGoesWithTheLastCredential) {
    const storage::testing::TempDir place;
    const std::string at = place / "data";
    EXPECT_EQ(*put_offline_user(at, user("root", true)), true);
    EXPECT_EQ(*put_offline_user(at, user("bob", false)), false);
    EXPECT_EQ(*put_offline_user(at, user("root", false)), true) << "another password, no less";
    EXPECT_EQ(all(at).supers(), (metadata::Credentials::Supers{"User:root"}));
    EXPECT_EQ(all(at).users().size(), 2U);

    const auth::ScramMechanism one[] = {kSha256};
    EXPECT_OK(remove_offline_user(at, "root", one));
    EXPECT_EQ(all(at).find_user("root")->size(), 1U);
    EXPECT_TRUE(all(at).supers().contains("User:root"));
    EXPECT_ERRC(remove_offline_user(at, "root", one), Errc::kResourceNotFound);
    EXPECT_OK(remove_offline_user(at, "root", {}));
    EXPECT_EQ(all(at).find_user("root"), nullptr);
    EXPECT_TRUE(all(at).supers().empty());
    EXPECT_ERRC(remove_offline_user(at, "root", {}), Errc::kResourceNotFound);
    EXPECT_EQ(*put_offline_user(at, user("root", false)), false);
}

TEST(OfflineUsers, WhatOnlyLooksMakesNoDirectoryAndLeavesAMarkWhereItWas) {
    const storage::testing::TempDir place;
    const std::string at = place / "data";
    EXPECT_ERRC(offline_credentials(at), Errc::kNotFound);
    EXPECT_ERRC(remove_offline_user(at, "root", {}), Errc::kNotFound);
    EXPECT_FALSE(fs::exists(at));
    ASSERT_OK(put_offline_user(at, user("root", true)));
    const std::string mark = at + "/.kafka_cleanshutdown";
    EXPECT_TRUE(fs::exists(mark));
    all(at);
    EXPECT_TRUE(fs::exists(mark));
    fs::remove(mark);
    all(at);
    EXPECT_FALSE(fs::exists(mark)) << "the last run of the server is still to be recovered";
}

}  // namespace
}  // namespace leat::apps
