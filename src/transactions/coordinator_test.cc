// SPDX-License-Identifier: Apache-2.0
// Method: one command after the other against a coordinator whose appends, markers and producer ids
// the test completes; what is expected of each is what a Kafka 4.3.1 node answered to the same.
#include "transactions/coordinator.h"

#include <gtest/gtest.h>

namespace leat::transactions {
namespace {

using namespace std::chrono_literals;
constexpr std::int16_t kLastEpoch = 32'766;

struct Fixture {
    Fixture() { restart(); }

    /// A new coordinator that has read the log.
    void restart() {
        unwritten.clear();
        unmarked.clear();
        c = std::make_unique<Coordinator>(settings);
        for (const RecordToWrite& record : log)
            c->load_record(record.key,
                           record.value ? std::optional<Bytes>{*record.value} : std::nullopt);
        c->finish_load(now);
        collect();
    }
    void collect() {
        for (Write& each : c->take_writes()) unwritten.push_back(std::move(each));
        for (Markers& each : c->take_markers()) {
            marked.push_back(each);
            unmarked.push_back(std::move(each));
        }
        for (std::size_t left = c->take_wanted_ids(); left > 0; --left)
            c->give_producer_id(next_id++, now);
        if (c->take_wanted_ids() > 0) ADD_FAILURE() << "an id was given and not used";
    }
    /// Completes all appends in order, and those that follow from them.
    void write(Errc outcome = Errc::kNone) {
        for (collect(); !unwritten.empty(); collect()) {
            const Write next = std::move(unwritten.front());
            unwritten.erase(unwritten.begin());
            if (outcome == Errc::kNone)
                log.insert(log.end(), next.records.begin(), next.records.end());
            c->on_written(next.token, outcome, now);
        }
    }
    [[nodiscard]] Caller caller() const {
        return {.connection = connection, .has_ended = has_ended};
    }
    /// Completes all markers.
    void mark() {
        for (collect(); !unmarked.empty(); collect()) {
            const Markers next = std::move(unmarked.front());
            unmarked.erase(unmarked.begin());
            c->on_marked(next.token, now);
        }
        write();
    }
    void pass(std::chrono::milliseconds time) {
        now.mono += time;
        now.wall.value += time.count();
        if (const auto at = c->next_deadline(); at && *at <= now.mono) c->advance(now);
        collect();
    }

    std::shared_ptr<std::optional<InitAnswer>> begin_init(std::optional<Producer> expected = {},
                                                          std::int32_t timeout = 60'000) {
        auto out = std::make_shared<std::optional<InitAnswer>>();
        c->init({.transactional_id = "t",
                 .timeout_ms = timeout,
                 .expected = expected,
                 .connection = connection},
                now, [out](InitAnswer answer) { *out = answer; });
        collect();
        return out;
    }
    InitAnswer init(std::optional<Producer> expected = {}, std::int32_t timeout = 60'000) {
        const auto out = begin_init(expected, timeout);
        write();
        EXPECT_TRUE(out->has_value());
        return out->value_or(InitAnswer{});
    }
    std::shared_ptr<std::optional<Errc>> begin_enrol(Producer producer, std::int32_t partition,
                                                     Protocol protocol, bool may_wait = false) {
        auto out = std::make_shared<std::optional<Errc>>();
        const std::vector<TopicPartition> partitions{{"a", partition}};
        c->enrol({.transactional_id = "t",
                  .producer = producer,
                  .partitions = partitions,
                  .protocol = protocol,
                  .caller = protocol == Protocol::kOne ? caller() : Caller{},
                  .may_wait = may_wait},
                 now, [out](Errc error) { *out = error; });
        collect();
        return out;
    }
    Errc enrol(Producer producer, Protocol protocol = Protocol::kTwo, std::int32_t partition = 0) {
        const auto out = begin_enrol(producer, partition, protocol);
        write();
        EXPECT_TRUE(out->has_value());
        return out->value_or(Errc::kUnknownServerError);
    }
    std::shared_ptr<std::optional<EndAnswer>> begin_end(Producer producer, bool commit,
                                                        Protocol protocol) {
        auto out = std::make_shared<std::optional<EndAnswer>>();
        c->end({.transactional_id = "t",
                .producer = producer,
                .commit = commit,
                .protocol = protocol,
                .caller = caller()},
               now, [out](EndAnswer answer) { *out = answer; });
        collect();
        return out;
    }
    EndAnswer end(Producer producer, bool commit, Protocol protocol = Protocol::kTwo) {
        const auto out = begin_end(producer, commit, protocol);
        write();
        EXPECT_TRUE(out->has_value());
        return out->value_or(EndAnswer{});
    }
    State state() { return c->describe("t").state; }

