// SPDX-License-Identifier: Apache-2.0
//
// Where a task goes on reading, over a reader that is played.
#include "streams/cluster/task_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "streams/cluster/commit_metadata.h"
#include "streams/cluster/testing/fake_clients.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;

const client::TopicPartition kIn{"in", 0};
const client::TopicPartition kOther{"other", 0};

/// Threading: one thread.
class PlayedReader final : public client::PartitionReader {
  public:
    using PartitionReader::next;
    Result<void> add(std::span<const client::StartAt> starts) override {
        for (const auto& start : starts) added.emplace_back(start.where.topic, start.offset.value);
        return {};
    }
    Result<void> remove(std::span<const client::TopicPartition> where) override {
        for (const auto& one : where) removed.push_back(one.topic);
        return {};
    }
    [[nodiscard]] Lane* lane(const client::TopicPartition& /*where*/) const override {
        return &lane_;
    }
    Result<client::PartitionEvent> next(Lane& /*lane*/) override {
        if (events.empty()) return client::PartitionEvent{client::Nothing{}};
        client::PartitionEvent out = std::move(events.front());
        events.pop_front();
        return out;
    }
    bool take(Lane& /*lane*/, client::HeldRecord& /*into*/) override { return false; }
    [[nodiscard]] std::size_t waiting(const client::TopicPartition& /*where*/) const override {
        return 2;
    }
    [[nodiscard]] std::int64_t end(const client::TopicPartition& /*where*/) const override {
        return -1;
    }
    Result<void> wait(milliseconds /*wait*/) override { return {}; }
    void wake() override {}

    void give(std::int64_t offset) {
        client::HeldRecord held;
        held.record.offset = Offset{offset};
        events.emplace_back(std::move(held));
    }

    std::vector<std::pair<string, std::int64_t>> added;
    std::vector<string> removed;
    std::deque<client::PartitionEvent> events;

  private:
    mutable Lane lane_;
};

class TaskInputsTest : public testing::Test {
  protected:
    static Topology reading() {
        Builder b;
        b.stream<string, string>("in").to("out");
        b.stream<string, string>("other").to("out");
        return *b.build();
    }
    TaskInputsTest() {
        settings_.application_id = "app";
        environment_.settings = &settings_;
        environment_.layout = &layout_;
        environment_.reader = &reader_;
        environment_.clock = &clock_;
        environment_.offset_at = [this](const client::TopicPartition& /*where*/,
                                        std::int64_t time) -> Result<std::int64_t> {
            if (time == client::kEarliest) return begin_;
            if (time == client::kLatest) return end_;
            return time;  // So that a test sees it.
        };
    }
    /// At offset 10 of "in".
    TaskInput& start() {
        const client::CommittedOffset at[] = {{.where = kIn, .offset = 10}};
        EXPECT_TRUE(inputs_.open({&kIn, 1}, at));
        EXPECT_TRUE(inputs_.start());
        EXPECT_THAT(reader_.added, ElementsAre(std::pair{"in", 10}));
        reader_.added.clear();
        return inputs_[0];
    }
    /// Of "in", which has no position.
    Result<std::int64_t> begin_by(string reset) {
        settings_.offset_reset = std::move(reset);
        LEAT_TRY_VOID(inputs_.open({&kIn, 1}, {}));
        return inputs_[0].position;
    }

    Topology topology_ = reading();
    Settings settings_;
    Layout layout_{topology_.parts(), "app"};
    testing_logs::FakeClock clock_;
    PlayedReader reader_;
    TaskEnvironment environment_;
    std::int64_t begin_ = 5;
    std::int64_t end_ = 50;
    TaskInputs inputs_{environment_};
};

