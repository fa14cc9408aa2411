// SPDX-License-Identifier: Apache-2.0
//
// Each place where a serde may be missing says which, of what type, and where to give it.
#include <gmock/gmock.h>

#include <functional>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "leat/streams/topology_builder.h"

namespace leat::streams {

/// Has no serde.
struct Order {
    std::string customer;
    friend bool operator==(const Order&, const Order&) = default;
};

namespace {

using std::string;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

string mistake_of(const std::function<void(Builder&)>& declare) {
    Builder b;
    declare(b);
    const auto topology = b.build();
    EXPECT_FALSE(topology);
    return topology ? "" : string{topology.error().detail()};
}

Order order_of(const string& text) {
    return {text};
}
KStream<string, Order> orders(Builder& b) {
    return b.stream<string, string>("in").map_values(order_of);
}
const KeyValue<Order, string>& swapped(const string& /*key*/, const string& /*value*/) {
    static const KeyValue<Order, string> one{Order{"k"}, "v"};
    return one;
}

/// "no serde for `what`, of type T: give one in `where`, or ..."
auto says(const string& what, const string& where) {
    return HasSubstr("no serde for " + what + ", of type leat::streams::Order: give one in " +
                     where + ", or specialise SerdeFor<leat::streams::Order>");
}

TEST(SerdeNeeds, SourcesAndSinksNameTheirOption) {
    EXPECT_THAT(mistake_of([](Builder& b) { b.stream<string, Order>("in"); }),
                AllOf(StartsWith("KSTREAM-SOURCE-0000000000: "),
                      says("its value", "Consumed::value"), Not(HasSubstr("key"))));
    EXPECT_THAT(mistake_of([](Builder& b) { b.stream<Order, Order>("in"); }),
                AllOf(says("its key", "Consumed::key"), says("its value", "Consumed::value")));
    EXPECT_THAT(mistake_of([](Builder& b) { b.table<Order, string>("in"); }),
                says("its key", "Consumed::key"));
    EXPECT_THAT(mistake_of([](Builder& b) { b.global_table<string, Order>("in"); }),
                says("its value", "Consumed::value"));
    EXPECT_THAT(
        mistake_of([](Builder& b) { orders(b).to("out"); }),
        AllOf(StartsWith("KSTREAM-SINK-0000000002: "), says("its value", "Produced::value")));
}

TEST(SerdeNeeds, StoresAndTheirTopicsNameTheirOption) {
    EXPECT_THAT(mistake_of([](Builder& b) {
                    b.stream<string, string>("in").group_by_key().aggregate(
                        [] { return Order{}; },
                        [](const string&, const string&, Order sum) { return sum; });
                }),
                says("the store's value", "Materialized::value"));
    EXPECT_THAT(mistake_of([](Builder& b) { static_cast<void>(orders(b).to_table()); }),
                says("the table's value", "Materialized::value"));
    EXPECT_THAT(mistake_of([](Builder& b) {
                    b.table<string, string>("in").map_values(order_of, {.store = "kept"});
                }),
                says("the store's value", "Materialized::value"));
    EXPECT_THAT(mistake_of([](Builder& b) { orders(b).repartition(); }),
                says("the repartition topic's value", "what groups, joins or repartitions"));
    EXPECT_THAT(mistake_of([](Builder& b) {
                    b.stream<string, string>("in").map(swapped).group_by_key().count();
                }),
                says("the store's key", "Grouped::key or Materialized::key"));
    EXPECT_THAT(
        mistake_of([](Builder& b) { b.table<string, string>("in").group_by(swapped).count(); }),
        HasSubstr("of type leat::streams::Order: give one in "));
    EXPECT_THAT(mistake_of([](Builder& b) {
                    static_cast<void>(b.table<string, string>("in").map_values(order_of).suppress(
                        until_time_limit(Duration{1}, unbounded())));
                }),
                says("its value", "the table's Materialized::value"));
    EXPECT_THAT(
        mistake_of([](Builder& b) { b.add_state_store(key_value_store<string, Order>("st")); }),
        says("the store's value", "its declaration"));
}

TEST(SerdeNeeds, JoinsNameTheSide) {
    EXPECT_THAT(
        mistake_of([](Builder& b) {
            orders(b).join(
                b.stream<string, string>("in2"),
                [](const Order&, const string& right) { return right; }, within(Duration{5}));
        }),
        AllOf(says("the value of its left side", "StreamJoined::value"), Not(HasSubstr("right"))));
    EXPECT_THAT(mistake_of([](Builder& b) {
                    orders(b).join(b.table<string, string>("t", {}, {.history = Duration{9}}),
                                   [](const Order&, const string& right) { return right; },
                                   {.grace = Duration{5}});
                }),
                says("the stream's value, which waits", "Joined::value"));
    EXPECT_THAT(mistake_of([](Builder& b) {
                    b.table<string, string>("l").map_values(order_of).join_on(
                        b.table<string, string>("r"), [](const Order& o) { return o.customer; },
                        [](const Order&, const string& right) { return right; });
                }),
                says("the left table's value", "the table's Materialized::value"));
}

TEST(SerdeNeeds, NodesByThemselvesNameTheirOption) {
    TopologyBuilder b;
    b.add_source<string, Order>("source", {"in"});
    const auto topology = b.build();
    ASSERT_FALSE(topology);
    EXPECT_THAT(string{topology.error().detail()},
                AllOf(StartsWith("source: "), says("its value", "Consumed::value")));
}

TEST(SerdeNeeds, CallsOfTheTestDriverNameTheType) {
    Builder b;
    b.stream<string, string>("in").to("out");
    const auto topology = *b.build();
    auto driver = *TestDriver::open(topology);
    const auto piped = driver->pipe<string, Order>("in", "k", Order{}, {1});
    ASSERT_FALSE(piped);
    EXPECT_THAT(string{piped.error().detail()}, says("the value", "the call"));
}

TEST(SerdeNeeds, TextIsNamedAsInAProgram) {
    EXPECT_EQ(detail::type_name(typeid(std::vector<string>)),
              "std::vector<std::string, std::allocator<std::string > >");
}

}  // namespace
}  // namespace leat::streams
