// SPDX-License-Identifier: Apache-2.0
//
// Method: one small document in every form.
#include "apps/output.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "apps/progress.h"

namespace leat::apps {
namespace {

boost::json::value document() {
    return boost::json::parse(
        R"({"cluster":"c1","ok":true,"lag":1.5,"topics":[{"name":"a","partitions":3,"ids":[1,2]},)"
        R"({"name":"l\u00e4nger\u0007","partitions":12,"ids":[]}],"none":[],"gone":null})");
}

constexpr Column kHead[] = {{"cluster", "cluster id"}, {"ok", "healthy"}, {"absent", "absent"}};
constexpr Column kRows[] = {{"name", "NAME"}, {"partitions", "PARTITIONS"}, {"ids", "IDS"}};
constexpr Section kSections[] = {{.pointer = "", .columns = kHead},
                                 {.pointer = "/topics", .columns = kRows, .heading = "topics:"},
                                 {.pointer = "/none", .columns = kRows, .heading = "never"}};

TEST(Render, AlignsTablesAndHidesControlCharacters) {
    EXPECT_EQ(render(Format::kTable, document(), kSections),
              "cluster id:  c1\nhealthy:     yes\n\ntopics:\n"
              "NAME     PARTITIONS  IDS\n"
              "a                 3  1,2\n"
              "l\xC3\xA4nger?          12  -\n");
}

TEST(Render, GivesYamlThatJsonToolsCanCheck) {
    EXPECT_EQ(render(Format::kYaml, document(), {}),
              "cluster: \"c1\"\nok: true\nlag: 1.5\ntopics:\n  - name: \"a\"\n    partitions: 3\n  "
              "  ids:\n"
              "      - 1\n      - 2\n  - name: \"l\xC3\xA4nger\\u0007\"\n    partitions: 12\n    "
              "ids: []\n"
              "none: []\ngone: null\n");
}

TEST(Render, GivesJsonThatParsesBackToTheSame) {
    const std::string text = render(Format::kJson, document(), {});
    EXPECT_EQ(boost::json::parse(text), document());
    EXPECT_TRUE(text.starts_with("{\n  \"cluster\": \"c1\",\n"));
}

TEST(Render, PrintsNumbersInFull) {
    for (const auto& [value, text] :
         std::vector<std::pair<double, std::string>>{{12'884'901'888.0, "12884901888"},
                                                     {9'007'199'254'740'991.0, "9007199254740991"},
                                                     {1e15, "1000000000000000"},
                                                     {0.0, "0"},
                                                     {-3.0, "-3"},
                                                     {12.5, "12.5"},
                                                     {0.1, "0.1"},
                                                     {1.0 / 3, "0.3333333333333333"},
                                                     {1e300, "1e+300"}}) {
        EXPECT_EQ(to_json(value), text + "\n");
        EXPECT_EQ(boost::json::parse(text).to_number<double>(), value);
    }
    EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "null\n");
    static constexpr Column kValue[] = {{"value", "VALUE"}};
    const Section sections[] = {{.pointer = "/rows", .columns = kValue}};
    EXPECT_EQ(render(Format::kTable, {{"rows", boost::json::array{{{"value", 12'884'901'888.0}}}}},
                     sections),
              "      VALUE\n12884901888\n");
}

TEST(Render, GivesUtf8WhateverATextHolds) {
    const boost::json::value torn{{"group", "a\xFFz\xC3"}};
    EXPECT_EQ(to_json(torn), "{\n  \"group\": \"a\xEF\xBF\xBDz\xEF\xBF\xBD\"\n}\n");
    EXPECT_EQ(to_json_line(torn), "{\"group\":\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"}\n");
    EXPECT_EQ(to_yaml(torn), "group: \"a\xEF\xBF\xBDz\xEF\xBF\xBD\"\n");
    const boost::json::value named{{"\xFF", 1}};
    EXPECT_EQ(to_json_line(named), "{\"\xEF\xBF\xBD\":1}\n");
    EXPECT_EQ(to_json(named), "{\n  \"\xEF\xBF\xBD\": 1\n}\n");
}

TEST(Render, SaysNullForWhatKafkaHasMinusOne) {
    EXPECT_EQ(or_null(-1), boost::json::value{});
    EXPECT_EQ(or_null(0), boost::json::value(0));
}

TEST(HumanNumbers, AreShortAndExactAtTheirBorders) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(999), "999 B");
    EXPECT_EQ(human_bytes(1000), "1.0 kB");
    EXPECT_EQ(human_bytes(123'456'789), "123 MB");
    EXPECT_EQ(human_count(0), "0");
    EXPECT_EQ(human_count(999), "999");
    EXPECT_EQ(human_count(1000), "1,000");
    EXPECT_EQ(human_count(-1'234'567), "-1,234,567");
    EXPECT_EQ(human_seconds(1.26), "1.3 s");
    EXPECT_EQ(human_seconds(125), "2 m 05 s");
}

TEST(Progress, ShowsABarOnlyWhenTheTotalIsKnown) {
    EXPECT_EQ(Progress::line("sent", {.done = 50, .bytes = 5000, .total = 100, .seconds = 5}),
              "sent  50% [############............] 50 records, 5.0 kB, 10/s, 5.0 s left");
    EXPECT_EQ(Progress::line("sent", {.done = 50, .bytes = 5000}), "sent 50 records, 5.0 kB, 0/s");
}

}  // namespace
}  // namespace leat::apps
