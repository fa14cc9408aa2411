// SPDX-License-Identifier: Apache-2.0
//
// Method: one partition on a simulated disk, one outcome after the other; what crashes do to it in
// random order is in tests/sim.
#include "storage/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "obs/log.h"
#include "storage/testing/partition_fixture.h"
#include "testkit/bytes.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::PartitionFixture;
using testing::TestBatch;
using testkit::DiskCall;

constexpr std::int64_t kProducer = 42;

TestBatch of_producer(std::int64_t sequence, bool transactional = false) {
    return {.base = sequence,
            .records = {{.timestamp = 1'700'003'600'000}},
            .producer_id = kProducer,
            .transactional = transactional};
}

/// Sequences are made of base offsets by TestBatch; clients send base offset 0.
std::vector<std::byte> sent(const TestBatch& batch) {
    auto bytes = batch.build();
    wire::set_base_offset(bytes, Offset{0});
    return bytes;
}

Appended append(PartitionFixture& f, const TestBatch& batch, TransactionGuard guard = {}) {
    auto bytes = sent(batch);
    return f.run<Appended>(
        [&](Partition& p) { return p.append(bytes, Origin::kClient, -1, guard); });
}

Appended end_transaction(PartitionFixture& f, bool committed) {
    return f.run<Appended>([&](Partition& p) {
        return p.end_transaction({.producer_id = kProducer, .epoch = 0, .committed = committed});
    });
}

/// An open transaction of one record.
void begin_transaction(PartitionFixture& f, std::int64_t sequence = 0) {
    const auto guard = f.partition->transaction_guard(kProducer);
    ASSERT_EQ(append(f, of_producer(sequence, true), guard).error, Errc::kNone);
}

std::size_t aborted_seen(PartitionFixture& f) {
    return f.read(0, Isolation::kReadCommitted).aborted.size();
}

TEST(Partition, AnswersOnceSynced) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    const Appended first = f.append();
    EXPECT_EQ(first.error, Errc::kNone);
    EXPECT_EQ(first.base_offset, Offset{0});
    EXPECT_EQ(f.partition->high_watermark(), Offset{1});
    f.cut_power();
    ASSERT_OK(f.open());
    EXPECT_EQ(f.partition->high_watermark(), Offset{1});
}

TEST(Partition, WithoutAcksNothingIsPromised) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    f.disk.fail(DiskCall::kSync, 1);
    auto bytes = TestBatch{.records = {{.timestamp = 1'700'003'600'000}}}.build();
    const Appended answer =
        f.run<Appended>([&](Partition& p) { return p.append(bytes, Origin::kClient, 0); });
    EXPECT_EQ(answer.error, Errc::kNone);
    EXPECT_EQ(f.partition->high_watermark(), Offset{0});
}

TEST(Partition, FailedSyncTakesItOffline) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    f.disk.fail(DiskCall::kSync, 1);
    const Appended failed = f.append();
    EXPECT_EQ(failed.error, Errc::kNotEnoughReplicasAfterAppend);
    EXPECT_TRUE(f.partition->is_offline());
    const Appended refused = f.append();
    EXPECT_EQ(refused.error, Errc::kKafkaStorageError);
    EXPECT_EQ(failed.message + refused.message, "") << "what failed is told in the log alone";
    // What was synced can still be read, and no more.
    const ReadResult read = f.read(0);
    EXPECT_EQ(read.error, Errc::kNone);
    EXPECT_EQ(read.high_watermark, Offset{1});
    EXPECT_FALSE(f.stop());
}

TEST(Partition, FullDiskRefusesAndHeals) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    f.disk.fail(DiskCall::kWrite, 1, Errc::kNoSpace, true);
    const Appended refused = f.append();
    EXPECT_EQ(refused.error, Errc::kKafkaStorageError);
    EXPECT_EQ(refused.message, "") << "names of files are for the log, not for peers";
    EXPECT_FALSE(f.partition->is_offline());
    f.disk.heal();
    EXPECT_EQ(f.append().base_offset, Offset{1});
}

