// SPDX-License-Identifier: Apache-2.0
//
// An outer join whose process is killed at least once behind rows that were written before a
// commit, or would have been: the broker acknowledges when the test says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "rt/posix_disk.h"
#include "streams/live_task.h"
#include "streams/output_tag.h"
#include "streams/state/temp_folder.h"
#include "streams/testing/fake_logs.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;

struct In {
    string key;
    string value;
    std::int64_t timestamp = 0;
};

/// The inputs, as far as the test lets records come.
/// Threading: one thread.
class HandReader final : public client::PartitionReader {
  public:
    using PartitionReader::next;
    Result<void> add(std::span<const client::StartAt> starts) override {
        for (const auto& start : starts) lanes_[start.where.topic].next = start.offset.value;
        return {};
    }
    Result<void> remove(std::span<const client::TopicPartition> where) override {
        for (const auto& one : where) lanes_.erase(one.topic);
        return {};
    }
    [[nodiscard]] Lane* lane(const client::TopicPartition& where) const override {
        return &lanes_.at(where.topic);
    }
    Result<client::PartitionEvent> next(Lane& lane) override {
        for (auto& [topic, one] : lanes_)
            if (&one == &lane && !std::exchange(one.knows_end, true))
                return client::PartitionEvent{client::ReachedEnd{{topic, 0}, Offset{one.next}}};
        return client::PartitionEvent{client::Nothing{}};
    }
    bool take(Lane& lane, client::HeldRecord& into) override {
        for (auto& [topic, one] : lanes_) {
            const auto& all = topics.at(topic);
            if (&one != &lane || one.next >= static_cast<std::int64_t>(all.size())) continue;
            one.knows_end = false;
            const In& next = all[static_cast<std::size_t>(one.next)];
            into.record.topic = topic;
            into.record.offset = Offset{one.next++};
            into.record.timestamp = WallMs{next.timestamp};
            into.record.key = next.key;
            into.record.value = next.value;
            return true;
        }
        return false;
    }
    [[nodiscard]] std::size_t waiting(const client::TopicPartition& /*where*/) const override {
        return 0;
    }
    [[nodiscard]] std::int64_t end(const client::TopicPartition& /*where*/) const override {
        return -1;
    }
    Result<void> wait(std::chrono::milliseconds /*wait*/) override { return {}; }
    void wake() override {}

    std::map<string, std::vector<In>> topics{{"l", {}}, {"r", {}}};

  private:
    struct Place final : Lane {
        std::int64_t next = 0;
        bool knows_end = false;
    };
    mutable std::map<string, Place> lanes_;
};

/// Threading: one thread.
class HandClock final : public rt::Clock {
  public:
    [[nodiscard]] Instant now() const override { return Instant{}; }
    [[nodiscard]] WallMs wall_now() const override { return WallMs{wall_ms}; }

    std::int64_t wall_ms = 1'000'000;
};

/// Records that a process is sending; they are lost with it.
struct Sent {
    string topic;
    string key;
    std::optional<string> value{};
    std::uint64_t tag = 0;
};

string either(const string* left, const string* right) {
    return (left != nullptr ? *left : "null") + "+" + (right != nullptr ? *right : "null");
}

Topology joining() {
    Builder b;
    const auto left = b.stream<string, string>("l");
    const auto right = b.stream<string, string>("r");
    left.outer_join(right, either, within(Duration{10}).grace(Duration{5})).to("out");
    return *b.build();
}

/// What outlives the process.
struct Cluster {
    void acknowledge(std::vector<Sent>& sent) {
        for (Sent& one : std::exchange(sent, {})) {
            if (one.topic == "out") {
                results.push_back(*one.value);
                continue;
            }
            logs.append({one.topic, 0}, std::move(one.key), std::move(one.value));
            mark_of(one.tag)->acknowledged = ++ends[one.topic];
        }
    }
    testing_logs::FakeLogs logs;
    std::map<string, std::int64_t> ends;
    std::vector<string> results;
    std::map<string, std::int64_t> committed{{"l", 0}, {"r", 0}};
};

/// A process, on what is in `folder` of an earlier one.
struct Life {
    Life(Cluster& of, const string& folder) : cluster(of) {
        settings.application_id = "app";
        states = *detail::StateHome::open(disk, clock,
                                          {.state_dir = folder,
                                           .application_id = "app",
                                           .fresh_id = "00000000-0000-0000-0000-000000000000",
                                           .persistent = true,
                                           .memory_bytes = std::size_t{1} << 20U});
        TaskEnvironment environment;
        environment.settings = &settings;
        environment.parts = &topology.parts();
        environment.layout = &layout;
        environment.reader = &reader;
        environment.clock = &clock;
        environment.handlers = &handlers;
        environment.globals = &globals;
        environment.send = [this](std::string_view topic, const client::OutgoingRecord& record) {
            Sent one{.topic = string{topic}, .key = string{*record.key}, .tag = record.tag};
            if (record.value) one.value = *record.value;
            sent.push_back(std::move(one));
            return Result<void>{};
        };
        environment.deliver = [this](milliseconds) {
            if (is_broker_there) cluster.acknowledge(sent);
            return sent.empty();
        };
        environment.cluster = cluster.logs.cluster();
        environment.states = states.get();
        environment.metrics = &room;
        const std::vector<client::TopicPartition> inputs{{"l", 0}, {"r", 0}};
        task = std::make_unique<LiveTask>(TaskId{0, 0}, inputs, std::move(environment));
        EXPECT_TRUE(task->open());
        EXPECT_TRUE(task->activate({{.where = inputs[0], .offset = cluster.committed["l"]},
                                    {.where = inputs[1], .offset = cluster.committed["r"]}}));
        const auto restored = task->restore();
        EXPECT_TRUE(restored && *restored);
        EXPECT_TRUE(task->start());
    }
    void process(const string& topic, In record) {
        reader.topics.at(topic).push_back(std::move(record));
        clock.wall_ms += 1'000;  // What closes is looked for once a second.
        const auto done = task->process();
        EXPECT_TRUE(done && *done) << topic;
    }
    void commit() {
        ASSERT_TRUE(task->flush());
        cluster.acknowledge(sent);
        ASSERT_TRUE(task->put_off().log(*task));
        cluster.acknowledge(sent);
        for (const auto& one : task->positions()) cluster.committed[one.where.topic] = one.offset;
        ASSERT_TRUE(task->committed());
    }