    Settings settings;
    Now now{.mono = Instant{1h}, .wall = WallMs{1'000'000'000}};
    std::uint64_t connection = 7;
    bool has_ended = false;  ///< That connection.
    std::int64_t next_id = 100;
    std::unique_ptr<Coordinator> c;
    std::vector<RecordToWrite> log;
    std::vector<Write> unwritten;
    std::vector<Markers> unmarked;
    std::vector<Markers> marked;
};

TEST(Coordinator, FirstInitGivesEpochZeroAndTheNextOnesRaiseIt) {
    Fixture f;
    EXPECT_EQ(f.init().producer, (Producer{100, 0}));
    EXPECT_EQ(f.init().producer, (Producer{100, 1}));
    f.restart();
    EXPECT_EQ(f.init().producer, (Producer{100, 2}));
}

TEST(Coordinator, InitRefusesTimeoutsAboveTheBoundAndEmptyIds) {
    Fixture f;
    EXPECT_EQ(f.init({}, 0).error, Errc::kInvalidTransactionTimeout);
    EXPECT_EQ(f.init({}, 900'001).error, Errc::kInvalidTransactionTimeout);
    EXPECT_EQ(f.init({}, 900'000).error, Errc::kNone);
    std::optional<Errc> error;
    f.c->init({.transactional_id = "", .timeout_ms = 1}, f.now,
              [&](InitAnswer answer) { error = answer.error; });
    EXPECT_EQ(error, Errc::kInvalidRequest);
}

TEST(Coordinator, AProducerResumesWithItsEpochAndARepeatedRequestGetsTheSame) {
    Fixture f;
    f.init();
    EXPECT_EQ(f.init(Producer{100, 0}).producer, (Producer{100, 1}));
    EXPECT_EQ(f.init(Producer{100, 0}).producer, (Producer{100, 1}));
    EXPECT_EQ(f.init(Producer{99, 0}).error, Errc::kProducerFenced);
    EXPECT_EQ(f.init().producer, (Producer{100, 2}));
    EXPECT_EQ(f.init(Producer{100, 0}).error, Errc::kProducerFenced);
    EXPECT_EQ(f.init(Producer{100, 1}).error, Errc::kProducerFenced);
}

TEST(Coordinator, CommitUnderProtocolTwoRaisesTheEpochAndMarksWithIt) {
    Fixture f;
    const Producer p = f.init().producer;
    EXPECT_EQ(f.enrol(p), Errc::kNone);
    EXPECT_EQ(f.state(), State::kOngoing);
    const EndAnswer ended = f.end(p, true);
    EXPECT_EQ(ended.error, Errc::kNone);
    EXPECT_EQ(ended.producer, (Producer{100, 1}));
    EXPECT_EQ(f.state(), State::kPrepareCommit);
    ASSERT_EQ(f.marked.size(), 1U);
    EXPECT_EQ(f.marked[0].producer, (Producer{100, 1}));
    EXPECT_TRUE(f.marked[0].commit);
    f.mark();
    EXPECT_EQ(f.state(), State::kCompleteCommit);
    EXPECT_EQ(f.enrol(ended.producer), Errc::kNone);
}

TEST(Coordinator, ARepeatedEndIsAnsweredAgainAndADelayedOneEndsNothingElse) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p);
    const Producer next = f.end(p, true).producer;
    EXPECT_EQ(f.end(p, true).error, Errc::kConcurrentTransactions);
    f.mark();
    EXPECT_EQ(f.end(p, true).producer, next);
    EXPECT_EQ(f.end(p, false).error, Errc::kInvalidTxnState);
    // KAFKA-17754: the same request, held back until the next transaction is open.
    f.enrol(next);
    EXPECT_EQ(f.end(p, true).error, Errc::kProducerFenced);
    EXPECT_EQ(f.end(p, false).error, Errc::kProducerFenced);
    EXPECT_EQ(f.state(), State::kOngoing);
}

/// What Java's producer does when it looks for unsent records just before it is given some.
TEST(Coordinator, ACommitAheadOfItsRecordsIsToldToComeAgain) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p);
    const Producer next = f.end(p, true).producer;
    EXPECT_EQ(f.end(next, true).error, Errc::kConcurrentTransactions) << "the markers are written";
    f.mark();
    f.pass(f.settings.enrolment_wait - 1ms);
    EXPECT_EQ(f.end(next, true).error, Errc::kConcurrentTransactions);
    EXPECT_EQ(f.enrol(next), Errc::kNone);
    const Producer last = f.end(next, true).producer;
    EXPECT_EQ(last, (Producer{100, 2}));
    f.mark();
    f.pass(f.settings.enrolment_wait);
    EXPECT_EQ(f.end(last, true).error, Errc::kInvalidTxnState) << "there are no records";
}

TEST(Coordinator, UnderProtocolOneASupersededConnectionIsRefused) {
    Fixture f;
    const Producer p = f.init().producer;
    EXPECT_EQ(f.enrol(p, Protocol::kOne), Errc::kNone);
    // The client gives the connection up, comes back, commits and goes on.
    f.connection = 8;
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kNone);
    f.mark();
    EXPECT_EQ(f.enrol(p, Protocol::kOne), Errc::kNone);
    f.connection = 7;
    f.has_ended = true;
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kProducerFenced);
    EXPECT_EQ(f.enrol(p, Protocol::kOne, 5), Errc::kProducerFenced);
    EXPECT_EQ(f.state(), State::kOngoing);
    f.connection = 8;
    f.has_ended = false;
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kNone);
}

// As a pool of connections gives them out, the last one used first.
TEST(Coordinator, AClientMayUseSeveralConnectionsInAnyOrder) {
    Fixture f;
    f.connection = 8;
    const Producer p = f.init().producer;
    f.connection = 7;
    EXPECT_EQ(f.enrol(p, Protocol::kOne), Errc::kNone);
    f.connection = 9;
    EXPECT_EQ(f.enrol(p, Protocol::kOne, 5), Errc::kNone);
    f.connection = 7;
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kNone);
}

