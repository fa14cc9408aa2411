// SPDX-License-Identifier: Apache-2.0
//
// What becomes of output, over a producer that is played.
#include "streams/cluster/thread_output.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "streams/cluster/changelog_reader.h"
#include "streams/cluster/output_tag.h"
#include "streams/cluster/testing/fake_clients.h"
#include "streams/cluster/testing/played_writer.h"

namespace leat::streams {
namespace {

using std::string;
using testing_output::Script;

const client::OutgoingRecord kRecord{.key = "k", .value = "v"};

class ThreadOutputTest : public testing::Test {
  protected:
    ThreadOutput& output() {
        if (output_ == nullptr)
            output_ = std::make_unique<ThreadOutput>(ThreadOutput::Environment{
                .settings = &settings_,
                .handlers = &handlers_,
                .clock = &clock_,
                .on_step = [this] { ++steps_; },
                .is_stopping = [this] { return is_stopping_; },
                .task_of_change = [](const ChangelogMark&) { return string{"1_2"}; },
                .on_dropped =
                    [this](const ErrorContext& source) { dropped_.push_back(source.node); },
                .open_writer = script_.opener()});
        return *output_;
    }
    /// By a first record.
    void begin_transaction() {
        settings_.exactly_once = true;
        ASSERT_TRUE(output().open());
        ASSERT_TRUE(output().send("out", kRecord));
    }
    void deliver(Errc code, std::uint64_t tag = 0, Offset offset = Offset{-1}) {
        script_.deliveries.push_back({.tag = tag,
                                      .code = code,
                                      .reason = info(code).name,
                                      .topic = "out",
                                      .offset = offset});
        output().poll();
    }

