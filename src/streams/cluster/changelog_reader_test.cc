// SPDX-License-Identifier: Apache-2.0
//
// Changelogs by hand: where reading begins and ends, what a store that does not fit its changelog
// becomes, what a listener hears.
#include "streams/cluster/changelog_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "streams/cluster/testing/fake_logs.h"
#include "streams/state/failing_db.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_fixture.h"
#include "streams/state/temp_folder.h"
#include "streams/testing/own_stores.h"

namespace leat::streams {
namespace {

using std::string;
using testing_logs::FakeLogs;

const client::TopicPartition kChangelog{"app-counts-changelog", 0};
const client::TopicPartition kTable{"in", 0};

Topology with_count() {
    Builder b;
    b.stream<string, string>("in").group_by_key().count({.store = "counts"});
    return *b.build();
}

const client::TopicPartition kJoin{"app-joined-this-join-store-changelog", 0};

Topology with_join() {
    Builder b;
    const auto right = b.stream<string, string>("right");
    b.stream<string, string>("left")
        .join(right, [](const string& l, const string& r) { return l + r; },
              within(Duration{1'000}).grace(Duration{0}), {.store = "joined"})
        .to("out");
    return *b.build();
}

/// As a store with duplicates logs it.
string window_key(const string& key, std::int64_t start, std::uint32_t number) {
    string out = key;
    detail::append_be(out, start);
    detail::append_be(out, number);
    return out;
}

/// The topic of the table serves as its changelog.
Topology with_table() {
    Builder b;
    b.table<string, string>("in", {}, {.store = "counts"}).to_stream().to("out");
    return *b.build(Optimization::all());
}

/// What it heard, a line each.
class Listener final : public RestoreListener {
  public:
    void on_restore_start(const RestoringStore& of, std::int64_t start, std::int64_t end) override {
        add("start " + of.store + " " + std::to_string(start) + " " + std::to_string(end));
    }
    void on_batch_restored(const RestoringStore&, std::int64_t next,
                           std::int64_t restored) override {
        add("batch " + std::to_string(next) + " " + std::to_string(restored));
    }
    void on_restore_end(const RestoringStore&, std::int64_t restored) override {
        add("end " + std::to_string(restored));
    }
    void on_restore_suspended(const RestoringStore&, std::int64_t restored) override {
        add("suspended " + std::to_string(restored));
    }
    void on_update_start(const RestoringStore& of, std::int64_t start) override {
        followed += "start " + of.store + " " + std::to_string(start) + "; ";
    }
    void on_batch_loaded(const RestoringStore&, std::int64_t next, std::int64_t loaded,
                         std::int64_t end) override {
        followed += "batch " + std::to_string(next) + " " + std::to_string(loaded) + " of " +
                    std::to_string(end) + "; ";
    }
    void on_update_suspended(const RestoringStore&, std::int64_t next, std::int64_t end,
                             SuspendReason why) override {
        followed += string{why == SuspendReason::kPromoted ? "promoted " : "migrated "} +
                    std::to_string(next) + " of " + std::to_string(end) + "; ";
    }
    string heard;
    string followed;

  private:
    void add(const string& line) { heard += line + "; "; }
};

/// A task with one store; `folder` empty: in memory.
struct Restoring {
    Restoring(FakeLogs& logs, Topology of, const string& folder = {})
        : topology(std::move(of)),
          layout(topology.parts(), "app"),
          reader(logs.cluster(), &listener) {
        auto opened = detail::TaskState::open({.directory = folder});
        EXPECT_TRUE(opened);
        state = *std::move(opened);
        const Subtopology& all = layout.subtopologies().front();
        graph = std::make_unique<detail::TaskGraph>(topology.parts(), all.nodes, *state);
        EXPECT_TRUE(state->ready());
        EXPECT_TRUE(graph->open_stores(task));
        EXPECT_TRUE(open());
    }
    Result<void> open() {
        const ChangelogReader::Task of{.stores = layout.subtopologies().front().stores,
                                       .graph = *graph,
                                       .state = *state,
                                       .task = task};
        return reader.open(of, layout);
    }
    bool restore(std::size_t records_max = 100) {
        const auto done = reader.restore(records_max);
        EXPECT_TRUE(done) << done.error().detail();
        return done && *done;
    }
    [[nodiscard]] string rows() const {
        string out;
        const auto& store = dynamic_cast<detail::KeyValueStore&>(graph->store("counts"));
        EXPECT_TRUE(store.all([&](std::string_view key, const detail::Entry& entry) {
            out += string{key} + "=" + entry.value + " ";
            return true;
        }));
        return out;
    }
    [[nodiscard]] string windows(const string& name) const {
        string out;
        const auto& store = dynamic_cast<detail::WindowStore&>(graph->store(name));
        EXPECT_TRUE(store.fetch_all(
            0, 1'000'000, [&](std::string_view key, std::int64_t, const detail::Entry& entry) {
                out += string{key} + "=" + entry.value + " ";
                return true;
            }));
        return out;
    }
    [[nodiscard]] const ChangelogMark& mark() const { return *reader.marks().front(); }

    Topology topology;
    Layout layout;
    Listener listener;
    detail::NotingTask task;
    std::unique_ptr<detail::TaskState> state;
    std::unique_ptr<detail::TaskGraph> graph;
    ChangelogReader reader;
};

void fill(FakeLogs& logs, const client::TopicPartition& where) {
    logs.append(where, "a", "1");
    logs.append(where, "b", "2");
    logs.append(where, "a", "3");
}

TEST(ChangelogReader, RestoresUpToTheEndThatWasSet) {
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count()};
    EXPECT_TRUE(logs.is_read(kChangelog));
    ASSERT_TRUE(task.reader.set_ends({}));
    logs.append(kChangelog, "c", "4");
    EXPECT_EQ(task.reader.remaining(), 3);
    EXPECT_FALSE(task.restore(2));
    EXPECT_EQ(task.rows(), "a=1 b=2 ");
    EXPECT_TRUE(task.restore(2));
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    EXPECT_EQ(task.reader.restored(), 3);
    EXPECT_EQ(task.reader.remaining(), 0);
    task.reader.close();
    EXPECT_FALSE(logs.is_read(kChangelog));
    EXPECT_EQ(task.listener.heard, "start counts 0 3; batch 2 2; batch 3 1; end 3; ");
}

TEST(ChangelogReader, TellsOfACopyUntilItIsPromotedOrGoes) {
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count()};
    EXPECT_FALSE(task.restore(2));
    EXPECT_FALSE(task.restore(2));
    EXPECT_FALSE(task.restore(2));  // There is nothing more.
    logs.append(kChangelog, "c", "4");
    EXPECT_FALSE(task.restore());
    const string until{"start counts 0; batch 2 2 of 3; batch 3 1 of 3; batch 4 1 of 4; "};
    EXPECT_EQ(task.listener.followed, until);
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_EQ(task.listener.followed, until + "promoted 4 of 4; ");
    EXPECT_EQ(task.listener.heard, "start counts 4 4; ");
    FakeLogs again;
    fill(again, kChangelog);
    Restoring other{again, with_count()};
    EXPECT_FALSE(other.restore());
    other.reader.close();
    EXPECT_EQ(other.listener.followed, "start counts 0; batch 3 3 of 3; migrated 3 of 3; ");
    EXPECT_EQ(other.listener.heard, "");
}

TEST(ChangelogReader, FollowsWhileThereIsNoEnd) {
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count()};
    EXPECT_FALSE(task.restore());
    logs.append(kChangelog, "b", std::nullopt);
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 ");
    EXPECT_EQ(task.mark().next, 4);
    EXPECT_EQ(task.listener.heard, "") << "copies are not told";
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
}

TEST(ChangelogReader, MarkersBelongToWhatIsRead) {
    FakeLogs logs;
    fill(logs, kChangelog);
    logs.append_marker(kChangelog);
    logs.append_marker(kChangelog);
    Restoring task{logs, with_count()};
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
    EXPECT_EQ(task.mark().next, 5);
    EXPECT_EQ(task.state->changelog_offset("counts"), 5);
}

TEST(ChangelogReader, GoesOnWhereTheStateEnds) {
    const detail::TempFolder folder;
    FakeLogs logs;
    fill(logs, kChangelog);
    const Topology topology = with_count();
    {
        Restoring task{logs, topology, folder.path()};
        ASSERT_TRUE(task.reader.set_ends({}));
        EXPECT_TRUE(task.restore());
        task.reader.close();
    }
    logs.append(kChangelog, "c", "4");
    Restoring task{logs, topology, folder.path()};
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 c=4 ");
    EXPECT_EQ(task.listener.heard, "start counts 3 4; batch 4 1; end 1; ");
}

/// Rows that were restored, then another changelog than they are out of.
void restored_whole(FakeLogs& logs, const std::function<void()>& change) {
    const detail::TempFolder folder;
    const Topology topology = with_count();
    fill(logs, kChangelog);
    {
        Restoring task{logs, topology, folder.path()};
        ASSERT_TRUE(task.reader.set_ends({}));
        EXPECT_TRUE(task.restore());
        task.reader.close();
    }
    change();
    Restoring task{logs, topology, folder.path()};
    EXPECT_EQ(task.rows(), "");
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
    EXPECT_EQ(task.rows(), "z=9 ");
}

TEST(ChangelogReader, RowsOutOfATopicThatWasMadeAnewGo) {
    FakeLogs logs;
    restored_whole(logs, [&] {
        logs.make_anew(kChangelog, "2");
        for (int i = 0; i < 5; ++i) logs.append(kChangelog, "z", "9");
    });
}

TEST(ChangelogReader, RowsFromBehindTheEndGo) {
    FakeLogs logs;
    restored_whole(logs, [&] {
        logs.make_anew(kChangelog, "1");
        logs.append(kChangelog, "z", "9");
    });
}

TEST(ChangelogReader, RowsFromBeforeTheBeginGo) {
    FakeLogs logs;
    restored_whole(logs, [&] {
        for (int i = 0; i < 5; ++i) logs.append(kChangelog, "z", "9");
        logs.trim(kChangelog, 6);
    });
}

/// What it holds is not deleted again by what is gone.
TEST(ChangelogReader, RowsOfAJoinFromBeforeTheBeginStay) {
    FakeLogs logs;
    const detail::TempFolder folder;
    const string store = "joined-this-join-store";
    logs.append(kJoin, window_key("a", 10, 1), "1");
    {
        Restoring task{logs, with_join(), folder.path()};
        EXPECT_FALSE(task.restore());
        ASSERT_TRUE(task.state->flush_files());
        task.reader.close();
    }
    logs.append(kJoin, window_key("b", 11, 2), "2");
    logs.append(kJoin, window_key("c", 12, 3), "3");
    logs.trim(kJoin, 2);
    Restoring task{logs, with_join(), folder.path()};
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.windows(store), "a=1 c=3 ");
    // And while it reads.
    logs.append(kJoin, window_key("d", 13, 4), "4");
    logs.append(kJoin, window_key("e", 14, 5), "5");
    logs.trim(kJoin, 4);
    EXPECT_FALSE(task.restore());
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
    EXPECT_EQ(task.windows(store), "a=1 c=3 e=5 ");
    EXPECT_EQ(task.state->changelog_offset(store), 5);
}

TEST(ChangelogReader, StoresOfAJoinHearHowLongTheirChangelogKeepsRows) {
    FakeLogs logs;
    const detail::TempFolder folder;
    logs.keep(1'000);
    Restoring task{logs, with_join(), folder.path()};
    task.task.wall_ms = 10'000;
    auto& store = dynamic_cast<detail::WindowStore&>(task.graph->store("joined-this-join-store"));
    EXPECT_FALSE(store.is_overdue()) << "it knows what time it is now";
    ASSERT_TRUE(store.put("k", 9'600, "v", 9'600));
    EXPECT_FALSE(store.is_overdue());
    task.task.wall_ms = 10'101;
    EXPECT_TRUE(store.is_overdue());
}

TEST(ChangelogReader, PlaceThatIsGoneWhileItReadsStartsOver) {
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count()};
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    for (const char* key : {"c", "d", "e"}) logs.append(kChangelog, key, "4");
    logs.trim(kChangelog, 5);
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "e=4 ");
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
}

