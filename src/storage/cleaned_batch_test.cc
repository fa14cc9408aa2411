// SPDX-License-Identifier: Apache-2.0
//
// Method: the batches of a small log go through one round after the other, each at a later time;
// what a round leaves is what the next one reads.
#include "storage/cleaned_batch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <unordered_map>

#include "base/bounded_time.h"
#include "config/broker_config.h"
#include "storage/testing/log_fixture.h"
#include "testkit/result_matchers.h"
#include "wire/control_record.h"

namespace leat::storage {
namespace {

using testing::bytes_of;
using testing::TestBatch;

constexpr std::int64_t kRetention = 1000;
constexpr std::int64_t kProducer = 7;

/// A log as its batches.
class Rounds {
  public:
    void add(const TestBatch& batch) { log_.push_back(batch.build()); }
    void add_marker(std::int64_t offset, bool committed) {
        log_.push_back(wire::end_marker_batch({.base_offset = {offset},
                                               .leader_epoch = 0,
                                               .producer_id = kProducer,
                                               .producer_epoch = 0,
                                               .timestamp = {500}},
                                              {.committed = committed, .coordinator_epoch = 0}));
        if (!committed)
            aborted_.add({.producer_id = kProducer,
                          .first = {0},
                          .last = {offset},
                          .last_stable = {offset + 1}});
    }
    void newest(std::string_view key, std::int64_t offset) { map_.put(bytes_of(key), {offset}); }
    void live_producer(LastOfProducer last) { producers_[kProducer] = last; }

    void run(std::int64_t now, std::int64_t retention_ms = kRetention) {
        BatchCleaner cleaner{{.map = &map_,
                              .map_end = {1000},
                              .aborted = &aborted_,
                              .producers = &producers_,
                              .now = {now},
                              .delete_retention_ms = retention_ms}};
        std::vector<std::vector<std::byte>> left;
        for (const auto& bytes : log_) {
            const auto header = wire::parse_batch_header(bytes);
            ASSERT_OK(header);
            const auto kept = cleaner.clean({.header = *header, .bytes = bytes}, false);
            ASSERT_OK(kept);
            if (kept->empty()) continue;
            EXPECT_OK(wire::check_crc(*kept));
            left.emplace_back(kept->begin(), kept->end());
        }
        log_ = std::move(left);
    }

    /// Base offsets of what is left.
    [[nodiscard]] std::vector<std::int64_t> offsets() const {
        std::vector<std::int64_t> out;
        out.reserve(log_.size());
        for (std::size_t i = 0; i < log_.size(); ++i) out.push_back(header(i).base_offset.value);
        return out;
    }
    [[nodiscard]] wire::BatchHeader header(std::size_t index) const {
        const auto header = wire::parse_batch_header(log_.at(index));
        LEAT_CHECK(header.has_value());
        return *header;
    }

