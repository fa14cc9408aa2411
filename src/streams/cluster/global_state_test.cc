// SPDX-License-Identifier: Apache-2.0
//
// Records by hand, without a broker.
#include "streams/cluster/global_state.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "obs/log.h"
#include "rt/clock.h"
#include "rt/named_thread.h"
#include "rt/posix_disk.h"
#include "streams/state/temp_folder.h"

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

string value_of(const GlobalState& state, const string& key) {
    const auto& store = dynamic_cast<detail::KeyValueStore&>(*state.stores().front());
    detail::Entry entry;
    const auto found = store.get(key, entry);
    EXPECT_TRUE(found);
    return *found ? entry.value : "none";
}

/// A process: its state outlives it.
struct Process {
    explicit Process(const string& folder) : state(topology.parts(), "app", {}, rt::system_time()) {
        auto home = detail::StateHome::open(disk, rt::system_time(),
                                            {.state_dir = folder,
                                             .application_id = "app",
                                             .fresh_id = "00000000-0000-0000-0000-000000000000",
                                             .persistent = true});
        EXPECT_TRUE(home);
        states = *std::move(home);
        EXPECT_TRUE(state.open(states.get()));
    }
    ~Process() { state.close(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    const Topology topology = with_global_table();
    rt::PosixDisk disk;
    std::unique_ptr<detail::StateHome> states;
    GlobalState state;
};

const client::TopicPartition kSecond{"names", 2};

TEST(GlobalState, OnDiskItGoesOnWhereItWasKept) {
    const detail::TempFolder folder;
    {
        Process first{folder.path()};
        EXPECT_FALSE(first.state.next_offset(kSecond));
        EXPECT_EQ(first.state.store_names(), (std::vector<string>{"by-key"}));
        ASSERT_TRUE(first.state.bind("names", "id"));
        ASSERT_TRUE(first.state.apply(record("a", kThree)));
        ASSERT_TRUE(first.state.keep({{kSecond, 8}, {{"names", 0}, 3}}));
        ASSERT_TRUE(first.state.apply(record("b", kThree)));
        EXPECT_EQ(value_of(first.state, "b"), kThree);
    }
    Process second{folder.path()};
    ASSERT_TRUE(second.state.bind("names", "id"));
    EXPECT_EQ(second.state.next_offset(kSecond), 8);
    EXPECT_EQ(second.state.next_offset({"names", 0}), 3);
    EXPECT_FALSE(second.state.next_offset({"names", 1}));
    EXPECT_EQ(value_of(second.state, "a"), kThree);
    EXPECT_EQ(value_of(second.state, "b"), "none") << "it was not kept, and is read again";
    ASSERT_TRUE(second.state.wipe("names"));
    EXPECT_EQ(value_of(second.state, "a"), "none");
    EXPECT_FALSE(second.state.next_offset(kSecond));
}

TEST(GlobalState, DamagedItIsNotWholeUntilAllIsReadAgain) {
    const detail::TempFolder folder;
    constexpr int kRows = 20'000;
    const auto key_of = [](int i) { return "a key of some length " + std::to_string(i); };
    const auto fill = [&](GlobalState& state) {
        for (int i = 0; i < kRows; ++i) ASSERT_TRUE(state.apply(record(key_of(i), kThree)));
        ASSERT_TRUE(state.keep({{kSecond, kRows}}));
    };
    {
        Process first{folder.path()};
        ASSERT_TRUE(first.state.bind("names", "id"));
        fill(first.state);
        ASSERT_TRUE(first.state.flush_files());
    }
    detail::spoil_tables(folder.path() + "/app/global/rocksdb");
    Process second{folder.path()};
    EXPECT_TRUE(second.state.is_whole());
    const auto& store = dynamic_cast<detail::KeyValueStore&>(*second.state.stores().front());
    detail::Entry entry;
    for (int i = 0; i < kRows && !second.state.is_damaged(); ++i)
        static_cast<void>(store.get(key_of(i), entry));
    EXPECT_TRUE(second.state.is_damaged());
    EXPECT_FALSE(second.state.is_whole());

    ASSERT_TRUE(second.state.start_anew());
    EXPECT_FALSE(second.state.is_damaged());
    EXPECT_FALSE(second.state.is_whole()) << "it is empty";
    EXPECT_FALSE(second.state.next_offset(kSecond));
    EXPECT_EQ(value_of(second.state, key_of(7)), "none");
    ASSERT_TRUE(second.state.bind("names", "id"));
    fill(second.state);
    second.state.call_whole();
    EXPECT_TRUE(second.state.is_whole());
    EXPECT_EQ(value_of(second.state, key_of(7)), kThree);
    EXPECT_EQ(second.state.next_offset(kSecond), kRows);
}

TEST(GlobalState, ReadersOnDiskDoNotMeetEachOthersRows) {
    const detail::TempFolder folder;
    Process process{folder.path()};
    ASSERT_TRUE(process.state.bind("names", "id"));
    const std::vector<string> keys{"a", "a key that is longer than the others"};
    const std::vector<string> values{string{"\0\0\0\1", 4}, string{"\0\0\0\2", 4}};
    for (std::size_t i = 0; i < keys.size(); ++i)
        ASSERT_TRUE(process.state.apply(record(keys[i], values[i])));
    ASSERT_TRUE(process.state.keep({{kSecond, 8}}));
    std::atomic<int> wrong = 0;
    {
        std::vector<rt::NamedThread> readers;
        readers.reserve(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i)
            readers.emplace_back("reader", [&, i] {
                for (int turn = 0; turn < 20'000; ++turn)
                    if (value_of(process.state, keys[i]) != values[i]) ++wrong;
            });
    }
    EXPECT_EQ(wrong, 0);
}

TEST(GlobalState, RowsOutOfAnotherTopicGo) {
    const detail::TempFolder folder;
    {
        Process first{folder.path()};
        ASSERT_TRUE(first.state.bind("names", "id"));
        ASSERT_TRUE(first.state.apply(record("a", kThree)));
        ASSERT_TRUE(first.state.keep({{kSecond, 8}}));
    }
    Process second{folder.path()};
    ASSERT_TRUE(second.state.bind("names", "another"));
    EXPECT_EQ(value_of(second.state, "a"), "none");
    EXPECT_FALSE(second.state.next_offset(kSecond));
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

TEST(GlobalState, IsAskedAsAWhole) {
    const Topology topology = with_global_table();
    GlobalState state{topology.parts(), "app", {}, rt::system_time()};
    const detail::RawQuery key{.key = "a"};
    EXPECT_EQ(state.ask("by-key", key, {}).failure, QueryFailure::kNotPresent);
    ASSERT_TRUE(state.open());
    state.note_place({"names", 0}, 4);
    ASSERT_TRUE(state.apply(record("a", kThree)));
    const auto found = state.ask("by-key", key, {});
    EXPECT_FALSE(found.failure);
    EXPECT_EQ(found.partition, -1);
    EXPECT_EQ(found.position, (Position{{"names", {{0, 3}, {2, 7}}}}));
    ASSERT_EQ(found.rows.size(), 1U);
    EXPECT_EQ(found.rows.front().value, kThree);
    const auto bound = [](std::int64_t offset) {
        return QueryOptions{.at_least = {{"names", {{0, 3}, {2, offset}}}}};
    };
    EXPECT_FALSE(state.ask("by-key", key, bound(7)).failure);
    EXPECT_EQ(state.ask("by-key", key, bound(8)).failure, QueryFailure::kNotUpToBound);
    const detail::RawQuery wrong{.kind = detail::RawQuery::Kind::kVersions, .key = "a"};
    EXPECT_EQ(state.ask("by-key", wrong, {}).failure, QueryFailure::kUnknownQueryType);
    state.close();
    EXPECT_EQ(state.ask("by-key", key, {}).failure, QueryFailure::kNotPresent);
}

TEST(GlobalState, WhatIsLeftOutIsInTheLogWithItsPlace) {
    static string lines;
    lines.clear();
    obs::set_sink([](obs::Level, std::string_view line) { lines.append(line).append("\n"); });
    const Topology topology = with_global_table();
    GlobalState state{
        topology.parts(), "app", {.deserialization = continue_on_error}, rt::system_time()};
    ASSERT_TRUE(state.open());
    EXPECT_TRUE(state.apply(record("a", "bad")));
    obs::flush_log();
    obs::set_sink(nullptr);
    for (const char* part :
         {"record dropped", "skipped by a handler: ", "topic=names", "partition=2", "offset=7"})
        EXPECT_NE(lines.find(part), string::npos) << part << " in " << lines;
}

/// Counts what it is given.
class Counting final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY(records_, context.metrics().add_rate_total_sensor("calls", "names", "put",
                                                                   RecordingLevel::kInfo));
        return {};
    }
    Result<void> process(const Record<string, string>& /*record*/) override {
        records_.record();
        return {};
    }

  private:
    MetricSensor records_;
};

TEST(GlobalState, ItsProcessorsCount) {
    Builder b;
    b.add_global_store<string, string>(key_value_store<string, string>("by-key"), "names", {},
                                       [] { return std::make_unique<Counting>(); });
    const Topology topology = *b.build();
    const auto told = [](const MetricRoom& room) {
        std::vector<std::pair<string, double>> out;
        for (const MetricValue& one : room.gather(rt::system_time().wall_now().value))
            if (one.name == "put-total") out.emplace_back(one.tags.at("thread-id"), one.value);
        return out;
    };
    MetricRoom room{RecordingLevel::kInfo, {}};
    GlobalState state{topology.parts(), "app", {}, rt::system_time()};
    state.meter(room, "app-GlobalStreamThread");
    ASSERT_TRUE(state.open());
    ASSERT_TRUE(state.apply(record("a", "1")));
    ASSERT_TRUE(state.apply(record("a", "2")));
    state.tell_time();
    EXPECT_EQ(told(room), (std::vector<std::pair<string, double>>{{"app-GlobalStreamThread", 2}}));
    state.close();
    EXPECT_TRUE(told(room).empty()) << "they go with the processor";
}

/// Keeps what it is given, but for one value.
class Choosy final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY(store_, (context.store<KeyValueStore<string, string>>("by-key")));
        return {};
    }
    Result<void> process(const Record<string, string>& record) override {
        if (record.value == "bad") return Error{Errc::kInvalidRecord, "a bad value"};
        return store_.put(*record.key, record.value);
    }

