// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace leat {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, LengthIsOfOneCharacter) {
    for (const std::string_view one :
         {"a"sv, "\0"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv,
          "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
        EXPECT_EQ(utf8_length(one), one.size());
        EXPECT_TRUE(is_utf8(one));
        // Cut off, it is none.
        if (one.size() > 1) EXPECT_EQ(utf8_length(one.substr(0, one.size() - 1)), 0U);
    }
    EXPECT_EQ(utf8_length("ab"), 1U);
    EXPECT_EQ(utf8_length(""), 0U);
}

TEST(Utf8, OverlongFormsSurrogatesAndStrayBytesAreNone) {
    for (const std::string_view none :
         {"\x80"sv, "\xBF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xC2\x41"sv, "\xE0\x9F\xBF"sv,
          "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv,
          "\xF5\x80\x80\x80"sv, "\xFF"sv}) {
        EXPECT_EQ(utf8_length(none), 0U);
        EXPECT_FALSE(is_utf8(none));
        EXPECT_FALSE(is_utf8("a" + std::string{none}));
    }
    EXPECT_TRUE(is_utf8(""));
}

}  // namespace
}  // namespace leat
