// SPDX-License-Identifier: Apache-2.0
//
// Method: the process sends itself the signals.
#include "rt/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <vector>

#include "rt/process.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

TEST(StopSignals, BecomeCallbacksOnTheLoop) {
    EventLoop loop;
    std::vector<int> got;
    auto signals = StopSignals::open(loop, [&](int number) {
        EXPECT_TRUE(loop.is_here());
        got.push_back(number);
        if (got.size() == 2) loop.stop();
    });
    ASSERT_OK(signals);
    ASSERT_EQ(::raise(SIGTERM), 0);
    EXPECT_TRUE(got.empty());
    loop.post([] { ::raise(SIGINT); });
    loop.run();
    EXPECT_EQ(got, (std::vector{SIGTERM, SIGINT}));
}

TEST(StopSignals, OfALostTerminalCountUnlessTheyAreIgnored) {
    for (const bool is_ignored : {false, true}) {
        const auto before = ::signal(SIGHUP, is_ignored ? SIG_IGN : SIG_DFL);
        EventLoop loop;
        std::vector<int> got;
        auto signals = StopSignals::open(loop, [&](int number) {
            got.push_back(number);
            if (number == SIGTERM || !is_ignored) loop.stop();
        });
        ASSERT_OK(signals);
        loop.post([&] {
            ::raise(SIGHUP);
            if (is_ignored) ::raise(SIGTERM);
        });
        loop.run();
        EXPECT_EQ(got, (std::vector{is_ignored ? SIGTERM : SIGHUP}));
        ::signal(SIGHUP, before);
    }
}

TEST(StopSignals, GiveBackWhatTheProcessHad) {
    EventLoop loop;
    struct sigaction before{};
    struct sigaction after{};
    ASSERT_EQ(::sigaction(SIGTERM, nullptr, &before), 0);
    ASSERT_OK(StopSignals::open(loop, [](int) {}));
    ASSERT_EQ(::sigaction(SIGTERM, nullptr, &after), 0);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
    ASSERT_OK(StopSignals::open(loop, [](int) {}));  // And again.
}

TEST(StopSignals, DoNothingToAProcessThatIsAtItsEnd) {
    struct sigaction before{};
    ASSERT_EQ(::sigaction(SIGTERM, nullptr, &before), 0);
    {
        EventLoop loop;
        auto signals = StopSignals::open(loop, [](int) {});
        ASSERT_OK(signals);
        signals->disregard();
        ::raise(SIGTERM);
    }
    ::raise(SIGTERM);
    ::raise(SIGINT);
    ASSERT_EQ(::sigaction(SIGTERM, &before, nullptr), 0);
    ASSERT_EQ(::sigaction(SIGINT, &before, nullptr), 0);
}

TEST(StopSignals, MayGoInTheirOwnCallback) {
    EventLoop loop;
    std::optional<StopSignals> signals;
    auto opened = StopSignals::open(loop, [&](int) {
        signals.reset();
        loop.stop();
    });
    ASSERT_OK(opened);
    signals.emplace(*std::move(opened));
    ASSERT_EQ(::raise(SIGINT), 0);
    loop.run();
    EXPECT_FALSE(signals.has_value());
}

TEST(Process, DescriptorLimitIsTheHardOne) {
    const auto first = raise_descriptor_limit();
    ASSERT_OK(first);
    EXPECT_GE(first->now, first->before);
    const auto second = raise_descriptor_limit();
    ASSERT_OK(second);
    EXPECT_EQ(second->before, first->now);
    EXPECT_EQ(second->now, first->now);
}

}  // namespace
}  // namespace leat::rt