/// Even when the changelog has grown past where the rows end by then.
TEST(ChangelogReader, RowsOfNoUseThatCouldNotBeRemovedGoNextTime) {
    const detail::TempFolder folder;
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count(), folder.path()};
    auto& database = detail::FailingDb::put_under(*task.state);
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    logs.make_anew(kChangelog, "1");
    logs.append(kChangelog, "z", "9");
    database.refuses = true;
    EXPECT_FALSE(task.reader.restore(100));
    EXPECT_EQ(database.refused, 1);
    database.refuses = false;
    for (int i = 0; i < 4; ++i) logs.append(kChangelog, "z", "9");
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "z=9 ");
    EXPECT_EQ(task.state->changelog_offset("counts"), 5);
}

TEST(ChangelogReader, NewsOfAPlaceThatIsStillThereChangeNothing) {
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count()};
    EXPECT_FALSE(task.restore(2));
    logs.tell_old_news(kChangelog);
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    EXPECT_EQ(task.mark().restored, 3) << "nothing twice";
}

/// What a step had read when it failed is not behind the offset that a later one notes.
TEST(ChangelogReader, WhatAFailedStepHasReadIsReadAgain) {
    FakeLogs logs;
    fill(logs, kChangelog);
    for (const bool is_copy : {false, true}) {
        Restoring task{logs, with_count()};
        if (!is_copy) ASSERT_TRUE(task.reader.set_ends({}));
        logs.break_off(Errc::kTimedOut, 2);
        EXPECT_FALSE(task.reader.restore(100));
        EXPECT_EQ(task.mark().next, 0) << "nothing of it is in the store";
        EXPECT_EQ(task.reader.remaining(), 3);
        logs.refuse(Errc::kNotLeaderOrFollower, 1);
        EXPECT_FALSE(task.reader.restore(100)) << "it does not find its place";
        EXPECT_EQ(task.restore(), !is_copy);
        EXPECT_EQ(task.rows(), "a=3 b=2 ");
        EXPECT_EQ(task.mark().restored, 3);
        EXPECT_EQ(task.state->changelog_offset("counts"), 3);
        task.reader.close();
    }
}

