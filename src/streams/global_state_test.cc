// SPDX-License-Identifier: Apache-2.0
//
// Records by hand, without a broker.
#include "streams/global_state.h"

#include <gtest/gtest.h>

#include <string>

#include "leat/streams/builder.h"
#include "rt/clock.h"

namespace leat::streams {
namespace {

using std::string;

Topology with_global_table() {
    Builder b;
    const auto names = b.global_table<string, std::int32_t>("names", {}, {.store = "by-key"});
    b.stream<string, string>("in")
        .left_join(
            names, [](const string& key, const string&) { return key; },
            [](const string& value, const std::int32_t*) { return value; })
        .to("out");
    return *b.build();
}

client::ReceivedRecord record(std::string_view key, std::string_view value) {
    client::ReceivedRecord out;
    out.topic = "names";
    out.partition = 2;
    out.offset = Offset{7};
    out.timestamp = WallMs{5};
    out.key = key;
    out.value = value;
    return out;
}

constexpr std::string_view kThree{"\0\0\0\3", 4};

TEST(GlobalState, KeepsWhatItsTopicsSay) {
    const Topology topology = with_global_table();
    GlobalState state{topology.parts(), "app", {}, rt::system_time()};
    EXPECT_EQ(state.topics(), (std::vector<string>{"names"}));
    ASSERT_TRUE(state.open());
    ASSERT_TRUE(state.apply(record("a", kThree)));
    ASSERT_EQ(state.stores().size(), 1U);
    auto& store = dynamic_cast<detail::KeyValueStore&>(*state.stores().front());
    detail::Entry entry;
    const auto found = store.get("a", entry);
    ASSERT_TRUE(found);
    EXPECT_TRUE(*found);
    EXPECT_EQ(entry.value, kThree);
    EXPECT_EQ(entry.timestamp, 5);
}

TEST(GlobalState, BytesThatDoNotDecodeEndItUnlessTheHandlerGoesOn) {
    const Topology topology = with_global_table();
    GlobalState strict{topology.parts(), "app", {}, rt::system_time()};
    ASSERT_TRUE(strict.open());
    const auto done = strict.apply(record("a", "x"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().detail().find("global store, names-2 offset 7"), 0U)
        << done.error().detail();
    // No dead letter of a global topic is sent, nor does the topic for them matter.
    GlobalState lenient{topology.parts(),
                        "app",
                        {.deserialization = continue_on_error, .dead_letter_topic = "dead"},
                        rt::system_time()};
    ASSERT_TRUE(lenient.open());
    EXPECT_TRUE(lenient.apply(record("a", "x")));
    EXPECT_TRUE(lenient.apply(record("a", kThree)));
}

TEST(GlobalState, IsEmptyWithoutGlobalStores) {
    Builder b;
    b.stream<string, string>("in").to("out");
    const Topology topology = *b.build();
    EXPECT_TRUE(GlobalState(topology.parts(), "app", {}, rt::system_time()).is_empty());
}

}  // namespace
}  // namespace leat::streams