TEST(Partition, UnpacksSmallBombsOnThePool) {
    PartitionFixture f;
    f.topic.timestamp_after_max_ms = 3'600'000;
    ASSERT_OK(f.open());
    constexpr std::string_view kOnPool = "leat_log_appends_on_pool_total";
    const std::int64_t tomorrow = f.world.wall_now().value + 86'400'000;
    const TestBatch bomb{.records = {{.timestamp = tomorrow, .value = std::string(4 << 20, 'x')}},
                         .codec = codec::Codec::kZstd};
    EXPECT_EQ(f.append(bomb).error, Errc::kInvalidTimestamp);
    EXPECT_EQ(f.metric(kOnPool), 1);
    const TestBatch small{.records = {{.timestamp = tomorrow}}, .codec = codec::Codec::kZstd};
    EXPECT_EQ(f.append(small).error, Errc::kInvalidTimestamp);
    EXPECT_EQ(f.metric(kOnPool), 1);
}

TEST(Partition, DuplicateIsNotStoredTwice) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(append(f, of_producer(0)).base_offset, Offset{0});
    ASSERT_EQ(append(f, of_producer(1)).base_offset, Offset{1});
    EXPECT_EQ(append(f, of_producer(0)).base_offset, Offset{0});
    EXPECT_EQ(f.partition->log_end(), Offset{2});
    EXPECT_EQ(append(f, of_producer(5)).error, Errc::kOutOfOrderSequenceNumber);
    f.cut_power();
    ASSERT_OK(f.open());
    EXPECT_EQ(append(f, of_producer(1)).base_offset, Offset{1});
}

TEST(Partition, ClosedTakesNothing) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    f.executor.here([&] { f.partition->close(); });
    EXPECT_EQ(f.append().error, Errc::kUnknownTopicOrPartition);
    EXPECT_EQ(f.read(0).error, Errc::kUnknownTopicOrPartition);
}

TEST(Partition, ReadsWithinItsBounds) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    EXPECT_EQ(f.read(-1).error, Errc::kOffsetOutOfRange);
    EXPECT_EQ(f.read(2).error, Errc::kOffsetOutOfRange);
    EXPECT_EQ(f.read(1).size_bytes, 0U);
    EXPECT_GT(f.read(0).size_bytes, 0U);
}

TEST(Partition, DeletesRecordsUpToTheWatermark) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    for (int i = 0; i < 4; ++i) ASSERT_EQ(f.append().error, Errc::kNone);
    const auto before = [&f](std::int64_t offset) {
        return f.run<Result<Offset>>(
            [offset](Partition& p) { return p.delete_records(Offset{offset}); });
    };
    EXPECT_ERRC(before(5), Errc::kOffsetOutOfRange);
    EXPECT_ERRC(before(-2), Errc::kOffsetOutOfRange);
    EXPECT_EQ(*before(3), Offset{3});
    EXPECT_EQ(*before(1), Offset{3});  // It never goes back.
    EXPECT_EQ(f.read(2).error, Errc::kOffsetOutOfRange);
    f.cut_power();
    ASSERT_OK(f.open());
    EXPECT_EQ(f.partition->log_start(), Offset{3});
    EXPECT_EQ(*before(-1), Offset{4});
}

TEST(Partition, RecordsOfCompactedTopicsAreNotDeleted) {
    PartitionFixture f;
    f.topic.cleanup_delete = false;
    f.topic.cleanup_compact = true;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    const auto deleted =
        f.run<Result<Offset>>([](Partition& p) { return p.delete_records(Offset{1}); });
    EXPECT_ERRC(deleted, Errc::kPolicyViolation);
}

TEST(Partition, RecordsOfTopicsWithoutAPolicyAreDeletedByHand) {
    PartitionFixture f;
    f.topic.cleanup_delete = false;
    f.topic.cleanup_compact = false;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    const auto deleted =
        f.run<Result<Offset>>([](Partition& p) { return p.delete_records(Offset{1}); });
    EXPECT_EQ(*deleted, Offset{1});
    EXPECT_EQ(f.read(0).error, Errc::kOffsetOutOfRange);
}

