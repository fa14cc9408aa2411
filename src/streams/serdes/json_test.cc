// SPDX-License-Identifier: Apache-2.0
// Structs as JSON: what is written, what is read, and what errors say.
#include "leat/streams/json.h"

#include <gmock/gmock.h>

#include <limits>
#include <map>

namespace leat::streams {

namespace testing_json {

enum class Kind : std::uint8_t { kView, kBuy, kUnnamed };
struct Item {
    std::string name;
    std::int64_t cents = 0;
    friend bool operator==(const Item&, const Item&) = default;
};
struct Order {
    std::string customer{};
    Kind kind = Kind::kView;
    double weight = 0;
    std::optional<std::string> note{};
    std::vector<Item> items{};
    std::map<std::string, std::int32_t> stock{};
    bool paid = true;
    friend bool operator==(const Order&, const Order&) = default;
};
struct Tree {
    std::vector<Tree> children;
};
struct Numbers {
    std::int8_t small = 0;
    std::uint64_t large = 0;
    float single = 0;
    std::optional<std::int32_t> maybe = 7;
    friend bool operator==(const Numbers&, const Numbers&) = default;
};
struct Nothing {
    friend bool operator==(const Nothing&, const Nothing&) = default;
};

}  // namespace testing_json

using testing_json::Item;
using testing_json::Kind;
using testing_json::Nothing;
using testing_json::Numbers;
using testing_json::Order;
using testing_json::Tree;

template <>
struct Enumerators<Kind> {
    static constexpr auto list =
        enumerators_of(named("view", Kind::kView), named("buy", Kind::kBuy));
};
template <>
struct Members<Item> {
    static constexpr auto list =
        members_of(member("name", &Item::name), member("cents", &Item::cents));
};
template <>
struct Members<Order> {
    static constexpr auto list =
        members_of(member("customer", &Order::customer), member("kind", &Order::kind),
                   member("weight", &Order::weight), member("note", &Order::note),
                   member("items", &Order::items), member("stock", &Order::stock),
                   member("paid", &Order::paid).or_default());
};
template <>
struct Members<Tree> {
    static constexpr auto list = members_of(member("c", &Tree::children));
};
template <>
struct Members<Numbers> {
    static constexpr auto list =
        members_of(member("small", &Numbers::small), member("large", &Numbers::large),
                   member("single", &Numbers::single), member("maybe", &Numbers::maybe));
};
template <>
struct Members<Nothing> {
    static constexpr auto list = members_of();
};

namespace {

using std::string;

template <class T>
string written(const T& value, JsonOptions options = {}) {
    string out;
    const auto done = json<T>(options)->encode("t", value, out);
    return done ? out : string{done.error().detail()};
}
/// The value, as it is written again; or what the error says.
template <class T>
string read(std::string_view text, JsonOptions options = {}) {
    const auto value = json<T>(options)->decode("t", text);
    if (value) return written(*value);
    EXPECT_EQ(value.error().code(), Errc::kInvalidRecord);
    return string{value.error().detail()};
}

const Order kOrder{.customer = "Ad\u00e9 \"x\"\n\x01",
                   .kind = Kind::kBuy,
                   .weight = 0.1,
                   .note = std::nullopt,
                   .items = {{"nut", 5}, {"bolt", -7}},
                   .stock = {{"a", 1}, {"b", 2}},
                   .paid = false};
constexpr std::string_view kText =
    R"({"customer":"Adé \"x\"\n\u0001","kind":"buy","weight":0.1,"note":null,)"
    R"("items":[{"name":"nut","cents":5},{"name":"bolt","cents":-7}],"stock":{"a":1,"b":2},"paid":false})";

TEST(Json, StructsAreWrittenAndReadBack) {
    EXPECT_EQ(written(kOrder), kText);
    EXPECT_EQ(*serde_for<Order>()->decode("t", kText), kOrder);
    EXPECT_EQ(written(Nothing{}), "{}");
    EXPECT_EQ(read<Nothing>(" { } "), "{}");
    EXPECT_EQ(read<Tree>(R"({"c":[{"c":[]},{"c":[]}]})"), R"({"c":[{"c":[]},{"c":[]}]})");
    EXPECT_EQ((read<std::map<string, bool>>(R"({"b":true,"a":false,"b":false})")),
              R"({"a":false,"b":false})");
    EXPECT_EQ((read<std::map<string, bool>>("{}")), "{}");
}

TEST(Json, SpaceOrderAndEscapesDoNotMatter) {
    EXPECT_EQ(read<Item>("\n{ \"cents\" : 5 , \"n\\u0061me\":\"\\ud83d\\ude00\\/\" }\t"),
              R"({"name":"😀/","cents":5})");
}

TEST(Json, MissingMembersAreNullOrDefaultOrAnError) {
    const string all = R"({"customer":"c","kind":"view","weight":1,"items":[],"stock":{}})";
    EXPECT_EQ(read<Order>(all), R"({"customer":"c","kind":"view","weight":1.0,"note":null,)"
                                R"("items":[],"stock":{},"paid":true})");
    EXPECT_EQ(read<Order>(R"({"kind":"view"})"), "$.customer: expected a value, found none");
    EXPECT_EQ(read<Numbers>(R"({"small":1,"large":1,"single":1})"),
              R"({"small":1,"large":1,"single":1.0,"maybe":null})");
    EXPECT_EQ(read<Item>(R"({"name":null,"cents":1})"), "$.name: expected text, found null");
}

TEST(Json, UnknownMembersAreIgnoredOrRefused) {
    const string more = R"({"name":"n","cents":1,"more":[{"x":1}]})";
    EXPECT_EQ(read<Item>(more), R"({"name":"n","cents":1})");
    EXPECT_EQ(read<Item>(more, {.refuse_unknown = true}), "$.more: no such member is known");
}

TEST(Json, NullsMayBeOmitted) {
    EXPECT_EQ(written(Numbers{.maybe = std::nullopt}, {.omit_nulls = true}),
              R"({"small":0,"large":0,"single":0.0})");
}

TEST(Json, ErrorsNameThePlace) {
    const string before = R"({"customer":"c","kind":"view","weight":1,"stock":{},"items":)";
    EXPECT_EQ(read<Order>(before + R"([{"name":"a","cents":1},{"name":"b","cents":"x"}]})"),
              "$.items[1].cents: expected a number, found text");
    EXPECT_EQ(read<Order>(before + "7}"), "$.items: expected an array, found a number");
    EXPECT_EQ(read<Order>(R"({"customer":"c","kind":"look"})"),
              "$.kind: expected one of view, buy, found look");
    EXPECT_EQ(read<Item>("[]"), "$: expected an object, found an array");
    EXPECT_EQ((read<std::map<string, std::vector<bool>>>(R"({"a b":[true,1]})")),
              "$.a b[1]: expected true or false, found a number");
    EXPECT_EQ(written(Order{.kind = Kind::kUnnamed}),
              "$.kind: expected one of the values that have names");
}

TEST(Json, NumbersMustFit) {
    const auto numbers = [](const string& small, const string& large, const string& single) {
        return read<Numbers>(R"({"small":)" + small + R"(,"large":)" + large + R"(,"single":)" +
                             single + R"(,"maybe":1})");
    };
    EXPECT_EQ(numbers("-128", "18446744073709551615", "-1.5"),
              R"({"small":-128,"large":18446744073709551615,"single":-1.5,"maybe":1})");
    EXPECT_EQ(numbers("1.20e2", "5.0", "3"), R"({"small":120,"large":5,"single":3.0,"maybe":1})");
    EXPECT_EQ(numbers("128", "0", "0"),
              "$.small: expected a whole number from -128 to 127, found 128");
    EXPECT_EQ(numbers("1.5", "0", "0"),
              "$.small: expected a whole number from -128 to 127, found 1.5");
    EXPECT_EQ(numbers("0", "-1", "0"),
              "$.large: expected a whole number from 0 to 18446744073709551615, found -1");
    EXPECT_EQ(numbers("0", "18446744073709551616", "0"),
              "$.large: expected a whole number from 0 to 18446744073709551615, found "
              "18446744073709551616");
    EXPECT_EQ(numbers("0", "0", "1e39"), "$.single: expected a number that fits");
    EXPECT_EQ(numbers("0", "0", "1e400").substr(0, 9), "$.single:");
}

TEST(Json, NumbersBelowTheSmallestDoubleAreZero) {
    for (const auto* text : {"1e-999", "0.001e-400", "1e-999999999"})
        EXPECT_EQ(read<double>(text), "0.0") << text;
    EXPECT_EQ(read<double>("-1e-999"), "-0.0");
    for (const auto* text : {"1e999", "0.001e400", "1e999999999"})
        EXPECT_EQ(read<double>(text).substr(0, 34), "$: expected a number that fits, fo") << text;
    EXPECT_EQ(read<double>("1" + string(400, '0') + "e-1").substr(0, 11), "$: expected");
    EXPECT_EQ(read<double>("0." + string(400, '0') + "1e1"), "0.0");
    EXPECT_EQ(read<std::int32_t>("1e-999").substr(0, 11), "$: expected");
}

TEST(Json, TheLastOfAMemberThatIsThereTwiceCountsOrItIsRefused) {
    const string twice = R"({"name":"a","cents":1,"name":"b"})";
    EXPECT_EQ(read<Item>(twice), read<Item>(R"({"name":"b","cents":1})"));
    EXPECT_EQ(read<Item>(twice, {.refuse_unknown = true}), "$.name: the member is there twice");
}

TEST(Json, DoublesKeepTheirValue) {
    for (const double number : {0.1, 1.7976931348623157e308, 5e-324, 9007199254740993.0,
                                2.2250738585072011e-308, 3.1415926535897931, -0.0, 1e22}) {
        const auto again = json<double>()->decode("t", written(number));
        ASSERT_TRUE(again);
        EXPECT_EQ(std::bit_cast<std::uint64_t>(*again), std::bit_cast<std::uint64_t>(number));
    }
    EXPECT_EQ(written(std::numeric_limits<double>::infinity()),
              "$: expected a number that is finite");
}

TEST(Json, WhatIsNoJsonIsRefused) {
    for (const auto* text : {"", "{", "{}x", R"({"name":"n","cents":1,})", "nul", "\"\xFF\"",
                             "// no\n{}", "01", "NaN", "\"a\nb\""})
        EXPECT_EQ(read<Item>(text).substr(0, 20), "$: no JSON, at byte ") << text;
}

TEST(Json, DepthIsBounded) {
    const JsonOptions two{.depth_max = 2};
    EXPECT_EQ((read<std::vector<std::vector<bool>>>("[[]]", two)), "[[]]");
    EXPECT_EQ((read<std::vector<std::vector<std::vector<bool>>>>("[[[]]]", two)).substr(0, 10),
              "$: no JSON");
}

TEST(Json, TextMustBeUtf8) {
    for (const auto* bad :
         {"\xFF", "a\xC0\x80", "\xED\xA0\x80", "\xE2\x82", "\xF4\x90\x80\x80", "\x80"})
        EXPECT_EQ(written(string{bad}).substr(0, 26), "$: expected text in UTF-8,") << bad;
    for (const auto* good : {"\u00e9", "\u20ac", "\U0001F600", "\x7F"})
        EXPECT_EQ(written(string{good}), "\"" + string{good} + "\"");
}

}  // namespace
}  // namespace leat::streams
