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
