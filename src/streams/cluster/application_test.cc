// SPDX-License-Identifier: Apache-2.0
//
// Method: a process of its own for each signal; no broker listens where it looks for one.
#include "leat/streams/application.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>

#include "leat/streams/builder.h"

namespace leat::streams {
namespace {

using std::string;
using testing::HasSubstr;
using testing::Not;

Application::Options nowhere() {
    return {.application_id = "nowhere", .bootstrap_servers = "127.0.0.1:1"};
}

Topology pass_on() {
    Builder builder;
    builder.stream<string, string>("in").to("out");
    return *builder.build();
}

TEST(ApplicationThatReadsNothing, IsRefused) {
    Builder builder;
    const auto application = Application::open(*builder.build(), nowhere());
    ASSERT_FALSE(application);
    EXPECT_EQ(application.error().code(), Errc::kStreamsInvalidTopology);
}

TEST(ApplicationWithHandlers, NotesSettingsThatTheyStandInFrontOf) {
    Application::Options options = nowhere();
    options.handlers.production = continue_on_error;
    options.handlers.dead_letter_topic = "mine";
    options.properties = {{"errors.dead.letter.queue.topic.name", "other"},
                          {"processing.exception.handler", "LogAndFailProcessingExceptionHandler"},
                          {"production.exception.handler", "DefaultProductionExceptionHandler"}};
    testing::internal::CaptureStderr();
    const auto application = Application::open(pass_on(), options);
    const string said = testing::internal::GetCapturedStderr();
    ASSERT_TRUE(application) << application.error().detail();
    EXPECT_THAT(said, HasSubstr("setting=errors.dead.letter.queue.topic.name"));
    EXPECT_THAT(said, HasSubstr("setting=production.exception.handler"));
    EXPECT_THAT(said, Not(HasSubstr("setting=processing.exception.handler")));
}

/// Waits for `time`, whatever happens.
void wait_out(std::chrono::milliseconds time) {
    std::mutex mutex;
    std::condition_variable nobody;
    std::unique_lock lock{mutex};
    nobody.wait_for(lock, time, [] { return false; });
}

void block_signals() {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}
void let_signals_through() {
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_with_two_at_once() {
    auto application = Application::open(pass_on(), nowhere());
    // Both wait before it begins, and are there when it puts the mask back.
    block_signals();
    ::kill(::getpid(), SIGINT);
    ::kill(::getpid(), SIGTERM);
    const auto done = (*application)->run_until_signal();
    let_signals_through();
    std::_Exit(done ? 0 : 1);
}

TEST(RunUntilSignalDeathTest, TwoAtOnceAreOneRequestAndItReturns) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(run_with_two_at_once(), testing::ExitedWithCode(0), "");
}

[[noreturn]] void run_with_one_more_while_it_closes() {
    Application::Options options = nowhere();
    options.on_state = [](ApplicationState now, ApplicationState /*before*/) {
        if (now == ApplicationState::kRebalancing) ::kill(::getpid(), SIGINT);
        if (now != ApplicationState::kNotRunning) return;
        // As long as it is told that, it is not closed.
        wait_out(std::chrono::milliseconds{1'100});
        ::kill(::getpid(), SIGTERM);
        wait_out(std::chrono::seconds{60});
    };
    auto application = Application::open(pass_on(), options);
    const auto done = (*application)->run_until_signal();
    std::_Exit(done ? 0 : 1);
}

TEST(RunUntilSignalDeathTest, OneMoreWhileItClosesEndsTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(run_with_one_more_while_it_closes(), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace leat::streams
