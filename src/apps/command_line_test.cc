// SPDX-License-Identifier: Apache-2.0
//
// Method: whole command lines of real commands, and properties that hold for every command's table.
#include "apps/command_line.h"

#include <gtest/gtest.h>

#include <set>

#include "apps/help.h"
#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

Result<ParsedLine> parse(const std::vector<std::string>& words) {
    return parse_command_line(words);
}

std::string complaint(const std::vector<std::string>& words) {
    const Result<ParsedLine> got = parse(words);
    EXPECT_ERRC(got, Errc::kUsage);
    return got ? "" : std::string{got.error().detail()};
}

TEST(CommandLine, FillsDefaultsAndValues) {
    const auto got = parse({"consume", "orders", "--from", "-10m", "--partition=1", "--partition",
                            "2", "-b", "h:1", "--until-end"});
    ASSERT_OK(got);
    const Invocation& line = got->invocation.at(0);
    EXPECT_EQ(line.command().path, "consume");
    EXPECT_EQ(line.text("TOPIC"), "orders");
    EXPECT_EQ(line.text("from"), "-10m");
    EXPECT_EQ(line.all("partition").size(), 2U);
    EXPECT_EQ(line.text("bootstrap"), "h:1");
    EXPECT_TRUE(line.has("until-end"));
    EXPECT_EQ(line.text("output"), "table");
    EXPECT_FALSE(line.is_given("output"));
    EXPECT_FALSE(line.has("group"));
}

TEST(CommandLine, SuggestsTheWordThatWasMeant) {
    EXPECT_NE(complaint({"prodcue", "t"}).find("did you mean 'produce'"), std::string::npos);
    EXPECT_NE(complaint({"consume", "t", "--unitl-end"}).find("'--until-end'"), std::string::npos);
    EXPECT_NE(complaint({"consume", "t", "--output", "jsn"}).find("'json'"), std::string::npos);
    EXPECT_EQ(complaint({"xyzzy"}).find("did you mean"), std::string::npos);
    EXPECT_EQ(complaint({"completion", "ksh"}).find("did you mean"), std::string::npos);
}

TEST(CommandLine, RefusesWhatTheTableDoesNotAllow) {
    EXPECT_NE(complaint({"consume"}).find("needs TOPIC"), std::string::npos);
    EXPECT_NE(complaint({"consume", "a", "b"}).find("'b'"), std::string::npos);
    EXPECT_NE(complaint({"consume", "a", "--group", "x", "--group", "y"}).find("twice"),
              std::string::npos);
    EXPECT_NE(complaint({"consume", "a", "--count"}).find("--count"), std::string::npos);
    EXPECT_NE(complaint({"-b", "x", "consume"}).find("options follow the command"),
              std::string::npos);
}

TEST(CommandLine, AnEmptyValueIsNotTheNextWord) {
    EXPECT_NE(complaint({"consume", "t", "--group=", "--until-end"}).find("--group: the value"),
              std::string::npos);
    EXPECT_NE(complaint({"consume", "t", "--group", "", "--until-end"}).find("--group: the value"),
              std::string::npos);
    for (const char* last : {"-b", "--bootstrap"})
        EXPECT_EQ(complaint({"topic", "list", last}), "--bootstrap needs a value: HOST:PORT[,...]");
    const auto nowhere = parse({"serve", "--http-listen="});
    ASSERT_OK(nowhere);
    EXPECT_TRUE(nowhere->invocation.at(0).is_given("http-listen"));
    EXPECT_EQ(nowhere->invocation.at(0).text("http-listen"), "");
    const auto null = parse({"produce", "t", "--null=", "--json"});
    ASSERT_OK(null);
    EXPECT_TRUE(null->invocation.at(0).has("null"));
    EXPECT_TRUE(null->invocation.at(0).has("json"));
}

TEST(CommandLine, TakesEverythingBehindTwoDashesForArguments) {
    const auto got = parse({"topic", "delete", "--yes", "--", "-dash", "--yes"});
    ASSERT_OK(got);
    const auto names = got->invocation.at(0).all("TOPIC");
    EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
              (std::vector<std::string>{"-dash", "--yes"}));
    EXPECT_TRUE(got->invocation.at(0).has("yes"));
    const auto separator = parse({"produce", "t", "--key-separator", "--", "--json"});
    ASSERT_OK(separator);
    EXPECT_EQ(separator->invocation.at(0).text("key-separator"), "--");
    EXPECT_NE(complaint({"consume", "--", "a", "-b"}).find("'-b'"), std::string::npos);
    EXPECT_FALSE(parse({"topic", "describe", "--", "--help"})->invocation.empty());
}

TEST(CommandLine, TakesWordsInBracketsAsTheyAre) {
    const auto got = parse({"group", "delete", "[billing]", "[a,b]", "[", "plain", "--yes"});
    ASSERT_OK(got);
    const auto names = got->invocation.at(0).all("GROUP");
    EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
              (std::vector<std::string>{"[billing]", "[a,b]", "[", "plain"}));
    EXPECT_TRUE(got->invocation.at(0).has("yes"));
    const auto behind = parse({"group", "delete", "--yes", "--", "[billing]"});
    ASSERT_OK(behind);
    EXPECT_EQ(behind->invocation.at(0).text("GROUP"), "[billing]");
    const auto value = parse({"consume", "[t]", "--group", "[g]", "--format=[%v]"});
    ASSERT_OK(value);
    EXPECT_EQ(value->invocation.at(0).text("TOPIC"), "[t]");
    EXPECT_EQ(value->invocation.at(0).text("group"), "[g]");
    EXPECT_EQ(value->invocation.at(0).text("format"), "[%v]");
    EXPECT_NE(complaint({"consume", "a", "[b]"}).find("'[b]'"), std::string::npos);
}

TEST(CommandLine, NamesTheRangeOfABadNumber) {
    const auto got = parse({"consume", "t", "--count", "12x"});
    ASSERT_OK(got);
    const auto count = got->invocation.at(0).integer("count", 0, 100);
    EXPECT_ERRC(count, Errc::kUsage);
    EXPECT_NE(count.error().detail().find("from 0 to 100"), std::string_view::npos);
}

TEST(CommandLine, GivesHelpInsteadOfRunning) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {}, {"--help"}, {"consume", "--help"}, {"consume", "t", "-h"}, {"help", "consume"}}) {
        const auto got = parse_command_line(words);
        ASSERT_OK(got);
        EXPECT_TRUE(got->invocation.empty());
        EXPECT_NE(got->help.find("usage: leat"), std::string::npos);
    }
}

TEST(Commands, HaveUniqueNamesAndHelp) {
    std::set<std::string_view> paths;
    for (const Command& command : all_commands()) {
        EXPECT_TRUE(paths.insert(command.path).second) << command.path;
        EXPECT_FALSE(command.summary.empty()) << command.path;
        std::set<std::string_view> keys;
        const auto check = [&](const OptionSpec& option) {
            EXPECT_TRUE(keys.insert(option.key()).second) << command.path << " " << option.key();
            EXPECT_FALSE(option.help.empty()) << command.path << " " << option.key();
        };
        for (const OptionSpec& option : command.options) check(option);
        for (const OptionSpec& option : common_options(command.kind)) check(option);
    }
}

TEST(Completion, KnowsEveryCommandAndOption) {
    for (const Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
        const std::string script = completion_script(shell);
        for (const Command& command : all_commands()) {
            for (const OptionSpec& option : command.options) {
                if (option.is_argument()) continue;
                EXPECT_NE(script.find(option.key()), std::string::npos) << option.key();
            }
        }
    }
}

}  // namespace
}  // namespace leat::apps
