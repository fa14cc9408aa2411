// SPDX-License-Identifier: Apache-2.0
#include "streams/state/use_order.h"

#include <gtest/gtest.h>

#include "streams/state/ordered_bytes.h"
#include "streams/state/store_fixture.h"

namespace leat::streams::detail {
namespace {

TEST(UseOrder, TheOneUsedLongestAgoGoesFirst) {
    UseOrder order{2};
    for (const char* key : {"a", "b", "a", "c"}) order.use(key);
    EXPECT_EQ(order.take_excess(), "b");
    EXPECT_EQ(order.take_excess(), std::nullopt);
    order.forget("a");
    order.forget("unknown");
    order.use("d");
    EXPECT_EQ(order.take_excess(), std::nullopt);
    order.clear();
    order.use("e");
    EXPECT_EQ(order.take_excess(), std::nullopt);
}

TEST(UseOrder, OfNoneNothingStays) {
    UseOrder order{0};
    order.use("a");
    EXPECT_EQ(order.take_excess(), "a");
}

KeyValueStore store_of_two() {
    StoreSpec spec{.name = "s", .kind = StoreSpec::Kind::kPlainKeyValue, .persistent = false};
    spec.entries_max = 2;
    return {std::move(spec), std::make_unique<MemoryBytes>()};
}

TEST(LruStore, WhatIsRestoredLogsNothingAndKeepsItsOrder) {
    NotingTask task;
    KeyValueStore store = store_of_two();
    ASSERT_TRUE(store.open(task));
    const std::vector<ChangelogRecord> records{
        {.key = "a", .value = "1"}, {.key = "b", .value = "2"}, {.key = "c", .value = "3"}};
    ASSERT_TRUE(store.restore(records));
    EXPECT_TRUE(task.changes.empty());
    Entry entry;
    EXPECT_FALSE(*store.get("a", entry));
    ASSERT_TRUE(store.put("d", "4", 9));
    EXPECT_FALSE(*store.get("b", entry));
    EXPECT_TRUE(*store.get("c", entry));
    ASSERT_EQ(task.changes.size(), 2U);
    EXPECT_EQ(task.changes[0], (NotingTask::Logged{"s-changelog", "b", std::nullopt, 9}));
    EXPECT_EQ(task.changes[1], (NotingTask::Logged{"s-changelog", "d", "4", 9}));
    // Opened again, all that it has counts.
    ASSERT_TRUE(store.open(task));
    ASSERT_TRUE(store.put("e", "5", 10));
    std::size_t rows = 0;
    ASSERT_TRUE(store.all([&](std::string_view, const Entry&) { return ++rows > 0; }));
    EXPECT_EQ(rows, 2U);
}

}  // namespace
}  // namespace leat::streams::detail
