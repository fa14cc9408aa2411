// SPDX-License-Identifier: Apache-2.0
//
// What each verb makes of a record without a value when its function takes the value by reference,
// and so cannot be shown it: nothing is left out without a word. Kafka Streams calls the function
// with null. Each case pipes one record with a value and one without.
#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using In = KStream<string, string>;
using Pair = KeyValue<string, string>;
using Shown = std::optional<string>;

struct Case {
    string name;
    std::function<void(const In&)> declare;
};
std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
}
string name_of_case(const testing::TestParamInfo<Case>& info) {
    return info.param.name;
}

/// What comes out at "out", "key value", and what else there was.
struct Outcome {
    std::vector<string> out;
    std::vector<string> errors;
    std::uint64_t dropped = 0;
};

std::unique_ptr<TestDriver> driver_of(Builder& b, bool goes_on) {
    TestDriver::Options options{.application_id = "a"};
    if (goes_on) options.handlers.processing = continue_on_error;
    const auto topology = b.build();
    EXPECT_TRUE(topology) << topology.error().detail();
    auto driver = TestDriver::open(*topology, options);
    EXPECT_TRUE(driver) << driver.error().detail();
    return *std::move(driver);
}

Outcome play(const Case& one, bool goes_on = false) {
    Builder b;
    one.declare(b.stream<string, string>("in"));
    const auto driver = driver_of(b, goes_on);
    Outcome all;
    for (const Shown& value : {Shown{"v"}, Shown{}}) {
        const auto done = driver->pipe<string, string>("in", "k", value, {5});
        if (done) continue;
        EXPECT_EQ(done.error().code(), Errc::kInvalidRecord);
        all.errors.emplace_back(done.error().detail());
    }
    for (const auto& record : driver->read("out"))
        all.out.push_back(record.key.value_or("null") + " " + record.value.value_or("null"));
    all.dropped = driver->dropped();
    return all;
}

/// Its answer is what the record goes on with.
class NullsRefused : public testing::TestWithParam<Case> {};

TEST_P(NullsRefused, ANullThatItCannotSeeIsAnErrorWithItsName) {
    const Outcome failing = play(GetParam());
    EXPECT_THAT(failing.errors,
                ElementsAre(AllOf(StartsWith("KSTREAM-"), HasSubstr("the value is null"),
                                  HasSubstr("std::optional"))));
    const Outcome continued = play(GetParam(), true);
    EXPECT_THAT(continued.errors, IsEmpty());
    EXPECT_THAT(continued.out, ElementsAre("k v"));
    EXPECT_EQ(continued.dropped, 1U);
}

string key_of(const string& key, const string&) {
    return key;
}
Pair pair_of(const string& key, const string& value) {
    return {key, value};
}
const std::vector<Case> kRefused{
    {"Map", [](const In& in) { in.map(pair_of).to("out"); }},
    {"MapOfTheValue",
     [](const In& in) { in.map([](const string& value) { return Pair{"k", value}; }).to("out"); }},
    {"MapByAnyType",
     [](const In& in) {
         in.map([](const auto& key, const auto& value) { return Pair{key, value}; }).to("out");
     }},
    {"MapWithTheKeyByPointer",
     [](const In& in) {
         in.map([](const string* key, const string& value) { return Pair{*key, value}; }).to("out");
     }},
    {"FlatMap",
     [](const In& in) {
         in.flat_map([](const string& key, const string& value) {
               return std::vector{Pair{key, value}};
           }).to("out");
     }},
    {"FlatMapValues",
     [](const In& in) {
         in.flat_map_values([](const string& value) { return std::vector{value}; }).to("out");
     }},
    {"SelectKey", [](const In& in) { in.select_key(key_of).to("out"); }},
    {"GroupBy",
     [](const In& in) {
         in.group_by(key_of)
             .reduce([](const string&, const string& value) { return value; })
             .to_stream()
             .to("out");
     }},
    {"ToStreamWithASelector", [](const In& in) { in.to_table().to_stream(key_of).to("out"); }},
};
INSTANTIATE_TEST_SUITE_P(NullValues, NullsRefused, testing::ValuesIn(kRefused), name_of_case);

/// Where the record would end without having been looked at.
class NullsDropped : public testing::TestWithParam<Case> {};

TEST_P(NullsDropped, ANullThatItCannotSeeIsCounted) {
    const Outcome all = play(GetParam());
    EXPECT_THAT(all.errors, IsEmpty());
    EXPECT_THAT(all.out, ElementsAre("k v"));
    EXPECT_EQ(all.dropped, 1U);
}

bool is_v(const string& value) {
    return value == "v";
}
const std::vector<Case> kDropped{
    {"Filter", [](const In& in) { in.filter(is_v).to("out"); }},
    {"FilterNot",
     [](const In& in) {
         in.filter_not([](const string& value) { return !is_v(value); }).to("out");
     }},
    {"Foreach",
     [](const In& in) {
         in.foreach ([](const string&) {});
         in.filter([](const string*, const string* value) { return value != nullptr; }).to("out");
     }},
    {"SplitWithoutDefault",
     [](const In& in) {
         in.split()
             .branch(is_v, {.consumer = [](const In& s) { s.to("out"); }})
             .no_default_branch();
     }},
};
INSTANTIATE_TEST_SUITE_P(NullValues, NullsDropped, testing::ValuesIn(kDropped), name_of_case);

