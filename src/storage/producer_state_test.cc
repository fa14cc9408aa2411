// SPDX-License-Identifier: Apache-2.0
//
// Method: batches shown one by one, verdicts compared with what Kafka answers; snapshots against
// bytes written by hand and after a round trip.
#include "storage/producer_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/bounded_time.h"
#include "base/endian.h"
#include "codec/crc32c.h"
#include "storage/producer_snapshot.h"
#include "testkit/bytes.h"

namespace leat::storage {
namespace {

constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
constexpr WallMs kNow{1'000'000};

ProducerBatch batch(std::int16_t epoch, std::int32_t first, std::int32_t count = 1,
                    bool transactional = false, std::int64_t id = 7) {
    return {.producer_id = id,
            .epoch = epoch,
            .first_sequence = first,
            .last_offset_delta = count - 1,
            .transactional = transactional};
}

struct Rig {
    explicit Rig(ProducerLimits limits = {}) : state(limits) {}
    ProducerState state;
    Offset end{0};

    /// As if the coordinator had just been asked.
    Errc push(ProducerBatch b, WallMs now = kNow) {
        b.guard = state.guard(b.producer_id);
        const auto verdict = state.check(b, now);
        if (verdict.error != Errc::kNone || verdict.duplicate) return verdict.error;
        state.appended(b, end, now, now);
        end.value += b.last_offset_delta + 1;
        return Errc::kNone;
    }
    Offset duplicate_of(const ProducerBatch& b) {
        const auto verdict = state.check(b, kNow);
        return verdict.duplicate ? verdict.duplicate->base_offset() : Offset{-1};
    }
};

TEST(Sequence, WrapsAfterTheLargest) {
    EXPECT_EQ(sequence_after(kMax, 1), 0);
    EXPECT_EQ(sequence_after(kMax - 1, 3), 1);
    EXPECT_EQ(sequence_before(0, 1), kMax);
    EXPECT_EQ(sequence_before(1, 3), kMax - 1);
    EXPECT_EQ(sequence_before(5, 5), 0);
}

TEST(ProducerState, AcceptsAnySequenceOfAnUnknownProducer) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(3, 41)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(3, 42)), Errc::kNone);
}

// The client has sent several at once; that the first found no room is no fault of its count.
TEST(ProducerState, RefusesWhatCameBehindOneThatFoundNoRoomAsThat) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, kMax - 9, 10)), Errc::kNone);
    rig.state.found_no_room(batch(0, 0, 5), kNow);
    EXPECT_EQ(rig.push(batch(0, 5)), Errc::kKafkaStorageError);
    EXPECT_EQ(rig.push(batch(0, 6)), Errc::kKafkaStorageError);
    EXPECT_EQ(rig.push(batch(0, kMax - 1)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(0, 0, 5)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 6)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(0, 5)), Errc::kNone);
}

// It would be written before that one.
TEST(ProducerState, DoesNotBeginBehindOneThatFoundNoRoom) {
    Rig rig;
    rig.state.found_no_room(batch(0, 3), kNow);
    EXPECT_EQ(rig.push(batch(0, 4)), Errc::kKafkaStorageError);
    EXPECT_EQ(rig.push(batch(0, 4, 1, false, 8)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 3)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 4)), Errc::kNone);
}

TEST(ProducerState, DoesNotWaitForOneThatFoundNoRoomForEver) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, 0)), Errc::kNone);
    rig.state.found_no_room(batch(0, 1), kNow);
    EXPECT_EQ(rig.push(batch(0, 2), after(kNow, 119'999)), Errc::kKafkaStorageError);
    EXPECT_EQ(rig.push(batch(0, 2), after(kNow, 120'000)), Errc::kOutOfOrderSequenceNumber);
    rig.state.found_no_room(batch(0, 1), kNow);
    EXPECT_EQ(rig.push(batch(1, 2)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(1, 0)), Errc::kNone);
}

TEST(ProducerState, RefusesAGapAndGoesOnAfterIt) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, 0, 10)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 11)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(0, 9)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(0, 10)), Errc::kNone);
}

