// SPDX-License-Identifier: Apache-2.0
//
// Joins that must not compile, one for each LEAT_REFUSED; with 0 all of it does. Layer: tests.
// Threading: not run.
#pragma once

#include <string>

#include "leat/streams/builder.h"

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
#endif
}

}  // namespace leat::streams