    Cluster& cluster;
    rt::PosixDisk disk;
    HandClock clock;
    Topology topology = joining();
    Settings settings;
    Layout layout{topology.parts(), "app"};
    ErrorHandlers handlers;
    GlobalState globals{topology.parts(), "app", handlers, clock};
    std::unique_ptr<detail::StateHome> states;
    MetricRoom room{RecordingLevel::kInfo, {}};
    HandReader reader;
    std::vector<Sent> sent;
    bool is_broker_there = true;
    std::unique_ptr<LiveTask> task;
};

/// What a process leaves in `from` that is killed now.
void leave(const string& from, const string& to) {
    std::filesystem::copy(from, to,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
}

class EarlyRows : public testing::Test {
  protected:
    detail::TempFolder first_;
    detail::TempFolder second_;
    detail::TempFolder empty_;
    Cluster cluster_;
};

const In kWaits{"k", "a", 0};
const In kMeets{"k", "b", 3};
const In kCloses{"z", "c", 1'000};

TEST_F(EarlyRows, WhoMetOneIsNotToldAsOneThatNothingMet) {
    {
        Life life{cluster_, first_.path()};
        life.process("l", kWaits);
        life.commit();
        life.is_broker_there = false;
        life.process("r", kMeets);
        const auto written = life.task->write_early(milliseconds{0});
        EXPECT_TRUE(written && !*written) << "its changes are not in the changelog";
        leave(first_.path(), second_.path());
    }
    {
        Life life{cluster_, second_.path()};
        life.reader.topics["l"] = {kWaits};
        life.process("r", kMeets);
        life.commit();
    }
    EXPECT_THAT(cluster_.results, ElementsAre("a+b"));
    Life elsewhere{cluster_, empty_.path()};
    elsewhere.reader.topics = {{"l", {kWaits}}, {"r", {kMeets}}};
    elsewhere.process("l", kCloses);
    elsewhere.commit();
    EXPECT_THAT(cluster_.results, ElementsAre("a+b"));
}

TEST_F(EarlyRows, AreWrittenOnceAcknowledged) {
    {
        Life life{cluster_, first_.path()};
        life.process("l", kWaits);
        life.commit();
        life.process("r", kMeets);
        EXPECT_GT(life.task->state().uncommitted_bytes(), 0U);
        const auto written = life.task->write_early(milliseconds{0});
        EXPECT_TRUE(written && *written);
        EXPECT_EQ(life.task->state().uncommitted_bytes(), 0U);
        leave(first_.path(), second_.path());
    }
    for (const auto& folder : {second_.path(), empty_.path()}) {
        Life life{cluster_, folder};
        life.reader.topics["l"] = {kWaits};
        life.process("r", kMeets);
        life.process("l", kCloses);
        life.commit();
        EXPECT_THAT(cluster_.results, testing::Not(testing::Contains("a+null")));
        cluster_.committed = {{"l", 1}, {"r", 0}};
    }
}

TEST_F(EarlyRows, WhatIsToldButNotDeliveredIsToldAgain) {
    {
        Life life{cluster_, first_.path()};
        life.process("l", kWaits);
        life.commit();
        life.is_broker_there = false;
        life.process("l", kCloses);
        ASSERT_EQ(life.sent.front().topic, "out");
        life.is_broker_there = true;
        // Delivered or not: that it waits no longer is not logged yet.
        const auto written = life.task->write_early(milliseconds{0});
        EXPECT_TRUE(written && !*written);
        leave(first_.path(), second_.path());
    }
    ASSERT_TRUE(cluster_.results.empty());
    Life life{cluster_, second_.path()};
    life.reader.topics["l"] = {kWaits};
    life.process("l", kCloses);
    life.commit();
    EXPECT_THAT(cluster_.results, ElementsAre("a+null"));
}

TEST_F(EarlyRows, AreNotHeldWithoutEndWhileNothingIsAcknowledged) {
    Life life{cluster_, first_.path()};
    life.process("l", {"k", string(std::size_t{300} << 10U, 'x'), 0});
    life.is_broker_there = false;
    auto is_due = life.task->relieve();
    EXPECT_TRUE(is_due && *is_due) << "the commit waits for the broker";
    EXPECT_GT(life.task->state().uncommitted_bytes(), 0U);
    life.is_broker_there = true;
    is_due = life.task->relieve();
    EXPECT_TRUE(is_due && !*is_due);
    EXPECT_EQ(life.task->state().uncommitted_bytes(), 0U);
}

}  // namespace
}  // namespace leat::streams
