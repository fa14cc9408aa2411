// SPDX-License-Identifier: Apache-2.0
// Method: coordinators that the test plays; what they are asked, word for word, and what comes of
// each of their answers.
#include "client/transaction_calls.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/testing/played_coordinators.h"
#include "rt/descriptor.h"
#include "rt/named_thread.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using testing::PlayedBrokers;
using testing::PlayedCoordinators;
using wire::ApiKey;
using Log = std::vector<std::string>;

constexpr milliseconds kPlenty{20'000};
constexpr milliseconds kSlice{30};
const TopicPartition kA0{"a", 0};
const TopicPartition kA1{"a", 1};
const TopicPartition kB0{"b", 0};
/// As send_offsets() of the fixture gives them.
const std::string kOffsets = " a-1=20,-1, a-0=10,-1, b-0=30,-1,text";
const GroupIdentity kMember{"group", 4, "member", ""};

class TransactionCallsTest : public ::testing::Test {
  protected:
    TransactionCallsTest() { brokers_.finalize("transaction.version", 2); }
    // Nobody waits for answers that were not to come.
    ~TransactionCallsTest() override { ::eventfd_write(stop_.get(), 1); }

    void open(milliseconds request_timeout = milliseconds{10'000}) {
        TransactionCallSettings settings{.cluster = {},
                                         .transactional_id = "id",
                                         .transaction_timeout = milliseconds{5'000},
                                         .retry = milliseconds{1}};
        settings.cluster.bootstrap = {{"127.0.0.1", brokers_.port(0)}};
        settings.cluster.connection.stop = stop_.get();
        settings.cluster.connection.request_timeout = request_timeout;
        calls_ = std::make_unique<TransactionCalls>(settings);
    }
    void open_to_nobody(milliseconds retry) {
        TransactionCallSettings settings{.cluster = {}, .transactional_id = "id", .retry = retry};
        settings.cluster.bootstrap = {{"127.0.0.1", 1}};
        settings.cluster.connection.stop = stop_.get();
        calls_ = std::make_unique<TransactionCalls>(settings);
    }
    /// Initialised, with nothing in the log of what was asked.
    void start(int protocol) {
        if (protocol == 1) brokers_.finalize("transaction.version", 1);
        open();
        const auto found = calls_->init(kPlenty);
        ASSERT_TRUE(found) << found.error().detail();
        now_ = *found;
        ASSERT_EQ(calls_->enrols_by_itself(), protocol == 2);
        static_cast<void>(coordinators_.take_log());
    }
    static std::string text(const Result<ProducerIdentity>& out) {
        if (!out) return std::string{info(out.error().code()).name};
        return std::to_string(out->id) + "/" + std::to_string(out->epoch);
    }
    static std::string text(const Result<void>& out) {
        return out ? "done" : std::string{info(out.error().code()).name};
    }
    Result<void> enrol(std::vector<TopicPartition> where, milliseconds wait = kPlenty) {
        return calls_->enrol(now_, where, wait);
    }
    Result<void> send_offsets(milliseconds wait = kPlenty, const GroupIdentity& as = kMember) {
        const CommittedOffset offsets[] = {{kB0, 30, "text"}, {kA1, 20, ""}, {kA0, 10, ""}};
        return calls_->send_offsets(now_, as, offsets, wait);
    }
    /// Each call once, in the order in which they make a transaction of protocol 1.
    struct Call {
        ApiKey api;
        std::function<std::string(milliseconds)> run;
    };
    std::vector<Call> calls() {
        return {
            {ApiKey::kInitProducerId, [this](milliseconds wait) { return text(init(wait)); }},
            {ApiKey::kAddPartitionsToTxn,
             [this](milliseconds wait) { return text(enrol({kA0}, wait)); }},
            {ApiKey::kAddOffsetsToTxn,
             [this](milliseconds wait) { return text(send_offsets(wait)); }},
            {ApiKey::kTxnOffsetCommit,
             [this](milliseconds wait) { return text(send_offsets(wait)); }},
            {ApiKey::kEndTxn, [this](milliseconds wait) { return text(end(true, wait)); }},
        };
    }
    Result<ProducerIdentity> init(milliseconds wait) {
        Result<ProducerIdentity> out = calls_->init(wait);
        if (out) now_ = *out;
        return out;
    }
    Result<ProducerIdentity> end(bool commit, milliseconds wait) {
        Result<ProducerIdentity> out = calls_->end(now_, commit, wait);
        if (out) now_ = *out;
        return out;
    }
    std::size_t times(ApiKey api) {
        std::size_t out = 0;
        for (const std::string& one : coordinators_.take_log())
            if (one.starts_with(std::string{wire::api_info(api).name} + " ")) ++out;
        return out;
    }

    rt::Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};
    PlayedBrokers brokers_{2};
    PlayedCoordinators coordinators_{brokers_};
    std::unique_ptr<TransactionCalls> calls_;
    ProducerIdentity now_;
};

TEST_F(TransactionCallsTest, ATransactionOfProtocolTwoIsEnrolledByWhatIsWritten) {
    open();
    EXPECT_EQ(text(init(kPlenty)), "7/0");
    EXPECT_TRUE(calls_->enrols_by_itself());
    EXPECT_EQ(text(enrol({kA0})), "done");
    EXPECT_EQ(text(send_offsets()), "done");
    EXPECT_EQ(text(end(true, kPlenty)), "7/1");
    EXPECT_EQ(text(end(false, kPlenty)), "7/2");
    const Log expected{"FindCoordinator 6@0 transaction",
                       "InitProducerId 5@0 id 5000 -1/-1",
                       "FindCoordinator 6@0 group",
                       "TxnOffsetCommit 5@1 id 7/0 group 4 member null" + kOffsets,
                       "EndTxn 5@0 commit 7/0",
                       "EndTxn 5@0 abort 7/1"};
    EXPECT_EQ(coordinators_.take_log(), expected);
}

TEST_F(TransactionCallsTest, ATransactionOfProtocolOneIsEnrolledByAsking) {
    start(1);
    EXPECT_EQ(text(enrol({kA0, kB0, kA1})), "done");
    EXPECT_EQ(text(enrol({kA0, kA1})), "done");
    EXPECT_EQ(text(send_offsets(kPlenty, {"group", 4, "member", "instance"})), "done");
    EXPECT_EQ(text(send_offsets()), "done");
    EXPECT_EQ(text(end(true, kPlenty)), "7/0");
    EXPECT_EQ(text(enrol({kA0})), "done");
    EXPECT_EQ(text(end(false, kPlenty)), "7/0");
    const Log expected{"AddPartitionsToTxn 3@0 id 7/0 a-0 a-1 b-0",
                       "AddOffsetsToTxn 4@0 group 7/0",
                       "FindCoordinator 6@0 group",
                       "TxnOffsetCommit 4@1 id 7/0 group 4 member instance" + kOffsets,
                       "TxnOffsetCommit 4@1 id 7/0 group 4 member null" + kOffsets,
                       "EndTxn 4@0 commit 7/0",
                       "AddPartitionsToTxn 3@0 id 7/0 a-0",
                       "EndTxn 4@0 abort 7/0"};
    EXPECT_EQ(coordinators_.take_log(), expected);
}

TEST_F(TransactionCallsTest, ProtocolOneAsksNobodyAboutATransactionWithNothingInIt) {
    start(1);
    EXPECT_EQ(text(end(true, kPlenty)), "7/0");
    EXPECT_EQ(text(end(false, kPlenty)), "7/0");
    EXPECT_EQ(coordinators_.take_log(), Log{});
}

TEST_F(TransactionCallsTest, ProtocolTwoNeedsTheFeatureAndEveryVersion) {
    const auto speaks_two = [this] {
        open();
        EXPECT_TRUE(init(kPlenty));
        return calls_->enrols_by_itself();
    };
    EXPECT_TRUE(speaks_two());
    coordinators_.play_transactions(5, 4);
    EXPECT_FALSE(speaks_two());
    coordinators_.play_transactions(5, 5);
    coordinators_.play_offsets(4);
    EXPECT_FALSE(speaks_two());
    coordinators_.play_offsets(5);
    brokers_.on(ApiKey::kProduce, {0, 11}, nullptr);
    EXPECT_FALSE(speaks_two());
    brokers_.on(ApiKey::kProduce, {0, 12}, nullptr);
    EXPECT_TRUE(speaks_two());
    brokers_.finalize("transaction.version", 1);
    EXPECT_FALSE(speaks_two());
}

TEST_F(TransactionCallsTest, TheProtocolChangesBetweenTransactionsOnly) {
    start(1);
    brokers_.finalize("transaction.version", 2);
    EXPECT_EQ(text(enrol({kA0})), "done");
    brokers_.hang_up();  // Who connects anew hears of the feature.
    EXPECT_EQ(text(enrol({kA1})), "done");
    EXPECT_FALSE(calls_->enrols_by_itself());
    EXPECT_EQ(text(end(true, kPlenty)), "7/0");
    EXPECT_TRUE(calls_->enrols_by_itself());
    EXPECT_EQ(text(end(false, kPlenty)), "7/1");
}

TEST_F(TransactionCallsTest, RaisesTheEpochOfTheSameWriter) {
    start(1);
    EXPECT_EQ(text(enrol({kA0})), "done");
    coordinators_.queue(ApiKey::kInitProducerId, Errc::kConcurrentTransactions);
    coordinators_.queue(ApiKey::kInitProducerId, PlayedCoordinators::kLoseAnswer);
    const auto raised = calls_->raise_epoch(now_, kPlenty);
    EXPECT_EQ(text(raised), "7/1");
    // What was open is aborted by that.
    EXPECT_EQ(text(calls_->end(*raised, false, kPlenty)), "7/1");
    EXPECT_EQ(times(ApiKey::kEndTxn), 0U);
    EXPECT_EQ(text(calls_->raise_epoch({7, 9}, kPlenty)), "PRODUCER_FENCED");
    coordinators_.play_transactions(2, 5);
    brokers_.hang_up();
    const auto refused = calls_->raise_epoch(*raised, kPlenty);
    EXPECT_EQ(text(refused), "UNSUPPORTED_VERSION");
    EXPECT_EQ(fate_of(refused.error().code()), TransactionFate::kFatal);
}

TEST_F(TransactionCallsTest, OldGroupCoordinatorsTakeNoOffsetsOfMembers) {
    coordinators_.play_offsets(2);
    start(1);
    EXPECT_EQ(text(send_offsets()), "UNSUPPORTED_VERSION");
    EXPECT_EQ(text(send_offsets(kPlenty, {"group", -1, "", ""})), "done");
    EXPECT_EQ(text(end(true, kPlenty)), "7/0");
}

TEST_F(TransactionCallsTest, WhatPassesIsAskedAgain) {
    start(1);
    for (const Call& call : calls())
        for (const Errc code : {Errc::kCoordinatorLoadInProgress, Errc::kCoordinatorNotAvailable,
                                Errc::kNotCoordinator, Errc::kConcurrentTransactions,
                                Errc::kRequestTimedOut, Errc::kUnknownTopicOrPartition,
                                PlayedCoordinators::kHangUp, PlayedCoordinators::kLoseAnswer}) {
            SCOPED_TRACE(std::string{wire::api_info(call.api).name} + " " +
                         std::string{info(code).name});
            if (call.api == ApiKey::kEndTxn) EXPECT_EQ(text(enrol({kA0})), "done");
            // Else it would be enrolled already.
            if (call.api == ApiKey::kAddPartitionsToTxn || call.api == ApiKey::kAddOffsetsToTxn)
                EXPECT_TRUE(end(true, kPlenty));
            static_cast<void>(coordinators_.take_log());
            coordinators_.queue(call.api, code);
            coordinators_.queue(call.api, code);
            const std::string out = call.run(kPlenty);
            EXPECT_TRUE(out == "done" || out.starts_with("7/")) << out;
            EXPECT_EQ(times(call.api), 3U);
        }
}

TEST_F(TransactionCallsTest, ALostAnswerToTheEndIsAskedForAgainWithTheSameEpoch) {
    start(2);
    coordinators_.queue(ApiKey::kEndTxn, PlayedCoordinators::kLoseAnswer);
    coordinators_.queue(ApiKey::kEndTxn, Errc::kConcurrentTransactions);
    EXPECT_EQ(text(end(true, kPlenty)), "7/1");
    EXPECT_EQ(times(ApiKey::kEndTxn), 3U);
    EXPECT_EQ(text(end(false, kPlenty)), "7/2");
}

TEST_F(TransactionCallsTest, FollowsACoordinatorThatMoves) {
    start(2);
    coordinators_.move(false, 1);
    coordinators_.move(true, 0);
    coordinators_.queue(ApiKey::kTxnOffsetCommit, Errc::kNotCoordinator);
    coordinators_.queue(ApiKey::kEndTxn, Errc::kNotCoordinator);
    EXPECT_EQ(text(send_offsets()), "done");
    EXPECT_EQ(text(end(true, kPlenty)), "7/1");
    const Log log = coordinators_.take_log();
    ASSERT_FALSE(log.empty());
    EXPECT_EQ(log.back(), "EndTxn 5@1 commit 7/0");
    EXPECT_TRUE(std::ranges::any_of(
        log, [](const std::string& one) { return one.starts_with("TxnOffsetCommit 5@0"); }));
}

TEST_F(TransactionCallsTest, LookUpsAreRepeatedOrTellWhyNot) {
    open();
    for (const Errc code : {Errc::kCoordinatorNotAvailable, Errc::kCoordinatorLoadInProgress,
                            PlayedCoordinators::kHangUp})
        coordinators_.queue(ApiKey::kFindCoordinator, code);
    EXPECT_EQ(text(init(kPlenty)), "7/0");
    coordinators_.queue(ApiKey::kFindCoordinator, Errc::kGroupAuthorizationFailed);
    const auto refused = send_offsets();
    EXPECT_EQ(text(refused), "GROUP_AUTHORIZATION_FAILED");
    EXPECT_EQ(refused.error().detail(),
              "TxnOffsetCommit of transactional id 'id': looking for the coordinator of group "
              "'group'");
    open();
    coordinators_.queue(ApiKey::kFindCoordinator, Errc::kTransactionalIdAuthorizationFailed);
    EXPECT_EQ(text(init(kPlenty)), "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
}

TEST_F(TransactionCallsTest, RefusalsKeepTheirCodesAndTellTheFate) {
    start(1);
    struct Case {
        Errc said;
        TransactionFate fate;
        Errc told;
    };
    using enum TransactionFate;
    const std::vector<Case> cases{
        {Errc::kProducerFenced, kFatal, Errc::kProducerFenced},
        {Errc::kInvalidProducerEpoch, kFatal, Errc::kProducerFenced},
        {Errc::kTransactionalIdAuthorizationFailed, kFatal,
         Errc::kTransactionalIdAuthorizationFailed},
        {Errc::kInvalidProducerIdMapping, kFatal, Errc::kInvalidProducerIdMapping},
        {Errc::kInvalidTxnState, kFatal, Errc::kInvalidTxnState},
        {Errc::kInvalidTransactionTimeout, kFatal, Errc::kInvalidTransactionTimeout},
        {Errc::kUnknownServerError, kFatal, Errc::kUnknownServerError},
        {Errc::kTransactionAbortable, kMustAbort, Errc::kTransactionAbortable},
        {Errc::kUnknownProducerId, kMustAbort, Errc::kUnknownProducerId},
        {Errc::kTopicAuthorizationFailed, kMustAbort, Errc::kTopicAuthorizationFailed},
        {Errc::kGroupAuthorizationFailed, kMustAbort, Errc::kGroupAuthorizationFailed},
        {Errc::kIllegalGeneration, kMustAbort, Errc::kIllegalGeneration},
        {Errc::kUnknownMemberId, kMustAbort, Errc::kUnknownMemberId},
        {Errc::kFencedInstanceId, kMustAbort, Errc::kFencedInstanceId},
        {Errc::kRebalanceInProgress, kMustAbort, Errc::kRebalanceInProgress}};
    for (const Call& call : calls())
        for (const Case& each : cases) {
            SCOPED_TRACE(std::string{wire::api_info(call.api).name} + " " +
                         std::string{info(each.said).name});
            if (call.api == ApiKey::kEndTxn) EXPECT_EQ(text(enrol({kA0})), "done");
            if (call.api == ApiKey::kTxnOffsetCommit) EXPECT_EQ(text(send_offsets()), "done");
            static_cast<void>(coordinators_.take_log());
            coordinators_.queue(call.api, each.said);
            EXPECT_EQ(call.run(kPlenty), info(each.told).name);
            EXPECT_EQ(fate_of(each.told), each.fate);
            EXPECT_EQ(times(call.api), 1U);
        }
}

TEST_F(TransactionCallsTest, FatesOfBatchesAreMilder) {
    using enum TransactionFate;
    EXPECT_EQ(fate_of_batch(Errc::kNotLeaderOrFollower), kMayRetry);
    for (const Errc code :
         {Errc::kInvalidProducerEpoch, Errc::kOutOfOrderSequenceNumber, Errc::kInvalidTxnState,
          Errc::kTopicAuthorizationFailed, Errc::kMessageTooLarge, Errc::kUnknownServerError})
        EXPECT_EQ(fate_of_batch(code), kMustAbort) << info(code).name;
    for (const Errc code : {Errc::kProducerFenced, Errc::kClusterAuthorizationFailed,
                            Errc::kTransactionalIdAuthorizationFailed,
                            Errc::kInvalidProducerIdMapping, Errc::kUnsupportedVersion})
        EXPECT_EQ(fate_of_batch(code), kFatal) << info(code).name;
    EXPECT_EQ(fate_of(Errc::kClosed), kMayRetry);
    EXPECT_EQ(fate_of(Errc::kTimedOut), kMayRetry);
    EXPECT_EQ(fate_of(Errc::kCancelled), kFatal);
}

TEST_F(TransactionCallsTest, OfSeveralPartitionsTheGravestAnswerCounts) {
    start(1);
    coordinators_.refuse(kA0, Errc::kOperationNotAttempted);
    coordinators_.refuse(kB0, Errc::kTopicAuthorizationFailed);
    const auto refused = enrol({kA0, kA1, kB0});
    EXPECT_EQ(text(refused), "TOPIC_AUTHORIZATION_FAILED");
    EXPECT_EQ(refused.error().detail(), "AddPartitionsToTxn of transactional id 'id': b-0");
    coordinators_.refuse(kA1, Errc::kProducerFenced);
    EXPECT_EQ(text(enrol({kA0, kA1, kB0})), "PRODUCER_FENCED");
    // One that passes makes the others be tried again as well.
    coordinators_.refuse(kA1, Errc::kUnknownTopicOrPartition);
    coordinators_.refuse(kB0, Errc::kNone);
    EXPECT_EQ(text(enrol({kA0, kA1, kB0}, kSlice)), "TIMED_OUT");
    coordinators_.refuse(kA1, Errc::kNone);
    EXPECT_EQ(text(enrol({kA0, kA1, kB0})), "OPERATION_NOT_ATTEMPTED");
    coordinators_.refuse(kA0, Errc::kNone);
    EXPECT_EQ(text(enrol({kA0, kA1, kB0})), "done");
    coordinators_.refuse(kB0, Errc::kIllegalGeneration);
    EXPECT_EQ(text(send_offsets()), "ILLEGAL_GENERATION");
}

TEST_F(TransactionCallsTest, AnAbortOfWhatWasRefusedIsDone) {
    start(1);
    coordinators_.queue(ApiKey::kAddPartitionsToTxn, Errc::kTopicAuthorizationFailed);
    EXPECT_EQ(text(enrol({kA0})), "TOPIC_AUTHORIZATION_FAILED");
    coordinators_.queue(ApiKey::kEndTxn, Errc::kInvalidTxnState);
    EXPECT_EQ(text(end(false, kPlenty)), "7/0");
    EXPECT_EQ(times(ApiKey::kEndTxn), 1U);
    // But not if something had been enrolled.
    EXPECT_EQ(text(enrol({kA0})), "done");
    coordinators_.queue(ApiKey::kEndTxn, Errc::kInvalidTxnState);
    EXPECT_EQ(text(end(false, kPlenty)), "INVALID_TXN_STATE");
}

TEST_F(TransactionCallsTest, OneThatIsFencedHearsItFromEachCall) {
    start(2);
    coordinators_.fence();
    const auto refused = end(true, kPlenty);
    EXPECT_EQ(text(refused), "PRODUCER_FENCED");
    EXPECT_EQ(refused.error().detail(), "EndTxn (commit) of transactional id 'id'");
    EXPECT_EQ(text(calls_->raise_epoch(now_, kPlenty)), "PRODUCER_FENCED");
    EXPECT_EQ(text(init(kPlenty)), "7/2");
    EXPECT_EQ(text(end(false, kPlenty)), "7/3");
}

TEST_F(TransactionCallsTest, ACallThatIsNotDoneInTimeGoesOn) {
    start(1);
    for (const Call& call : calls()) {
        SCOPED_TRACE(wire::api_info(call.api).name);
        if (call.api == ApiKey::kEndTxn) EXPECT_EQ(text(enrol({kA0})), "done");
        for (int i = 0; i < 40; ++i) coordinators_.queue(call.api, Errc::kConcurrentTransactions);
        int slices = 1;
        std::string out;
        while ((out = call.run(kSlice)) == "TIMED_OUT") ++slices;
        EXPECT_GT(slices, 1);
        EXPECT_TRUE(out == "done" || out.starts_with("7/")) << out;
        if (call.api == ApiKey::kAddPartitionsToTxn || call.api == ApiKey::kAddOffsetsToTxn)
            EXPECT_TRUE(end(true, kPlenty));
    }
    coordinators_.queue(ApiKey::kInitProducerId, PlayedCoordinators::kSilence);
    const auto refused = calls_->init(milliseconds{0});
    EXPECT_EQ(text(refused), "TIMED_OUT");
    EXPECT_EQ(refused.error().detail(),
              "InitProducerId of transactional id 'id': no answer yet (TIMED_OUT)");
}

TEST_F(TransactionCallsTest, AnAnswerThatComesLateIsForWhoComesBack) {
    open();
    std::latch asked{1};
    std::latch may_answer{1};
    std::atomic<int> requests = 0;
    brokers_.on<wire::InitProducerIdRequest>(
        {0, 5}, [&](int, const auto& header, const auto&) -> testing::PlayedAnswer {
            ++requests;
            asked.count_down();
            may_answer.wait();
            const wire::InitProducerIdResponse out{.producer_id = 9, .producer_epoch = 3};
            return wire::response_frame(out, header.version, header.correlation_id);
        });
    const auto begin = CoordinatorAsker::Clock::now();
    EXPECT_EQ(text(init(kSlice)), "TIMED_OUT");
    EXPECT_LT(CoordinatorAsker::Clock::now() - begin, std::chrono::seconds{5});
    asked.wait();
    // Another question has to wait until then.
    EXPECT_EQ(text(enrol({kA0}, kSlice)), "TIMED_OUT");
    EXPECT_EQ(text(init(kSlice)), "TIMED_OUT");
    may_answer.count_down();
    EXPECT_EQ(text(init(kPlenty)), "9/3");
    EXPECT_EQ(requests, 1);
}

TEST_F(TransactionCallsTest, AnAnswerThatNobodyComesBackForIsForgotten) {
    start(1);
    coordinators_.queue(ApiKey::kAddPartitionsToTxn, PlayedCoordinators::kSilence);
    open(milliseconds{100});  // As short as a request may last.
    EXPECT_TRUE(init(kPlenty));
    EXPECT_EQ(text(enrol({kA0}, kSlice)), "TIMED_OUT");
    EXPECT_EQ(text(enrol({kA1})), "done");
    EXPECT_EQ(text(enrol({kA0, kA1})), "done");
    const Log log = coordinators_.take_log();
    EXPECT_EQ(log.back(), "AddPartitionsToTxn 3@0 id 7/1 a-0");
}

TEST_F(TransactionCallsTest, SilentBrokersAreLeftWhenARequestHasLastedTooLong) {
    open(milliseconds{50});
    coordinators_.queue(ApiKey::kFindCoordinator, PlayedCoordinators::kSilence);
    coordinators_.queue(ApiKey::kInitProducerId, PlayedCoordinators::kSilence);
    EXPECT_EQ(text(init(kPlenty)), "7/0");
    EXPECT_EQ(times(ApiKey::kInitProducerId), 2U);
}

TEST_F(TransactionCallsTest, NobodyThereIsATimeoutThatSaysWhy) {
    open_to_nobody(milliseconds{1});
    const auto refused = calls_->init(milliseconds{200});
    EXPECT_EQ(text(refused), "TIMED_OUT");
    EXPECT_NE(refused.error().detail().find("NETWORK_EXCEPTION"), std::string_view::npos)
        << refused.error().detail();
}

TEST_F(TransactionCallsTest, StopEndsWhateverIsWaitedFor) {
    start(1);
    std::latch asked{1};
    brokers_.on<wire::EndTxnRequest>({0, 4}, [&](int, const auto&, const auto&) {
        asked.count_down();
        return testing::PlayedAnswer{wire::Frame{}};
    });
    EXPECT_EQ(text(enrol({kA0})), "done");
    const auto begin = CoordinatorAsker::Clock::now();
    {
        const rt::NamedThread other{"stopper", [&] {
                                        asked.wait();
                                        ASSERT_EQ(::eventfd_write(stop_.get(), 1), 0);
                                    }};
        EXPECT_EQ(text(end(true, kPlenty)), "CANCELLED");
    }
    EXPECT_EQ(text(end(true, kPlenty)), "CANCELLED");
    // Between two questions as well.
    open_to_nobody(milliseconds{20'000});
    EXPECT_EQ(text(calls_->init(kPlenty)), "CANCELLED");
    calls_.reset();
    EXPECT_LT(CoordinatorAsker::Clock::now() - begin, std::chrono::seconds{9});
}

TEST_F(TransactionCallsTest, SeveralThreadsTakeTurns) {
    start(1);
    std::vector<rt::NamedThread> threads;
    threads.reserve(4);
    std::atomic<int> done = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back("enroller", [this, t, &done] {
            for (int i = 0; i < 20; ++i) {
                const TopicPartition where[] = {{"t" + std::to_string(t), i}};
                if (calls_->enrol(now_, where, kPlenty)) ++done;
            }
        });
    for (int i = 0; i < 20; ++i) EXPECT_EQ(text(send_offsets()), "done");
    threads.clear();
    EXPECT_EQ(done, 80);
    EXPECT_EQ(times(ApiKey::kAddPartitionsToTxn), 80U);
    EXPECT_EQ(text(end(true, kPlenty)), "7/0");
}

}  // namespace
}  // namespace leat::client
