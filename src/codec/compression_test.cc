// SPDX-License-Identifier: Apache-2.0
//
// Method: every codec over data of many shapes and sizes, at the edges of its levels; then every
// prefix of a stream, bombs, lying sizes, and the forms that other programs write.
#include "codec/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>

#include "testkit/bytes.h"
#include "testkit/random.h"
#include "testkit/result_matchers.h"

namespace leat::codec {
namespace {

using Buffer = std::vector<std::byte>;
using testkit::hex;

constexpr std::size_t kPlenty = std::size_t{64} << 20;
constexpr Codec kCodecs[] = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

// Repeats with noise in it: compresses, but not to nothing.
Buffer sample(std::size_t size) {
    testkit::Random random;
    Buffer data(size);
    for (std::size_t i = 0; i < size; ++i) {
        data[i] = static_cast<std::byte>(random.between(0, 7) == 0 ? random.between(0, 255)
                                                                   : static_cast<int>(i % 16));
    }
    return data;
}

Buffer joined(const Buffer& a, const Buffer& b) {
    Buffer out = a;
    out.insert(out.end(), b.begin(), b.end());
    return out;
}

Buffer packed(Codec codec, Bytes in) {
    auto out = compress(codec, in);
    LEAT_CHECK(out.has_value());
    return *std::move(out);
}

class EachCodec : public ::testing::TestWithParam<Codec> {};
INSTANTIATE_TEST_SUITE_P(Codecs, EachCodec, ::testing::ValuesIn(kCodecs),
                         [](const auto& p) { return std::string{name(p.param)}; });

TEST_P(EachCodec, GivesBackWhatItGot) {
    for (const std::size_t size :
         {0UL, 1UL, 15UL, 16UL, 100UL, 32768UL, 32769UL, 65536UL, 70000UL, 1UL << 20}) {
        for (const Buffer& data : {Buffer(size), sample(size)}) {
            const Buffer stream = packed(GetParam(), data);
            const auto back = decompress(GetParam(), stream, size);
            ASSERT_OK(back);
            ASSERT_TRUE(*back == data) << size;
        }
    }
}

TEST_P(EachCodec, WorksAtTheEdgesOfItsLevels) {
    const Buffer data = sample(20000);
    const Levels range = levels(GetParam());
    for (const int level :
         {range.least, range.least + (range.most > 0 ? 1 : 0), range.most, range.fallback}) {
        const auto stream = compress(GetParam(), level, data);
        ASSERT_OK(stream) << level;
        const auto back = decompress(GetParam(), *stream, data.size());
        ASSERT_OK(back);
        EXPECT_TRUE(*back == data) << level;
    }
    EXPECT_ERRC(compress(GetParam(), range.most + 1, data), Errc::kInvalidSetting);
    const int below = std::min(range.least, range.fallback) - 1;
    EXPECT_ERRC(compress(GetParam(), below, data), Errc::kInvalidSetting);
}

TEST_P(EachCodec, StopsExactlyAtTheLimit) {
    for (const std::size_t size : {1UL, 4095UL, 4096UL, 4097UL, 65536UL, 300000UL}) {
        const Buffer stream = packed(GetParam(), Buffer(size, std::byte{'a'}));
        EXPECT_OK(decompress(GetParam(), stream, size)) << size;
        EXPECT_ERRC(decompress(GetParam(), stream, size - 1), Errc::kLimitExceeded) << size;
        EXPECT_ERRC(decompress(GetParam(), stream, 0), Errc::kLimitExceeded) << size;
    }
}

TEST_P(EachCodec, StopsABomb) {
    const Buffer bomb = packed(GetParam(), Buffer(kPlenty));
    EXPECT_LT(bomb.size(), kPlenty / 20);
    EXPECT_ERRC(decompress(GetParam(), bomb, 1 << 20), Errc::kLimitExceeded);
}

TEST_P(EachCodec, RefusesEveryPrefix) {
    const Buffer stream = packed(GetParam(), sample(3000));
    for (std::size_t size = 0; size < stream.size(); ++size) {
        const auto result = decompress(GetParam(), Bytes{stream}.first(size), kPlenty);
        // A cut between two parts of the Java framing of Snappy cannot be seen.
        if (GetParam() == Codec::kSnappy && size == 16) continue;
        EXPECT_ERRC(result, Errc::kCorruptMessage) << size;
    }
}

TEST_P(EachCodec, RefusesGarbage) {
    testkit::Random random;
    for (int round = 0; round < 200; ++round) {
        Buffer noise(static_cast<std::size_t>(random.between(1, 300)));
        for (std::byte& byte : noise) byte = static_cast<std::byte>(random.between(0, 255));
        const auto result = decompress(GetParam(), noise, kPlenty);
        // A bare Snappy block has neither magic nor checksum.
        if (GetParam() != Codec::kSnappy) EXPECT_ERRC(result, Errc::kCorruptMessage);
    }
}

TEST_P(EachCodec, NeverCrashesOnAFlippedBit) {
    const Buffer data = sample(2000);
    const Buffer stream = packed(GetParam(), data);
    for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
        Buffer bad = stream;
        bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        const auto result = decompress(GetParam(), bad, 4000);
        if (result) EXPECT_LE(result->size(), 4000U);
    }
}

TEST(Compression, NumbersAndNamesAreKafkas) {
    EXPECT_EQ(codec_from_number(4), Codec::kZstd);
    EXPECT_EQ(codec_from_number(5), std::nullopt);
    EXPECT_EQ(codec_from_number(-1), std::nullopt);
    for (int number = 0; number <= 4; ++number) {
        const Codec codec = *codec_from_number(number);
        EXPECT_EQ(codec_from_name(name(codec)), codec);
        EXPECT_EQ(static_cast<int>(codec), number);
    }
    EXPECT_EQ(codec_from_name("uncompressed"), Codec::kNone);
    EXPECT_EQ(codec_from_name("producer"), std::nullopt);
    EXPECT_FALSE(levels(Codec::kGzip).contains(0));
    EXPECT_TRUE(levels(Codec::kGzip).contains(-1));
    EXPECT_FALSE(levels(Codec::kLz4).contains(18));
    EXPECT_EQ(levels(Codec::kZstd).most, 22);
}

TEST(Compression, NoneIsACopyWithinTheLimit) {
    const auto data = hex("01 02 03");
    EXPECT_EQ(*decompress(Codec::kNone, data, 3), data);
    EXPECT_ERRC(decompress(Codec::kNone, data, 2), Errc::kLimitExceeded);
    EXPECT_EQ(*compress(Codec::kNone, data), data);
}

TEST(Gzip, TakesSeveralMembersAndIgnoresWhatIsNone) {
    const Buffer two =
        joined(packed(Codec::kGzip, bytes_of("one")), packed(Codec::kGzip, bytes_of("two")));
    EXPECT_EQ(*decompress(Codec::kGzip, two, 6),
              Buffer(bytes_of("onetwo").begin(), bytes_of("onetwo").end()));
    EXPECT_ERRC(decompress(Codec::kGzip, two, 5), Errc::kLimitExceeded);
    EXPECT_OK(decompress(Codec::kGzip, joined(two, sample(40)), 6));
    Buffer cut = two;
    cut.pop_back();
    EXPECT_ERRC(decompress(Codec::kGzip, cut, 6), Errc::kCorruptMessage);
}

TEST(Gzip, RefusesAZlibStreamAndAWrongChecksum) {
    Buffer zlib(100);
    uLongf size = 100;
    ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(zlib.data()), &size,
                        reinterpret_cast<const Bytef*>("abc"), 3, 6),
              Z_OK);
    zlib.resize(size);
    EXPECT_ERRC(decompress(Codec::kGzip, zlib, 100), Errc::kCorruptMessage);
    Buffer bad = packed(Codec::kGzip, bytes_of("checksummed"));
    bad[bad.size() - 6] ^= std::byte{1};
    EXPECT_ERRC(decompress(Codec::kGzip, bad, 100), Errc::kCorruptMessage);
}