TEST(Coordinator, AnotherOwnerMayComeFromAnOlderConnection) {
    Fixture f;
    f.connection = 9;
    f.init();
    f.connection = 3;
    const Producer standby = f.init().producer;
    EXPECT_EQ(f.enrol(standby, Protocol::kOne), Errc::kNone);
    EXPECT_EQ(f.end(standby, true, Protocol::kOne).error, Errc::kNone);
}

TEST(Coordinator, WhoIsRefusedTakesNothingFromTheOwner) {
    Fixture f;
    f.connection = 9;
    const Producer zombie = f.init().producer;
    f.init();
    const Producer owner = f.init().producer;
    f.connection = 12;
    EXPECT_EQ(f.init(zombie).error, Errc::kProducerFenced);
    f.connection = 9;
    EXPECT_EQ(f.enrol(owner, Protocol::kOne), Errc::kNone);
    EXPECT_EQ(f.end(owner, true, Protocol::kOne).error, Errc::kNone);
    f.mark();
    // Nor does one whose record could not be written.
    f.connection = 12;
    const auto standby = f.begin_init();
    f.write(Errc::kNoSpace);
    EXPECT_NE((*standby)->error, Errc::kNone);
    f.connection = 9;
    EXPECT_EQ(f.enrol(owner, Protocol::kOne), Errc::kNone);
    EXPECT_EQ(f.end(owner, true, Protocol::kOne).error, Errc::kNone);
}

TEST(Coordinator, ProtocolOneKeepsItsEpochAndKnowsARepetitionByTheState) {
    Fixture f;
    const Producer p = f.init().producer;
    EXPECT_EQ(f.end(p, false, Protocol::kOne).error, Errc::kInvalidTxnState);
    f.enrol(p, Protocol::kOne);
    EXPECT_EQ(f.end(p, true, Protocol::kOne).producer, p);
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kConcurrentTransactions);
    EXPECT_EQ(f.end(p, false, Protocol::kOne).error, Errc::kInvalidTxnState);
    EXPECT_EQ(f.enrol(p, Protocol::kOne), Errc::kConcurrentTransactions);
    f.mark();
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kNone);
    EXPECT_EQ(f.end(p, false, Protocol::kOne).error, Errc::kInvalidTxnState);
}