TEST(ProducerState, KnowsTheLastFiveBatchesAgain) {
    Rig rig;
    for (std::int32_t i = 0; i < 6; ++i) EXPECT_EQ(rig.push(batch(0, 2 * i, 2)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 0, 2)), Errc::kOutOfOrderSequenceNumber);
    for (std::int32_t i = 1; i < 6; ++i)
        EXPECT_EQ(rig.duplicate_of(batch(0, 2 * i, 2)), Offset{std::int64_t{2} * i});
    EXPECT_EQ(rig.duplicate_of(batch(0, 10, 1)), Offset{-1}) << "only the whole batch";
    EXPECT_EQ(rig.end, Offset{12});
}

TEST(ProducerState, AnswersADuplicateWithItsTime) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, 0), WallMs{500}), Errc::kNone);
    EXPECT_EQ(rig.state.check(batch(0, 0), kNow).duplicate->timestamp, WallMs{500});
}

TEST(ProducerState, GoesOnAtZeroAfterTheLargestSequence) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, kMax - 1, 2)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 0, 3)), Errc::kNone);
    EXPECT_EQ(rig.duplicate_of(batch(0, kMax - 1, 2)), Offset{0});
}

TEST(ProducerState, FindsADuplicateThatWraps) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, kMax, 3)), Errc::kNone);
    EXPECT_EQ(rig.duplicate_of(batch(0, kMax, 3)), Offset{0});
    EXPECT_EQ(rig.push(batch(0, 2)), Errc::kNone);
}

TEST(ProducerState, WantsANewEpochToBeginAtZero) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, 0)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(1, 1)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(1, 0)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 1)), Errc::kInvalidProducerEpoch);
    EXPECT_EQ(rig.duplicate_of(batch(0, 0)), Offset{-1}) << "of an older epoch";
}

TEST(ProducerState, ForgetsIdleProducersOnly) {
    Rig rig({.expiration_ms = 100, .ids_max = 10});
    rig.push(batch(0, 0, 1, false, 1), WallMs{1000});
    rig.push(batch(0, 0, 1, true, 2), WallMs{1000});
    rig.push(batch(0, 0, 1, false, 3), WallMs{1050});
    EXPECT_EQ(rig.state.expire(WallMs{1099}), 0U);
    EXPECT_EQ(rig.state.expire(WallMs{1100}), 1U);
    EXPECT_EQ(rig.state.expire(WallMs{1150}), 1U);
    EXPECT_TRUE(rig.state.entries().contains(2)) << "it has a transaction open";
}

TEST(ProducerState, ForgetsTheLongestIdleAtTheBound) {
    Rig rig({.expiration_ms = 1'000'000, .ids_max = 3, .idle_min_ms = 100});
    EXPECT_EQ(rig.push(batch(0, 0, 1, true, 1), WallMs{1000}), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 2), WallMs{1050}), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 3), WallMs{1040}), Errc::kNone);
    // Any of them may still send its last batch again.
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 4), WallMs{1100}), Errc::kNotEnoughReplicas);
    EXPECT_EQ(rig.push(batch(0, 1, 1, false, 2), WallMs{1100}), Errc::kNone) << "it is known";
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 4), WallMs{1140}), Errc::kNone);
    EXPECT_FALSE(rig.state.entries().contains(3));
    EXPECT_TRUE(rig.state.entries().contains(2)) << "it wrote last";
    EXPECT_TRUE(rig.state.entries().contains(1)) << "it has a transaction open";
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 5), WallMs{1199}), Errc::kNotEnoughReplicas);
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 5), WallMs{1200}), Errc::kNone);
    EXPECT_FALSE(rig.state.entries().contains(2));
}

// Room may be found just before the second of several that were sent at once.
TEST(ProducerState, DoesNotBeginBehindOneThatTheBoundRefused) {
    Rig rig({.expiration_ms = 1'000'000, .ids_max = 1, .idle_min_ms = 100});
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 1), WallMs{1000}), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 0, 5, false, 2), WallMs{1050}), Errc::kNotEnoughReplicas);
    EXPECT_EQ(rig.push(batch(0, 5, 5, false, 2), WallMs{1060}), Errc::kKafkaStorageError);
    EXPECT_EQ(rig.push(batch(0, 10, 5, false, 2), WallMs{1100}), Errc::kKafkaStorageError);
    EXPECT_EQ(rig.push(batch(0, 0, 5, false, 2), WallMs{1100}), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 5, 5, false, 2), WallMs{1100}), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 10, 5, false, 2), WallMs{1100}), Errc::kNone);
}

