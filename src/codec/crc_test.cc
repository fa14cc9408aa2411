// SPDX-License-Identifier: Apache-2.0
//
// Method: published check values, and pieces against the whole.
#include <gtest/gtest.h>

#include <string_view>

#include "codec/crc32.h"
#include "codec/crc32c.h"

namespace leat::codec {
namespace {

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

TEST(Crc32c, HasThePublishedCheckValues) {
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
    EXPECT_EQ(crc32c({}), 0U);
    const std::vector<std::byte> zeros(32);
    EXPECT_EQ(crc32c(zeros), 0x8A9136AAU);
    const std::vector<std::byte> ones(32, std::byte{0xFF});
    EXPECT_EQ(crc32c(ones), 0x62A8AB43U);
}

TEST(Crc32c, IsTheSameInPiecesOfAnySize) {
    std::vector<std::byte> data(1000);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 31 >> 3);
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
        Crc32c pieces;
        pieces.update(Bytes{data}.first(cut)).update(Bytes{data}.subspan(cut));
        ASSERT_EQ(pieces.value(), crc32c(data)) << cut;
    }
}

TEST(Crc32, HasThePublishedCheckValue) {
    EXPECT_EQ(crc32(bytes_of("123456789")), 0xCBF43926U);
    EXPECT_EQ(crc32({}), 0U);
}

}  // namespace
}  // namespace leat::codec