TEST(Coordinator, UnderProtocolTwoNothingCanBeAbortedButNotCommitted) {
    Fixture f;
    Producer p = f.init().producer;
    EXPECT_EQ(f.end(p, true).error, Errc::kInvalidTxnState);
    const EndAnswer aborted = f.end(p, false);
    EXPECT_EQ(aborted.error, Errc::kNone);
    EXPECT_EQ(aborted.producer, (Producer{100, 1}));
    f.mark();
    EXPECT_EQ(f.state(), State::kCompleteAbort);
    EXPECT_EQ(f.end(aborted.producer, false).producer, (Producer{100, 2}));
    f.mark();
    f.pass(f.settings.enrolment_wait);
    EXPECT_EQ(f.end(Producer{100, 2}, true).error, Errc::kInvalidTxnState);
}

TEST(Coordinator, CallsOfOthersAreRefused) {
    Fixture f;
    EXPECT_EQ(f.enrol(Producer{1, 0}), Errc::kInvalidProducerIdMapping);
    EXPECT_EQ(f.end(Producer{1, 0}, true).error, Errc::kInvalidProducerIdMapping);
    const Producer p = f.init().producer;
    f.init();
    EXPECT_EQ(f.enrol(p), Errc::kProducerFenced);
    EXPECT_EQ(f.enrol(Producer{99, 1}), Errc::kInvalidProducerIdMapping);
    EXPECT_EQ(f.end(p, true).error, Errc::kProducerFenced);
    EXPECT_EQ(f.end(Producer{99, 1}, true).error, Errc::kInvalidProducerIdMapping);
}

TEST(Coordinator, InitAbortsAnOpenTransactionAndIsAnsweredWhenItComesAgain) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p);
    EXPECT_EQ(f.init().error, Errc::kConcurrentTransactions);
    EXPECT_EQ(f.init().error, Errc::kConcurrentTransactions);
    ASSERT_EQ(f.marked.size(), 1U);
    EXPECT_FALSE(f.marked[0].commit);
    EXPECT_EQ(f.marked[0].producer.epoch, 1);
    EXPECT_EQ(f.end(p, true).error, Errc::kConcurrentTransactions);
    f.mark();
    EXPECT_EQ(f.end(p, true).error, Errc::kInvalidTxnState);
    EXPECT_EQ(f.init().producer, (Producer{100, 2}));
    EXPECT_EQ(f.end(p, true).error, Errc::kProducerFenced);
}

TEST(Coordinator, ATransactionWhoseTimeIsOverIsAborted) {
    Fixture f;
    const Producer p = f.init({}, 15'000).producer;
    f.enrol(p, Protocol::kOne);
    f.pass(10s);
    f.write();
    EXPECT_EQ(f.state(), State::kOngoing);
    f.pass(10s);
    f.write();
    EXPECT_EQ(f.state(), State::kPrepareAbort);
    f.mark();
    EXPECT_EQ(f.state(), State::kCompleteAbort);
    EXPECT_EQ(f.end(p, true, Protocol::kOne).error, Errc::kProducerFenced);
}

TEST(Coordinator, WhatWasDecidedIsFinishedAfterARestart) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p);
    f.end(p, true);
    f.marked.clear();
    f.restart();
    ASSERT_EQ(f.marked.size(), 1U);
    EXPECT_TRUE(f.marked[0].commit);
    EXPECT_EQ(f.marked[0].producer, (Producer{100, 1}));
    EXPECT_EQ(f.marked[0].partitions, (Partitions{{"a", 0}}));
    f.mark();
    EXPECT_EQ(f.state(), State::kCompleteCommit);
    f.restart();
    EXPECT_EQ(f.end(p, true).producer, (Producer{100, 1}));
}