TEST(ProducerState, ComesDownToTheBoundAfterARestart) {
    Rig rig({.expiration_ms = 1'000'000, .ids_max = 4, .idle_min_ms = 100});
    for (std::int64_t id = 1; id <= 9; ++id)  // As recovery does: nothing is checked.
        rig.state.appended({.producer_id = id, .epoch = 0, .first_sequence = 0}, Offset{id},
                           WallMs{1000 + id}, WallMs{1000 + id});
    EXPECT_EQ(rig.push(batch(0, 0, 1, false, 20), WallMs{1500}), Errc::kNone);
    EXPECT_EQ(rig.state.entries().size(), 4U);
    EXPECT_TRUE(rig.state.entries().contains(9));
    EXPECT_FALSE(rig.state.entries().contains(6));
}

TEST(ProducerState, HoldsTheFirstUnstableOffsetUntilTheMarkerIsBelowTheHighWatermark) {
    Rig rig;
    rig.push(batch(0, 0, 5, false, 1));
    rig.push(batch(0, 0, 5, true, 2));
    rig.push(batch(0, 0, 5, true, 3));
    EXPECT_EQ(rig.state.first_unstable(), Offset{5});
    const auto ended = rig.state.ended({.producer_id = 2, .epoch = 0, .coordinator_epoch = 1},
                                       Offset{15}, kNow, kNow);
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->first, Offset{5});
    EXPECT_EQ(ended->last_stable, Offset{10});
    EXPECT_EQ(rig.state.first_unstable(), Offset{5});
    rig.state.advance(Offset{15});
    EXPECT_EQ(rig.state.first_unstable(), Offset{5});
    rig.state.advance(Offset{16});
    EXPECT_EQ(rig.state.first_unstable(), Offset{10});
    EXPECT_EQ(
        rig.state
            .ended({.producer_id = 3, .epoch = 0, .coordinator_epoch = 1}, Offset{16}, kNow, kNow)
            ->last_stable,
        Offset{17});
    rig.state.advance(Offset{17});
    EXPECT_EQ(rig.state.first_unstable(), Offset{-1});
}

TEST(ProducerState, BeginsATransactionOnceAndRefusesOtherWritesInIt) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, 0, 1, true)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 1, 1, true)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, 2, 1, false)), Errc::kInvalidTxnState);
    EXPECT_EQ(rig.state.active().at(0).transaction_start, Offset{0});
}

TEST(ProducerState, ChecksMarkersAgainstEpochsOfProducerAndCoordinator) {
    Rig rig;
    rig.push(batch(3, 0, 1, true));
    EXPECT_EQ(rig.state.check({.producer_id = 7, .epoch = 2, .coordinator_epoch = 5}),
              Errc::kInvalidProducerEpoch);
    EXPECT_EQ(rig.state.check({.producer_id = 7, .epoch = 4, .coordinator_epoch = 5}), Errc::kNone);
    rig.state.ended({.producer_id = 7, .epoch = 4, .coordinator_epoch = 5}, Offset{1}, kNow, kNow);
    EXPECT_EQ(rig.state.check({.producer_id = 7, .epoch = 4, .coordinator_epoch = 4}),
              Errc::kTransactionCoordinatorFenced);
    EXPECT_EQ(rig.push(batch(3, 1, 1, true)), Errc::kInvalidProducerEpoch);
    EXPECT_EQ(rig.push(batch(4, 1, 1, true)), Errc::kOutOfOrderSequenceNumber);
    EXPECT_EQ(rig.push(batch(4, 0, 1, true)), Errc::kNone);
}

