// SPDX-License-Identifier: Apache-2.0
// Method: brokers that the test plays; each event of a partition is awaited.
#include "client/batch_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "client/testing/batches.h"
#include "client/testing/played_brokers.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using testing::marker;
using testing::PlayedBrokers;
using testing::PlayedPartition;
using testing::records_at;

const TopicPartition kWhere{"topic", 0};
const TopicPartition kOther{"topic", 1};

class BatchReaderTest : public ::testing::Test {
  protected:
    PlayedBrokers& play(int count, std::int16_t fetch_max = PlayedBrokers::kNewest) {
        brokers_ = std::make_unique<PlayedBrokers>(count, fetch_max);
        return *brokers_;
    }
    void open(PlayedBrokers& brokers, std::vector<Property> more = {}) {
        more.push_back({"bootstrap.servers", brokers.address(), 0});
        more.push_back({"fetch.wait.max.ms", "50", 0});
        auto opened = PartitionReader::open(more);
        ASSERT_TRUE(opened) << opened.error().detail();
        reader_ = *std::move(opened);
    }
    void add(const TopicPartition& where, std::int64_t from) {
        const StartAt start[] = {{where, Offset{from}}};
        const auto added = reader_->add(start);
        ASSERT_TRUE(added) << added.error().detail();
    }
    void remove(const TopicPartition& where) { ASSERT_TRUE(reader_->remove({&where, 1})); }
    /// The next event as text: "offset=value", "end offset", "trouble CODE", "error CODE"; "" when
    /// none comes in time.
    std::string next(const TopicPartition& where = kWhere,
                     milliseconds patience = milliseconds{10'000}) {
        const auto give_up = std::chrono::steady_clock::now() + patience;
        while (true) {
            const auto event = reader_->next(where);
            if (!event) return "error " + std::string{info(event.error().code()).name};
            if (const auto* held = std::get_if<HeldRecord>(&*event))
                return std::to_string(held->record.offset.value) + "=" +
                       std::string{held->record.value.value_or("null")};
            if (const auto* end = std::get_if<ReachedEnd>(&*event))
                return "end " + std::to_string(end->offset.value);
            if (const auto* trouble = std::get_if<Trouble>(&*event))
                return "trouble " + std::string{info(trouble->code).name};
            if (std::chrono::steady_clock::now() >= give_up) return "";
            const auto waited = reader_->wait(milliseconds{20});
            if (!waited) return "fatal " + std::string{info(waited.error().code()).name};
        }
    }

    /// A topic whose only record has been read.
    PlayedBrokers& read_one(int count) {
        PlayedBrokers& brokers = play(count);
        brokers.logs().append(kWhere, records_at(0, {"a"}));
        open(brokers);
        add(kWhere, 0);
        EXPECT_EQ(next(), "0=a");
        EXPECT_EQ(next(), "end 1");
        return brokers;
    }

    std::unique_ptr<PlayedBrokers> brokers_;
    std::unique_ptr<PartitionReader> reader_;
};

TEST_F(BatchReaderTest, GivesRecordsAndTellsEachEndOnce) {
    PlayedBrokers& brokers = play(1);
    brokers.logs().append(kWhere, records_at(0, {"a", "b", "c"}));
    open(brokers);
    EXPECT_EQ(reader_->end(kWhere), -1);
    add(kWhere, 1);
    EXPECT_EQ(next(), "1=b");
    EXPECT_EQ(reader_->end(kWhere), 3);
    EXPECT_EQ(next(), "2=c");
    EXPECT_EQ(next(), "end 3");
    EXPECT_EQ(next(kWhere, milliseconds{200}), "");
    brokers.logs().append(kWhere, records_at(3, {"d"}));
    EXPECT_EQ(next(), "3=d");
    EXPECT_EQ(next(), "end 4");
    EXPECT_EQ(brokers.fetch_version(), PlayedBrokers::kNewest);
    remove(kWhere);
    EXPECT_EQ(next(), "error NOT_FOUND");
    add(kWhere, 4);  // An empty rest has an end too.
    EXPECT_EQ(next(), "end 4");
}

TEST_F(BatchReaderTest, AsksOldBrokersForTopicsByName) {
    PlayedBrokers& brokers = play(1, 4);
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    open(brokers);
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=a");
    EXPECT_EQ(brokers.fetch_version(), 4);
}

TEST_F(BatchReaderTest, RecordsOutliveWhatTheyCameWith) {
    PlayedBrokers& brokers = play(1);
    brokers.logs().append(kWhere, records_at(0, {"in place"}));
    brokers.logs().append(kWhere, records_at(1, {"unpacked"}, {.codec = codec::Codec::kZstd}));
    brokers.logs().append(kWhere, records_at(2, {"last"}));
    open(brokers);
    add(kWhere, 0);
    std::vector<HeldRecord> kept;
    while (kept.size() < 3) {
        HeldRecord held;
        if (reader_->take(*reader_->lane(kWhere), held))
            kept.push_back(std::move(held));
        else
            ASSERT_TRUE(reader_->wait(milliseconds{50}));
    }
    remove(kWhere);
    EXPECT_EQ(kept[0].record.value, "in place");
    EXPECT_EQ(kept[1].record.value, "unpacked");
    EXPECT_EQ(kept[2].record.value, "last");
    EXPECT_EQ(kept[1].record.timestamp, WallMs{1'000});
    EXPECT_EQ(kept[1].record.timestamp_type, TimestampType::kCreateTime);
    EXPECT_FALSE(kept[1].record.key);
}

TEST_F(BatchReaderTest, GivesKeysHeadersAndTheTimeOfTheLog) {
    PlayedBrokers& brokers = play(1);
    wire::BatchBuilder builder{{.append_time = WallMs{77}}};
    const wire::HeaderView headers[] = {{"name", testing::bytes_of("text")}, {"null", {}}};
    builder.add({.timestamp = WallMs{5}, .key = testing::bytes_of("k"), .headers = headers});
    brokers.logs().append(kWhere, *builder.finish());
    open(brokers);
    add(kWhere, 0);
    HeldRecord held;
    while (!reader_->take(*reader_->lane(kWhere), held))
        ASSERT_TRUE(reader_->wait(milliseconds{50}));
    EXPECT_EQ(held.record.topic, "topic");
    EXPECT_EQ(held.record.key, "k");
    EXPECT_FALSE(held.record.value);
    EXPECT_EQ(held.record.timestamp, WallMs{77});
    EXPECT_EQ(held.record.timestamp_type, TimestampType::kLogAppendTime);
    const std::vector<Header> expected{{"name", "text"}, {"null", std::nullopt}};
    EXPECT_EQ(held.record.headers, expected);
}

TEST_F(BatchReaderTest, CommittedOnlyStopsAtWhatIsUnderWayAndLeavesOutWhatWasAborted) {
    PlayedBrokers& brokers = play(1);
    brokers.logs().append(kWhere, records_at(0, {"lost"}, {.producer = 7}));
    brokers.logs().append(kWhere, marker(1, 7, false));
    brokers.logs().append(kWhere, records_at(2, {"open"}, {.producer = 8}));
    brokers.logs().change(kWhere, [](PlayedPartition& one) {
        one.aborted = {{.producer_id = 7, .first_offset = 0}};
        one.stable = 2;
    });
    open(brokers, {{"isolation.level", "read_committed", 0}});
    add(kWhere, 0);
    EXPECT_EQ(next(), "end 2");
    EXPECT_EQ(reader_->end(kWhere), 2);
    brokers.logs().append(kWhere, marker(3, 8, true));
    brokers.logs().change(kWhere, [](PlayedPartition& one) { one.stable = INT64_MAX; });
    EXPECT_EQ(next(), "2=open");
    EXPECT_EQ(next(), "end 4");
    open(brokers, {{"isolation.level", "read_uncommitted", 0}});
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=lost");
    EXPECT_EQ(next(), "2=open");
}

TEST_F(BatchReaderTest, FollowsALeaderThatMoves) {
    PlayedBrokers& brokers = read_one(2);
    brokers.logs().change(kWhere, [](PlayedPartition& one) {
        one.leader = 1;
        one.epoch = 2;
    });
    brokers.logs().append(kWhere, records_at(1, {"b"}));
    EXPECT_EQ(next(), "1=b");
    EXPECT_GT(brokers.fetches(1), 0);
    // The same leader, elected anew.
    brokers.logs().change(kWhere, [](PlayedPartition& one) { one.epoch = 3; });
    brokers.logs().append(kWhere, records_at(2, {"c"}));
    EXPECT_EQ(next(), "end 2");
    EXPECT_EQ(next(), "2=c");
}

TEST_F(BatchReaderTest, FollowsALeaderThatAnAnswerNames) {
    for (const std::int16_t newest : {PlayedBrokers::kNewest, std::int16_t{12}}) {
        reader_.reset();
        PlayedBrokers& brokers = play(2, newest);
        brokers.logs().append(kWhere, records_at(0, {"a"}));
        // Who has to look it up, or who waits before he asks, would not get there in time.
        open(brokers, {{"retry.backoff.ms", "60000", 0}});
        add(kWhere, 0);
        EXPECT_EQ(next(), "0=a");
        EXPECT_EQ(next(), "end 1");
        const int before = brokers.lookups();
        brokers.name_leader({.node = 1, .epoch = 2});
        brokers.logs().change(kWhere, [](PlayedPartition& one) {
            one.leader = 1;
            one.epoch = 2;
        });
        brokers.logs().append(kWhere, records_at(1, {"b"}));
        EXPECT_EQ(next(), "1=b");
        EXPECT_EQ(next(), "end 2");
        EXPECT_GT(brokers.fetches(1), 0);
        // The same leader, elected anew.
        brokers.name_leader({.node = 1, .epoch = 3});
        brokers.logs().change(kWhere, [](PlayedPartition& one) { one.epoch = 3; });
        brokers.logs().append(kWhere, records_at(2, {"c"}));
        EXPECT_EQ(next(), "2=c");
        EXPECT_EQ(brokers.lookups(), before);
    }
}

TEST_F(BatchReaderTest, ALeaderThatIsNamedByWhoIsBehindIsLookedUp) {
    PlayedBrokers& brokers = play(3);
    brokers.logs().change(kWhere, [](PlayedPartition& one) { one.epoch = 5; });
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    open(brokers);
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=a");
    EXPECT_EQ(next(), "end 1");
    std::int64_t at = 1;
    // Of this epoch, of one before, of none; and a node that nobody knows the address of.
    for (const NamedLeader named : {NamedLeader{1, 5}, {1, 4}, {1, -1}, {77, 9}}) {
        const int before = brokers.lookups();
        brokers.name_leader(named);
        brokers.logs().change(kWhere, [](PlayedPartition& one) { one.leader = 2 - one.leader; });
        brokers.logs().append(kWhere, records_at(at, {"b"}));
        EXPECT_EQ(next(), std::to_string(at) + "=b");
        EXPECT_EQ(next(), "end " + std::to_string(++at));
        EXPECT_GT(brokers.lookups(), before) << named.node << " " << named.epoch;
    }
    EXPECT_EQ(brokers.fetches(1), 0);
}

TEST_F(BatchReaderTest, ComesAgainWhenConnectionsAreClosed) {
    PlayedBrokers& brokers = read_one(1);
    for (int i = 1; i < 4; ++i) {
        brokers.hang_up();
        brokers.logs().append(kWhere, records_at(i, {"b"}));
        EXPECT_EQ(next(), std::to_string(i) + "=b");
        EXPECT_EQ(next(), "end " + std::to_string(i + 1));
    }
}

TEST_F(BatchReaderTest, OutOfRangeIsTroubleAndThePartitionStands) {
    PlayedBrokers& brokers = play(1);
    brokers.logs().change(kWhere, [](PlayedPartition& one) { one.begin = 5; });
    brokers.logs().append(kWhere, records_at(5, {"a"}));
    open(brokers);
    add(kWhere, 3);
    EXPECT_EQ(next(), "trouble OFFSET_OUT_OF_RANGE");
    EXPECT_EQ(next(kWhere, milliseconds{300}), "");
    remove(kWhere);
    add(kWhere, 5);
    EXPECT_EQ(next(), "5=a");
}

TEST_F(BatchReaderTest, RefusalsThatDoNotPassAreErrorsAndTriedAgain) {
    PlayedBrokers& brokers = play(1);
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    const auto refuse = [&](Errc code) {
        brokers.logs().change(kWhere, [&](PlayedPartition& one) { one.refusal = code; });
    };
    refuse(Errc::kTopicAuthorizationFailed);
    open(brokers);
    add(kWhere, 0);
    EXPECT_EQ(next(), "error TOPIC_AUTHORIZATION_FAILED");
    EXPECT_EQ(next(kWhere, milliseconds{100}), "");
    refuse(Errc::kNone);
    EXPECT_EQ(next(), "0=a");
    EXPECT_EQ(next(), "end 1");
    // These pass, and nothing is said.
    for (const Errc code : {Errc::kKafkaStorageError, Errc::kOffsetNotAvailable,
                            Errc::kUnknownLeaderEpoch, Errc::kReplicaNotAvailable}) {
        refuse(code);
        EXPECT_EQ(next(kWhere, milliseconds{150}), "");
    }
    refuse(Errc::kNone);
    brokers.logs().append(kWhere, records_at(1, {"b"}));
    EXPECT_EQ(next(), "1=b");
}

TEST_F(BatchReaderTest, ATopicThatNobodyKnowsIsAnErrorOnceItHadTime) {
    PlayedBrokers& brokers = play(1);
    open(brokers, {{"topic.metadata.propagation.max.ms", "300", 0}});
    add(kWhere, 0);
    EXPECT_EQ(next(kWhere, milliseconds{100}), "");
    EXPECT_EQ(next(), "error UNKNOWN_TOPIC_OR_PARTITION");
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    EXPECT_EQ(next(), "0=a");
    brokers.logs().refuse_topic("secret", Errc::kTopicAuthorizationFailed);
    const TopicPartition secret{"secret", 0};
    add(secret, 0);
    EXPECT_EQ(next(secret), "error TOPIC_AUTHORIZATION_FAILED");
}

TEST_F(BatchReaderTest, ATopicThatWasMadeAnewIsReadUnderItsNewId) {
    PlayedBrokers& brokers = read_one(1);
    brokers.logs().set_topic_number(2);
    brokers.logs().append(kWhere, records_at(1, {"b"}));
    EXPECT_EQ(next(), "1=b");
}

TEST_F(BatchReaderTest, ABrokenBatchIsAnErrorBehindWhatIsWhole) {
    PlayedBrokers& brokers = play(1);
    auto bad = records_at(1, {"b"});
    bad.back() = std::byte{1};
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    brokers.logs().append(kWhere, bad);
    open(brokers, {{"check.crcs", "true", 0}});
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=a");
    EXPECT_EQ(next(), "error CORRUPT_MESSAGE");
    // Without: the record itself is malformed.
    open(brokers);
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=a");
    EXPECT_EQ(next(), "error CORRUPT_MESSAGE");
    EXPECT_EQ(next(), "error CORRUPT_MESSAGE");
}

TEST_F(BatchReaderTest, ABatchLargerThanAFetchComesAllTheSame) {
    PlayedBrokers& brokers = play(1);
    const std::string large(5'000, 'x');
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    for (std::int64_t i = 0; i < 20; ++i) {
        brokers.logs().append(kWhere, records_at(i + 1, {"small"}));
        brokers.logs().append(kOther, records_at(i, {large}));
    }
    open(brokers, {{"max.partition.fetch.bytes", "100", 0}});
    add(kWhere, 0);
    add(kOther, 0);
    for (std::int64_t i = 0; i < 20; ++i) EXPECT_EQ(next(kOther), std::to_string(i) + "=" + large);
}

TEST_F(BatchReaderTest, ReadsAheadUpToABoundAndGoesOnBelowIt) {
    PlayedBrokers& brokers = play(1);
    constexpr std::int64_t kBatches = 40;
    for (std::int64_t i = 0; i < kBatches; ++i)
        brokers.logs().append(kWhere, records_at(10 * i, std::vector<std::string>(10, "x")));
    brokers.logs().append(kOther, records_at(0, {"other"}));
    open(brokers, {{"queued.min.messages", "50", 0}, {"max.partition.fetch.bytes", "200", 0}});
    add(kWhere, 0);
    add(kOther, 0);
    EXPECT_EQ(next(kOther), "0=other");
    EXPECT_EQ(next(kOther), "end 1");
    for (std::int64_t i = 0; i < 10 * kBatches; ++i) {
        if (i == 5) {
            const auto until = std::chrono::steady_clock::now() + milliseconds{300};
            while (std::chrono::steady_clock::now() < until)
                ASSERT_TRUE(reader_->wait(milliseconds{50}));
            EXPECT_GE(reader_->waiting(kWhere), 45U);
            EXPECT_LT(reader_->waiting(kWhere), 80U);
            EXPECT_EQ(reader_->end(kWhere), 10 * kBatches) << "far behind what was fetched";
            // One that is full does not hold up another.
            brokers.logs().append(kOther, records_at(1, {"more"}));
            EXPECT_EQ(next(kOther), "1=more");
        }
        ASSERT_EQ(next(), std::to_string(i) + "=x");
    }
    EXPECT_EQ(next(), "end 400");
    EXPECT_EQ(reader_->waiting(kWhere), 0U);
}

TEST_F(BatchReaderTest, AllPartitionsTogetherReadAheadUpToABound) {
    PlayedBrokers& brokers = play(1);
    constexpr std::int64_t kBatches = 40;
    const std::string value(1'000, 'x');
    for (std::int64_t i = 0; i < kBatches; ++i)
        for (const TopicPartition& where : {kWhere, kOther})
            brokers.logs().append(where, records_at(i, {value}));
    open(brokers,
         {{"leat.input.buffer.max.bytes", "10000", 0}, {"max.partition.fetch.bytes", "2000", 0}});
    add(kWhere, 0);
    add(kOther, 0);
    ASSERT_EQ(next(), "0=" + value);
    const auto until = std::chrono::steady_clock::now() + milliseconds{300};
    while (std::chrono::steady_clock::now() < until) ASSERT_TRUE(reader_->wait(milliseconds{50}));
    // The last fetch, which began below the bound, has two of each.
    EXPECT_GE(reader_->waiting(kWhere) + reader_->waiting(kOther), 9U);
    EXPECT_LE(reader_->waiting(kWhere) + reader_->waiting(kOther), 14U);
    // One that is not read holds the other up no more than that.
    for (std::int64_t i = 1; i < kBatches; ++i) ASSERT_EQ(next(), std::to_string(i) + "=" + value);
    for (std::int64_t i = 0; i < kBatches; ++i)
        ASSERT_EQ(next(kOther), std::to_string(i) + "=" + value);
}

TEST_F(BatchReaderTest, ReadsFromTheReplicaThatTheLeaderNames) {
    PlayedBrokers& brokers = play(2);
    brokers.logs().change(kWhere, [](PlayedPartition& one) { one.replica = 1; });
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    open(brokers, {{"client.rack", "here", 0}});
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=a");
    EXPECT_GT(brokers.fetches(1), 0);
    // The replica is none any more: the leader tells of it no more, and is read itself.
    brokers.logs().change(kWhere, [](PlayedPartition& one) { one.replica = -1; });
    brokers.logs().append(kWhere, records_at(1, {"b"}));
    EXPECT_EQ(next(), "end 1");
    EXPECT_EQ(next(), "1=b");
}

TEST_F(BatchReaderTest, WakeEndsAWait) {
    PlayedBrokers& brokers = play(1);
    open(brokers);
    const auto begin = std::chrono::steady_clock::now();
    const rt::NamedThread other{"waker", [this] { reader_->wake(); }};
    ASSERT_TRUE(reader_->wait(milliseconds{20'000}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10});
}

TEST_F(BatchReaderTest, EndsAtOnceWhateverItWaitsFor) {
    PlayedBrokers& brokers = play(1);
    brokers.logs().append(kWhere, records_at(0, {"a"}));
    open(brokers, {{"fetch.wait.max.ms", "20000", 0}});
    add(kWhere, 0);
    EXPECT_EQ(next(), "0=a");
    const auto begin = std::chrono::steady_clock::now();
    reader_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
    open(brokers);
    add(kWhere, 0);
    brokers_.reset();  // Nobody is there any more.
    reader_.reset();
}

TEST_F(BatchReaderTest, RefusesWhatItCannotAdd) {
    PlayedBrokers& brokers = play(1);
    open(brokers);
    add(kWhere, 0);
    const StartAt again[] = {{kWhere, Offset{0}}};
    EXPECT_EQ(reader_->add(again).error().code(), Errc::kUsage);
    const StartAt named[] = {{kOther, Offset{-2}}};
    EXPECT_EQ(reader_->add(named).error().code(), Errc::kUsage);
    EXPECT_EQ(reader_->lane(kOther), nullptr);
    EXPECT_EQ(reader_->waiting(kOther), 0U);
}

}  // namespace
}  // namespace leat::client
