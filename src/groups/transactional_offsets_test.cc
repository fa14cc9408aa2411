// SPDX-License-Identifier: Apache-2.0
// Method: commits of transactions against a coordinator whose appends the test completes, with and
// without a restart before the marker; Kafka's rules of who wins.
#include <gtest/gtest.h>

#include "groups/coordinator.h"

namespace leat::groups {
namespace {

/// What the log has: a record of a producer's transaction (or none), or a marker.
struct Logged {
    RecordToWrite record = {};
    std::int64_t producer = -1;
    std::optional<bool> committed = {};
};

struct Rig {
    explicit Rig(const Settings& given = {}) : settings(given) { restart(); }

    void restart() {
        c = std::make_unique<Coordinator>(settings, [this] { return ++bits; });
        for (const Logged& one : log) {
            if (one.committed) {
                c->end_transaction(one.producer, *one.committed, now);
                continue;
            }
            c->load_record(
                one.record.key,
                one.record.value ? std::optional<Bytes>{*one.record.value} : std::nullopt, now,
                one.producer);
        }
        c->finish_load(now);
    }
    void write(Errc outcome = Errc::kNone) {
        for (Write& each : c->take_writes()) {
            const std::int64_t producer = each.producer ? each.producer->id : -1;
            if (outcome == Errc::kNone)
                for (RecordToWrite& record : each.records)
                    log.push_back({.record = std::move(record), .producer = producer});
            c->on_written(each.token, outcome, now);
        }
    }
    Errc commit(std::int64_t offset, std::optional<std::int64_t> producer,
                std::int32_t generation = -1, std::string_view member = {}) {
        const OffsetToCommit one{.topic = "t", .partition = 0, .offset = offset, .metadata = "m"};
        CommitOffsets request{
            .group_id = "g", .member_id = member, .generation = generation, .offsets = {&one, 1}};
        if (producer) request.transaction = Producer{.id = *producer, .epoch = 0};
        Errc error = Errc::kTimedOut;
        c->commit_offsets(request, now, [&](const CommitAnswer& answer) {
            error = answer.error != Errc::kNone ? answer.error : answer.partitions.at(0);
        });
        write();
        return error;
    }
    void end(std::int64_t producer, bool committed) {
        log.push_back({.producer = producer, .committed = committed});
        c->end_transaction(producer, committed, now);
        write();
    }
    FetchedOffset fetch(bool stable_only = false) const {
        const TopicPartition one{.topic = "t", .partition = 0};
        return c->fetch_offsets("g", {&one, 1}, stable_only).at(0);
    }