TEST(ProducerState, TakesAnEndOnceWhenEachHasAnEpochOfItsOwn) {
    Rig rig;
    const EndMarker end{
        .producer_id = 7, .epoch = 4, .coordinator_epoch = 5, .transaction_version = 2};
    rig.push(batch(3, 0, 1, true));
    EXPECT_EQ(rig.state.check(end), Errc::kNone);
    EXPECT_FALSE(rig.state.is_repeated(end));
    rig.state.ended(end, Offset{1}, kNow, kNow);
    EXPECT_EQ(rig.state.check(end), Errc::kNone) << "a retry of the coordinator";
    EXPECT_TRUE(rig.state.is_repeated(end));
    rig.push(batch(4, 0, 1, true));
    EXPECT_EQ(rig.state.check(end), Errc::kInvalidProducerEpoch) << "it would end the next one";
    EndMarker old = end;
    old.transaction_version = 0;
    EXPECT_EQ(rig.state.check(old), Errc::kNone) << "under protocol 1 it cannot be told apart";
    EXPECT_FALSE(rig.state.is_repeated(old));
}

TEST(ProducerState, OpensATransactionOnlyWithAGuardOfNow) {
    Rig rig;
    ProducerBatch late = batch(0, 0, 1, true);
    EXPECT_EQ(rig.state.check(late, kNow).error, Errc::kInvalidTxnState) << "nobody was asked";
    late.guard = rig.state.guard(7);
    EXPECT_EQ(rig.state.check(late, kNow).error, Errc::kNone);
    // The end overtakes the batch, in a partition that had not seen the producer.
    rig.state.ended({.producer_id = 7, .epoch = 0, .coordinator_epoch = 0}, Offset{0}, kNow, kNow);
    EXPECT_EQ(rig.state.check(late, kNow).error, Errc::kInvalidTxnState);
    late.guard = rig.state.guard(7);
    EXPECT_EQ(rig.state.check(late, kNow).error, Errc::kNone);
    rig.state.note_end(7);  // The same without a marker.
    EXPECT_EQ(rig.state.check(late, kNow).error, Errc::kInvalidTxnState);
    EXPECT_EQ(rig.push(late), Errc::kNone);
    EXPECT_EQ(rig.state.check(batch(0, 1, 1, true), kNow).error, Errc::kNone)
        << "inside of the transaction there is nothing to ask";
}

TEST(ProducerState, LetsAnUnknownProducerOfProtocol2BeginAtZeroOnly) {
    Rig rig;
    ProducerBatch first = batch(0, 3, 1, true);
    first.guard = rig.state.guard(7);
    EXPECT_EQ(rig.state.check(first, kNow).error, Errc::kNone);
    first.guard.begins_at_zero = true;
    EXPECT_EQ(rig.state.check(first, kNow).error, Errc::kOutOfOrderSequenceNumber);
    first.first_sequence = 0;
    EXPECT_EQ(rig.state.check(first, kNow).error, Errc::kNone);
}

TEST(ProducerState, ListsOpenTransactionsTheEarliestFirst) {
    Rig rig;
    rig.push(batch(0, 0, 1, true, 9), WallMs{1000});
    rig.push(batch(2, 0, 1, true, 4), WallMs{2000});
    rig.push(batch(0, 1, 1, true, 9), WallMs{3000});
    const auto open = rig.state.open_transactions();
    ASSERT_EQ(open.size(), 2U);
    EXPECT_EQ(open[0].producer_id, 9);
    EXPECT_EQ(open[0].start, Offset{0});
    EXPECT_EQ(open[0].started_at, WallMs{1000});
    EXPECT_EQ(open[0].last_timestamp, WallMs{3000});
    EXPECT_EQ(open[1].epoch, 2);
    rig.state.ended({.producer_id = 9, .epoch = 0, .coordinator_epoch = 0}, rig.end, kNow, kNow);
    EXPECT_FALSE(rig.state.open_transaction(9).has_value());
    EXPECT_EQ(rig.state.open_transactions().size(), 1U);
}

TEST(ProducerState, IgnoresTheMarkerOfAnEmptyTransaction) {
    Rig rig;
    EXPECT_FALSE(
        rig.state
            .ended({.producer_id = 9, .epoch = 0, .coordinator_epoch = 0}, Offset{0}, kNow, kNow)
            .has_value());
    EXPECT_EQ(rig.state.first_unstable(), Offset{-1});
}