TEST(Partition, KnowsLeaderEpochs) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    ASSERT_TRUE(f.stop());
    f.leader_epoch = 3;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    EXPECT_EQ(f.partition->check_leader_epoch(-1), Errc::kNone);
    EXPECT_EQ(f.partition->check_leader_epoch(3), Errc::kNone);
    EXPECT_EQ(f.partition->check_leader_epoch(2), Errc::kFencedLeaderEpoch);
    EXPECT_EQ(f.partition->check_leader_epoch(4), Errc::kUnknownLeaderEpoch);
    EXPECT_EQ(f.partition->end_of_epoch(0).end, Offset{1});
    EXPECT_EQ(f.partition->end_of_epoch(2).epoch, 0);
    EXPECT_EQ(f.partition->end_of_epoch(3).end, Offset{2});
    EXPECT_EQ(f.partition->end_of_epoch(4).epoch, -1);
    EXPECT_EQ(f.partition->end_of_epoch(-1).end, Offset{-1});
    EXPECT_EQ(f.partition->first_epoch(), 0);
}

TEST(Partition, WhoReadAnEpochThatIsGoneGoesOnWhereTheLogBegins) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    ASSERT_TRUE(f.stop());
    f.leader_epoch = 3;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append().error, Errc::kNone);
    ASSERT_EQ(f.append().error, Errc::kNone);
    ASSERT_OK(f.run<Result<Offset>>([](Partition& p) { return p.delete_records(Offset{2}); }));
    for (const bool is_restarted : {false, true}) {
        if (is_restarted) {
            ASSERT_TRUE(f.stop());
            ASSERT_OK(f.open());
        }
        EXPECT_EQ(f.partition->first_epoch(), 3);
        for (const std::int32_t gone : {-2, 0, 2}) {
            EXPECT_EQ(f.partition->end_of_epoch(gone).epoch, gone);
            EXPECT_EQ(f.partition->end_of_epoch(gone).end, Offset{2});
        }
        EXPECT_EQ(f.partition->end_of_epoch(3).end, Offset{3});
        EXPECT_EQ(f.partition->end_of_epoch(-1).epoch, -1);
        EXPECT_EQ(f.partition->end_of_epoch(4).epoch, -1);
    }
}

class Counter final : public Watcher {
  public:
    void on_advanced(Partition& /*partition*/) override { ++advanced; }
    void on_closed(Partition& /*partition*/) override { ++closed; }
    int advanced = 0;
    int closed = 0;
};

TEST(Partition, TellsWatchers) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    Counter counter;
    f.executor.here([&] { f.partition->watch(counter); });
    ASSERT_EQ(f.append().error, Errc::kNone);
    EXPECT_GE(counter.advanced, 1);
    f.executor.here([&] { f.partition->close(); });
    EXPECT_EQ(counter.closed, 1);
    f.executor.here([&] { f.partition->unwatch(counter); });
}

TEST(Partition, OpenTransactionHoldsCommittedReadersBack) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    begin_transaction(f);
    EXPECT_EQ(f.partition->last_stable(), Offset{0});
    EXPECT_EQ(f.read(0, Isolation::kReadCommitted).size_bytes, 0U);
    ASSERT_EQ(end_transaction(f, false).error, Errc::kNone);
    EXPECT_EQ(f.partition->last_stable(), Offset{2});
    EXPECT_EQ(aborted_seen(f), 1U);
    // Outside of a transaction, and without the coordinator's word, such a batch is refused.
    EXPECT_EQ(append(f, of_producer(1, true)).error, Errc::kInvalidTxnState);
}

// As after older metadata were put in the place of newer ones, or a WriteTxnMarkers with a high
// epoch: a decision that was acknowledged as a commit must not be left to be aborted by the next
// start.
TEST(Partition, WhatThisNodeDecidedIsWrittenBelowALargerCoordinatorEpochToo) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    auto end = [&f](std::int32_t coordinator_epoch, bool is_of_this_node) {
        return f.run<Appended>([=](Partition& p) {
            return p.end_transaction({.producer_id = kProducer,
                                      .epoch = 0,
                                      .committed = true,
                                      .coordinator_epoch = coordinator_epoch,
                                      .is_of_this_node = is_of_this_node});
        });
    };
    begin_transaction(f);
    ASSERT_EQ(end(5, false).error, Errc::kNone);
    begin_transaction(f, 1);
    EXPECT_EQ(end(0, false).error, Errc::kTransactionCoordinatorFenced);
    EXPECT_EQ(f.partition->last_stable(), Offset{2});
    EXPECT_EQ(end(0, true).error, Errc::kNone);
    EXPECT_EQ(f.partition->last_stable(), Offset{4});
    EXPECT_EQ(aborted_seen(f), 0U);
    const std::vector<ActiveProducer> producers = f.partition->producers();
    ASSERT_EQ(producers.size(), 1U);
    EXPECT_EQ(producers.front().coordinator_epoch, 5);
    // Sent again, as after a crash: it is there already.
    EXPECT_EQ(end(0, true).error, Errc::kNone);
    EXPECT_EQ(f.partition->last_stable(), Offset{4});
}

