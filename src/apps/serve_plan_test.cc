// SPDX-License-Identifier: Apache-2.0
//
// Method: command lines as an Invocation; the settings they end in, or the words they are refused
// with.
#include "apps/serve_plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

constexpr Command kServe{.path = "serve",
                         .summary = "x",
                         .details = {},
                         .example = "leat serve",
                         .kind = CommandKind::kPlain,
                         .options = {},
                         .run = nullptr};

Invocation line_with(std::initializer_list<std::pair<std::string_view, std::string_view>> options) {
    Invocation out{kServe};
    for (const auto& [key, value] : options) out.add(key, value, false);
    return out;
}

std::string refusal(const Invocation& line, Errc code) {
    const auto got = serve_plan(line);
    EXPECT_ERRC(got, code);
    return got ? "" : std::string{got.error().detail()};
}

/// A properties file, as long as it lives.
struct SettingsFile {
    explicit SettingsFile(const std::string& text) { std::ofstream{path} << text; }
    SettingsFile(const SettingsFile&) = delete;
    SettingsFile& operator=(const SettingsFile&) = delete;
    ~SettingsFile() { std::filesystem::remove(path); }

    std::string path =
        ::testing::TempDir() + "leat-serve-plan-" + std::to_string(getpid()) + ".properties";
};

TEST(ServePlan, ListensOnLoopbackAndKeepsDataUnderHomeUnlessTold) {
    ::setenv("XDG_DATA_HOME", "/xdg", 1);
    const auto plan = serve_plan(line_with({}));
    ASSERT_OK(plan);
    EXPECT_EQ(plan->data_directory, "/xdg/leat");
    ASSERT_EQ(plan->config->listeners.size(), 1U);
    EXPECT_EQ(config::text_of(plan->config->listeners[0]), "PLAINTEXT://127.0.0.1:9092");
    ::setenv("XDG_DATA_HOME", "relative", 1);
    ::setenv("HOME", "/users/x", 1);
    const auto other = serve_plan(line_with({}));
    ASSERT_OK(other);
    EXPECT_EQ(other->data_directory, "/users/x/.local/share/leat");
}

TEST(ServePlan, PutsTheCommandLineOverTheFile) {
    const SettingsFile file{
        "listeners=PLAINTEXT://127.0.0.1:1\nnum.partitions=3\nlog.dirs=/a\nx.y=1\n"};
    const auto plan = serve_plan(line_with(
        {{"config", file.path}, {"listen", "[::1]:0"}, {"data", "/b"}, {"set", "node.id=7"}}));
    ASSERT_OK(plan);
    EXPECT_EQ(config::text_of(plan->config->listeners[0]), "PLAINTEXT://[::1]:0");
    EXPECT_EQ(plan->config->num_partitions, 3);
    EXPECT_EQ(plan->config->node_id, 7);
    EXPECT_EQ(plan->data_directory, "/b");
    EXPECT_EQ(plan->unknown_settings, (std::vector<UnknownSetting>{{"x.y", file.path + ":4"}}));
}

TEST(ServePlan, RefusesSettingsThatItCannotKnowAndNamesTheNearest) {
    std::string text = refusal(line_with({{"set", "num.partitons=3"}}), Errc::kInvalidSetting);
    EXPECT_NE(text.find("--set: num.partitons"), std::string::npos) << text;
    EXPECT_NE(text.find("'num.partitions'"), std::string::npos) << text;
    refusal(line_with({{"set", "x.y=1"}}), Errc::kInvalidSetting);
    refusal(line_with({{"set", "listener.name.external.ssl.client.auth=none"}}),
            Errc::kInvalidSetting);
    const SettingsFile file{"x.y=1\nleat.durabilty=os\n"};
    text = refusal(line_with({{"config", file.path}}), Errc::kInvalidSetting);
    EXPECT_NE(text.find(file.path + ":2: leat.durabilty"), std::string::npos) << text;
    EXPECT_NE(text.find("'leat.durability'"), std::string::npos) << text;
    // Kafka has these for parts that do not exist here.
    EXPECT_OK(serve_plan(line_with({{"set", "num.replica.fetchers=2"}})));
}

TEST(ServePlan, NamesThatOnlyLookLikeLoopbackAreExposed) {
    refusal(line_with({{"listen", "127.evil.example:9099"}}), Errc::kInvalidSetting);
    refusal(line_with({{"http-listen", "127.evil.example:9099"}}), Errc::kInvalidSetting);
    EXPECT_OK(serve_plan(line_with({{"http-listen", "[::ffff:127.0.0.1]:0"}})));
}

