// SPDX-License-Identifier: Apache-2.0
//
// Method: second signals of each kind, sooner and later; real ones in processes of their own.
#include "apps/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace leat::apps {
namespace {

using std::chrono::milliseconds;

TEST(EndsAtOnce, OnlyWhatSomebodyMeantToSendTwice) {
    for (const int number : {SIGINT, SIGTERM}) EXPECT_FALSE(ends_at_once(number, milliseconds{1}));
    EXPECT_TRUE(ends_at_once(SIGINT, milliseconds{100}));
    EXPECT_FALSE(ends_at_once(SIGTERM, milliseconds{999}));
    EXPECT_TRUE(ends_at_once(SIGTERM, milliseconds{1'000}));
}

/// What the flags are after these signals, one behind the other, as an exit code.
[[noreturn]] void receive(SecondSignal second, std::initializer_list<int> numbers) {
    watch_interrupts(second);
    for (const int number : numbers) std::raise(number);
    std::_Exit((is_interrupted() ? 1 : 0) + (is_given_up() ? 2 : 0));
}

TEST(WatchInterrupts, FirstSignalRaisesTheFlagAndItsEchoDoesNothing) {
    EXPECT_EXIT(receive(SecondSignal::kEnds, {}), ::testing::ExitedWithCode(0), "");
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        EXPECT_EXIT(receive(SecondSignal::kEnds, {number}), ::testing::ExitedWithCode(1), "");
        EXPECT_EXIT(receive(SecondSignal::kEnds, {number, number}), ::testing::ExitedWithCode(1),
                    "");
    }
}

TEST(WatchInterrupts, LostTerminalDoesNothingUnderNohup) {
    EXPECT_EXIT(
        {
            std::signal(SIGHUP, SIG_IGN);
            receive(SecondSignal::kEnds, {SIGHUP});
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(WatchInterrupts, SecondSignalOfTheOtherKindEndsTheProcess) {
    EXPECT_EXIT(receive(SecondSignal::kEnds, {SIGTERM, SIGINT}), ::testing::KilledBySignal(SIGINT),
                "");
    EXPECT_EXIT(receive(SecondSignal::kEnds, {SIGINT, SIGTERM}), ::testing::KilledBySignal(SIGTERM),
                "");
}

TEST(WatchInterrupts, SecondSignalIsToldAndTheThirdEndsTheProcess) {
    EXPECT_EXIT(receive(SecondSignal::kIsTold, {SIGTERM, SIGINT}), ::testing::ExitedWithCode(3),
                "");
    EXPECT_EXIT(receive(SecondSignal::kIsTold, {SIGTERM, SIGTERM}), ::testing::ExitedWithCode(1),
                "");
    EXPECT_EXIT(receive(SecondSignal::kIsTold, {SIGTERM, SIGINT, SIGINT}),
                ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace leat::apps