TEST(ChangelogReader, WhatAStoreDidNotTakeInIsReadAgain) {
    using Counts = Materialized<string, std::int64_t>;
    const auto diary = std::make_shared<testing_own::Diary>();
    Builder b;
    b.stream<string, string>("in").group_by_key().count(
        Counts::as(testing_own::map_store("counts", diary)));
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, *b.build()};
    EXPECT_FALSE(task.restore(1));
    diary->throws = true;
    EXPECT_FALSE(task.reader.restore(100));
    diary->throws = false;
    logs.append(kChangelog, "c", "4");
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 c=4 ");
    EXPECT_EQ(task.mark().restored, 4) << "no more than that";
}

TEST(ChangelogReader, WhatCouldNotBeGatheredIsReadAgain) {
    namespace fs = std::filesystem;
    const detail::TempFolder folder;
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count(), folder.path()};
    ASSERT_TRUE(task.reader.set_ends({}));
    // There is no room for files.
    std::ofstream{folder.path() + "/restoring"} << "in the way";
    EXPECT_FALSE(task.reader.restore(2));
    fs::remove(folder.path() + "/restoring");
    EXPECT_FALSE(task.restore(2));
    EXPECT_TRUE(task.restore(2));
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    EXPECT_EQ(task.state->changelog_offset("counts"), 3);
}