TEST_F(TaskInputsTest, GoOnWhereTheyWereCommittedAndRememberTheLargest) {
    const auto known = [](std::int64_t time, std::int64_t a) {
        return encode_commit_metadata({.partition_time = time, .remembered = {{"a", a}}});
    };
    const client::CommittedOffset at[] = {{.where = kOther, .offset = 7, .metadata = known(3, 30)},
                                          {.where = kIn, .offset = 9, .metadata = known(4, 20)}};
    const client::TopicPartition both[] = {kIn, kOther};
    const auto remembered = inputs_.open(both, at);
    ASSERT_TRUE(remembered);
    EXPECT_EQ(*remembered, (TaskInputs::Remembered{{"a", 30}}));
    ASSERT_TRUE(inputs_.start());
    EXPECT_THAT(reader_.added, ElementsAre(std::pair{"in", 9}, std::pair{"other", 7}));
    EXPECT_EQ(inputs_[0].partition_time, 4);
    EXPECT_EQ(inputs_.buffered(), 4U);
    EXPECT_TRUE(inputs_.positions({}, false).empty());
    inputs_.stop();
    EXPECT_THAT(reader_.removed, ElementsAre("in", "other"));
    EXPECT_EQ(inputs_.size(), 0U);
}

TEST_F(TaskInputsTest, WithoutAPositionTheResetSays) {
    EXPECT_EQ(*begin_by("earliest"), 5);
    EXPECT_EQ(*begin_by("latest"), 50);
    settings_.offset_reset_duration = Duration{400};
    EXPECT_EQ(*begin_by("by_duration"), clock_.wall_now().value - 400);
    settings_.offset_reset_duration = Duration{400'000};
    EXPECT_EQ(*begin_by("by_duration"), 0) << "there is no time before";
    const auto none = begin_by("none");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::kOffsetOutOfRange);
    EXPECT_EQ(none.error().detail(), "in-0: no committed position, and its offset reset is none");
}

TEST_F(TaskInputsTest, AnEndIsNoRecordAndMovesThePosition) {
    TaskInput& input = start();
    reader_.events.emplace_back(client::ReachedEnd{kIn, Offset{12}});
    EXPECT_FALSE(*inputs_.fetch(input));
    EXPECT_TRUE(input.at_end);
    EXPECT_EQ(input.position, 12) << "behind it are markers of transactions only";
    reader_.give(12);
    EXPECT_TRUE(*inputs_.fetch(input));
    EXPECT_FALSE(input.at_end);
    EXPECT_EQ(input.head.record.offset, Offset{12});
}

TEST_F(TaskInputsTest, APositionThatIsGoneGoesOnByTheReset) {
    TaskInput& input = start();
    begin_ = 20;
    reader_.events.emplace_back(client::Trouble{Errc::kOffsetOutOfRange, ""});
    reader_.give(20);
    EXPECT_TRUE(*inputs_.fetch(input));
    EXPECT_EQ(input.position, 20);
    EXPECT_THAT(reader_.removed, ElementsAre("in"));
    EXPECT_THAT(reader_.added, ElementsAre(std::pair{"in", 20}));
    EXPECT_NE(input.lane, nullptr);
}

TEST_F(TaskInputsTest, NewsOfAnEarlierAssignmentRepeatNothing) {
    TaskInput& input = start();
    reader_.events.emplace_back(client::Trouble{Errc::kOffsetOutOfRange, ""});
    EXPECT_FALSE(*inputs_.fetch(input));
    EXPECT_THAT(reader_.added, ElementsAre(std::pair{"in", 10}));
}

TEST_F(TaskInputsTest, OtherTroublePasses) {
    TaskInput& input = start();
    reader_.events.emplace_back(client::Trouble{Errc::kNotLeaderOrFollower, ""});
    reader_.give(10);
    EXPECT_TRUE(*inputs_.fetch(input));
    EXPECT_TRUE(reader_.added.empty());
}

TEST_F(TaskInputsTest, PositionsAreOfWhatHasMoved) {
    const TaskInputs::Remembered remembered{{"a", 1}};
    TaskInput& input = start();
    EXPECT_TRUE(inputs_.positions(remembered, false).empty());
    EXPECT_EQ(inputs_.positions(remembered, true).size(), 1U);
    input.position = 11;
    input.partition_time = 77;
    const auto moved = inputs_.positions(remembered, false);
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_EQ(moved[0].offset, 11);
    EXPECT_EQ(decode_commit_metadata(moved[0].metadata),
              (CommitMetadata{.partition_time = 77, .remembered = remembered}));
    inputs_.note_committed();
    EXPECT_TRUE(inputs_.positions(remembered, false).empty());
    EXPECT_TRUE(inputs_.purgeable().empty()) << "it is no repartition topic";
}

}  // namespace
}  // namespace leat::streams