    Settings settings_;
    ErrorHandlers handlers_;
    testing_logs::FakeClock clock_;
    Script script_;
    int steps_ = 0;
    bool is_stopping_ = false;
    std::vector<string> dropped_;
    std::unique_ptr<ThreadOutput> output_;
};

TEST_F(ThreadOutputTest, WaitsForAFullProducer) {
    ASSERT_TRUE(output().open());
    script_.is_full = true;
    ASSERT_TRUE(output().send("out", kRecord));
    EXPECT_EQ(script_.polled, 1);
    EXPECT_EQ(script_.sent.size(), 1U);
    EXPECT_FALSE(output().in_transaction());
    EXPECT_EQ(script_.begun, 0);
}

TEST_F(ThreadOutputTest, BeginsOneTransactionUntilTheCommit) {
    begin_transaction();
    ASSERT_TRUE(output().send("out", kRecord));
    EXPECT_EQ(script_.begun, 1);
    EXPECT_TRUE(output().in_transaction());
    ASSERT_TRUE(output().commit());
    EXPECT_FALSE(output().in_transaction());
    ASSERT_TRUE(output().send("out", kRecord));
    EXPECT_EQ(script_.begun, 2);
}

TEST_F(ThreadOutputTest, AllIsDeliveredWhenNothingIsOnItsWayAndNothingFailed) {
    handlers_ = {.production = continue_on_error, .dead_letter_topic = "letters"};
    ASSERT_TRUE(output().open());
    EXPECT_TRUE(output().deliver(milliseconds{0}));
    const auto coming = [&](Errc code, std::uint64_t tag) {
        script_.deliveries.push_back({.tag = tag, .code = code, .reason = "", .topic = "out"});
    };
    coming(Errc::kNone, 0);
    script_.is_slow = true;
    EXPECT_FALSE(output().deliver(milliseconds{0}));
    script_.is_slow = false;
    EXPECT_TRUE(output().deliver(milliseconds{0}));
    coming(Errc::kMessageTooLarge, output().keep_source({.node = "sink"}));
    EXPECT_FALSE(output().deliver(milliseconds{0})) << "its dead letter is to be sent";
    ASSERT_TRUE(output().send_letters());
    EXPECT_TRUE(output().deliver(milliseconds{0}));
    coming(Errc::kRequestTimedOut, 0);
    EXPECT_FALSE(output().deliver(milliseconds{0}));
}

TEST_F(ThreadOutputTest, KeepsTheFailureThatMadeOthersFail) {
    ASSERT_TRUE(output().open());
    deliver(Errc::kCancelled);
    deliver(Errc::kMessageTooLarge);
    deliver(Errc::kRequestTimedOut);
    ASSERT_TRUE(output().has_failed());
    EXPECT_EQ(output().take_failure()->code(), Errc::kMessageTooLarge);
    EXPECT_FALSE(output().has_failed());
}

TEST_F(ThreadOutputTest, GoesOnWithoutWhatAHandlerLeavesOut) {
    handlers_ = {.production = continue_on_error, .dead_letter_topic = "letters"};
    ASSERT_TRUE(output().open());
    EXPECT_EQ(script_.reports, client::RecordWriter::Reports::kAll);
    const std::uint64_t tag = output().keep_source({.node = "sink"});
    deliver(Errc::kMessageTooLarge, tag);
    EXPECT_FALSE(output().has_failed());
    EXPECT_EQ(dropped_, std::vector<string>{"sink"});
    ASSERT_TRUE(output().has_letters());
    EXPECT_TRUE(script_.sent.empty()) << "a producer that reports must not be called";
    ASSERT_TRUE(output().send_letters());
    EXPECT_EQ(script_.sent, (std::vector<std::pair<string, std::uint64_t>>{{"letters", 0}}));
    // Whose source is forgotten is nobody's: a second report finds none to ask about.
    deliver(Errc::kMessageTooLarge, tag);
    EXPECT_TRUE(output().has_failed());
}

TEST_F(ThreadOutputTest, NoHandlerIsAskedAboutWhatIsNotTheRecordsFault) {
    handlers_ = {.production = continue_on_error};
    ASSERT_TRUE(output().open());
    deliver(Errc::kRequestTimedOut, output().keep_source({.node = "sink"}));
    EXPECT_TRUE(output().has_failed());
    EXPECT_TRUE(dropped_.empty());
}

TEST_F(ThreadOutputTest, ATransactionDoesNotOutliveARefusal) {
    settings_.exactly_once = true;
    handlers_ = {.production = continue_on_error};
    ASSERT_TRUE(output().open());
    deliver(Errc::kMessageTooLarge, output().keep_source({.node = "sink"}));
    EXPECT_TRUE(output().has_failed());
    EXPECT_TRUE(dropped_.empty());
}

TEST_F(ThreadOutputTest, TellsMarksWhatIsAcknowledged) {
    ASSERT_TRUE(output().open());
    ChangelogMark mark;
    const std::uint64_t tag = tag_of(&mark);
    deliver(Errc::kNone, tag, Offset{7});
    deliver(Errc::kNone, tag, Offset{5});
    EXPECT_EQ(mark.acknowledged, 8);
    deliver(Errc::kRequestTimedOut, tag, Offset{9});
    EXPECT_EQ(mark.acknowledged, 8);
    EXPECT_EQ(output().take_failure()->detail(),
              "task 1_2: output to out was not acknowledged: REQUEST_TIMED_OUT");
}

TEST_F(ThreadOutputTest, SaysWhoseOutputWasRefused) {
    ASSERT_TRUE(output().open());
    deliver(Errc::kMessageTooLarge, tag_of(TaskId{3, 4}));
    EXPECT_EQ(output().take_failure()->detail(),
              "task 3_4: output to out was not acknowledged: MESSAGE_TOO_LARGE");
}

TEST_F(ThreadOutputTest, AHandlerThatThrowsIsAFailure) {
    handlers_ = {.production = [](const auto&, const auto&) -> ErrorAnswer {
        throw std::runtime_error{"no room"};  // tidy: right here, as a user's handler may.
    }};
    ASSERT_TRUE(output().open());
    deliver(Errc::kMessageTooLarge, output().keep_source({.node = "sink"}));
    ASSERT_TRUE(output().has_failed());
    EXPECT_NE(output().take_failure()->detail().find("no room"), std::string_view::npos);
    EXPECT_TRUE(dropped_.empty());
}

TEST_F(ThreadOutputTest, AsksForFailuresOnlyWhenNobodyWantsMore) {
    ASSERT_TRUE(output().open());
    EXPECT_EQ(script_.reports, client::RecordWriter::Reports::kFailures);
}

TEST_F(ThreadOutputTest, AbortsAndForgetsWhatFailed) {
    begin_transaction();
    script_.deliveries.push_back({.code = Errc::kCancelled, .reason = "dropped", .topic = "out"});
    ASSERT_TRUE(output().abort());
    EXPECT_EQ(script_.aborted, 1);
    EXPECT_EQ(script_.opened, 1);
    EXPECT_FALSE(output().in_transaction());
    EXPECT_FALSE(output().has_failed());
}

TEST_F(ThreadOutputTest, TakesAnotherProducerForAFencedOne) {
    begin_transaction();
    script_.is_fatal = true;
    ASSERT_TRUE(output().abort());
    EXPECT_EQ(script_.aborted, 0);
    EXPECT_EQ(script_.opened, 2);
    EXPECT_FALSE(output().in_transaction());
}

TEST_F(ThreadOutputTest, WaitsForACoordinatorInSlices) {
    settings_.exactly_once = true;
    script_.inits = {Errc::kTimedOut, Errc::kCoordinatorNotAvailable};
    ASSERT_TRUE(output().open());
    EXPECT_EQ(steps_, 3);
    script_.inits = {Errc::kTimedOut, Errc::kTimedOut};
    is_stopping_ = true;
    EXPECT_FALSE(output().open()) << "who is told to end does not wait on";
    EXPECT_EQ(steps_, 4);
    is_stopping_ = false;
    script_.inits = {Errc::kTransactionalIdAuthorizationFailed};
    EXPECT_FALSE(output().open()) << "what a right forbids does not pass";
}

TEST_F(ThreadOutputTest, LastWordsAreDeadLettersAndNotOfATransaction) {
    handlers_ = {.dead_letter_topic = "letters"};
    ASSERT_TRUE(output().open());
    deliver(Errc::kMessageTooLarge, output().keep_source({.node = "sink"}));
    EXPECT_TRUE(output().has_failed());
    ASSERT_TRUE(output().send_last_words());
    EXPECT_EQ(script_.sent.size(), 1U);
    settings_.exactly_once = true;
    ASSERT_TRUE(output().send_last_words());
    EXPECT_EQ(script_.sent.size(), 1U);
    output().close();
    EXPECT_TRUE(output().send_last_words()) << "there may be no producer yet";
}

TEST_F(ThreadOutputTest, LeavesNoTransactionToWhoTakesOver) {
    begin_transaction();
    ASSERT_TRUE(output().send_last_words());
    EXPECT_EQ(script_.aborted, 1);
    ASSERT_TRUE(output().send_last_words()) << "there is none any more";
    EXPECT_EQ(script_.aborted, 1);
    ASSERT_TRUE(output().send("out", kRecord));
    script_.answers = {Errc::kTimedOut};
    EXPECT_FALSE(output().send_last_words()) << "it is not waited for long";
    ASSERT_TRUE(output().send("out", kRecord));
    script_.is_fatal = true;
    ASSERT_TRUE(output().send_last_words()) << "who fenced it has ended that one";
    EXPECT_EQ(script_.aborted, 1);
    EXPECT_EQ(script_.opened, 1);
}

TEST_F(ThreadOutputTest, GetsOnWhileACoordinatorIsAway) {
    begin_transaction();
    const auto steps_of = [&](const auto& call) {
        script_.answers = {Errc::kTimedOut, Errc::kTimedOut};
        const int before = steps_;
        EXPECT_TRUE(call());
        return steps_ - before;
    };
    EXPECT_EQ(steps_of([&] { return output().send_offsets({}, {{.where = {"in", 0}}}); }), 3);
    EXPECT_EQ(script_.positions.size(), 1U);
    EXPECT_EQ(steps_of([&] { return output().commit(); }), 3);
    // As long as a task may wait.
    ASSERT_TRUE(output().send("out", kRecord));
    settings_.task_timeout = milliseconds{1'000};
    script_.answers = {Errc::kTimedOut};
    EXPECT_FALSE(output().commit());
    EXPECT_TRUE(output().in_transaction());
}

TEST_F(ThreadOutputTest, DoesNotRepeatWhatBrokeTheTransaction) {
    begin_transaction();
    const auto fails_once = [&](const auto& call) {
        script_.answers = {Errc::kTimedOut, Errc::kTimedOut};
        EXPECT_FALSE(call());
        EXPECT_EQ(script_.answers.size(), 1U);
        script_.answers.clear();
    };
    script_.resumes_offsets = false;
    fails_once([&] { return output().send_offsets({}, {{.where = {"in", 0}}}); });
    script_.resumes_offsets = script_.must_abort = true;
    fails_once([&] { return output().send_offsets({}, {{.where = {"in", 0}}}); });
    fails_once([&] { return output().commit(); });
}

TEST_F(ThreadOutputTest, AsksForPartitionsAgainWhenTheAnswerIsOld) {
    ASSERT_TRUE(output().open());
    EXPECT_EQ(*output().partitions_of("out"), 1);
    EXPECT_EQ(*output().partitions_of("out"), 1);
    clock_.advance(settings_.metadata_age);
    EXPECT_EQ(*output().partitions_of("out"), 2);
}

TEST_F(ThreadOutputTest, KeepsNoSourceOfWhatWasNotTaken) {
    for (const bool exactly_once : {false, true}) {
        settings_.exactly_once = exactly_once;
        handlers_ = {.production = continue_on_error};
        ASSERT_TRUE(output().open());
        client::OutgoingRecord record = kRecord;
        record.tag = output().keep_source({.node = "sink"});
        script_.refusal = Errc::kMessageTooLarge;
        EXPECT_FALSE(output().send("out", record));
        settings_.exactly_once = false;
        deliver(Errc::kMessageTooLarge, record.tag);
        EXPECT_TRUE(output().take_failure()) << "nobody is known who could be asked about it";
        EXPECT_TRUE(dropped_.empty());
    }
}

}  // namespace
}  // namespace leat::streams
