// SPDX-License-Identifier: Apache-2.0
//
// Method: known encodings, the edges of both types, and every way to be cut off or too large.
#include "codec/varint.h"

#include <gtest/gtest.h>

#include "testkit/bytes.h"

namespace leat::codec {
namespace {

using testkit::hex;

TEST(Varint, IsWrittenAsKafkaWritesIt) {
    const auto written = [](std::int64_t value) {
        std::vector<std::byte> out;
        append_varlong(out, value);
        return out;
    };
    EXPECT_EQ(written(0), hex("00"));
    EXPECT_EQ(written(-1), hex("01"));
    EXPECT_EQ(written(63), hex("7E"));
    EXPECT_EQ(written(64), hex("80 01"));
    EXPECT_EQ(written(-65), hex("81 01"));
    EXPECT_EQ(written(INT64_MIN), hex("FF FF FF FF FF FF FF FF FF 01"));
}

TEST(Varint, RoundTripsAtTheEdgesOfEachLength) {
    for (int bit = 0; bit < 63; ++bit) {
        for (const std::int64_t value : {(std::int64_t{1} << bit) - 1, std::int64_t{1} << bit,
                                         -(std::int64_t{1} << bit), INT64_MAX, INT64_MIN}) {
            std::byte bytes[kVarlongBytesMax];
            const std::byte* end = put_varlong(bytes, value);
            EXPECT_EQ(static_cast<std::size_t>(end - bytes), varlong_bytes(value));
            std::int64_t read = 0;
            EXPECT_EQ(get_varlong(bytes, end, read), end);
            EXPECT_EQ(read, value);
            const auto small = static_cast<std::int32_t>(value);
            end = put_varint(bytes, small);
            EXPECT_EQ(static_cast<std::size_t>(end - bytes), varint_bytes(small));
            std::int32_t read_small = 0;
            EXPECT_EQ(get_varint(bytes, end, read_small), end);
            EXPECT_EQ(read_small, small);
        }
    }
}

TEST(Varint, IsRefusedWhenCutOff) {
    const auto bytes = hex("FF FF FF FF 0F");
    std::int32_t value = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(get_varint(bytes.data(), bytes.data() + size, value), nullptr);
    }
    EXPECT_NE(get_varint(bytes.data(), bytes.data() + bytes.size(), value), nullptr);
    EXPECT_EQ(value, INT32_MIN);
}

TEST(Varint, IsRefusedWhenItDoesNotFit) {
    std::int32_t small = 0;
    std::int64_t large = 0;
    for (const auto* text : {"FF FF FF FF 1F", "80 80 80 80 80 00", "80 80 80 80 80 80"}) {
        const auto bytes = hex(text);
        EXPECT_EQ(get_varint(bytes.data(), bytes.data() + bytes.size(), small), nullptr) << text;
    }
    for (const auto* text : {"FF FF FF FF FF FF FF FF FF 02", "80 80 80 80 80 80 80 80 80 80 00"}) {
        const auto bytes = hex(text);
        EXPECT_EQ(get_varlong(bytes.data(), bytes.data() + bytes.size(), large), nullptr) << text;
    }
}

TEST(Varint, MayBeLongerThanNeeded) {
    const auto bytes = hex("82 80 00");
    std::int32_t value = 0;
    EXPECT_EQ(get_varint(bytes.data(), bytes.data() + 3, value), bytes.data() + 3);
    EXPECT_EQ(value, 1);
}

}  // namespace
}  // namespace leat::codec
