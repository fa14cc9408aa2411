// SPDX-License-Identifier: Apache-2.0
//
// Method: example files, each rule of the format once; what Java gives was checked with
// java.util.Properties on the same bytes.
#include "config/properties.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

std::string shown(std::string_view text) {
    const auto parsed = parse_properties(text);
    if (!parsed.has_value()) return "error: " + std::string{parsed.error().detail()};
    std::string out;
    for (const Property& p : *parsed)
        out += std::to_string(p.line) + "[" + p.name + "]=[" + p.value + "]";
    return out;
}

TEST(Properties, EachSeparatorEndsTheName) {
    EXPECT_EQ(shown("a=1\nb:2\nc 3\nd = 4\ne\t:\t5\n"), "1[a]=[1]2[b]=[2]3[c]=[3]4[d]=[4]5[e]=[5]");
}

TEST(Properties, OnlyTheFirstSeparatorCounts) {
    EXPECT_EQ(shown("listeners=PLAINTEXT://:9092\nx==y\nz = = w"),
              "1[listeners]=[PLAINTEXT://:9092]2[x]=[=y]3[z]=[= w]");
}

TEST(Properties, CommentsAndBlankLinesAreSkipped) {
    EXPECT_EQ(shown("# one\n  ! two\n\n   \na=1 # not a comment"), "5[a]=[1 # not a comment]");
}

TEST(Properties, ContinuationJoinsLinesWithoutLeadingBlanks) {
    EXPECT_EQ(shown("a=1,\\\n   2,\\\r\n\t3\nb=4"), "1[a]=[1,2,3]4[b]=[4]");
    EXPECT_EQ(shown("a=1\\\\\nb=2"), "1[a]=[1\\]2[b]=[2]");
    EXPECT_EQ(shown("a=1\\"), "1[a]=[1]");
}

TEST(Properties, CommentSignOnContinuationLineIsValue) {
    EXPECT_EQ(shown("a=1\\\n#2"), "1[a]=[1#2]");
}

TEST(Properties, EscapesAreUndoneInNameAndValue) {
    EXPECT_EQ(shown("a\\ b\\=c=d\\te\\q\\u0041\\u00e9\\uD83D\\uDE00"),
              "1[a b=c]=[d\teqA\xC3\xA9\xF0\x9F\x98\x80]");
}

TEST(Properties, TrailingBlanksOfTheValueStay) {
    EXPECT_EQ(shown("a=1  \n"), "1[a]=[1  ]");
}

TEST(Properties, NameWithoutValueIsEmpty) {
    EXPECT_EQ(shown("a\nb="), "1[a]=[]2[b]=[]");
}

TEST(Properties, LoneCarriageReturnEndsALine) {
    EXPECT_EQ(shown("a=1\rb=2"), "1[a]=[1]2[b]=[2]");
}

TEST(Properties, BrokenUnicodeEscapeNamesItsLine) {
    EXPECT_EQ(shown("a=1\nb=\\u12G4"), "error: line 2: \\u needs four hex digits");
    EXPECT_EQ(shown("b=\\u12"), "error: line 1: \\u needs four hex digits");
}

}  // namespace
}  // namespace leat::config
