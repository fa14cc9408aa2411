// SPDX-License-Identifier: Apache-2.0
#include "streams/state/memory_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "testkit/random.h"

namespace leat::streams::detail {
namespace {

using Map = std::map<std::string, std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs forwards(const MemoryRows& rows, std::string_view from) {
    Pairs out;
    for (auto at = rows.lower_bound(from); !MemoryRows::equal(at, rows.end()); rows.next(at))
        out.emplace_back(rows.key(at), rows.value(at));
    return out;
}

Pairs backwards(const MemoryRows& rows) {
    Pairs out;
    for (auto at = rows.end(); !MemoryRows::equal(at, rows.begin());) {
        rows.previous(at);
        out.emplace_back(rows.key(at), rows.value(at));
    }
    return out;
}

void expect_same(const MemoryRows& rows, const Map& model, const std::string& from) {
    ASSERT_EQ(rows.size(), model.size());
    ASSERT_EQ(forwards(rows, ""), Pairs(model.begin(), model.end()));
    ASSERT_EQ(forwards(rows, from), Pairs(model.lower_bound(from), model.end()));
    ASSERT_EQ(backwards(rows), Pairs(model.rbegin(), model.rend()));
}

/// Of few different bytes, the lowest and the highest too, so that keys are often one another's
/// beginning.
std::string random_key(testkit::Random& random, int size_max) {
    constexpr std::string_view kBytes{"\0\1a\xff", 4};
    std::string out(static_cast<std::size_t>(random.between(0, size_max)), ' ');
    for (char& c : out) c = kBytes[static_cast<std::size_t>(random.between(0, 3))];
    return out;
}

TEST(MemoryRows, AreThoseOfAMapAfterRandomChanges) {
    testkit::Random random;
    for (const int size_max : {3, 7, 30}) {
        MemoryRows rows;
        Map model;
        for (int i = 0; i < 20'000; ++i) {
            const std::string key = random_key(random, size_max);
            const int choice = random.between(0, 99);
            if (choice < 70) {
                const std::string value(static_cast<std::size_t>(random.between(0, 19)),
                                        static_cast<char>('a' + i % 26));
                rows.put(key, value);
                model[key] = value;
            } else if (choice < 99) {
                rows.erase(key);
                model.erase(key);
            } else if (choice == 99 && i % 5 == 0) {
                const std::string to = random_key(random, size_max);
                rows.erase(key, to);
                if (key < to) model.erase(model.lower_bound(key), model.lower_bound(to));
            }
            const auto found = rows.find(key);
            const auto wanted = model.find(key);
            ASSERT_EQ(found.has_value(), wanted != model.end());
            if (found) ASSERT_EQ(*found, wanted->second);
            if (i % 1'000 == 0) expect_same(rows, model, random_key(random, size_max));
        }
        expect_same(rows, model, random_key(random, size_max));
    }
}

TEST(MemoryRows, KeepTheirOrderWhateverTheOrderOfComing) {
    for (const int step : {1, 7'919, 9'999}) {
        MemoryRows rows;
        Map model;
        for (int i = 0; i < 10'000; ++i) {
            const std::string key = "segment-" + std::to_string(i * step % 10'000);
            rows.put(key, key);
            model[key] = key;
        }
        expect_same(rows, model, "segment-5");
        rows.erase("segment-2", "segment-8");
        model.erase(model.lower_bound("segment-2"), model.lower_bound("segment-8"));
        expect_same(rows, model, "segment-5");
        rows.erase("", "t");
        expect_same(rows, {}, "");
        rows.put("a", "b");
        expect_same(rows, {{"a", "b"}}, "");
        rows.clear();
        expect_same(rows, {}, "a");
    }
}

}  // namespace
}  // namespace leat::streams::detail
