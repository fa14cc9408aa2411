// SPDX-License-Identifier: Apache-2.0
//
// Method: second signals of each kind, sooner and later.
#include "apps/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace leat::apps {
namespace {

using std::chrono::milliseconds;

TEST(EndsAtOnce, OnlyWhatSomebodyMeantToSendTwice) {
    for (const int number : {SIGINT, SIGTERM}) EXPECT_FALSE(ends_at_once(number, milliseconds{1}));
    EXPECT_TRUE(ends_at_once(SIGINT, milliseconds{100}));
    EXPECT_FALSE(ends_at_once(SIGTERM, milliseconds{999}));
    EXPECT_TRUE(ends_at_once(SIGTERM, milliseconds{1'000}));
}

}  // namespace
}  // namespace leat::apps