  private:
    std::vector<std::vector<std::byte>> log_;
    OffsetMap map_{1 << 16, 0.5, 100, {}};
    AbortedSpans aborted_;
    std::unordered_map<std::int64_t, LastOfProducer> producers_;
};

using Offsets = std::vector<std::int64_t>;

TEST(BatchCleaner, KeepsTombstonesUntilTheirHorizon) {
    Rounds rounds;
    rounds.add({.base = 0, .records = {{.key = "a"}}});
    rounds.add({.base = 1, .records = {{.key = "a", .is_tombstone = true}}});
    rounds.newest("a", 1);
    rounds.run(10'000);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    EXPECT_TRUE(rounds.header(0).has_delete_horizon());
    EXPECT_EQ(rounds.header(0).base_timestamp, WallMs{10'000 + kRetention});
    // A later round does not move it.
    rounds.run(10'500);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    EXPECT_EQ(rounds.header(0).base_timestamp, WallMs{10'000 + kRetention});
    rounds.run(10'999);
    EXPECT_EQ(rounds.offsets(), Offsets{1});
    rounds.run(11'000);
    EXPECT_EQ(rounds.offsets(), Offsets{});
}

TEST(BatchCleaner, RetentionWithoutEndKeepsTombstones) {
    Rounds rounds;
    rounds.add({.base = 1, .records = {{.key = "a", .is_tombstone = true}}});
    rounds.add_marker(2, true);
    rounds.newest("a", 1);
    for (const std::int64_t now : {10'000, 20'000, 30'000}) rounds.run(now, config::kNever);
    ASSERT_EQ(rounds.offsets(), (Offsets{1, 2}));
    for (const std::size_t i : {0U, 1U})
        EXPECT_EQ(rounds.header(i).base_timestamp, WallMs{10'000 + kLongestMs});
}

TEST(BatchCleaner, UnpacksWhatWasAdmittedAndNoMore) {
    // What produce takes unless it is told otherwise must not stop compaction.
    EXPECT_GE(kStoredInflatedMax,
              static_cast<std::size_t>(config::BrokerConfig{}.decompressed_bytes_max));
    const TestBatch batch{.records = {{.key = "a", .value = std::string(10'000, 'x')}},
                          .codec = codec::Codec::kZstd};
    const auto bytes = batch.build();
    const auto header = wire::parse_batch_header(bytes);
    ASSERT_OK(header);
    OffsetMap map{1 << 16, 0.5, 100, {}};
    map.put(bytes_of("a"), {1});
    const AbortedSpans aborted;
    const std::unordered_map<std::int64_t, LastOfProducer> producers;
    BatchCleaner::Rules rules{.map = &map,
                              .map_end = {1000},
                              .aborted = &aborted,
                              .producers = &producers,
                              .now = {10'000},
                              .inflated_bytes_max = 9'000};
    const auto refused = BatchCleaner{rules}.clean({.header = *header, .bytes = bytes}, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::kLimitExceeded);
    rules.inflated_bytes_max = 20'000;
    const auto cleaned = BatchCleaner{rules}.clean({.header = *header, .bytes = bytes}, false);
    ASSERT_OK(cleaned);
    EXPECT_TRUE(cleaned->empty());
}

TEST(BatchCleaner, KeepsACommitMarkerWhileItsDataIsThereAndARestAfterwards) {
    Rounds rounds;
    rounds.add(
        {.base = 0, .records = {{.key = "a"}}, .producer_id = kProducer, .transactional = true});
    rounds.add_marker(1, true);
    rounds.newest("a", 0);
    rounds.run(10'000);
    EXPECT_EQ(rounds.offsets(), (Offsets{0, 1}));
    EXPECT_FALSE(rounds.header(1).has_delete_horizon());
    // The data goes: in the same round the marker still had some.
    rounds.newest("a", 5);
    rounds.run(20'000);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    EXPECT_FALSE(rounds.header(0).has_delete_horizon());
    rounds.run(30'000);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    EXPECT_TRUE(rounds.header(0).has_delete_horizon());
    rounds.run(30'999);
    EXPECT_EQ(rounds.offsets(), Offsets{1});
    rounds.run(31'000);
    EXPECT_EQ(rounds.offsets(), Offsets{});
}

TEST(BatchCleaner, DropsAbortedDataAtOnceAndItsMarkerLater) {
    Rounds rounds;
    rounds.add(
        {.base = 0, .records = {{.key = "a"}}, .producer_id = kProducer, .transactional = true});
    rounds.add_marker(1, false);
    rounds.newest("a", 0);
    rounds.run(10'000);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    // As Kafka's Cleaner does it: this round still saw data of the transaction.
    EXPECT_FALSE(rounds.header(0).has_delete_horizon());
    rounds.run(20'000);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    EXPECT_EQ(rounds.header(0).base_timestamp, WallMs{20'000 + kRetention});
    rounds.run(20'999);
    EXPECT_EQ(rounds.offsets(), Offsets{1});
    rounds.run(21'000);
    EXPECT_EQ(rounds.offsets(), Offsets{});
}

TEST(BatchCleaner, LeavesTheLastBatchOfALiveProducerAsAHeader) {
    Rounds rounds;
    rounds.add({.base = 0, .records = {{.key = "a"}}, .producer_id = kProducer});
    rounds.add({.base = 1, .records = {{.key = "b"}}, .producer_id = kProducer});
    rounds.newest("a", 9);
    rounds.newest("b", 10);
    rounds.live_producer({.last_data = {1}, .epoch = 0});
    rounds.run(10'000);
    ASSERT_EQ(rounds.offsets(), Offsets{1});
    EXPECT_EQ(rounds.header(0).record_count, 0);
    EXPECT_EQ(rounds.header(0).last_offset(), Offset{1});
    EXPECT_EQ(rounds.header(0).base_sequence, 1);
}

// Stored unopened in a topic that was not compacted then; a rewrite would stop the process.
TEST(RecordOrder, OffsetsRiseWithinTheirBatch) {
    wire::BatchHeader header;
    header.last_offset_delta = 5;
    const auto verdict = [&header](std::initializer_list<std::int32_t> deltas) {
        RecordOrder order{header};
        for (const std::int32_t delta : deltas) {
            wire::RecordView record;
            record.offset_delta = delta;
            if (const auto good = order.check(record); !good) return good.error().code();
        }
        return Errc::kNone;
    };
    EXPECT_EQ(verdict({0, 1, 2, 5}), Errc::kNone);
    EXPECT_EQ(verdict({3}), Errc::kNone);
    EXPECT_EQ(verdict({-1}), Errc::kCorruptMessage);
    EXPECT_EQ(verdict({0, 0}), Errc::kCorruptMessage);
    EXPECT_EQ(verdict({2, 1}), Errc::kCorruptMessage);
    EXPECT_EQ(verdict({0, 6}), Errc::kCorruptMessage);
}

}  // namespace
}  // namespace leat::storage