TEST(ServePlan, ListensOnEveryAddressThatIsGiven) {
    Invocation line{kServe};
    line.add("listen", "127.0.0.1:0", false);
    line.add("listen", "[::1]:0", false);
    const auto plan = serve_plan(line);
    ASSERT_OK(plan);
    ASSERT_EQ(plan->config->listeners.size(), 2U);
    EXPECT_EQ(config::text_of(plan->config->listeners[1]), "PLAINTEXT_2://[::1]:0");
}

TEST(ServePlan, DataDirectoryIsAbsoluteAsKafkaMakesIt) {
    const std::string here = std::filesystem::current_path().string();
    const std::pair<std::string, std::string> cases[] = {{"leat", here + "/leat"},
                                                         {"./a//b/", here + "/./a/b"},
                                                         {"../x", here + "/../x"},
                                                         {"/data//leat/", "/data/leat"},
                                                         {"/", "/"}};
    for (const auto& [told, expected] : cases) {
        const auto plan = serve_plan(line_with({{"data", told}}));
        ASSERT_OK(plan);
        EXPECT_EQ(plan->data_directory, expected);
    }
}

TEST(ServePlan, NamesFileLineAndSettingOfABadValue) {
    const SettingsFile file{"# first\nnum.partitions=none\n"};
    const std::string text = refusal(line_with({{"config", file.path}}), Errc::kInvalidSetting);
    EXPECT_NE(text.find(file.path + ":2: num.partitions"), std::string::npos) << text;
    EXPECT_NE(refusal(line_with({{"set", "num.partitions=0"}}), Errc::kInvalidSetting)
                  .find("--set: num.partitions"),
              std::string::npos);
    refusal(line_with({{"set", "novalue"}}), Errc::kUsage);
    refusal(line_with({{"listen", "127.0.0.1:1"}, {"set", "listeners=PLAINTEXT://127.0.0.1:2"}}),
            Errc::kUsage);
    EXPECT_ERRC(serve_plan(line_with({{"config", "/does/not/exist"}})), Errc::kUsage);
}

TEST(ServePlan, RefusesAnAuditLogInAFolderThatIsNotThere) {
    const std::string told =
        refusal(line_with({{"data", "/no/data"}, {"set", "leat.audit.log=/no/such/audit.log"}}),
                Errc::kInvalidSetting);
    EXPECT_EQ(told, "--set: leat.audit.log: there is no folder '/no/such'");
    // The first start makes that one.
    EXPECT_OK(serve_plan(
        line_with({{"data", "/no/data/"}, {"set", "leat.audit.log=/no/data/audit.log"}})));
    for (const std::string& file :
         {::testing::TempDir() + "audit.log", std::string{"audit.log"}, std::string{"/audit.log"}})
        EXPECT_OK(serve_plan(line_with({{"data", "/no/data"}, {"set", "leat.audit.log=" + file}})))
            << file;
}

TEST(ServePlan, RefusesToBeReachedWithoutAuthenticationUnlessToldSo) {
    EXPECT_NE(refusal(line_with({{"listen", "0.0.0.0:9092"}}), Errc::kInvalidSetting)
                  .find("--insecure-allow-unauthenticated-network"),
              std::string::npos);
    refusal(line_with({{"http-listen", "0.0.0.0:0"}}), Errc::kInvalidSetting);
    refusal(line_with({{"set", "listeners=SSL://127.0.0.1:9093"}}), Errc::kInvalidSetting);
    EXPECT_OK(serve_plan(line_with(
        {{"listen", "0.0.0.0:9092"}, {"insecure-allow-unauthenticated-network", "true"}})));
    EXPECT_OK(serve_plan(line_with({{"http-listen", "127.0.0.1:0"}})));
}

TEST(ReadyLine, NamesEveryListenerAndTheData) {
    const ListeningAt listeners[] = {{"PLAINTEXT", "127.0.0.1:40001"}, {"HTTP", "[::1]:40002"}};
    EXPECT_EQ(ready_line(listeners, "/d", false),
              "leat is ready: PLAINTEXT 127.0.0.1:40001 HTTP [::1]:40002 data /d\n");
    EXPECT_EQ(ready_line(listeners, "/d", true),
              R"({"event":"ready","listeners":[{"name":"PLAINTEXT","address":"127.0.0.1:40001"},)"
              R"({"name":"HTTP","address":"[::1]:40002"}],"data":"/d"})"
              "\n");
}

}  // namespace
}  // namespace leat::apps