TEST(Coordinator, AnEnrolmentWaitsForTheTransactionBeforeButNotForEver) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p);
    const Producer next = f.end(p, true).producer;
    const auto first = f.begin_enrol(next, 0, Protocol::kTwo, true);
    const auto second = f.begin_enrol(next, 0, Protocol::kTwo, true);
    f.write();
    EXPECT_FALSE(first->has_value());
    f.mark();
    EXPECT_EQ(*first, Errc::kNone);
    EXPECT_EQ(*second, Errc::kNone);
    f.end(next, true);
    const auto late = f.begin_enrol(Producer{100, 2}, 0, Protocol::kTwo, true);
    f.pass(100ms);
    EXPECT_EQ(*late, Errc::kConcurrentTransactions);
}

/// A log that says: (50, kLastEpoch) has ended a transaction and may begin another.
std::vector<RecordToWrite> worn(const Fixture& f) {
    Snapshot at;
    at.producer = {.id = 50, .epoch = kLastEpoch};
    at.timeout_ms = 60'000;
    at.state = State::kCompleteCommit;
    at.protocol = Protocol::kTwo;
    at.updated_at = f.now.wall;
    return {{.key = encode_key("t"), .value = encode_value(at, 1)}};
}

TEST(Coordinator, AnExhaustedEpochGivesANewProducerId) {
    Fixture f;
    f.log = worn(f);
    f.restart();
    f.enrol(Producer{50, kLastEpoch});
    const EndAnswer ended = f.end(Producer{50, kLastEpoch}, true);
    EXPECT_EQ(ended.producer, (Producer{100, 0}));
    EXPECT_EQ(f.marked.back().producer, (Producer{50, 32'767}));
    EXPECT_EQ(f.end(Producer{100, 0}, true).error, Errc::kConcurrentTransactions);
    f.mark();
    // Repeated, as one who did not get the answer would.
    EXPECT_EQ(f.end(Producer{50, kLastEpoch}, true).producer, (Producer{100, 0}));
    EXPECT_EQ(f.enrol(Producer{100, 0}), Errc::kNone);
    f.log = worn(f);
    f.restart();
    EXPECT_EQ(f.init().producer, (Producer{101, 0}));
}

/// Java's producer sends its next records as soon as it is told the new id (KAFKA-18660).
TEST(Coordinator, ANewProducerIdMayBeUsedBeforeTheMarkersAreWritten) {
    Fixture f;
    f.log = worn(f);
    f.restart();
    f.enrol(Producer{50, kLastEpoch});
    const Producer next = f.end(Producer{50, kLastEpoch}, true).producer;
    ASSERT_EQ(next, (Producer{100, 0}));
    const auto waits = f.begin_enrol(next, 0, Protocol::kTwo, true);
    EXPECT_FALSE(waits->has_value());
    EXPECT_EQ(f.enrol(next), Errc::kConcurrentTransactions) << "it will not wait";
    EXPECT_EQ(f.init(next).error, Errc::kConcurrentTransactions);
    EXPECT_EQ(f.enrol(Producer{100, 1}), Errc::kInvalidProducerIdMapping);
    EXPECT_EQ(f.enrol(Producer{kNoProducerId, 0}), Errc::kInvalidProducerIdMapping);
    f.mark();
    EXPECT_EQ(*waits, Errc::kNone);
    EXPECT_EQ(f.state(), State::kOngoing);
    EXPECT_EQ(f.end(next, true).producer, (Producer{100, 1}));
}

TEST(Coordinator, WithoutANextProducerIdNobodyIsTheNextOwner) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p);
    f.end(p, true);
    // What follows has no id of its own: none is not the next one.
    const auto none = f.begin_enrol(Producer{kNoProducerId, 0}, 0, Protocol::kTwo, true);
    EXPECT_EQ(*none, Errc::kInvalidProducerIdMapping);
}

/// KAFKA-20090: a marker's epoch must be above that of its records, and none is above the largest.
TEST(Coordinator, TheLargestEpochIsGivenToNobody) {
    for (const bool is_overdue : {true, false}) {
        Fixture f;
        f.log = worn(f);
        f.restart();
        const Producer old{50, kLastEpoch};
        EXPECT_EQ(f.enrol(old), Errc::kNone);
        if (is_overdue) {
            f.pass(61s);
            f.write();
        } else {
            EXPECT_EQ(f.init().error, Errc::kConcurrentTransactions);
        }
        ASSERT_EQ(f.marked.size(), 1U);
        EXPECT_EQ(f.marked[0].producer, (Producer{50, 32'767}));
        EXPECT_FALSE(f.marked[0].commit);
        f.mark();
        for (const bool commit : {false, true}) {
            const EndAnswer ended = f.end(old, commit);
            EXPECT_EQ(ended.error, Errc::kProducerFenced);
            EXPECT_EQ(ended.producer, Producer{});
            EXPECT_EQ(f.end(old, commit, Protocol::kOne).error, Errc::kProducerFenced);
        }
        EXPECT_EQ(f.enrol(old), Errc::kProducerFenced);
        EXPECT_EQ(f.enrol(Producer{50, 32'767}), Errc::kProducerFenced);
        EXPECT_EQ(f.init(old).error, Errc::kProducerFenced);
        const Producer next = f.init().producer;
        EXPECT_EQ(next, (Producer{100, 0}));
        EXPECT_EQ(f.enrol(next), Errc::kNone);
        EXPECT_EQ(f.end(next, true).producer, (Producer{100, 1}));
        EXPECT_EQ(f.marked.back().producer, (Producer{100, 1}));
    }
}

TEST(Coordinator, VerifyTellsWhichPartitionsAreEnrolled) {
    Fixture f;
    const Producer p = f.init().producer;
    f.enrol(p, Protocol::kOne, 1);
    const std::vector<TopicPartition> asked{{"a", 1}, {"a", 2}};
    const Enrol enrol{.transactional_id = "t", .producer = p, .partitions = asked};
    EXPECT_EQ(f.c->verify(enrol), (std::vector{Errc::kNone, Errc::kTransactionAbortable}));
    EXPECT_TRUE(f.c->knows(100, {"a", 1}));
    EXPECT_FALSE(f.c->knows(100, {"a", 2}));
    f.end(p, true, Protocol::kOne);
    EXPECT_EQ(f.c->verify(enrol)[0], Errc::kConcurrentTransactions);
    EXPECT_TRUE(f.c->knows(100, {"a", 1}));
    f.mark();
    EXPECT_EQ(f.c->verify(enrol)[0], Errc::kTransactionAbortable);
    EXPECT_FALSE(f.c->knows(100, {"a", 1}));
}

TEST(Coordinator, NamesTheOwnersOfProducersWithAndWithoutATransaction) {
    Fixture f;
    const Producer idle = f.init().producer;
    std::map<std::int64_t, std::string> owners{{idle.id, ""}, {idle.id + 1000, ""}};
    f.c->name_owners(owners);
    EXPECT_EQ(owners, (std::map<std::int64_t, std::string>{{idle.id, "t"}, {idle.id + 1000, ""}}));
    f.enrol(idle);
    owners[idle.id].clear();
    f.c->name_owners(owners);
    EXPECT_EQ(owners[idle.id], "t");
}

TEST(Coordinator, UnusedIdsExpireAndOpenOnesDoNot) {
    Fixture f;
    f.settings.id_expiration = 2h;
    f.restart();
    const Producer p = f.init().producer;
    f.pass(1h);
    f.write();
    EXPECT_EQ(f.c->describe("t").error, Errc::kNone);
    f.pass(1h);
    f.write();
    EXPECT_EQ(f.c->describe("t").error, Errc::kTransactionalIdNotFound);
    EXPECT_EQ(f.enrol(p), Errc::kInvalidProducerIdMapping);
    f.restart();
    EXPECT_EQ(f.init().producer, (Producer{101, 0}));
}

TEST(Coordinator, AFailedAppendLeavesWhatWas) {
    Fixture f;
    const Producer p = f.init().producer;
    const auto enrolled = f.begin_enrol(p, 0, Protocol::kTwo);
    f.write(Errc::kNoSpace);
    EXPECT_EQ(*enrolled, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(f.state(), State::kEmpty);
    EXPECT_EQ(f.enrol(p), Errc::kNone);
    const auto ended = f.begin_end(p, true, Protocol::kTwo);
    f.write(Errc::kKafkaStorageError);
    EXPECT_EQ((*ended)->error, Errc::kNotCoordinator);
    EXPECT_TRUE(f.marked.empty());
    EXPECT_EQ(f.end(p, true).error, Errc::kNone);
}

}  // namespace
}  // namespace leat::transactions