/// Reads what is committed, again as soon as that has ended.
struct BusyReader {
    static constexpr int kReadsMax = 1000;

    void read() {
        rt::start(
            fixture.partition->read(
                {.from = Offset{0}, .bytes_max = 1000, .isolation = Isolation::kReadCommitted}),
            [this](const ReadResult& /*result*/) {
                if (++reads < kReadsMax) read();
            });
    }

    PartitionFixture& fixture;
    int reads = 0;
};

// Where records were aborted each of them takes the partition's turn, and one always waits for it.
TEST(Partition, ReadersThatFollowEachOtherDoNotHoldASyncBack) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    begin_transaction(f);
    ASSERT_EQ(end_transaction(f, false).error, Errc::kNone);
    BusyReader one{f};
    BusyReader other{f};
    f.executor.here([&] {
        one.read();
        other.read();
    });
    EXPECT_EQ(f.append().error, Errc::kNone);
    EXPECT_LT(one.reads + other.reads, 50);
    f.world.settle();
}

// The disk tells of it once: the next sync of the file would succeed for nothing. Whether the
// snapshot's is the first is up to the seed.
TEST(Partition, FailedSyncOfATransactionIndexIsTheDirectorysWhoeverMakesIt) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        PartitionFixture f{seed};
        f.topic.durability = config::Durability::kOs;
        f.topic.segment_bytes = 1000;
        ASSERT_OK(f.open());
        begin_transaction(f);
        ASSERT_EQ(end_transaction(f, false).error, Errc::kNone);
        bool is_due = true;
        f.disk.set_observer([&](DiskCall call, const std::string& path) {
            if (call != DiskCall::kSync || !path.ends_with(".txnindex")) return;
            if (std::exchange(is_due, false)) f.disk.fail(call, 1);
        });
        for (int i = 0; i < 3; ++i) f.append(600);
        f.world.settle();
        f.disk.set_observer({});
        EXPECT_FALSE(is_due);
        EXPECT_TRUE(f.partition->is_offline());
    }
}

TimestampedOffset find_newest(PartitionFixture& f, Isolation isolation) {
    const auto found = f.run<Result<TimestampedOffset>>(
        [isolation](Partition& p) { return p.find_max_timestamp(isolation); });
    EXPECT_OK(found);
    return found ? *found : TimestampedOffset{.offset = Offset{-2}};
}

TEST(Partition, LargestTimestampIsOneThatMayBeRead) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    const auto at = [&f](std::int64_t time) {
        return f.append(TestBatch{.records = {{.timestamp = time}}}).error;
    };
    const std::int64_t now = f.world.wall_now().value;
    ASSERT_EQ(at(now - 5), Errc::kNone);
    f.disk.fail(DiskCall::kSync, 1);
    ASSERT_EQ(at(now), Errc::kNotEnoughReplicasAfterAppend);
    ASSERT_EQ(f.partition->log_end(), Offset{2});
    // A power cut may take back what is not synced.
    EXPECT_EQ(find_newest(f, Isolation::kReadUncommitted).offset, Offset{0});
    EXPECT_EQ(find_newest(f, Isolation::kReadCommitted).offset, Offset{0});
}

TEST(Partition, LargestTimestampInAnOpenTransactionIsNotTold) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    ASSERT_EQ(f.append(TestBatch{.records = {{.timestamp = 1'700'003'599'000}}}).error,
              Errc::kNone);
    EXPECT_EQ(find_newest(f, Isolation::kReadCommitted).offset, Offset{0});
    begin_transaction(f);
    EXPECT_EQ(find_newest(f, Isolation::kReadUncommitted).offset, Offset{1});
    EXPECT_EQ(find_newest(f, Isolation::kReadCommitted).offset, Offset{-1});
}

