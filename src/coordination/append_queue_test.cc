// SPDX-License-Identifier: Apache-2.0
// Method: appends whose outcomes come in any order; answers that ask for more answers.
#include "coordination/append_queue.h"

#include <gtest/gtest.h>

#include <string>

#include "coordination/answer_queue.h"

namespace leat::coordination {
namespace {

struct Effects {
    AppendQueue<std::string> queue;
    std::vector<std::pair<std::string, Errc>> seen;

    void report(std::uint64_t token, Errc outcome = Errc::kNone) {
        queue.on_written(token, outcome, [this](std::string what, Errc error) {
            seen.emplace_back(std::move(what), error);
        });
    }
};
using Seen = std::vector<std::pair<std::string, Errc>>;

TEST(AppendQueue, GivesEachWriteOnceWithItsTokenAndProducer) {
    AppendQueue<std::string> queue;
    const std::uint64_t first = queue.push({RecordToWrite{.key = {std::byte{1}}}}, "a");
    const std::uint64_t second = queue.push({}, "b", Producer{.id = 7, .epoch = 3});
    const std::vector<Write> writes = queue.take();
    ASSERT_EQ(writes.size(), 2U);
    EXPECT_EQ(writes[0].token, first);
    EXPECT_EQ(writes[0].records.size(), 1U);
    EXPECT_FALSE(writes[0].producer);
    EXPECT_EQ(writes[1].token, second);
    EXPECT_EQ(writes[1].producer, (Producer{.id = 7, .epoch = 3}));
    EXPECT_TRUE(queue.take().empty());
}

TEST(AppendQueue, OutcomesTakeEffectInTheOrderOfTheLog) {
    Effects effects;
    const std::uint64_t a = effects.queue.push({}, "a");
    const std::uint64_t b = effects.queue.push({}, "b");
    const std::uint64_t c = effects.queue.push({}, "c");
    effects.report(c);
    effects.report(b, Errc::kIoError);
    EXPECT_TRUE(effects.seen.empty());
    effects.report(a);
    EXPECT_EQ(effects.seen,
              (Seen{{"a", Errc::kNone}, {"b", Errc::kNotCoordinator}, {"c", Errc::kNone}}));
}

TEST(AppendQueue, AnEffectMayAppendMore) {
    AppendQueue<int> queue;
    const std::uint64_t first = queue.push({}, 1);
    std::uint64_t more = 0;
    queue.on_written(first, Errc::kNone, [&](int /*waiting*/, Errc) { more = queue.push({}, 2); });
    int seen = 0;
    queue.on_written(more, Errc::kNone, [&](int waiting, Errc) { seen = waiting; });
    EXPECT_EQ(seen, 2);
}

TEST(AppendQueue, WhatWaitsCanBeChangedUntilItsTurn) {
    Effects effects;
    effects.report(effects.queue.push({}, "gone"));
    const std::uint64_t a = effects.queue.push({}, "a");
    const std::uint64_t b = effects.queue.push({}, "b");
    effects.queue.waiting(b) += " and more";
    effects.report(a);
    effects.report(b);
    EXPECT_EQ(effects.seen.back().first, "b and more");
}

TEST(AppendQueue, FoldsErrorsAsKafkaDoes) {
    Effects effects;
    for (const Errc outcome : {Errc::kNoSpace, Errc::kTimedOut, Errc::kOffline,
                               Errc::kInvalidProducerEpoch, Errc::kMessageTooLarge})
        effects.report(effects.queue.push({}, ""), outcome);
    effects.report(effects.queue.push({}, "", {}, Errc::kInvalidCommitOffsetSize),
                   Errc::kMessageTooLarge);
    EXPECT_EQ(effects.seen, (Seen{{"", Errc::kCoordinatorNotAvailable},
                                  {"", Errc::kCoordinatorNotAvailable},
                                  {"", Errc::kNotCoordinator},
                                  {"", Errc::kInvalidProducerEpoch},
                                  {"", Errc::kUnknownServerError},
                                  {"", Errc::kInvalidCommitOffsetSize}}));
}

TEST(AnswerQueue, AnswersOfAnswersComeLastAndNotInside) {
    AnswerQueue answers;
    std::string told;
    answers.push([&] {
        answers.push([&] { told += "c"; });
        answers.give();
        told += "a";
    });
    answers.push([&] { told += "b"; });
    answers.give();
    EXPECT_EQ(told, "abc");
}

}  // namespace
}  // namespace leat::coordination
