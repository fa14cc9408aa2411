// SPDX-License-Identifier: Apache-2.0
//
// Method: the order of Kafka's eight levels, one after the other taken away; rates on a clock that
// the test moves.
#include "auth/quota.h"

#include <gtest/gtest.h>

#include <vector>

#include "auth/rate_limit.h"

namespace leat::auth {
namespace {

using Name = std::optional<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(QuotaTable, MostSpecificEntityHolds) {
    const Name none;
    const std::vector<QuotaEntity> order{{{"user", "a"}, {"client-id", "c"}},
                                         {{"user", "a"}, {"client-id", none}},
                                         {{"user", "a"}},
                                         {{"user", none}, {"client-id", "c"}},
                                         {{"user", none}, {"client-id", none}},
                                         {{"user", none}},
                                         {{"client-id", "c"}},
                                         {{"client-id", none}}};
    QuotaTable table;
    for (std::size_t i = 0; i < order.size(); ++i)
        table.set(order[i], {{"producer_byte_rate", static_cast<double>(i + 1)}});
    for (std::size_t i = 0; i < order.size(); ++i) {
        EXPECT_EQ(table.find(QuotaKind::kProduce, "a", "c")->limit, i + 1);
        table.set(order[i], {});
    }
    EXPECT_FALSE(table.find(QuotaKind::kProduce, "a", "c").has_value());
}

TEST(QuotaTable, SharedByThoseThatTheEntityNames) {
    QuotaTable table;
    table.set({{"user", Name{}}}, {{"consumer_byte_rate", 5}});
    const auto holder = [&](std::string_view user, std::string_view client) {
        return table.find(QuotaKind::kFetch, user, client)->holder;
    };
    EXPECT_EQ(holder("a", "x"), holder("a", "y"));
    EXPECT_NE(holder("a", "x"), holder("b", "x"));
    table.set({{"user", Name{}}}, {});
    table.set({{"client-id", "x"}}, {{"consumer_byte_rate", 5}});
    EXPECT_EQ(holder("a", "x"), holder("b", "x"));
    EXPECT_FALSE(table.find(QuotaKind::kProduce, "a", "x").has_value());
}

TEST(QuotaTable, AddressGoesBeforeTheDefault) {
    QuotaTable table;
    EXPECT_EQ(table.connection_rate("1.2.3.4"), std::nullopt);
    table.set({{"ip", Name{}}}, {{"connection_creation_rate", 5}});
    table.set({{"ip", "1.2.3.4"}}, {{"connection_creation_rate", 7}});
    EXPECT_EQ(table.connection_rate("1.2.3.4"), 7);
    EXPECT_EQ(table.connection_rate("1.2.3.5"), 5);
}

TEST(QuotaTable, ASpellingThatGoesLeavesTheOtherOne) {
    const auto entity = [](const char* name) { return QuotaEntity{{"ip", name}}; };
    QuotaTable table;
    table.set(entity("0:0:0:0:0:0:0:1"), {{"connection_creation_rate", 1}});
    table.set(entity("0::1"), {{"connection_creation_rate", 2}});
    EXPECT_EQ(table.connection_rate("::1"), 2);
    table.set(entity("0:0:0:0:0:0:0:1"), {});
    EXPECT_EQ(table.connection_rate("::1"), 2);
    table.set(entity("0::1"), {});
    EXPECT_EQ(table.connection_rate("::1"), std::nullopt);
}

TEST(QuotaTable, KnowsAnAddressInEachSpellingAndByItsName) {
    const auto entity = [](const char* name) { return QuotaEntity{{"ip", name}}; };
    QuotaTable table;
    table.set({{"ip", Name{}}}, {{"connection_creation_rate", 9}});
    table.set(entity("0:0:0:0:0:0:0:1"), {{"connection_creation_rate", 1}});
    table.set(entity("localhost"), {{"connection_creation_rate", 2}});
    EXPECT_EQ(table.connection_rate("::1"), 1);
    EXPECT_EQ(table.connection_rate("127.0.0.1"), 9);
    EXPECT_EQ(table.connection_rate("127.0.0.1", "localhost"), 2);
    EXPECT_EQ(table.host_names(), std::set<std::string>{"localhost"});
    EXPECT_EQ(table.values_of(entity("0:0:0:0:0:0:0:1")).size(), 1U);  // As it was told.
    table.set(entity("::1"), {{"connection_creation_rate", 3}});
    EXPECT_EQ(table.connection_rate("::1"), 3);
    table.set(entity("::1"), {});
    EXPECT_EQ(table.connection_rate("::1"), 1);
    table.set(entity("0:0:0:0:0:0:0:1"), {});
    table.set(entity("localhost"), {});
    EXPECT_EQ(table.connection_rate("::1"), 9);
    EXPECT_EQ(table.connection_rate("127.0.0.1", "localhost"), 9);
    EXPECT_TRUE(table.host_names().empty());
}

TEST(Quota, RefusesWhatMakesNoSense) {
    EXPECT_NE(entity_error({}), "");
    EXPECT_NE(entity_error({{"host", "x"}}), "");
    EXPECT_NE(entity_error({{"user", ""}}), "");
    EXPECT_NE(entity_error({{"user", "a"}, {"ip", "1.1.1.1"}}), "");
    EXPECT_EQ(entity_error({{"user", Name{}}, {"client-id", "x"}}), "");
    EXPECT_NE(value_error({{"user", "a"}}, "connection_creation_rate", 1), "");
    EXPECT_NE(value_error({{"ip", "a"}}, "producer_byte_rate", 1), "");
    EXPECT_NE(value_error({{"user", "a"}}, "producer_byte_rate", 0), "");
    EXPECT_NE(value_error({{"user", "a"}}, "producer_byte_rate", 1.5), "");
    EXPECT_EQ(value_error({{"user", "a"}}, "request_percentage", 1.5), "");
}

TEST(RateLimit, KeepsTheRateOverTimeWhateverTheAmounts) {
    RateLimit limit;
    std::chrono::nanoseconds now = seconds{100};
    double sent = 0;
    const std::vector<double> sizes{10, 3000, 1, 750, 20000};
    const auto end = now + seconds{200};
    for (std::size_t i = 0; now < end; ++i) {
        const double size = sizes[i % sizes.size()];
        now += limit.charge(size, 1000, now, milliseconds{250});
        sent += size;
    }
    EXPECT_NEAR(sent / 200, 1000, 120);
}

TEST(RateLimit, WaitsForWhatIsBeyondTheBurst) {
    RateLimit limit;
    const std::chrono::nanoseconds now = seconds{5};
    EXPECT_EQ(limit.charge(100, 1000, now, milliseconds{250}), milliseconds{0});
    EXPECT_EQ(limit.charge(200, 1000, now, milliseconds{250}), milliseconds{50});
    EXPECT_EQ(limit.debt(1000, now, milliseconds{250}), milliseconds{50});
    EXPECT_EQ(limit.debt(1000, now + milliseconds{60}, milliseconds{250}), milliseconds{0});
    // What was not used is not saved up.
    EXPECT_EQ(limit.charge(300, 1000, now + seconds{60}, milliseconds{250}), milliseconds{50});
}

TEST(RateLimit, OwesNoMoreThanItsBound) {
    RateLimit limit;
    const std::chrono::nanoseconds now = seconds{5};
    EXPECT_EQ(limit.charge(50'000, 1000, now, milliseconds{250}, seconds{60}),
              milliseconds{49'750});
    EXPECT_EQ(limit.charge(50'000, 1000, now, milliseconds{250}, seconds{60}),
              milliseconds{59'750});
    // What is owed already is not forgiven by who has a smaller bound.
    EXPECT_EQ(limit.charge(1, 1000, now, milliseconds{250}, seconds{10}), milliseconds{59'750});
    EXPECT_EQ(limit.debt(1000, now + seconds{60}, milliseconds{250}), milliseconds{0});
}

TEST(RateLimit, PaysAtTheNewRateWhatIsOwedWhenItIsRaised) {
    RateLimit limit;
    const std::chrono::nanoseconds now = seconds{5};
    EXPECT_EQ(limit.charge(50'000, 1000, now, seconds{0}), seconds{50});
    EXPECT_EQ(limit.debt(100'000, now, seconds{0}), milliseconds{500});
    EXPECT_EQ(limit.charge(50'000, 100'000, now, seconds{0}), seconds{1});
    // Nobody knows how much it was at no rate at all.
    EXPECT_GT(limit.charge(1, 0, now, seconds{0}), seconds{86'000});
    EXPECT_EQ(limit.charge(1'000, 1000, now, seconds{0}), seconds{1});
}

TEST(RateLimit, WaitsNoLongerForWhatWasUsedBeforeItIsLowered) {
    RateLimit limit;
    const std::chrono::nanoseconds now = seconds{5};
    EXPECT_EQ(limit.charge(50'000, 100'000, now, seconds{0}), milliseconds{500});
    EXPECT_EQ(limit.debt(1000, now, seconds{0}), milliseconds{500});
    EXPECT_EQ(limit.charge(1'000, 1000, now, seconds{0}), milliseconds{1'500});
}

}  // namespace
}  // namespace leat::auth