// The entry that hides aborted records does not fit on the disk: the log is there, so that nothing
// is offline and nobody sees them; the entry comes when there is room.
struct AbortedWithoutRoom {
    AbortedWithoutRoom() {
        EXPECT_OK(f.open());
        begin_transaction(f);
        f.world.run_for(hours{1});  // Nothing else is to be written any more.
        f.disk.fail(DiskCall::kWrite, 2, Errc::kNoSpace, true);  // The marker itself has room.
        EXPECT_EQ(end_transaction(f, false).error, Errc::kNone);
        EXPECT_FALSE(f.partition->is_offline());
        EXPECT_EQ(aborted_seen(f), 1U);
    }
    PartitionFixture f;
};

TEST(PartitionWithoutRoom, TakesNoMoreUntilTheEntryIsWritten) {
    AbortedWithoutRoom a;
    EXPECT_EQ(a.f.append().error, Errc::kKafkaStorageError);
    a.f.disk.heal();
    EXPECT_EQ(a.f.append().error, Errc::kNone);
    a.f.cut_power();
    ASSERT_OK(a.f.open());
    EXPECT_EQ(aborted_seen(a.f), 1U);
}

TEST(PartitionWithoutRoom, CrashDoesNotShowAbortedRecords) {
    AbortedWithoutRoom a;
    a.f.disk.heal();
    a.f.cut_power();
    ASSERT_OK(a.f.open());
    EXPECT_EQ(aborted_seen(a.f), 1U);
}

TEST(PartitionWithoutRoom, StopsCleanlyOnceThereIsRoom) {
    AbortedWithoutRoom a;
    a.f.disk.heal();
    ASSERT_TRUE(a.f.stop());
    ASSERT_OK(a.f.open());
    EXPECT_EQ(aborted_seen(a.f), 1U);
}

TEST(PartitionWithoutRoom, StopWithoutRoomIsNotClean) {
    AbortedWithoutRoom a;
    EXPECT_FALSE(a.f.stop());
    ASSERT_OK(a.f.open());
    EXPECT_EQ(aborted_seen(a.f), 1U);
}

// The entry is in memory only after its sync has failed, and a process that starts without the
// machine finds it there: what it takes for durable then must have been written again.
TEST(Partition, AbortedRecordsStayHiddenAfterAFailedSyncOfTheirEntry) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    begin_transaction(f);
    f.world.run_for(hours{1});
    f.disk.fail(DiskCall::kSync, 2);  // The log first, then the index.
    EXPECT_EQ(end_transaction(f, false).error, Errc::kNotEnoughReplicasAfterAppend);
    EXPECT_TRUE(f.partition->is_offline());
    f.kill();
    ASSERT_OK(f.open());
    EXPECT_EQ(aborted_seen(f), 1U);
    ASSERT_TRUE(f.stop());  // With a snapshot behind the marker.
    f.disk.crash(testkit::Survival::kNothing);
    ASSERT_OK(f.open());
    EXPECT_EQ(aborted_seen(f), 1U);
}

// It reads all of the segment, and syncs: the shard has others to serve.
TEST(Partition, WrongIndexIsMadeAnewOnThePool) {
    PartitionFixture f;
    ASSERT_OK(f.open());
    for (int i = 0; i < 200; ++i) ASSERT_EQ(f.append(50).error, Errc::kNone);
    ASSERT_TRUE(f.stop());
    const std::string path = PartitionFixture::folder() + "/00000000000000000000.index";
    {
        const auto file = f.disk.open(path, rt::OpenMode::kReadWrite);
        ASSERT_OK(file);
        const std::vector<std::byte> wrong = testkit::hex("00 00 00 03 00 00 00 05");
        const Bytes part{wrong};
        ASSERT_OK((*file)->write_at({0}, {&part, 1}));
    }
    ASSERT_OK(f.open());
    int cuts = 0;
    f.disk.set_observer([&](DiskCall call, const std::string& of) {
        if (call == DiskCall::kTruncate && of == path) ++cuts;
    });
    std::optional<ReadResult> read;
    f.executor.here([&] {
        EXPECT_GT(f.partition->available_bytes(Offset{3}, Isolation::kReadUncommitted, 1 << 20),
                  0U);
        rt::start(f.partition->read({.from = Offset{3}, .bytes_max = 500, .at_least_one = true}),
                  [&read](ReadResult result) { read = std::move(result); });
    });
    EXPECT_EQ(cuts, 0) << "on the shard";
    ASSERT_TRUE(f.world.run_until([&] { return read.has_value(); }));
    EXPECT_EQ(cuts, 1);
    EXPECT_EQ(read->error, Errc::kNone);
    EXPECT_GT(read->size_bytes, 0U);
    f.disk.set_observer({});
}

