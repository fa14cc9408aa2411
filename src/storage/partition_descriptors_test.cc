// SPDX-License-Identifier: Apache-2.0
//
// Method: one partition on a simulated disk where at one time, tried for all of them, no file can
// be opened: once, or until the third refusal. What was not acknowledged is sent again, as clients
// do; nothing may go offline, and after a power cut that keeps nothing unsynced all is there.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/directory_health.h"
#include "storage/testing/partition_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using std::chrono::minutes;
using testing::PartitionFixture;
using testing::TestBatch;
using testkit::DiskCall;
using testkit::Survival;

constexpr std::int64_t kPlain = 5;
constexpr std::int64_t kTransactional = 6;

/// Whether the shortage is over after the call that meets it.
enum class Shortage : std::uint8_t { kOnce, kForAWhile };

class Work {
  public:
    Work(std::uint64_t seed, Shortage shortage)
        : f(seed, {.sync_commits_names = false}), is_once_(shortage == Shortage::kOnce) {
        // Files are opened all the time.
        f.open_files_max = 1;
        f.topic.segment_bytes = 2000;
        f.topic.index_interval_bytes = 100;
        f.topic.file_delete_delay_ms = 0;
        f.broker.retention_check_interval_ms = 20'000;
    }

    void lack_descriptors_at(std::uint64_t nth) {
        strikes_at_ = f.disk.calls(DiskCall::kOpen) + nth;
        f.disk.fail(DiskCall::kOpen, nth, Errc::kTooManyOpenFiles, !is_once_);
    }
    [[nodiscard]] bool has_struck() const { return f.disk.calls(DiskCall::kOpen) >= strikes_at_; }

    /// Leaves a segment to be gone on with, whose index files are there and not open.
    void open() {
        ASSERT_OK(f.open());
        insist([this] { return append(kPlain, plain_, false); });
        ++plain_;
        abort_one();
        ASSERT_TRUE(f.stop());
        ASSERT_OK(f.open());
    }

    void write() {
        for (int i = 0; i < 24 && !::testing::Test::HasFailure(); ++i) {
            insist([this] { return append(kPlain, plain_, false); });
            ++plain_;
            if (i % 8 == 0) abort_one();
            if (i % 8 == 7) f.world.run_for(minutes{2});  // Snapshots, retention.
        }
        insist([this] {
            const auto start =
                f.run<Result<Offset>>([](Partition& p) { return p.delete_records(Offset{6}); });
            return start ? Errc::kNone : start.error().code();
        });
    }

    void end_shortage() {
        f.disk.heal();
        f.world.run_for(minutes{2});
        EXPECT_FALSE(f.partition->is_offline());
        EXPECT_FALSE(f.context().flusher.health().is_failed());
        insist([this] { return append(kPlain, plain_, false); });
        ++plain_;
    }

    void check() {
        EXPECT_EQ(f.partition->log_end().value, plain_ + 2 * aborted_);
        EXPECT_EQ(f.partition->log_start(), Offset{6});
        EXPECT_EQ(aborted_seen(), aborted_at_);
        // What was sent last and is sent again is known.
        const std::int64_t before = f.partition->log_end().value;
        EXPECT_EQ(append(kPlain, plain_ - 1, false), Errc::kNone);
        EXPECT_EQ(f.partition->log_end().value, before);
    }

    PartitionFixture f;

  private:
    /// Until it is done; the error must be one after which a client tries again.
    void insist(const std::function<Errc()>& call) {
        for (int tries = 0; tries < 10; ++tries) {
            const Errc error = call();
            if (error == Errc::kNone) return;
            ASSERT_EQ(error, Errc::kKafkaStorageError);
            ASSERT_FALSE(f.partition->is_offline());
            if (++refused_ >= 3) f.disk.heal();
        }
        FAIL() << "refused for ever";
    }

    Errc append(std::int64_t producer, std::int64_t sequence, bool transactional) {
        auto bytes = TestBatch{.base = sequence,
                               .records = {{.timestamp = f.world.wall_now().value,
                                            .value = std::string(150, 'x')}},
                               .producer_id = producer,
                               .transactional = transactional}
                         .build();
        wire::set_base_offset(bytes, Offset{0});  // The fixture makes the sequence of it.
        const auto guard =
            transactional ? f.partition->transaction_guard(producer) : TransactionGuard{};
        return f
            .run<Appended>(
                [&](Partition& p) { return p.append(bytes, Origin::kClient, -1, guard); })
            .error;
    }

    void abort_one() {
        insist([this] { return append(kTransactional, aborted_, true); });
        insist([this] {
            return f
                .run<Appended>([](Partition& p) {
                    return p.end_transaction(
                        {.producer_id = kTransactional, .epoch = 0, .committed = false});
                })
                .error;
        });
        ++aborted_;
        const std::int64_t first = f.partition->log_end().value - 2;
        if (first >= 6) aborted_at_.insert(first);
    }

    std::set<std::int64_t> aborted_seen() {
        std::set<std::int64_t> seen;
        Offset from{6};
        while (from < f.partition->log_end()) {
            const ReadResult read = f.read(from.value, Isolation::kReadCommitted);
            if (read.error != Errc::kNone || read.slices.empty()) break;
            for (const AbortedTransaction& one : read.aborted)
                if (one.first_offset >= Offset{6}) seen.insert(one.first_offset.value);
            from = end_of(read);
        }
        return seen;
    }