    Settings settings;
    Now now{.mono = {}, .wall = WallMs{1'000'000}};
    std::uint64_t bits = 0;
    std::vector<Logged> log;
    std::unique_ptr<Coordinator> c;
};

TEST(TransactionalOffsets, HoldFromTheCommitOnAndNotBefore) {
    for (const bool restarts : {false, true}) {
        Rig rig;
        EXPECT_EQ(rig.commit(5, std::nullopt), Errc::kNone);
        EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
        if (restarts) rig.restart();
        EXPECT_EQ(rig.fetch().offset, 5);
        EXPECT_EQ(rig.fetch(true).error, Errc::kUnstableOffsetCommit);
        EXPECT_EQ(rig.fetch(true).offset, -1);
        EXPECT_EQ(rig.c->fetch_all_offsets("g", true).at(0).committed.error,
                  Errc::kUnstableOffsetCommit);
        rig.end(1, true);
        EXPECT_EQ(rig.fetch(true).error, Errc::kNone);
        EXPECT_EQ(rig.fetch(true).offset, 9);
        rig.restart();
        EXPECT_EQ(rig.fetch().offset, 9);
    }
}

TEST(TransactionalOffsets, AreDroppedByAnAbort) {
    for (const bool restarts : {false, true}) {
        Rig rig;
        EXPECT_EQ(rig.commit(5, std::nullopt), Errc::kNone);
        EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
        if (restarts) rig.restart();
        rig.end(1, false);
        EXPECT_EQ(rig.fetch(true).offset, 5);
        rig.restart();
        EXPECT_EQ(rig.fetch(true).offset, 5);
    }
}

TEST(TransactionalOffsets, GiveWayToALaterCommitOutsideOfThem) {
    for (const bool restarts : {false, true}) {
        Rig rig;
        EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
        EXPECT_EQ(rig.commit(12, std::nullopt), Errc::kNone);
        if (restarts) rig.restart();
        rig.end(1, true);
        EXPECT_EQ(rig.fetch().offset, 12);
    }
}

TEST(TransactionalOffsets, OfSeveralProducersTheLaterRecordHolds) {
    Rig rig;
    EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
    EXPECT_EQ(rig.commit(12, 2), Errc::kNone);
    rig.end(2, true);
    EXPECT_EQ(rig.fetch().offset, 12);
    EXPECT_EQ(rig.fetch(true).error, Errc::kUnstableOffsetCommit) << "the other is still open";
    rig.end(1, true);
    EXPECT_EQ(rig.fetch(true).offset, 12);
}

TEST(TransactionalOffsets, KeepAGroupThatIsNothingElse) {
    Rig rig;
    EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
    EXPECT_TRUE(rig.c->has_group("g"));
    rig.end(1, false);
    EXPECT_FALSE(rig.c->has_group("g"));
    EXPECT_EQ(rig.fetch().offset, -1);
}

TEST(TransactionalOffsets, GoWithTheirGroupAndWithTheirTopic) {
    for (const bool by_topic : {false, true}) {
        Rig rig;
        EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
        std::optional<Errc> deleted;
        if (by_topic) {
            rig.c->on_topic_deleted("t", rig.now);
        } else {
            rig.c->delete_group("g", rig.now, [&](Errc error) { deleted = error; });
        }
        rig.write();
        EXPECT_EQ(deleted, by_topic ? std::nullopt : std::optional{Errc::kNone});
        rig.end(1, true);
        EXPECT_EQ(rig.fetch().offset, -1);
        rig.restart();
        EXPECT_EQ(rig.fetch().offset, -1) << "the tombstone lies before the marker";
    }
}

TEST(TransactionalOffsets, GoWithTheirTopicWhileTheyAreBeingWritten) {
    Rig rig;
    const OffsetToCommit one{.topic = "t", .partition = 0, .offset = 9};
    const CommitOffsets request{
        .group_id = "g", .offsets = {&one, 1}, .transaction = Producer{.id = 1, .epoch = 0}};
    rig.c->commit_offsets(request, rig.now, [](const CommitAnswer&) {});
    rig.c->on_topic_deleted("t", rig.now);
    rig.write();
    rig.end(1, true);
    EXPECT_EQ(rig.fetch().offset, -1);
    rig.restart();
    EXPECT_EQ(rig.fetch().offset, -1);
}

TEST(TransactionalOffsets, AreNotTakenWhenTheAppendFails) {
    Rig rig;
    const OffsetToCommit one{.topic = "t", .partition = 0, .offset = 9};
    const CommitOffsets request{
        .group_id = "g", .offsets = {&one, 1}, .transaction = Producer{.id = 1, .epoch = 0}};
    std::optional<Errc> error;
    rig.c->commit_offsets(request, rig.now,
                          [&](const CommitAnswer& answer) { error = answer.partitions.at(0); });
    rig.write(Errc::kInvalidProducerEpoch);
    EXPECT_EQ(error, Errc::kInvalidProducerEpoch);
    rig.end(1, true);
    EXPECT_EQ(rig.fetch().offset, -1);
}

TEST(TransactionalOffsets, AreFencedByGenerationAndMember) {
    Rig rig;
    EXPECT_EQ(rig.commit(9, 1, 3, "m"), Errc::kIllegalGeneration) << "there is no such group";
    EXPECT_EQ(rig.commit(5, std::nullopt), Errc::kNone);
    EXPECT_EQ(rig.commit(9, 1, 3, "m"), Errc::kUnknownMemberId);
    EXPECT_EQ(rig.commit(9, 1), Errc::kNone) << "older versions say nothing of members";
}

TEST(TransactionalOffsets, CountBesideWhatWasCommitted) {
    Settings settings;
    settings.offsets_max = 2;
    Rig rig{settings};
    EXPECT_EQ(rig.commit(5, std::nullopt), Errc::kNone);
    EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
    EXPECT_EQ(rig.commit(9, 2), Errc::kPolicyViolation) << "a third one to hold";
    EXPECT_EQ(rig.commit(10, 1), Errc::kNone) << "in the place of its own";
    EXPECT_EQ(rig.commit(6, std::nullopt), Errc::kNone);
    rig.end(1, false);
    EXPECT_EQ(rig.commit(9, 2), Errc::kNone);
}

TEST(TransactionalOffsets, TakeMemoryBesideWhatWasCommitted) {
    Rig rig;
    EXPECT_EQ(rig.commit(5, std::nullopt), Errc::kNone);
    EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
    rig.settings.all_groups_bytes_max = 1;
    rig.c->set_settings(rig.settings);
    EXPECT_EQ(rig.commit(9, 2), Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(rig.commit(10, 1), Errc::kNone);
    EXPECT_EQ(rig.commit(6, std::nullopt), Errc::kNone);
    rig.end(1, true);
    EXPECT_EQ(rig.fetch(true).offset, 6) << "the later commit holds";
    EXPECT_EQ(rig.commit(11, 1), Errc::kNone) << "the next transaction of who is at work";
    EXPECT_EQ(rig.commit(11, 2), Errc::kCoordinatorNotAvailable);
}

TEST(TransactionalOffsets, MutantThatHoldsThemAtOnceIsSeen) {
    Settings settings;
    settings.faults.offsets_outside_transaction = true;
    Rig rig{settings};
    EXPECT_EQ(rig.commit(9, 1), Errc::kNone);
    EXPECT_EQ(rig.fetch().offset, 9);
    rig.end(1, false);
    EXPECT_EQ(rig.fetch().offset, 9);
}

}  // namespace
}  // namespace leat::groups