// Rot.

/// A log of several segments, stopped cleanly, with one bit of its first segment turned over.
struct Rotten {
    Rotten() {
        f.topic.segment_bytes = 1000;
        EXPECT_OK(f.open());
        for (int i = 0; i < 30; ++i) EXPECT_EQ(f.append(100).error, Errc::kNone);
        EXPECT_TRUE(f.stop());
        turn_bit();
        f.broker.scrub_interval_ms = 60'000;
    }
    void turn_bit() {
        f.disk.flip_bit(PartitionFixture::folder() + "/00000000000000000000.log", 150, 3);
    }
    PartitionFixture f;
};

TEST(PartitionScrub, FindsRotThatNoStartLooksAt) {
    Rotten r;
    ASSERT_OK(r.f.open());
    ASSERT_EQ(r.f.read(0).error, Errc::kNone);
    Counter counter;
    r.f.executor.here([&] { r.f.partition->watch(counter); });
    r.f.world.run_for(milliseconds{61'000});
    EXPECT_TRUE(r.f.partition->is_offline());
    EXPECT_EQ(counter.closed, 1);
    EXPECT_EQ(r.f.read(0).error, Errc::kKafkaStorageError);
    EXPECT_EQ(r.f.append().error, Errc::kKafkaStorageError);
    EXPECT_EQ(r.f.metric("leat_log_scrub_damaged_total"), 1);
    EXPECT_EQ(r.f.metric("leat_log_quarantined_partitions"), 1);
    r.f.executor.here([&] { r.f.partition->unwatch(counter); });
}

TEST(PartitionScrub, FoundDamageOutlivesTheProcess) {
    Rotten r;
    ASSERT_OK(r.f.open());
    r.f.world.run_for(milliseconds{61'000});
    EXPECT_FALSE(r.f.stop());
    ASSERT_OK(r.f.open());
    EXPECT_TRUE(r.f.partition->is_offline());
    EXPECT_EQ(r.f.read(0).error, Errc::kKafkaStorageError);
    r.f.kill();
    r.turn_bit();  // The segment was put back from a copy.
    ASSERT_OK(r.f.open());
    EXPECT_FALSE(r.f.partition->is_offline());
    EXPECT_EQ(r.f.read(0).error, Errc::kNone);
    EXPECT_FALSE(*r.f.disk.exists(PartitionFixture::folder() + "/damaged-segment"));
}

/// As long as it is there no line of the log is left out for being the same as many before it.
struct EveryLineLogged {
    EveryLineLogged() { obs::start_logging({.repeats_per_second_max = 0}); }
    ~EveryLineLogged() { obs::start_logging({}); }
    EveryLineLogged(const EveryLineLogged&) = delete;
    EveryLineLogged& operator=(const EveryLineLogged&) = delete;
};

/// What stands before the checksum in a batch is not covered by it.
TEST(PartitionScrub, FindsALeaderEpochThatIsNotTheOneWritten) {
    const EveryLineLogged every_line;
    struct Case {
        std::string_view segment;
        std::int64_t batch;
        std::string_view told;
    };
    for (const Case& c : {Case{.segment = "00", .batch = 1, .told = "the next segment's"},
                          Case{.segment = "00", .batch = 4, .told = "the next segment's"},
                          Case{.segment = "25", .batch = 3, .told = "goes back"}}) {
        Rotten r;
        r.turn_bit();  // And back.
        ASSERT_OK(r.f.open());
        const std::int64_t size = r.f.partition->size_bytes() / 30;  // All batches are of one.
        ASSERT_EQ(1000 / size, 5);
        ASSERT_TRUE(r.f.stop());
        r.f.disk.flip_bit(
            PartitionFixture::folder() + "/000000000000000000" + std::string{c.segment} + ".log",
            c.batch * size + 15, 0);
        ASSERT_OK(r.f.open());
        ::testing::internal::CaptureStderr();
        r.f.world.run_for(milliseconds{61'000});
        EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr(c.told));
        EXPECT_TRUE(r.f.partition->is_offline());
        EXPECT_FALSE(r.f.stop());
        ASSERT_OK(r.f.open());
        EXPECT_TRUE(r.f.partition->is_offline()) << "after a start";
    }
}

TEST(PartitionScrub, EpochsOfAnOlderMetadataStoreAreNoDamage) {
    PartitionFixture f;
    f.topic.segment_bytes = 1000;
    f.broker.scrub_interval_ms = 60'000;
    for (const std::int32_t epoch : {0, 3, 1}) {
        f.leader_epoch = epoch;
        ASSERT_OK(f.open());
        for (int i = 0; i < 30; ++i) EXPECT_EQ(f.append(100).error, Errc::kNone);
        ASSERT_TRUE(f.stop());
    }
    ASSERT_OK(f.open());
    f.world.run_for(milliseconds{61'000});
    EXPECT_FALSE(f.partition->is_offline());
    EXPECT_EQ(f.metric("leat_log_scrub_damaged_total"), 0);
}

TEST(PartitionScrub, MutantFindsNothing) {
    Rotten r;
    r.f.faults.skip_scrub = true;
    ASSERT_OK(r.f.open());
    r.f.world.run_for(milliseconds{180'000});
    EXPECT_FALSE(r.f.partition->is_offline());
}

TEST(PartitionScrub, TurnedOffFindsNothing) {
    Rotten r;
    r.f.broker.scrub_interval_ms = 0;
    ASSERT_OK(r.f.open());
    r.f.world.run_for(hours{24});
    EXPECT_FALSE(r.f.partition->is_offline());
    EXPECT_EQ(r.f.metric("leat_log_scrubbed_bytes_total"), 0);
    // Turned on while it runs.
    r.f.broker.scrub_interval_ms = 1'000;
    r.f.context().broker = std::make_shared<config::BrokerConfig>(r.f.broker);
    r.f.executor.here(
        [&] { r.f.partition->set_config(std::make_shared<config::TopicConfig>(r.f.topic)); });
    r.f.world.run_for(milliseconds{5'000});
    EXPECT_TRUE(r.f.partition->is_offline());
}

TEST(PartitionScrub, ReadsAllOfAGoodLogAtItsRate) {
    Rotten r;
    r.turn_bit();  // And back.
    r.f.broker.scrub_bytes_per_second = 1'000;
    ASSERT_OK(r.f.open());
    r.f.world.run_for(milliseconds{61'000});
    EXPECT_FALSE(r.f.partition->is_offline());
    const std::int64_t size = r.f.partition->size_bytes();
    ASSERT_GT(size, 4'000);
    r.f.world.run_for(hours{1});
    const std::int64_t read = r.f.metric("leat_log_scrubbed_bytes_total");
    EXPECT_GE(read, 50 * size);
    EXPECT_LE(read, 61 * size);
    EXPECT_EQ(r.f.metric("leat_log_scrub_damaged_total"), 0);
    ASSERT_TRUE(r.f.stop());  // Also in the middle of one.
}

TEST(PartitionScrub, UnreadablePlaceIsNoDamage) {
    Rotten r;
    r.turn_bit();
    ASSERT_OK(r.f.open());
    r.f.disk.fail(DiskCall::kRead, 1, Errc::kIoError, true);
    r.f.world.run_for(milliseconds{61'000});
    EXPECT_FALSE(r.f.partition->is_offline());
    r.f.disk.heal();
    EXPECT_EQ(r.f.read(0).error, Errc::kNone);
}

}  // namespace
}  // namespace leat::storage