/// Where it goes on as it is, or its function is shown the null.
class NullsPassed : public testing::TestWithParam<Case> {};

TEST_P(NullsPassed, ANullGoesOn) {
    const Outcome all = play(GetParam());
    EXPECT_THAT(all.errors, IsEmpty());
    EXPECT_THAT(all.out, ElementsAre("k v", "k null"));
    EXPECT_EQ(all.dropped, 0U);
}

Shown shown(const string* value) {
    return value != nullptr ? Shown{*value} : nullopt;
}
const std::vector<Case> kPassed{
    {"MapValues",
     [](const In& in) { in.map_values([](const string& value) { return value; }).to("out"); }},
    {"Peek", [](const In& in) { in.peek([](const string&) {}).to("out"); }},
    {"DefaultBranch",
     [](const In& in) {
         in.split()
             .branch(is_v, {.consumer = [](const In& s) { s.to("out"); }})
             .default_branch({.consumer = [](const In& s) { s.to("out"); }});
     }},
    {"FilterByOptional",
     [](const In& in) { in.filter([](const Shown& value) { return value != "no"; }).to("out"); }},
    {"MapValuesByOptional",
     [](const In& in) { in.map_values([](Shown value) { return value; }).to("out"); }},
    {"MapByPointer",
     [](const In& in) {
         in.map([](const string& key, const string* value) {
               return KeyValue{key, shown(value)};
           }).to("out");
     }},
    {"MapByOptional",
     [](const In& in) {
         in.map([](const string& key, const Shown& value) {
               return KeyValue{key, value};
           }).to("out");
     }},
    {"MapByOptionalView",
     [](const In& in) {
         in.map([](const string* key, std::optional<std::string_view> value) {
               return Pair{*key, value ? Shown{*value} : nullopt};
           }).to("out");
     }},
    {"FlatMapByOptional",
     [](const In& in) {
         in.flat_map([](const string& key, const Shown& value) noexcept {
               return std::vector{Pair{key, value}};
           }).to("out");
     }},
    {"SelectKeyByPointer",
     [](const In& in) {
         in.select_key([](const string& key, const string*) { return key; }).to("out");
     }},
    {"SelectKeyByOptional",
     [](const In& in) {
         in.select_key(+[](const string& key, const Shown&) { return key; }).to("out");
     }},
    {"SelectKeyByAFunctionObject",
     [](const In& in) {
         in.select_key(std::function<string(const string&, const Shown&)>{
                           [](const string& key, const Shown&) { return key; }})
             .to("out");
     }},
    {"ToStreamWithASelectorByPointer",
     [](const In& in) {
         in.to_table().to_stream([](const string& key, const string*) { return key; }).to("out");
     }},
};
INSTANTIATE_TEST_SUITE_P(NullValues, NullsPassed, testing::ValuesIn(kPassed), name_of_case);

TEST(NullValues, TablesShowTheirFunctionsNone) {
    Builder b;
    const auto table = b.table<string, string>("in");
    const auto count = [](const KTable<string, std::int64_t>& counts) {
        return counts.to_stream().map_values([](std::int64_t n) { return std::to_string(n); });
    };
    table.filter(is_v).to_stream().to("filter");
    table.map_values([](const string& value) { return value + "!"; }).to_stream().to("map_values");
    table.transform_values([](const string& value) { return value + "?"; })
        .to_stream()
        .to("transform_values");
    count(table.group_by(pair_of).count()).to("group_by");
    const auto driver = driver_of(b, false);
    for (const Shown& value : {Shown{"v"}, Shown{}})
        ASSERT_TRUE((driver->pipe<string, string>("in", "k", value, {5})));
    const auto values = [&](const string& topic) {
        std::vector<string> out;
        for (const auto& record : driver->read(topic)) out.push_back(record.value.value_or("null"));
        return out;
    };
    EXPECT_THAT(values("filter"), ElementsAre("v", "null"));
    EXPECT_THAT(values("map_values"), ElementsAre("v!", "null"));
    EXPECT_THAT(values("transform_values"), ElementsAre("v?", "null"));
    EXPECT_THAT(values("group_by"), ElementsAre("1", "0"));
    EXPECT_EQ(driver->dropped(), 0U);
}

TEST(NullValues, AKeyValueTakesItsTypesOutOfOptionals) {
    static_assert(std::is_same_v<decltype(KeyValue{1, Shown{}}), KeyValue<int, string>>);
    static_assert(std::is_same_v<decltype(KeyValue{Shown{}, 1}), KeyValue<string, int>>);
    static_assert(std::is_same_v<decltype(KeyValue{Shown{}, Shown{}}), Pair>);
    EXPECT_EQ((KeyValue{string{"k"}, Shown{}}), (Pair{"k", nullopt}));
}

}  // namespace
}  // namespace leat::streams
