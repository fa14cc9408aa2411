// SPDX-License-Identifier: Apache-2.0
//
// What a task hands to the producer; the producer is a list.
#include "streams/cluster/live_task.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "leat/streams/builder.h"
#include "streams/cluster/testing/fake_clients.h"

namespace leat::streams {
namespace {

using std::string;

struct Sent {
    string topic;
    std::int32_t partition = -1;
    std::int64_t timestamp = -1;
    friend bool operator==(const Sent&, const Sent&) = default;
};

/// A task that was not opened.
struct Bench {
    Bench() {
        settings.application_id = "app";
        environment.settings = &settings;
        environment.parts = &topology.parts();
        environment.layout = &layout;
        environment.clock = &clock;
        environment.handlers = &handlers;
        environment.globals = &globals;
        environment.send = [this](std::string_view topic, const client::OutgoingRecord& record) {
            sent.push_back({string{topic}, record.partition, record.timestamp_ms});
            return Result<void>{};
        };
    }
    static Topology counting() {
        Builder b;
        b.stream<string, string>("in").group_by_key().count({.store = "rows"});
        return *b.build();
    }
    testing_logs::FakeClock clock;
    Topology topology = counting();
    Settings settings;
    Layout layout{topology.parts(), "app"};
    ErrorHandlers handlers;
    GlobalState globals{topology.parts(), "app", handlers, clock};
    TaskEnvironment environment;
    std::vector<Sent> sent;
};

TEST(LiveTask, ChangeWithoutATimeGetsTheClocks) {
    Bench bench;
    LiveTask task{{0, 3}, {}, bench.environment};
    const std::int64_t now = bench.clock.wall_now().value;
    ASSERT_TRUE(task.log_change({.topic = "rows-changelog", .key = "k", .timestamp = -1}));
    ASSERT_TRUE(task.log_change({.topic = "rows-changelog", .key = "k", .timestamp = 17}));
    EXPECT_EQ(bench.sent,
              (std::vector<Sent>{{"app-rows-changelog", 3, now}, {"app-rows-changelog", 3, 17}}));
}

TEST(LiveTask, OutputThatIsNotTakenSaysWhereItWasToGo) {
    Bench bench;
    bench.environment.send = [](std::string_view, const client::OutgoingRecord&) {
        return Result<void>{Error{Errc::kMessageTooLarge, "too much"}};
    };
    LiveTask task{{0, 3}, {}, bench.environment};
    const auto done = task.log_change({.topic = "rows-changelog", .key = "k", .timestamp = 17});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kMessageTooLarge);
    EXPECT_EQ(done.error().detail(), "output to app-rows-changelog-3 was not taken: too much");
}

/// A kill must not find it in the changelog, and what it follows from nowhere.
TEST(LiveTask, ChangeBehindOutputIsPutOffAtLeastOnce) {
    const detail::Outgoing told{
        .topic = "rows-changelog", .key = "k", .timestamp = 17, .after_output = true};
    for (const bool exactly_once : {false, true}) {
        Bench bench;
        bench.settings.exactly_once = exactly_once;
        LiveTask task{{0, 3}, {}, bench.environment};
        ASSERT_TRUE(task.log_change(told));
        ASSERT_TRUE(task.log_change({.topic = "rows-changelog", .key = "l", .timestamp = 18}));
        std::vector<Sent> logged{{"app-rows-changelog", 3, 18}};
        if (exactly_once) logged.insert(logged.begin(), {"app-rows-changelog", 3, 17});
        EXPECT_EQ(bench.sent, logged);
        EXPECT_EQ(*task.put_off().log(task), !exactly_once);
        if (!exactly_once) logged.push_back({"app-rows-changelog", 3, 17});
        EXPECT_EQ(bench.sent, logged);
        EXPECT_FALSE(*task.put_off().log(task)) << "once";
    }
}

TEST(LiveTask, ChangeThatIsPutOffNeverComesBehindALaterOne) {
    Bench bench;
    LiveTask task{{0, 3}, {}, bench.environment};
    for (const char* topic : {"rows-changelog", "others-changelog"})
        ASSERT_TRUE(
            task.log_change({.topic = topic, .key = "k", .timestamp = 17, .after_output = true}));
    ASSERT_TRUE(task.log_change({.topic = "rows-changelog", .key = "k", .timestamp = 18}));
    EXPECT_TRUE(*task.put_off().log(task));
    EXPECT_EQ(bench.sent,
              (std::vector<Sent>{{"app-rows-changelog", 3, 18}, {"app-others-changelog", 3, 17}}));
}

}  // namespace
}  // namespace leat::streams
