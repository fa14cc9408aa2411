// SPDX-License-Identifier: Apache-2.0
#include "groups/ledger.h"

#include <gtest/gtest.h>

#include <string_view>

namespace leat::groups {
namespace {

std::vector<std::byte> bytes(std::string_view text) {
    const auto all = std::as_bytes(std::span{text});
    return {all.begin(), all.end()};
}

using Records = std::vector<RecordToWrite>;

TEST(Ledger, WhatWasLostGoesBeforeTheNextAppend) {
    Ledger ledger;
    Records first{{bytes("a"), bytes("1")}};
    const auto one = ledger.begin(first);
    EXPECT_FALSE(ledger.end(one, first, false));
    EXPECT_TRUE(ledger.has_missing());
    EXPECT_TRUE(ledger.is_torn());
    Records second{{bytes("b"), bytes("1")}};
    const auto two = ledger.begin(second);
    ASSERT_EQ(second.size(), 2U);
    EXPECT_EQ(second[0].key, bytes("a"));
    EXPECT_TRUE(ledger.end(two, second, true));
    EXPECT_FALSE(ledger.is_torn());
}

TEST(Ledger, AnOlderValueIsNotWrittenBehindANewerOne) {
    Ledger ledger;
    Records older{{bytes("epoch"), bytes("5")}, {bytes("other"), bytes("x")}};
    const auto one = ledger.begin(older);
    Records newer{{bytes("epoch"), bytes("6")}};
    const auto two = ledger.begin(newer);
    EXPECT_FALSE(ledger.end(one, older, false));
    Records third;
    const auto three = ledger.begin(third);
    ASSERT_EQ(third.size(), 1U);
    EXPECT_EQ(third[0].key, bytes("other"));
    EXPECT_FALSE(ledger.end(two, newer, true)) << "it lacks what the first had";
    EXPECT_TRUE(ledger.end(three, third, true));
    EXPECT_FALSE(ledger.has_missing());
}

TEST(Ledger, ANewerValueThatIsLostTooIsKept) {
    Ledger ledger;
    Records older{{bytes("epoch"), bytes("5")}};
    const auto one = ledger.begin(older);
    Records newer{{bytes("epoch"), bytes("6")}};
    const auto two = ledger.begin(newer);
    EXPECT_FALSE(ledger.end(one, older, false));
    Records third;
    const auto three = ledger.begin(third);
    EXPECT_FALSE(ledger.end(two, newer, false));
    EXPECT_FALSE(ledger.end(three, third, true));
    Records fourth;
    ledger.begin(fourth);
    ASSERT_EQ(fourth.size(), 1U);
    EXPECT_EQ(fourth[0].value, bytes("6"));
}

TEST(Ledger, IsWholeAgainWhenWhatWasLostHasALaterValueInTheLog) {
    Ledger ledger;
    Records older{{bytes("epoch"), bytes("5")}};
    const auto one = ledger.begin(older);
    Records newer{{bytes("epoch"), bytes("6")}};
    const auto two = ledger.begin(newer);
    EXPECT_FALSE(ledger.end(one, older, false));
    EXPECT_TRUE(ledger.is_torn());
    EXPECT_FALSE(ledger.end(two, newer, true));
    EXPECT_FALSE(ledger.has_missing());
    EXPECT_FALSE(ledger.is_torn());
}

TEST(Ledger, WhatAnAppendOvertookIsNotWrittenBehindIt) {
    for (const bool is_written : {true, false}) {
        Ledger ledger;
        Records older{{bytes("group"), bytes("5")}, {bytes("other"), bytes("x")}};
        const auto one = ledger.begin(older);
        const auto keys =
            ledger.overtake({{bytes("group"), bytes("6")}, {bytes("offset"), bytes("1")}});
        EXPECT_EQ(keys, std::vector<Ledger::Key>{bytes("group")});
        EXPECT_FALSE(ledger.end(one, older, false));
        Records third;
        const auto three = ledger.begin(third);
        ASSERT_EQ(third.size(), 1U);
        EXPECT_EQ(third[0].key, bytes("other"));
        ledger.overtaken(keys, is_written);
        EXPECT_EQ(ledger.has_missing(), !is_written);
        EXPECT_TRUE(ledger.is_torn()) << "the third is not written yet";
        EXPECT_EQ(ledger.end(three, third, true), is_written);
        EXPECT_EQ(ledger.is_torn(), !is_written);
        if (is_written) continue;
        Records fourth;
        const auto four = ledger.begin(fourth);
        ASSERT_EQ(fourth.size(), 1U);
        EXPECT_EQ(fourth[0].value, bytes("5"));
        EXPECT_TRUE(ledger.end(four, fourth, true));
        EXPECT_FALSE(ledger.is_torn());
    }
}

TEST(Ledger, AppendsWithNothingBeforeThemOvertakeNothing) {
    Ledger ledger;
    EXPECT_TRUE(ledger.overtake({{bytes("group"), bytes("1")}}).empty());
}

}  // namespace
}  // namespace leat::groups
