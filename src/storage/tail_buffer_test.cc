// SPDX-License-Identifier: Apache-2.0
//
// Method: examples, and random pushes and reads against all batches kept in a vector.
#include "storage/tail_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "testkit/random.h"

namespace leat::storage {
namespace {

Bytes bytes_of(const std::string& text) {
    return std::as_bytes(std::span{text});
}

std::string text_of(const std::vector<ReadSlice>& slices) {
    std::string out;
    for (const ReadSlice& slice : slices)
        out.append(reinterpret_cast<const char*>(slice.bytes.data()), slice.bytes.size());
    return out;
}

TEST(TailBuffer, KeepsNothingUntilItIsAskedTo) {
    TailBuffer tail;
    tail.push(Offset{0}, Offset{0}, bytes_of("a"));
    std::vector<ReadSlice> out;
    EXPECT_FALSE(tail.read(Offset{0}, Offset{1}, 10, true, out));
    EXPECT_EQ(tail.memory_bytes(), 0U);
}

TEST(TailBuffer, GivesWholeBatchesFromTheOneThatHoldsTheOffset) {
    TailBuffer tail;
    tail.keep(1000);
    tail.push(Offset{10}, Offset{14}, bytes_of("aaaaa"));
    tail.push(Offset{15}, Offset{19}, bytes_of("bbbbb"));
    tail.push(Offset{20}, Offset{24}, bytes_of("ccccc"));
    std::vector<ReadSlice> out;
    EXPECT_TRUE(tail.read(Offset{12}, Offset{20}, 100, false, out));
    EXPECT_EQ(text_of(out), "aaaaabbbbb");
    EXPECT_EQ(out.size(), 1U) << "neighbours are one slice";
    out.clear();
    EXPECT_TRUE(tail.read(Offset{15}, Offset{25}, 7, false, out));
    EXPECT_EQ(text_of(out), "bbbbb");
    out.clear();
    EXPECT_TRUE(tail.read(Offset{15}, Offset{25}, 1, false, out));
    EXPECT_EQ(text_of(out), "");
    EXPECT_TRUE(tail.read(Offset{15}, Offset{25}, 1, true, out));
    EXPECT_EQ(text_of(out), "bbbbb");
    out.clear();
    EXPECT_FALSE(tail.read(Offset{9}, Offset{25}, 100, true, out));
    EXPECT_FALSE(tail.read(Offset{25}, Offset{25}, 100, true, out));
}

TEST(TailBuffer, KeepsMemoryOfSlicesThatAreStillHeld) {
    TailBuffer tail;
    tail.keep(64);
    tail.push(Offset{0}, Offset{0}, bytes_of("first"));
    std::vector<ReadSlice> out;
    EXPECT_TRUE(tail.read(Offset{0}, Offset{1}, 100, true, out));
    for (std::int64_t i = 1; i < 100; ++i) tail.push(Offset{i}, Offset{i}, bytes_of("others"));
    tail.clear();
    EXPECT_EQ(text_of(out), "first");
}

TEST(TailBuffer, StartsAnewAfterAGapOrABatchThatIsTooLarge) {
    TailBuffer tail;
    tail.keep(64);
    tail.push(Offset{0}, Offset{0}, bytes_of("a"));
    tail.push(Offset{5}, Offset{5}, bytes_of("b"));
    std::vector<ReadSlice> out;
    EXPECT_FALSE(tail.read(Offset{0}, Offset{6}, 10, true, out));
    EXPECT_TRUE(tail.read(Offset{5}, Offset{6}, 10, true, out));
    out.clear();
    tail.push(Offset{6}, Offset{6}, bytes_of(std::string(65, 'x')));
    EXPECT_FALSE(tail.read(Offset{5}, Offset{7}, 10, true, out));
    EXPECT_FALSE(tail.read(Offset{6}, Offset{7}, 100, true, out));
    EXPECT_EQ(tail.memory_bytes(), 0U);
}

TEST(TailBuffer, AgreesWithAListOfAllBatches) {
    testkit::Random random;
    struct Batch {
        std::int64_t base;
        std::int64_t last;
        std::string text;
    };
    std::vector<Batch> all;
    TailBuffer tail;
    tail.keep(400);
    std::int64_t next = 0;
    for (int round = 0; round < 2'000; ++round) {
        const std::int64_t last = next + random.between(0, 4);
        const auto size = static_cast<std::size_t>(random.between(1, 120));
        all.push_back({next, last, std::string(size, static_cast<char>('a' + round % 26))});
        tail.push(Offset{next}, Offset{last}, bytes_of(all.back().text));
        next = last + 1;
        EXPECT_LE(tail.memory_bytes(), 400U + 120U);
        const std::int64_t from = next - random.between(1, 60);
        const std::int64_t below = from + random.between(1, 80);
        const auto most = static_cast<std::size_t>(random.between(1, 500));
        const bool one = random.between(0, 1) == 1;
        std::vector<ReadSlice> out;
        if (!tail.read(Offset{from}, Offset{below}, most, one, out)) {
            // Three chunks are kept at least; of these each may hold one record only.
            EXPECT_LT(from, all[all.size() - std::min<std::size_t>(all.size(), 3)].base)
                << "the newest three are always there";
            continue;
        }
        std::string want;
        for (const Batch& batch : all) {
            if (batch.last < from) continue;
            if (batch.last >= below) break;
            if (want.size() + batch.text.size() > most && !(want.empty() && one)) break;
            want += batch.text;
        }
        EXPECT_EQ(text_of(out), want);
    }
}

}  // namespace
}  // namespace leat::storage