TEST(ProducerState, LeavesSequencesOfCoordinatorsAlone) {
    Rig rig;
    EXPECT_EQ(rig.push(batch(0, -1, 2, true)), Errc::kNone);
    EXPECT_EQ(rig.push(batch(0, -1, 2, true)), Errc::kNone);
    EXPECT_EQ(rig.state.active().at(0).last_sequence, -1);
    EXPECT_EQ(rig.push(batch(0, 0, 1, true)), Errc::kNone);
}

TEST(ProducerSnapshot, HasKafkasBytes) {
    Rig rig;
    rig.push(batch(2, 5, 3), WallMs{0x0102});
    const auto file = encode_snapshot(rig.state.entries());
    const auto rest = testkit::hex(
        "00 00 00 01 "                                      // count
        "00 00 00 00 00 00 00 07 00 02 "                    // id, epoch
        "00 00 00 07 00 00 00 00 00 00 00 02 00 00 00 02 "  // sequence, offset, delta
        "00 00 00 00 00 00 01 02 "                          // timestamp
        "FF FF FF FF FF FF FF FF FF FF FF FF");             // coordinator epoch, transaction
    ASSERT_EQ(file.size(), 6 + rest.size());
    EXPECT_EQ(load_be<std::int16_t>(file.data()), 1);
    EXPECT_EQ(load_be<std::uint32_t>(file.data() + 2), codec::crc32c(rest));
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), file.begin() + 6));
}

Rig busy() {
    Rig rig;
    for (std::int32_t i = 0; i < 7; ++i) rig.push(batch(1, 3 * i, 3), WallMs{100 + i});
    rig.push(batch(0, 0, 1, true, 8));
    rig.state.ended({.producer_id = 9, .epoch = 4, .coordinator_epoch = 2}, rig.end, kNow, kNow);
    return rig;
}

TEST(ProducerSnapshot, BringsEverythingBackTogetherWithTheWindow) {
    Rig rig = busy();
    auto back = decode_snapshot(encode_snapshot(rig.state.entries()));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->at(7).batch_count, 1);
    const auto window = encode_window(rig.state.entries(), Offset{22});
    ASSERT_TRUE(decode_window(window, Offset{22}, *back).has_value());
    // What is forgotten at a restart.
    ProducerEntries kept = rig.state.entries();
    for (auto& [id, entry] : kept) {
        entry.started_at = WallMs{-1};
        entry.ends = 0;
    }
    EXPECT_EQ(*back, kept);
    ProducerState restored{{}};
    restored.restore(*back);
    EXPECT_EQ(restored.first_unstable(), Offset{21});
    EXPECT_TRUE(restored.check(batch(1, 6, 3), kNow).duplicate.has_value());
}

TEST(ProducerSnapshot, RefusesEveryFlippedBit) {
    Rig rig = busy();
    const auto snapshot = encode_snapshot(rig.state.entries());
    const auto window = encode_window(rig.state.entries(), Offset{22});
    for (std::size_t bit = 0; bit < snapshot.size() * 8; ++bit) {
        auto bad = snapshot;
        bad[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
        EXPECT_FALSE(decode_snapshot(bad).has_value()) << bit;
    }
    for (std::size_t bit = 0; bit < window.size() * 8; ++bit) {
        auto bad = window;
        bad[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
        ProducerEntries entries;
        EXPECT_FALSE(decode_window(bad, Offset{22}, entries).has_value()) << bit;
    }
    for (std::size_t size = 0; size < snapshot.size(); ++size)
        EXPECT_FALSE(decode_snapshot(Bytes{snapshot}.first(size)).has_value()) << size;
}

TEST(ProducerSnapshot, RefusesTheWindowOfAnotherOffset) {
    Rig rig = busy();
    ProducerEntries entries;
    EXPECT_FALSE(decode_window(encode_window(rig.state.entries(), Offset{22}), Offset{23}, entries)
                     .has_value());
}

}  // namespace
}  // namespace leat::storage
