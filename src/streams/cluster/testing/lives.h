// SPDX-License-Identifier: Apache-2.0
//
// A task through lives of its process: each is killed when the test says, and what the broker
// acknowledged by then is all that the next one finds. Layer: streams (L6), tests only.
// Threading: one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rt/posix_disk.h"
#include "streams/cluster/live_task.h"
#include "streams/cluster/output_tag.h"
#include "streams/cluster/testing/fake_logs.h"
#include "streams/cluster/testing/hand_reader.h"

namespace leat::streams::testing_lives {

using std::string;

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
    std::int64_t timestamp = -1;
    std::uint64_t tag = 0;
};

/// What outlives the process. Results are in a topic "out".
struct Cluster {
    Cluster(Topology runs, const std::vector<string>& inputs) : topology(std::move(runs)) {
        for (const string& input : inputs) committed[input] = 0;
    }
    void acknowledge(std::vector<Sent>& sent) {
        for (Sent& one : std::exchange(sent, {})) take(std::move(one));
    }
    /// Of what was sent only changes of stores: a process that is killed now has lost its results.
    void acknowledge_changes(std::vector<Sent>& sent) {
        for (Sent& one : std::exchange(sent, {})) {
            if (one.topic == "out")
                sent.push_back(std::move(one));
            else
                take(std::move(one));
        }
    }

    Topology topology;
    testing_logs::FakeLogs logs;
    std::map<string, std::int64_t> ends;
    std::vector<string> results;
    std::map<string, std::int64_t> committed;  ///< By input.

  private:
    void take(Sent one) {
        if (one.topic == "out") {
            results.push_back(one.value.value_or("null"));
            return;
        }
        logs.append({one.topic, 0}, std::move(one.key), std::move(one.value), one.timestamp);
        mark_of(one.tag)->acknowledged = ++ends[one.topic];
    }
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
        environment.parts = &cluster.topology.parts();
        environment.layout = &layout;
        environment.reader = &reader;
        environment.clock = &clock;
        environment.handlers = &handlers;
        environment.globals = &globals;
        environment.send = [this](std::string_view topic, const client::OutgoingRecord& record) {
            Sent one{.topic = string{topic},
                     .key = string{*record.key},
                     .timestamp = record.timestamp_ms,
                     .tag = record.tag};
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
        std::vector<client::TopicPartition> inputs;
        std::vector<client::CommittedOffset> begins;
        for (const auto& [topic, offset] : cluster.committed) {
            reader.topics[topic];
            inputs.push_back({topic, 0});
            begins.push_back({.where = inputs.back(), .offset = offset});
        }
        task = std::make_unique<LiveTask>(TaskId{0, 0}, inputs, std::move(environment));
        EXPECT_TRUE(task->open());
        EXPECT_TRUE(task->activate(begins));
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
    Settings settings;
    Layout layout{cluster.topology.parts(), "app"};
    ErrorHandlers handlers;
    GlobalState globals{cluster.topology.parts(), "app", handlers, clock};
    std::unique_ptr<detail::StateHome> states;
    MetricRoom room{RecordingLevel::kInfo, {}};
    HandReader reader;
    std::vector<Sent> sent;
    bool is_broker_there = true;
    std::unique_ptr<LiveTask> task;
};

/// What a process leaves in `from` that is killed now.
inline void leave(const string& from, const string& to) {
    std::filesystem::copy(from, to,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
}

}  // namespace leat::streams::testing_lives
