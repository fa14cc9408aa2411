// SPDX-License-Identifier: Apache-2.0
//
// Where stores are that leave it to the settings. Method: a topology with each of the DSL's stores;
// which of them move is what Kafka Streams 4.2.1 did with the same operators.
#include "leat/streams/dsl_stores.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/builder.h"
#include "streams/settings.h"

namespace leat::streams {
namespace {

using std::string;
using std::chrono::milliseconds;
using Names = std::set<string>;

string both(const string& a, const string& b) {
    return a + b;
}

void declare_tables(Builder& b) {
    const auto table = b.table<string, string>("t1", {}, {.store = "table"});
    const auto other = b.table<string, string>("t2", {}, {.store = "other"});
    static_cast<void>(b.table<string, string>(
        "t3", {}, {.store = "versioned", .history = milliseconds{300'000}}));
    static_cast<void>(b.table<string, string>("t4", {}, {.store = "disk", .persistent = true}));
    static_cast<void>(b.table<string, string>("t5", {}, {.store = "memory", .persistent = false}));
    static_cast<void>(b.global_table<string, string>("g", {}, {.store = "global"}));
    static_cast<void>(table.join_on(other, [](const string& value) { return value; }, both,
                                    {.store = "foreign"}));
    static_cast<void>(table.join(other, both, {.store = "joined"}));
    static_cast<void>(
        table.filter([](const string&, const string&) { return true; }, {.store = "filtered"}));
}

void declare_streams(Builder& b) {
    const auto left = b.stream<string, string>("a");
    const auto right = b.stream<string, string>("b");
    const auto groups = left.group_by_key();
    const milliseconds ten{10};
    static_cast<void>(groups.count({.store = "count"}));
    static_cast<void>(groups.windowed(tumbling(ten)).count({.store = "tumbling"}));
    static_cast<void>(groups.windowed(sliding(ten)).count({.store = "sliding"}));
    static_cast<void>(groups.windowed(session(ten)).count({.store = "session"}));
    static_cast<void>(left.outer_join(right, [](const string*, const string*) { return string{}; },
                                      within(ten), {.store = "pairs"}));
    static_cast<void>(left.to_table({.store = "to-table"}));
    b.add_state_store(key_value_store<string, string>("own"));
}

Topology everything() {
    Builder b;
    declare_tables(b);
    declare_streams(b);
    auto topology = b.build();
    if (!topology) ADD_FAILURE() << topology.error().detail();
    return *topology;
}

Names on_disk(const Topology& topology) {
    Names out;
    for (const auto& spec : topology.parts().stores())
        if (spec.persistent) out.insert(spec.name);
    return out;
}

Result<Settings> settings_with(const std::vector<config::Property>& more) {
    std::vector<config::Property> all{{"application.id", "app", 0},
                                      {"bootstrap.servers", "h:1", 0}};
    all.insert(all.end(), more.begin(), more.end());
    return read_settings(all);
}

TEST(DslStores, InMemoryMovesWhatLeavesItOpen) {
    const Topology topology = everything().placed({}, StoreType::kInMemory);
    EXPECT_EQ(on_disk(topology), (Names{"disk", "own", "versioned"}));
}

TEST(DslStores, RocksDbLeavesWhatSaysMemory) {
    const Topology topology = everything();
    Names all;
    for (const auto& spec : topology.parts().stores()) all.insert(spec.name);
    EXPECT_EQ(all.size(), 19U);
    all.erase("memory");
    EXPECT_EQ(on_disk(topology), all);
    EXPECT_EQ(on_disk(topology.placed({}, StoreType::kRocksDb)), all);
}

TEST(DslStores, NamesAndTextStayTheSame) {
    const Topology topology = everything();
    EXPECT_EQ(topology.placed({}, StoreType::kInMemory).describe(), topology.describe());
}

TEST(DslStores, AFunctionIsAskedOfEachStoreThatLeavesItOpen) {
    Names asked;
    const DslStores windows_in_memory = [&](const DslStore& store) {
        asked.insert(string{store.name});
        if (store.name == "tumbling") {
            EXPECT_EQ(store.window, milliseconds{10});
            EXPECT_GE(store.retention, store.window);
        }
        return store.kind == DslStore::Kind::kKeyValue ? StoreType::kRocksDb : StoreType::kInMemory;
    };
    const Topology topology = everything();
    const Names before = on_disk(topology);
    const Names after = on_disk(topology.placed(windows_in_memory, StoreType::kInMemory));
    for (const char* given : {"disk", "memory", "own", "versioned"})
        EXPECT_FALSE(asked.contains(given)) << given;
    Names moved;
    for (const auto& name : before)
        if (!after.contains(name)) moved.insert(name);
    EXPECT_EQ(moved, (Names{"pairs-outer-other-join-store", "pairs-outer-this-join-store",
                            "session", "sliding", "tumbling"}));
}

TEST(DslStores, TheClassSaysMoreThanTheOlderSetting) {
    const string package = "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$";
    const config::Property memory{"default.dsl.store", "in_memory", 0};
    EXPECT_EQ(settings_with({})->dsl_store, StoreType::kRocksDb);
    EXPECT_EQ(settings_with({memory})->dsl_store, StoreType::kInMemory);
    EXPECT_EQ(settings_with(
                  {{"dsl.store.suppliers.class", package + "RocksDBDslStoreSuppliers", 0}, memory})
                  ->dsl_store,
              StoreType::kRocksDb);
    EXPECT_EQ(settings_with({{"dsl.store.suppliers.class", "InMemoryDslStoreSuppliers", 0},
                             {"default.dsl.store", "rocksDB", 0}})
                  ->dsl_store,
              StoreType::kInMemory);
}

TEST(DslStores, WhatIsNoTypeIsRefused) {
    EXPECT_FALSE(settings_with({{"default.dsl.store", "disk", 0}}));
    const auto own = settings_with({{"dsl.store.suppliers.class", "com.example.Stores", 0}});
    ASSERT_FALSE(own);
    EXPECT_EQ(own.error().code(), Errc::kInvalidSetting);
    EXPECT_NE(own.error().detail().find("dsl_stores"), std::string_view::npos);
}

}  // namespace
}  // namespace leat::streams
