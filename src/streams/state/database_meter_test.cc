// SPDX-License-Identifier: Apache-2.0
//
// A real database in a temporary folder, and what it tells before and after rows were written.
#include "streams/state/database_meter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "streams/state/temp_folder.h"

namespace leat::streams::detail {
namespace {

double value_of(const MetricRoom& room, std::string_view name) {
    for (const MetricValue& one : room.gather(1000))
        if (one.name == name) return one.value;
    return -1;
}

TEST(DatabaseMeter, TellsWhatTheDatabaseDoesAsLongAsItIsOpen) {
    const TempFolder folder;
    auto state = TaskState::open({.directory = folder.path(), .statistics = true});
    ASSERT_TRUE(state) << state.error().detail();
    MetricRoom room{RecordingLevel::kDebug, {}};
    {
        DatabaseMeter meter{&room, {{"task-id", "0_0"}}, **state};
        meter.tick(0);
        const double before = value_of(room, "bytes-written-total");
        const auto rows = (*state)->rows({.name = "s"});
        ASSERT_TRUE((*state)->ready());
        ASSERT_TRUE(rows->put("a", "value"));
        ASSERT_TRUE((*state)->commit({}, {{"s", 1}}));
        std::string found;
        ASSERT_TRUE(rows->get("a", found));
        meter.tick(1000);
        EXPECT_GT(value_of(room, "bytes-written-total"), before);
        EXPECT_GT(value_of(room, "bytes-written-rate"), 0);
        EXPECT_GT(value_of(room, "bytes-read-total"), 0);
        EXPECT_GT(value_of(room, "num-entries-active-mem-table"), 0);
        EXPECT_GT(value_of(room, "block-cache-capacity"), 0);
        EXPECT_GT(value_of(room, "memtable-hit-ratio"), 0);
        EXPECT_EQ(value_of(room, "number-file-errors-total"), 0);
        EXPECT_EQ(value_of(room, "background-errors"), 0);
        // Nothing was written to a file yet.
        EXPECT_EQ(value_of(room, "memtable-flush-time-avg"), -1);
        ASSERT_TRUE((*state)->flush_files());
        EXPECT_GT(value_of(room, "memtable-flush-time-max"), 0);
        EXPECT_GT(value_of(room, "live-sst-files-size"), 0);
        // Every property that is in the table is one that RocksDB has.
        for (const MetricRow& row : metric_rows())
            if (row.sensor == SensorId::kDatabaseGauge && row.level == RecordingLevel::kInfo)
                EXPECT_GE(value_of(room, row.name), 0) << row.name;
    }
    EXPECT_TRUE(room.gather(1000).empty());
}

TEST(DatabaseMeter, IsSilentOfStateInMemory) {
    auto state = TaskState::open({});
    ASSERT_TRUE(state);
    MetricRoom room{RecordingLevel::kDebug, {}};
    DatabaseMeter meter{&room, {}, **state};
    meter.tick(0);
    EXPECT_TRUE(room.gather(0).empty());
}

}  // namespace
}  // namespace leat::streams::detail