TEST(Snappy, TakesABareBlock) {
    const Buffer data = sample(50000);
    std::string block;
    snappy::Compress(reinterpret_cast<const char*>(data.data()), data.size(), &block);
    const auto back = decompress(Codec::kSnappy, bytes_of(block), data.size());
    ASSERT_OK(back);
    EXPECT_TRUE(*back == data);
}

TEST(Snappy, WritesTheFramingOfTheJavaLibrary) {
    EXPECT_EQ(packed(Codec::kSnappy, bytes_of("abc")),
              hex("82 53 4E 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00 00 05 03 08 61 62 63"));
}

TEST(Snappy, TakesStreamsInARow) {
    const Buffer one = packed(Codec::kSnappy, bytes_of("ab"));
    EXPECT_EQ(*decompress(Codec::kSnappy, joined(one, one), 4), hex("61 62 61 62"));
}

TEST(Snappy, RefusesAClaimThatItsBytesCannotMake) {
    // 4 GiB - 1 in five bytes, then nothing of it.
    EXPECT_ERRC(decompress(Codec::kSnappy, hex("FF FF FF FF 0F 00"), SIZE_MAX),
                Errc::kCorruptMessage);
    EXPECT_ERRC(
        decompress(Codec::kSnappy,
                   hex("82 53 4E 41 50 50 59 00 00 00 00 01 00 00 00 01 7F FF FF FF 00"), 100),
        Errc::kCorruptMessage);
    EXPECT_ERRC(
        decompress(Codec::kSnappy,
                   hex("82 53 4E 41 50 50 59 00 00 00 00 00 00 00 00 01 00 00 00 01 00"), 100),
        Errc::kCorruptMessage);
}