  private:
    KeyValueStore<string, string> store_;
};

TEST(GlobalState, TheProcessingHandlerIsAskedAboutItsProcessor) {
    Builder b;
    b.add_global_store<string, string>(key_value_store<string, string>("by-key"), "names",
                                       {.name = "keeper"},
                                       [] { return std::make_unique<Choosy>(); });
    const Topology topology = *b.build();
    GlobalState strict{topology.parts(), "app", {}, rt::system_time()};
    ASSERT_TRUE(strict.open());
    const auto done = strict.apply(record("a", "bad"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().detail(), "global store, names-2 offset 7: a bad value");
    std::vector<string> asked;
    GlobalState lenient{topology.parts(),
                        "app",
                        {.processing =
                             [&](const ErrorContext& at, const Error& error) {
                                 asked.push_back(at.node + " " + at.task_id + " " +
                                                 at.origin->topic + " " + string{error.detail()});
                                 return continue_on_error(at, error);
                             }},
                        rt::system_time()};
    ASSERT_TRUE(lenient.open());
    EXPECT_TRUE(lenient.apply(record("a", "1")));
    EXPECT_TRUE(lenient.apply(record("a", "bad")));
    EXPECT_TRUE(lenient.apply(record("b", "2")));
    EXPECT_EQ(asked, (std::vector<string>{"keeper global names a bad value"}));
    EXPECT_EQ(value_of(lenient, "a"), "1");
    EXPECT_EQ(value_of(lenient, "b"), "2");
}

TEST(GlobalState, IsEmptyWithoutGlobalStores) {
    Builder b;
    b.stream<string, string>("in").to("out");
    const Topology topology = *b.build();
    EXPECT_TRUE(GlobalState(topology.parts(), "app", {}, rt::system_time()).is_empty());
}

}  // namespace
}  // namespace leat::streams