    static Offset end_of(const ReadResult& read) {
        Offset end;
        for (const ReadSlice& slice : read.slices) {
            std::vector<std::byte> bytes(slice.size_bytes);
            LEAT_CHECK(slice.file->read_at(slice.at, bytes).has_value());
            wire::BatchCursor cursor{bytes};
            for (auto batch = cursor.next(); batch && *batch; batch = cursor.next())
                end = Offset{(*batch)->header.last_offset().value + 1};
        }
        return end;
    }

    const bool is_once_;
    std::uint64_t strikes_at_ = 0;
    int refused_ = 0;
    std::int64_t plain_ = 0;
    std::int64_t aborted_ = 0;
    std::set<std::int64_t> aborted_at_;  ///< Where those above the log's start begin.
};

class PartitionDescriptors : public ::testing::TestWithParam<Shortage> {};

TEST_P(PartitionDescriptors, LackingAtAnyTimeCostNothing) {
    for (std::uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE("open " + std::to_string(nth));
        ASSERT_LT(nth, 3000U);
        Work work{nth, GetParam()};
        work.open();
        work.lack_descriptors_at(nth);
        work.write();
        const bool has_struck = work.has_struck();
        work.end_shortage();
        if (HasFailure()) return;
        work.f.cut_power(Survival::kNothing);
        ASSERT_OK(work.f.open());
        work.check();
        if (HasFailure()) return;
        if (!has_struck) break;
    }
}

TEST_P(PartitionDescriptors, LackingAtAStartCostNothing) {
    for (std::uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE("open " + std::to_string(nth));
        ASSERT_LT(nth, 3000U);
        Work work{nth, GetParam()};
        work.open();
        work.write();
        work.end_shortage();
        work.f.cut_power(Survival::kNothing);
        work.lack_descriptors_at(nth);
        const Result<void> opened = work.f.open();
        const bool has_struck = work.has_struck();
        if (!opened) {
            EXPECT_ERRC(opened, Errc::kTooManyOpenFiles);
            EXPECT_FALSE(work.f.has_failed_directory());
            work.f.kill();
            ASSERT_OK(work.f.open());
        }
        work.f.disk.heal();
        work.check();
        if (HasFailure()) return;
        if (!has_struck) break;
    }
}

INSTANTIATE_TEST_SUITE_P(Shortages, PartitionDescriptors,
                         ::testing::Values(Shortage::kOnce, Shortage::kForAWhile));

// Clients have several batches under way: what is behind the refused one is no gap of theirs, and
// of a producer that was not known it must not be written before that one.
TEST(PartitionShortage, RefusesWhatWasSentBehindARefusedBatchToo) {
    for (const bool is_known : {true, false}) {
        SCOPED_TRACE(is_known);
        PartitionFixture f{1};
        f.topic.segment_bytes = 1000;
        ASSERT_OK(f.open());
        const auto append = [&](std::int64_t producer, std::int64_t sequence) {
            auto bytes = TestBatch{.base = sequence,
                                   .records = {{.timestamp = f.world.wall_now().value,
                                                .value = std::string(700, 'x')}},
                                   .producer_id = producer}
                             .build();
            wire::set_base_offset(bytes, Offset{0});
            return f
                .run<Appended>([&](Partition& p) { return p.append(bytes, Origin::kClient, -1); })
                .error;
        };
        EXPECT_EQ(append(is_known ? kPlain : kPlain + 1, 0), Errc::kNone);
        f.disk.fail(DiskCall::kOpen, 1, Errc::kTooManyOpenFiles);  // The next one needs a segment.
        EXPECT_EQ(append(kPlain, 1), Errc::kKafkaStorageError);
        f.disk.heal();
        EXPECT_EQ(append(kPlain, 2), Errc::kKafkaStorageError);
        EXPECT_EQ(append(kPlain, 1), Errc::kNone);
        EXPECT_EQ(append(kPlain, 2), Errc::kNone);
        EXPECT_EQ(append(kPlain, 4), Errc::kOutOfOrderSequenceNumber);
        EXPECT_TRUE(f.stop());
    }
}

// Its folder is there at the second try, and only the first knew that it is new.
TEST(PartitionOpening, NewOneThatOpensAtTheSecondTryIsDurable) {
    for (std::uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE("open " + std::to_string(nth));
        PartitionFixture f{nth, {.sync_commits_names = false}};
        ASSERT_OK(f.open());
        // The first marks are written, which sync the data directory too.
        f.world.run_for(std::chrono::seconds{1});
        PartitionSpec spec{.topic = "t",
                           .id = {.topic = Uuid::from_random(7, 1), .index = 1},
                           .leader_epoch = 0,
                           .config = std::make_shared<config::TopicConfig>(f.topic)};
        f.disk.fail(DiskCall::kOpen, nth, Errc::kTooManyOpenFiles);
        auto tried = Partition::open(f.context(), spec);
        const bool is_open = tried.has_value();
        if (!is_open) {
            EXPECT_ERRC(tried, Errc::kTooManyOpenFiles);
            EXPECT_FALSE(f.context().flusher.health().is_failed());
            tried = Partition::open(f.context(), spec);
            ASSERT_OK(tried);
        }
        f.disk.heal();
        f.executor.here([&] { f.partition = *std::move(tried); });
        f.world.settle();
        ASSERT_EQ(f.append().error, Errc::kNone);
        f.cut_power(Survival::kNothing);
        EXPECT_TRUE(*f.disk.exists("/data/t-1/00000000000000000000.log"));
        if (is_open) break;
        ASSERT_LT(nth, 100U);
    }
}

}  // namespace
}  // namespace leat::storage
