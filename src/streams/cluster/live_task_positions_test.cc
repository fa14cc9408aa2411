// SPDX-License-Identifier: Apache-2.0
//
// A task with changelogs and a clock by hand, and a client that knows no broker; or one that gives
// what the test says.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "rt/posix_disk.h"
#include "streams/cluster/live_task.h"
#include "streams/cluster/testing/fake_logs.h"
#include "streams/state/temp_folder.h"

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

/// A partition whose records from 7 on are here, as many as the test says.
/// Threading: one thread.
class HandReader final : public client::PartitionReader {
  public:
    using PartitionReader::next;
    Result<void> add(std::span<const client::StartAt> /*starts*/) override {
        if (std::exchange(is_read, true)) return Error{Errc::kUsage, "is read already"};
        return {};
    }
    Result<void> remove(std::span<const client::TopicPartition> /*where*/) override {
        is_read = false;
        return {};
    }
    [[nodiscard]] Lane* lane(const client::TopicPartition& /*where*/) const override {
        return &lane_;
    }
    Result<client::PartitionEvent> next(Lane& /*lane*/) override {
        return client::PartitionEvent{client::Nothing{}};
    }
    bool take(Lane& /*lane*/, client::HeldRecord& into) override {
        if (here == 0) return false;
        --here;
        into.record.topic = kInput.topic;
        into.record.offset = Offset{next_++};
        into.record.timestamp = WallMs{5};
        return true;
    }
    [[nodiscard]] std::size_t waiting(const client::TopicPartition& /*where*/) const override {
        return here;
    }
    [[nodiscard]] std::int64_t end(const client::TopicPartition& /*where*/) const override {
        return told_end;
    }
    Result<void> wait(std::chrono::milliseconds /*wait*/) override { return {}; }
    void wake() override {}

    std::size_t here = 0;
    std::int64_t told_end = -1;
    bool is_read = false;

  private:
    mutable Lane lane_;
    std::int64_t next_ = 7;
};

/// Tells the time, and needs no input for that.
class Ticker : public Processor<string, string> {
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

/// Is not ready as often as it is told, and has made its plan each time.
class LateTicker final : public Ticker {
  public:
    explicit LateTicker(int& failures) : failures_(failures) {}
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY_VOID(Ticker::init(context));
        if (failures_ == 0) return {};
        --failures_;
        return Error{Errc::kNetworkException, "not ready"};
    }

  private:
    int& failures_;
};

/// `failures`: of init(); outlives the topology.
Topology ticking(int& failures) {
    Builder b;
    b.stream<string, string>("in")
        .process([&failures] { return std::make_unique<LateTicker>(failures); })
        .to("out");
    return *b.build();
}

struct Bench {
    explicit Bench(
        bool exactly_once,
        std::unique_ptr<client::PartitionReader> from = *client::PartitionReader::open({}),
        int failures_first = 0)
        : failures(failures_first),
          topology(ticking(failures)),
          layout(topology.parts(), "app"),
          globals(topology.parts(), "app", handlers, clock),
          reader(std::move(from)) {
        settings.application_id = "app";
        settings.exactly_once = exactly_once;
        states = *detail::StateHome::open(disk, clock,
                                          {.state_dir = folder.path(),
                                           .application_id = "app",
                                           .fresh_id = "00000000-0000-0000-0000-000000000000"});
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
        environment.metrics = &room;
        environment.thread = "app-StreamThread-1";
        task =
            std::make_unique<LiveTask>(TaskId{0, 0}, std::vector{kInput}, std::move(environment));
        EXPECT_TRUE(task->open());
        EXPECT_TRUE(task->activate({{.where = kInput, .offset = 7}}));
        const auto restored = task->restore();
        EXPECT_TRUE(restored && *restored);
        for (int i = 0; i < failures_first; ++i) {
            const auto started = task->start();
            EXPECT_FALSE(started);
            if (!started) EXPECT_EQ(started.error().code(), Errc::kNetworkException);
            EXPECT_FALSE(task->is_running());
        }
        EXPECT_TRUE(task->start());
    }
    ~Bench() { task->close(); }

    detail::TempFolder folder;
    rt::PosixDisk disk;
    HandClock clock;
    int failures;
    Topology topology;
    Settings settings;
    Layout layout;
    ErrorHandlers handlers;
    GlobalState globals;
    std::unique_ptr<detail::StateHome> states;
    testing_logs::FakeLogs logs;
    MetricRoom room{RecordingLevel::kInfo, {}};
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

// Nodes that could not be opened are opened again: neither do they plan twice, nor is an input read
// twice.
TEST(LiveTaskStart, CanBeCalledAgainWhenNodesWereNotReady) {
    auto made = std::make_unique<HandReader>();
    const HandReader& reader = *made;
    Bench bench{false, std::move(made), 2};
    EXPECT_TRUE(reader.is_read);
    bench.clock.advance(milliseconds{20});
    ASSERT_TRUE(bench.task->process());
    EXPECT_EQ(bench.sent, 1);
}

TEST(LiveTaskLag, IsFromThePositionToTheEndThatWasTold) {
    auto made = std::make_unique<HandReader>();
    HandReader& reader = *made;
    Bench bench{false, std::move(made)};
    /// "name=value" of each metric of lags, a second later.
    const auto lags = [&] {
        bench.clock.advance(milliseconds{1'000});
        EXPECT_TRUE(bench.task->relieve());
        string out;
        for (const MetricValue& one : bench.room.gather(bench.clock.wall_now().value)) {
            if (one.group != "consumer-fetch-manager-metrics") continue;
            EXPECT_EQ(one.tags,
                      (std::map<string, string>{{"client-id", "app-StreamThread-1-consumer"},
                                                {"partition", "0"},
                                                {"topic", "in"}}));
            out += one.name + "=" + std::to_string(one.value).substr(0, 3) + " ";
        }
        return out;
    };
    EXPECT_EQ(lags(), "") << "not known is not 0";
    EXPECT_EQ(bench.task->lag(), -1);
    reader.told_end = 12;
    reader.here = 3;
    EXPECT_EQ(lags(), "records-lag=5.0 records-lag-avg=5.0 records-lag-max=5.0 ");
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(*bench.task->process());
    EXPECT_EQ(lags(), "records-lag=2.0 records-lag-avg=3.5 records-lag-max=5.0 ");
    EXPECT_EQ(bench.task->lag(), 2);
    // The end may be older than the position.
    reader.here = 4;
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(*bench.task->process());
    EXPECT_EQ(bench.task->lag(), 2) << "as of then";
    EXPECT_EQ(lags().substr(0, 16), "records-lag=0.0 ");
}

}  // namespace
}  // namespace leat::streams