/// A query must not be told of rows that it cannot see.
TEST(ChangelogReader, PositionOfACopyThatWasPromotedIsThatOfRowsWhichAreSeen) {
    const detail::TempFolder folder;
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count(), folder.path()};
    EXPECT_FALSE(task.restore());
    logs.append(kChangelog, "c", "4");
    logs.append(kChangelog, "d", "5");
    const Position committed{{"in", {{0, 9}}}};
    task.reader.promise(committed, {{kChangelog, 4}});
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_FALSE(task.restore(1));
    EXPECT_EQ(task.rows(), "a=3 b=2 ") << "c is gathered";
    EXPECT_EQ(*task.reader.reached("counts"), Position{});
    EXPECT_TRUE(task.restore(1));
    EXPECT_EQ(task.rows(), "a=3 b=2 c=4 d=5 ");
    EXPECT_EQ(*task.reader.reached("counts"), committed);
}

TEST(ChangelogReader, SourceIsRestoredUpToWhereItWasProcessed) {
    FakeLogs logs;
    fill(logs, kTable);
    Restoring task{logs, with_table()};
    // What a follower does not know to be processed, it does not take in.
    EXPECT_EQ(task.reader.sources(), std::vector{kTable});
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "");
    task.reader.set_limits({{kTable, 1}});
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=1 ");
    ASSERT_TRUE(task.reader.set_ends({{kTable, 2}}));
    EXPECT_TRUE(task.restore());
    EXPECT_EQ(task.rows(), "a=1 b=2 ");
}

// Offsets that are never delivered lie before the limit, so that only a record behind it shows that
// it is reached.
TEST(ChangelogReader, AFollowerOfASourceLosesNothingAtItsLimit) {
    FakeLogs logs;
    fill(logs, kTable);
    logs.append_marker(kTable);
    logs.append(kTable, "c", "4");
    Restoring task{logs, with_table()};
    task.reader.set_limits({{kTable, 4}});
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    task.reader.set_limits({{kTable, 5}});
    EXPECT_FALSE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 c=4 ");
}

TEST(ChangelogReader, ListenerHearsOfAnEndThatWasNotReached) {
    FakeLogs logs;
    fill(logs, kChangelog);
    Restoring task{logs, with_count()};
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_FALSE(task.restore(1));
    task.reader.close();
    EXPECT_EQ(task.listener.heard, "start counts 0 3; batch 1 1; suspended 1; ");
    // And again, from there.
    ASSERT_TRUE(task.open());
    ASSERT_TRUE(task.reader.set_ends({}));
    EXPECT_TRUE(task.restore());
    EXPECT_EQ(task.rows(), "a=3 b=2 ");
    EXPECT_EQ(task.reader.marks().size(), 1U);
}

}  // namespace
}  // namespace leat::streams