TEST(Lz4, IgnoresTheHeaderChecksumOnlyWhenTold) {
    Buffer stream = packed(Codec::kLz4, bytes_of("old clients"));
    stream[6] ^= std::byte{0x5A};
    EXPECT_ERRC(decompress(Codec::kLz4, stream, 100), Errc::kCorruptMessage);
    EXPECT_EQ(decompress(Codec::kLz4, stream, 100, Lz4Header::kUnchecked)->size(), 11U);
}

Buffer lz4_with(LZ4F_frameInfo_t frame, Bytes in) {
    LZ4F_preferences_t how{};
    how.frameInfo = frame;
    Buffer out(LZ4F_compressFrameBound(in.size(), &how));
    out.resize(LZ4F_compressFrame(out.data(), out.size(), in.data(), in.size(), &how));
    return out;
}

TEST(Lz4, TakesWhatFrameOptionsKafkaTakes) {
    const Buffer data = sample(5 << 20);
    for (const auto block : {LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB}) {
        LZ4F_frameInfo_t frame{};
        frame.blockSizeID = block;
        frame.blockMode = LZ4F_blockIndependent;
        frame.contentChecksumFlag = LZ4F_contentChecksumEnabled;
        frame.blockChecksumFlag = LZ4F_blockChecksumEnabled;
        frame.contentSize = data.size();
        Buffer stream = lz4_with(frame, data);
        for (const auto header : {Lz4Header::kChecked, Lz4Header::kUnchecked}) {
            const auto back = decompress(Codec::kLz4, stream, data.size(), header);
            ASSERT_OK(back);
            EXPECT_TRUE(*back == data);
            stream[14] = header == Lz4Header::kChecked ? std::byte{1} : stream[14];
        }
    }
    LZ4F_frameInfo_t linked{};
    linked.blockMode = LZ4F_blockLinked;
    EXPECT_ERRC(decompress(Codec::kLz4, lz4_with(linked, data), data.size()),
                Errc::kCorruptMessage);
}

TEST(Lz4, IgnoresWhatFollowsTheFrame) {
    const Buffer stream = packed(Codec::kLz4, bytes_of("abc"));
    EXPECT_EQ(decompress(Codec::kLz4, joined(stream, stream), 100)->size(), 3U);
}

TEST(Zstd, TakesSeveralFramesAndNoGarbage) {
    const Buffer stream = packed(Codec::kZstd, bytes_of("abc"));
    EXPECT_EQ(decompress(Codec::kZstd, joined(stream, stream), 6)->size(), 6U);
    EXPECT_ERRC(decompress(Codec::kZstd, joined(stream, stream), 5), Errc::kLimitExceeded);
    EXPECT_ERRC(decompress(Codec::kZstd, joined(stream, hex("01")), 100), Errc::kCorruptMessage);
    EXPECT_ERRC(decompress(Codec::kZstd, joined(stream, hex("01 02 03 04 05 06 07 08 09 0A")), 100),
                Errc::kCorruptMessage);
}

TEST(Zstd, DoesNotBelieveTheContentSize) {
    // A frame of one block of three raw bytes that claims 2^62 bytes of content.
    const auto lie = hex("28 B5 2F FD E0 00 00 00 00 00 00 00 40 19 00 00 61 62 63");
    EXPECT_ERRC(decompress(Codec::kZstd, lie, SIZE_MAX), Errc::kCorruptMessage);
    // The same with 3, and with a window of 2 GiB in a frame that claims nothing.
    EXPECT_OK(decompress(Codec::kZstd,
                         hex("28 B5 2F FD E0 03 00 00 00 00 00 00 00 19 00 00 61 62 63"), 3));
    EXPECT_OK(decompress(Codec::kZstd, hex("28 B5 2F FD 00 A8 19 00 00 61 62 63"), 3));
}

TEST(Zstd, KeepsToASmallLimitWhenTheFirstFrameIsSmaller) {
    // A frame that says it has one byte, and one of seven.
    const auto frames =
        hex("28 B5 2F FD E0 01 00 00 00 00 00 00 00 09 00 00 3F "
            "28 B5 2F FD 00 00 3B 00 00 3F");
    EXPECT_EQ(decompress(Codec::kZstd, frames, 8)->size(), 8U);
    for (const std::size_t limit : {0U, 1U, 2U, 4U, 7U})
        EXPECT_ERRC(decompress(Codec::kZstd, frames, limit), Errc::kLimitExceeded) << limit;
}

TEST(Zstd, RefusesFormatsFromBeforeItsRelease) {
    for (const auto* magic : {"25 B5 2F FD 00 00 00 00 00 00", "27 B5 2F FD 00 00 00 00 00 00"}) {
        EXPECT_ERRC(decompress(Codec::kZstd, hex(magic), 100), Errc::kCorruptMessage);
    }
}

}  // namespace
}  // namespace leat::codec
