// SPDX-License-Identifier: Apache-2.0
//
// A task with changelogs and a clock by hand, and a client that knows no broker.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "leat/streams/builder.h"
#include "rt/posix_disk.h"
#include "streams/live_task.h"
#include "streams/state/temp_folder.h"
#include "streams/testing/fake_logs.h"

namespace leat::streams {
namespace {

using std::string;

const client::TopicPartition kInput{"in", 0};

/// Threading: one thread.
class HandClock final : public rt::Clock {
  public:
    [[nodiscard]] Instant now() const override { return Instant{} + passed_; }
    [[nodiscard]] WallMs wall_now() const override { return WallMs{1'000 + passed_.count()}; }
    void advance(milliseconds by) { passed_ += by; }

  private:
    milliseconds passed_{0};
};

/// Tells the time, and needs no input for that.
class Ticker final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& context) override {
        auto made =
            context.schedule(Duration{10}, PunctuationType::kWallClockTime, [&](Timestamp now) {
                return context.forward({.key = "tick", .value = "tock", .timestamp = now});
            });
        if (!made) return std::move(made).error();
        return {};
    }
    Result<void> process(const Record<string, string>& /*record*/) override { return {}; }
};

Topology ticking() {
    Builder b;
    b.stream<string, string>("in").process([] { return std::make_unique<Ticker>(); }).to("out");
    return *b.build();
}

struct Bench {
    explicit Bench(bool exactly_once)
        : topology(ticking()),
          layout(topology.parts(), "app"),
          globals(topology.parts(), "app", handlers, clock) {
        settings.application_id = "app";
        settings.exactly_once = exactly_once;
        states = *detail::StateHome::open(disk, clock,
                                          {.state_dir = folder.path(),
                                           .application_id = "app",
                                           .fresh_id = "00000000-0000-0000-0000-000000000000"});
        reader = *client::PartitionReader::open({});
        TaskEnvironment environment;
        environment.settings = &settings;
        environment.parts = &topology.parts();
        environment.layout = &layout;
        environment.reader = reader.get();
        environment.clock = &clock;
        environment.handlers = &handlers;
        environment.globals = &globals;
        environment.send = [this](std::string_view, const client::OutgoingRecord&) {
            ++sent;
            return Result<void>{};
        };
        environment.cluster = logs.cluster();
        environment.states = states.get();
        task =
            std::make_unique<LiveTask>(TaskId{0, 0}, std::vector{kInput}, std::move(environment));
        EXPECT_TRUE(task->open());
        EXPECT_TRUE(task->activate({{.where = kInput, .offset = 7}}));
        const auto restored = task->restore();
        EXPECT_TRUE(restored && *restored);
        EXPECT_TRUE(task->start());
    }
    ~Bench() { task->close(); }

    detail::TempFolder folder;
    rt::PosixDisk disk;
    HandClock clock;
    Topology topology;
    Settings settings;
    Layout layout;
    ErrorHandlers handlers;
    GlobalState globals;
    std::unique_ptr<detail::StateHome> states;
    testing_logs::FakeLogs logs;
    std::unique_ptr<client::PartitionReader> reader;
    int sent = 0;
    std::unique_ptr<LiveTask> task;
};

TEST(LiveTaskPositions, WorkWithoutInputStillStandsForAPositionUnderExactlyOnce) {
    Bench bench{true};
    EXPECT_TRUE(bench.task->positions().empty()) << "nothing was done";
    bench.clock.advance(milliseconds{20});
    ASSERT_TRUE(bench.task->process());
    ASSERT_EQ(bench.sent, 1);
    // Without it the coordinator would not look at whose transaction this is.
    const auto positions = bench.task->positions();
    ASSERT_EQ(positions.size(), 1U);
    EXPECT_EQ(positions.front().where, kInput);
    EXPECT_EQ(positions.front().offset, 7);
    ASSERT_TRUE(bench.task->committed());
    EXPECT_TRUE(bench.task->positions().empty()) << "no transaction, no cost";
}

TEST(LiveTaskPositions, WorkWithoutInputMovesNoPositionAtLeastOnce) {
    Bench bench{false};
    bench.clock.advance(milliseconds{20});
    ASSERT_TRUE(bench.task->process());
    ASSERT_EQ(bench.sent, 1);
    EXPECT_TRUE(bench.task->needs_commit());
    EXPECT_TRUE(bench.task->positions().empty());
}

}  // namespace
}  // namespace leat::streams
