// SPDX-License-Identifier: Apache-2.0
//
// Method: streams of known frames, cut in every way; lengths that are none; what is held.
#include "broker/frame_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/endian.h"
#include "testkit/random.h"

namespace leat::broker {
namespace {

constexpr std::size_t kMax = 1 << 20;

std::vector<std::byte> stream_of(const std::vector<std::string>& frames) {
    std::vector<std::byte> out;
    for (const std::string& frame : frames) {
        std::array<std::byte, 4> head{};
        store_be(head.data(), static_cast<std::int32_t>(frame.size()));
        out.insert(out.end(), head.begin(), head.end());
        const auto* bytes = reinterpret_cast<const std::byte*>(frame.data());
        out.insert(out.end(), bytes, bytes + frame.size());
    }
    return out;
}

/// Reads `stream` in pieces of what `piece` says; returns the frames.
template <class Piece>
std::vector<std::string> cut(Bytes stream, std::size_t scratch_bytes, Piece piece,
                             bool stashes = false) {
    BufferPool pool{1 << 20};
    FrameReader reader;
    std::vector<std::byte> scratch(scratch_bytes);
    std::vector<std::string> frames;
    while (!stream.empty()) {
        const MutableBytes space = reader.space(scratch);
        EXPECT_FALSE(space.empty());
        const std::size_t n = std::min({space.size(), stream.size(), piece()});
        std::memcpy(space.data(), stream.data(), n);
        stream = stream.subspan(n);
        reader.filled(n);
        for (;;) {
            auto frame = reader.next(pool, kMax);
            EXPECT_TRUE(frame.has_value());
            if (!*frame) break;
            frames.emplace_back(reinterpret_cast<const char*>((*frame)->buffer.data()),
                                (*frame)->size_bytes);
            if (!stashes) continue;
            reader.stash(pool);
            std::ranges::fill(scratch, std::byte{0xEE});
        }
    }
    EXPECT_FALSE(reader.is_inside());
    EXPECT_EQ(reader.held_bytes(), 0U);
    return frames;
}

std::vector<std::string> some_frames() {
    std::vector<std::string> frames;
    for (const std::size_t size : {8U, 9U, 100U, 511U, 512U, 70'000U, 8U, 300'000U, 12U}) {
        std::string frame(size, ' ');
        for (std::size_t i = 0; i < size; ++i)
            frame[i] = static_cast<char>('a' + (i * 31 + size) % 26);
        frames.push_back(frame);
    }
    return frames;
}

TEST(FrameReader, GivesTheSameFramesHoweverTheStreamIsCut) {
    const std::vector<std::string> frames = some_frames();
    const std::vector<std::byte> stream = stream_of(frames);
    for (const std::size_t piece : {1UL, 3UL, 4UL, 5UL, 1000UL, 65'536UL, stream.size()})
        EXPECT_EQ(cut(stream, 65'536, [piece] { return piece; }), frames) << piece;
}

TEST(FrameReader, GivesTheSameFramesWithSmallScratchAndRandomPieces) {
    const std::vector<std::string> frames = some_frames();
    const std::vector<std::byte> stream = stream_of(frames);
    testkit::Random random;
    for (int round = 0; round < 50; ++round)
        EXPECT_EQ(
            cut(stream, 600, [&] { return static_cast<std::size_t>(random.between(1, 5000)); }),
            frames)
            << round;
}

TEST(FrameReader, GoesOnFromItsStashWhenScratchWasOverwritten) {
    std::vector<std::string> frames;
    frames.reserve(200);
    for (int i = 0; i < 200; ++i) frames.push_back("frame of number " + std::to_string(i));
    const std::vector<std::byte> stream = stream_of(frames);
    EXPECT_EQ(cut(stream, 65'536, [&] { return stream.size(); }, true), frames);
    EXPECT_EQ(cut(stream, 65'536, [] { return std::size_t{701}; }, true), frames);
}

Errc error_of(std::int32_t length) {
    BufferPool pool{0};
    FrameReader reader;
    std::vector<std::byte> scratch(64);
    const MutableBytes space = reader.space(scratch);
    store_be(space.data(), length);
    reader.filled(4);
    const auto frame = reader.next(pool, kMax);
    return frame.has_value() ? Errc::kNone : frame.error().code();
}

TEST(FrameReader, RefusesLengthsThatAreNone) {
    EXPECT_EQ(error_of(-1), Errc::kMalformed);
    EXPECT_EQ(error_of(INT32_MIN), Errc::kMalformed);
    EXPECT_EQ(error_of(0), Errc::kMalformed);
    EXPECT_EQ(error_of(7), Errc::kMalformed);
    EXPECT_EQ(error_of(8), Errc::kNone);
    EXPECT_EQ(error_of(kMax), Errc::kNone);
    EXPECT_EQ(error_of(kMax + 1), Errc::kLimitExceeded);
    EXPECT_EQ(error_of(INT32_MAX), Errc::kLimitExceeded);
}

TEST(FrameReader, GivesAnEmptyFrameWhereOneMayBe) {
    BufferPool pool{1 << 20};
    FrameReader reader;
    std::vector<std::byte> scratch(4096);
    const auto stream = stream_of({"", "tiny", "longer than a header"});
    const MutableBytes space = reader.space(scratch);
    std::memcpy(space.data(), stream.data(), stream.size());
    reader.filled(stream.size());
    for (const std::size_t bytes : {0U, 4U}) {
        const auto frame = reader.next(pool, kMax, 0);
        ASSERT_TRUE(frame.has_value() && frame->has_value());
        EXPECT_EQ((*frame)->size_bytes, bytes);
    }
    EXPECT_TRUE(reader.next(pool, kMax)->has_value());
    EXPECT_FALSE(reader.next(pool, kMax)->has_value());
    EXPECT_FALSE(reader.is_inside());
}

TEST(FrameReader, HoldsLittleForALargeFrameOfWhichLittleHasArrived) {
    BufferPool pool{0};
    FrameReader reader;
    std::vector<std::byte> scratch(65'536);
    MutableBytes space = reader.space(scratch);
    store_be(space.data(), std::int32_t{100'000'000});
    reader.filled(5);
    ASSERT_FALSE(reader.next(pool, 200'000'000)->has_value());
    EXPECT_LE(reader.held_bytes(), FrameReader::kUnprovenMax);
    std::size_t arrived = 1;
    while (arrived < 3'000'000) {
        space = reader.space(scratch);
        const std::size_t n = std::min<std::size_t>(space.size(), 10'000);
        reader.filled(n);
        arrived += n;
        ASSERT_FALSE(reader.next(pool, 200'000'000)->has_value());
        EXPECT_LE(reader.held_bytes(), std::max(FrameReader::kUnprovenMax, 4 * arrived));
    }
}

TEST(FrameReader, HoldsNothingBetweenRequests) {
    BufferPool pool{1 << 20};
    FrameReader reader;
    std::vector<std::byte> scratch(65'536);
    const std::vector<std::byte> stream = stream_of({"12345678", "abcdefgh"});
    std::memcpy(reader.space(scratch).data(), stream.data(), stream.size());
    reader.filled(stream.size());
    ASSERT_TRUE(reader.next(pool, kMax)->has_value());
    ASSERT_TRUE(reader.next(pool, kMax)->has_value());
    ASSERT_FALSE(reader.next(pool, kMax)->has_value());
    EXPECT_EQ(reader.held_bytes(), 0U);
    EXPECT_FALSE(reader.is_inside());
}

}  // namespace
}  // namespace leat::broker
