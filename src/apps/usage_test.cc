// SPDX-License-Identifier: Apache-2.0
//
// Lines that say what cannot be: refused before any broker is asked. Nothing listens at the
// address, so that a command that asks fails by another code.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/command_line.h"
#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

/// What the command says against the line; "" when it is not refused for its usage.
std::string refusal(std::vector<std::string> words) {
    words.insert(words.end(), {"--bootstrap", "127.0.0.1:1"});
    const auto parsed = parse_command_line(words);
    if (!parsed) return "not parsed: " + std::string{parsed.error().detail()};
    const Invocation& line = parsed->invocation.at(0);
    const Result<int> done = line.command().run(line);
    EXPECT_ERRC(done, Errc::kUsage);
    return done ? "" : std::string{done.error().detail()};
}

TEST(Usage, ATopicToReadIsNotDeletedByAReset) {
    for (const char* as : {"--input", "--intermediate"})
        EXPECT_NE(refusal({"stream", "reset", "app", as, "app-a-changelog", "--internal",
                           "app-a-changelog", "--yes"})
                      .find("'app-a-changelog' is given by --internal"),
                  std::string::npos);
}

TEST(Usage, JsonHasANullOfItsOwn) {
    EXPECT_NE(refusal({"produce", "t", "--json", "--null", "NULL"}).find("--null"),
              std::string::npos);
}

TEST(Usage, AnOptionalKeyNeedsASeparatorThatCanBeRead) {
    EXPECT_NE(refusal({"produce", "t", "--key-optional"}).find("--key-separator"),
              std::string::npos);
    EXPECT_NE(refusal({"produce", "t", "--key-separator", "\\x"}).find("unknown escape"),
              std::string::npos);
}

TEST(Usage, TopicsOfTheClusterAreNotDeletedByMistake) {
    for (const char* topic : {"__consumer_offsets", "__transaction_state", "__share_group_state"})
        EXPECT_NE(refusal({"topic", "delete", "mine", topic, "--yes"}).find("--internal"),
                  std::string::npos);
}

TEST(Usage, WhatIsSaidTwiceIsNotTakenOnce) {
    EXPECT_NE(refusal({"topic", "create", "t", "--set", "a=1", "--set", "a=2"}).find("a is given"),
              std::string::npos);
    EXPECT_NE(refusal({"bench", "produce", "--records", "10", "--seconds", "3"}).find("--seconds"),
              std::string::npos);
}

TEST(Usage, ARuleHoldsForAnAddress) {
    for (const char* host : {"10.0.0.0/8", "foo", "10.0.0", "localhost"})
        EXPECT_NE(refusal({"acl", "add", "--principal", "User:a", "--operation", "read", "--topic",
                           "t", "--host", host})
                      .find("is no IP address"),
                  std::string::npos)
            << host;
}

TEST(Usage, RulesThatApplyAreThoseToANameWithoutPrefix) {
    EXPECT_NE(refusal({"acl", "list", "--match"}).find("--topic"), std::string::npos);
    EXPECT_NE(refusal({"acl", "list", "--match", "--topic", "t", "--prefixed"}).find("--prefixed"),
              std::string::npos);
}

TEST(Usage, AFileThatIsNamedIsThere) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"topic", "list", "--config", "/no/such"},
                                               {"produce", "t", "--file", "/no/such"},
                                               {"user", "add", "a", "--password-file", "/no/such"},
                                               {"bench", "consume", "--expect", "/no/such"}})
        EXPECT_NE(refusal(words).find("cannot open '/no/such'"), std::string::npos) << words[1];
}

TEST(Usage, APartitionIsNamedForRecordsToDeleteOnly) {
    EXPECT_NE(refusal({"topic", "alter", "t", "--set", "retention.ms=1", "--partition", "0"})
                  .find("--delete-before"),
              std::string::npos);
}

TEST(Usage, AnAgeInMillisecondsFitsItsNumber) {
    EXPECT_NE(refusal({"txn", "find-hanging", "--older-than", "9223372036854775807"})
                  .find("--older-than"),
              std::string::npos);
}

}  // namespace
}  // namespace leat::apps
