// SPDX-License-Identifier: Apache-2.0
//
// Calls that must not compile, one for each LEAT_REFUSED; with 0 all of it does. Layer: tests.
// Threading: not run.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "leat/streams/processor.h"
#include "leat/streams/topology_builder.h"
#include "streams/testing/accepted.h"

namespace leat::streams {

inline void refused() {
    using Text = std::string;
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    const auto table = b.table<Text, Text>("t");
    const auto global = b.global_table<Text, Text>("g");
    const auto both = [](const Text* left, const Text* right) {
        return *(left != nullptr ? left : right);
    };
    const auto select = [](const Text& value) { return value; };
    const auto zero = [] { return 0; };
    const auto add = [](const Text&, const Text&, int n) { return n + 1; };
    const auto by_value =
        table.group_by([](const Text& key, const Text& value) { return KeyValue{value, key}; });
    by_value.aggregate(zero, add, add);
    stream.group_by_key().windowed(session(Duration{5})).aggregate(zero, add, std::plus{});
    stream.group_by_key()
        .cogroup<int>(add)
        .windowed(session(Duration{5}))
        .aggregate(zero, std::plus{});
    table.outer_join(b.table<Text, Text>("u"), both);
    stream.left_join(global, select, [](const Text& value, const Text*) { return value; });
#if LEAT_REFUSED == 1
    stream.outer_join(table, both);
#elif LEAT_REFUSED == 2
    stream.outer_join(global, select, both);
#elif LEAT_REFUSED == 3
    table.join(global, select, both);
#elif LEAT_REFUSED == 4
    table.left_join(global, select, both);
#elif LEAT_REFUSED == 5
    table.outer_join(global, select, both);
#elif LEAT_REFUSED == 6
    table.outer_join_on(table, select, both);
#elif LEAT_REFUSED == 7
    // A side that may be absent is not taken by reference.
    table.left_join(table, [](const Text& value, const Text&) { return value; });
#elif LEAT_REFUSED == 8
    // "Has a value" is not "true".
    stream.filter([](const Text&) -> std::optional<bool> { return false; });
#elif LEAT_REFUSED == 9
    table.filter_not([](const Text&) -> std::optional<bool> { return false; });
#elif LEAT_REFUSED == 10
    stream.split().branch([](const Text&) -> Result<std::optional<bool> > { return false; });
#elif LEAT_REFUSED == 11
    stream.filter([](const Text&) {});
#elif LEAT_REFUSED == 12
    stream.map_values([](const Text&) {});
#elif LEAT_REFUSED == 13
    stream.flat_map_values([](const Text&) { return 1; });
#elif LEAT_REFUSED == 14
    stream.map([](const Text& key, const Text& value) { return std::pair{key, value}; });
#elif LEAT_REFUSED == 15
    stream.group_by_key().aggregate([] { return 0; },
                                    [](const Text&, const Text&, int& n) { ++n; });
#elif LEAT_REFUSED == 16
    stream.group_by_key().aggregate([] { return 0; }, [](const Text&, const Text&, int) {});
#elif LEAT_REFUSED == 17
    stream.group_by_key().reduce([](const Text&) { return Text{}; });
#elif LEAT_REFUSED == 18
    stream.join(b.stream<int, Text>("i"), both, within(Duration{5}));
#elif LEAT_REFUSED == 19
    stream.join(b.table<int, Text>("i"), both);
#elif LEAT_REFUSED == 20
    stream.left_join(b.stream<Text, Text>("q"), both);
#elif LEAT_REFUSED == 21
    stream.join(table, both, within(Duration{5}));
#elif LEAT_REFUSED == 22
    table.join(b.table<int, Text>("i"), both);
#elif LEAT_REFUSED == 23
    table.group_by([](const Text& key, const Text& value) { return std::pair{key, value}; });
#elif LEAT_REFUSED == 24
    stream.group_by_key().aggregate([](const Text&) { return 0; }, add);
#elif LEAT_REFUSED == 25
    stream.group_by_key().windowed(tumbling(Duration{5})).aggregate([] {}, add);
#elif LEAT_REFUSED == 26
    stream.group_by_key().windowed(session(Duration{5})).aggregate(zero, add);
#elif LEAT_REFUSED == 27
    stream.group_by_key().windowed(session(Duration{5})).aggregate(zero, add, [](int) {
        return 0;
    });
#elif LEAT_REFUSED == 28
    stream.group_by_key().windowed(session(Duration{5})).aggregate(zero, add, [](int, int) {});
#elif LEAT_REFUSED == 29
    stream.group_by_key().cogroup<int>(add).aggregate([] { return Text{}; });
#elif LEAT_REFUSED == 30
    stream.group_by_key().cogroup<int>(add).windowed(session(Duration{5})).aggregate(zero);
#elif LEAT_REFUSED == 31
    stream.group_by_key().cogroup<int>([](const Text&, int n) { return n; });
#elif LEAT_REFUSED == 32
    by_value.aggregate(zero, add);
#elif LEAT_REFUSED == 33
    by_value.reduce([](const Text& one, const Text&) { return one; });
#elif LEAT_REFUSED == 34
    by_value.aggregate(zero, add, [](const Text&, int n) { return n; });
#elif LEAT_REFUSED == 35
    by_value.aggregate(1, add, add);
#elif LEAT_REFUSED == 36
    stream.group_by_key().reduce([](const Text&, const Text&) { return std::vector<int>{}; });
#elif LEAT_REFUSED == 37
    stream.process([] { return std::make_shared<Pass>(); });
#elif LEAT_REFUSED == 38
    stream.process([] { return static_cast<Pass*>(nullptr); });
#elif LEAT_REFUSED == 39
    stream.process(Pass{});
#elif LEAT_REFUSED == 40
    stream.map([](const Text& key, const Text&) { return KeyValue{key, std::nullopt}; });
#elif LEAT_REFUSED == 41
    stream.join(b.stream<Text, Text>("q"), both);
#elif LEAT_REFUSED == 42
    stream.outer_join(b.stream<Text, Text>("q"), both, Duration{5});
#elif LEAT_REFUSED == 43
    stream.join(global, [](const Text& one, const Text&) { return one; });
#elif LEAT_REFUSED == 44
    stream.left_join(global, [](const Text& one, const Text*) { return one; });
#elif LEAT_REFUSED == 45
    table.join(stream, [](const Text& one, const Text&) { return one; });
#elif LEAT_REFUSED == 46
    table.left_join(stream, [](const Text& one, const Text*) { return one; });
#elif LEAT_REFUSED == 47
    stream.filter([owned = std::make_unique<int>(1)](const Text&) { return *owned > 0; });
#elif LEAT_REFUSED == 48
    table.map_values([owned = std::make_unique<int>(1)](const Text&) { return *owned; });
#elif LEAT_REFUSED == 49
    stream.join(table,
                [owned = std::make_unique<int>(1)](const Text& one, const Text&) { return one; });
#elif LEAT_REFUSED == 50
    stream.group_by_key().aggregate(
        [] { return 0; },
        [owned = std::make_unique<int>(1)](const Text&, const Text&, int n) { return n + *owned; });
#elif LEAT_REFUSED == 51
    stream.process([owned = std::make_unique<int>(1)] { return std::make_unique<Pass>(); });
#elif LEAT_REFUSED == 52
    stream.to([](const Text& key, const Text&, const RecordContext&) { return key; });
#elif LEAT_REFUSED == 53
    stream.to([](const Text*, const Text*, const RecordContext&) { return 1; });
#elif LEAT_REFUSED == 54
    TopologyBuilder{}.add_sink<Text, Text>("sink", [](const Text& key, const Text&) { return key; },
                                           {"source"});
#elif LEAT_REFUSED == 55
    stream.to([owned = std::make_unique<Text>()](const Text*, const Text*) { return *owned; });
#elif LEAT_REFUSED == 56
    stream.group_by_key().windowed(tumbling(Duration{5})).aggregate(zero, add, std::plus{});
#elif LEAT_REFUSED == 57
    stream.group_by_key()
        .windowed(sliding(Duration{5}))
        .aggregate(zero, add, std::plus{}, {.store = "sums"});
#elif LEAT_REFUSED == 58
    stream.group_by_key()
        .cogroup<int>(add)
        .windowed(tumbling(Duration{5}))
        .aggregate(zero, std::plus{});
#endif
}

}  // namespace leat::streams
