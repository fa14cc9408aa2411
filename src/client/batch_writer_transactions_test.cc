// SPDX-License-Identifier: Apache-2.0
// Method: brokers and coordinators that the test plays; what was asked of whom is compared.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "client/batch_writer.h"
#include "client/testing/played_brokers.h"
#include "client/testing/played_coordinators.h"
#include "client/testing/played_writes.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::PlayedBrokers;
using testing::PlayedCoordinators;
using testing::PlayedWrites;
using testing::Verdict;
using testing::Written;
using wire::ApiKey;

constexpr seconds kPlenty{10};
const TopicPartition kWhere{"topic", 0};
const GroupIdentity kMember{"group", 4, "member", ""};

class BatchWriterTransactionsTest : public ::testing::TestWithParam<int> {
  protected:
    BatchWriterTransactionsTest() {
        brokers_.finalize("transaction.version", static_cast<std::int16_t>(GetParam()));
        writes_.make_topic("topic", 2);
    }
    void start(std::vector<Property> more = {}) {
        more.push_back({"bootstrap.servers", brokers_.address(), 0});
        more.push_back({"transactional.id", "id", 0});
        more.push_back({"retry.backoff.ms", "10", 0});
        more.push_back({"reconnect.backoff.ms", "10", 0});
        auto settings = write_settings_of(more);
        ASSERT_TRUE(settings) << settings.error().detail();
        settings->cluster.connection.request_timeout = request_timeout_;
        auto opened = BatchWriter::open(
            *std::move(settings),
            [this](const Delivery& one) {
                told_.push_back(std::to_string(one.tag) + " " + std::string{info(one.code).name});
            },
            RecordWriter::Reports::kAll);
        ASSERT_TRUE(opened) << opened.error().detail();
        writer_ = *std::move(opened);
        EXPECT_EQ(text(writer_->init_transactions(kPlenty)), "done");
        static_cast<void>(coordinators_.take_log());
    }
    static std::string text(const Result<void>& out) {
        return out ? "done" : std::string{info(out.error().code()).name};
    }
    std::string send(int tag, std::int32_t partition = 0) {
        const std::string value = std::to_string(tag);
        const auto sent = writer_->send("topic", {.key = std::nullopt,
                                                  .value = value,
                                                  .partition = partition,
                                                  .tag = static_cast<std::uint64_t>(tag)});
        if (!sent) return std::string{info(sent.error().code()).name};
        return *sent ? "done" : "full";
    }
    std::string send_offsets() {
        const CommittedOffset offsets[] = {{{"in", 0}, 30, ""}};
        return text(writer_->send_offsets(kMember, offsets, kPlenty));
    }
    /// The names of what coordinators were asked, without finding them.
    std::vector<std::string> asked() {
        std::vector<std::string> out;
        for (const std::string& one : coordinators_.take_log())
            if (!one.starts_with("FindCoordinator")) out.push_back(one.substr(0, one.find('@')));
        return out;
    }
    [[nodiscard]] bool is_second() const { return GetParam() == 2; }
    using Values = std::vector<std::string>;

    PlayedBrokers brokers_{2};
    PlayedCoordinators coordinators_{brokers_};
    PlayedWrites writes_{brokers_, {3, 13}, false};
    milliseconds request_timeout_{30'000};  ///< Without the slack that settings add to theirs.
    std::vector<std::string> told_;
    std::unique_ptr<RecordWriter> writer_;
};

TEST_P(BatchWriterTransactionsTest, WritesAndCommits) {
    start();
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(text(writer_->begin()), "done");
        EXPECT_EQ(send(2 * i), "done");
        EXPECT_EQ(text(writer_->flush(kPlenty)), "done");
        EXPECT_EQ(send(2 * i + 1), "done");
        EXPECT_EQ(send_offsets(), "done");
        EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    }
    EXPECT_EQ(writes_.values(kWhere), (Values{"0", "1", "2", "3"}));
    EXPECT_EQ(told_, (Values{"0 NONE", "1 NONE", "2 NONE", "3 NONE"}));
    const auto log = writes_.log(kWhere);
    ASSERT_EQ(log.size(), 4U);
    for (const Written& one : log) {
        EXPECT_TRUE(one.header.is_transactional());
        EXPECT_EQ(one.transactional_id, "id");
        EXPECT_EQ(one.header.producer_id, 7);
        EXPECT_EQ(one.version >= 12, is_second());
    }
    EXPECT_EQ(log[0].header.producer_epoch, 0);
    EXPECT_EQ(log[1].header.base_sequence, 1);
    // Protocol 2 has an epoch for each transaction.
    EXPECT_EQ(log[2].header.producer_epoch, is_second() ? 1 : 0);
    EXPECT_EQ(log[2].header.base_sequence, is_second() ? 0 : 2);
    const auto once = is_second() ? Values{"TxnOffsetCommit 5", "EndTxn 5"}
                                  : Values{"AddPartitionsToTxn 3", "AddOffsetsToTxn 4",
                                           "TxnOffsetCommit 4", "EndTxn 4"};
    Values expected = once;
    expected.insert(expected.end(), once.begin(), once.end());
    EXPECT_EQ(asked(), expected);
}

TEST_P(BatchWriterTransactionsTest, NothingToWriteNeedsNoCoordinator) {
    start();
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    EXPECT_EQ(asked(), Values{});
}

TEST_P(BatchWriterTransactionsTest, WantsATransaction) {
    start();
    EXPECT_EQ(send(0), "USAGE");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "USAGE");
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(text(writer_->begin()), "USAGE");
}

TEST_P(BatchWriterTransactionsTest, AnAbortDropsWhatWaits) {
    start({{"linger.ms", "50000", 0}});
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->flush(kPlenty)), "done");
    EXPECT_EQ(send(1), "done");
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    EXPECT_EQ(told_, (Values{"0 NONE", "1 CANCELLED"}));
    EXPECT_EQ(writer_->in_flight(), 0U);
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(2), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    EXPECT_EQ(writes_.values(kWhere), (Values{"0", "2"}));
}

TEST_P(BatchWriterTransactionsTest, ARefusedRecordBreaksIt) {
    start();
    writes_.judge([](const Written& one) {
        return Verdict{.code = one.values.front() == "1" ? Errc::kInvalidRecord : Errc::kNone};
    });
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(send(1, 1), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "UNKNOWN_SERVER_ERROR");
    EXPECT_TRUE(writer_->must_abort());
    EXPECT_FALSE(writer_->is_fatal());
    // Not the fault of the next one.
    EXPECT_EQ(send(2), "UNKNOWN_SERVER_ERROR");
    std::ranges::sort(told_);
    EXPECT_EQ(told_, (Values{"0 NONE", "1 INVALID_RECORD"}));
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    EXPECT_FALSE(writer_->must_abort());
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(3), "done");
    EXPECT_EQ(send(4, 1), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    EXPECT_EQ(writes_.values({"topic", 1}), (Values{"4"}));
}

TEST_P(BatchWriterTransactionsTest, DoubtEndsWithAHigherEpoch) {
    start({{"message.timeout.ms", "300", 0}, {"linger.ms", "1", 0}});
    writes_.judge([](const Written& one) {
        const bool is_silent = one.values.front() == "0";
        return Verdict{.is_silent = is_silent, .keeps = !is_silent};
    });
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "UNKNOWN_SERVER_ERROR");
    EXPECT_EQ(told_, (Values{"0 TIMED_OUT"}));
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    const auto did = asked();
    EXPECT_EQ(did.back(), is_second() ? "EndTxn 5" : "InitProducerId 5");
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(1), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    const Written last = writes_.log(kWhere).back();
    EXPECT_EQ(last.header.producer_epoch, 1);
    EXPECT_EQ(last.header.base_sequence, 0);
}

TEST_P(BatchWriterTransactionsTest, WhoIsFencedCanOnlyGo) {
    start();
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->flush(kPlenty)), "done");
    coordinators_.fence();
    EXPECT_EQ(text(writer_->commit(kPlenty)), "PRODUCER_FENCED");
    EXPECT_TRUE(writer_->is_fatal());
    EXPECT_EQ(send(1), "PRODUCER_FENCED");
    EXPECT_EQ(text(writer_->abort(kPlenty)), "PRODUCER_FENCED");
    EXPECT_EQ(text(writer_->begin()), "PRODUCER_FENCED");
}

TEST_P(BatchWriterTransactionsTest, AStaleMemberMustAbort) {
    start();
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    coordinators_.queue(ApiKey::kTxnOffsetCommit, Errc::kIllegalGeneration);
    EXPECT_EQ(send_offsets(), "ILLEGAL_GENERATION");
    EXPECT_TRUE(writer_->must_abort());
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    EXPECT_FALSE(writer_->must_abort());
}

TEST_P(BatchWriterTransactionsTest, WaitsForEnrolmentThatIsHeldUp) {
    start();
    coordinators_.queue(ApiKey::kAddPartitionsToTxn, Errc::kConcurrentTransactions);
    coordinators_.queue(ApiKey::kAddPartitionsToTxn, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    EXPECT_EQ(writes_.values(kWhere), (Values{"0"}));
}

TEST_P(BatchWriterTransactionsTest, ARecordThatFindsNoTopicBreaksIt) {
    start({{"message.timeout.ms", "200", 0}});
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    ASSERT_TRUE(writer_->send("late", {.key = std::nullopt, .value = "v", .tag = 5}));
    EXPECT_EQ(text(writer_->commit(kPlenty)), "UNKNOWN_SERVER_ERROR");
    // The first one may have been late too, and then nothing is told before the abort.
    ASSERT_FALSE(told_.empty()) << "the played broker did not answer within 200 ms";
    EXPECT_EQ(told_.back(), "5 TIMED_OUT");
    EXPECT_TRUE(writer_->must_abort());
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
}

TEST_P(BatchWriterTransactionsTest, LostCountEndsWithAHigherEpoch) {
    start();
    writes_.judge([](const Written& one) {
        return Verdict{.code = one.values.front() == "0" ? Errc::kOutOfOrderSequenceNumber
                                                         : Errc::kNone};
    });
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "UNKNOWN_SERVER_ERROR");
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    EXPECT_EQ(asked().back(), is_second() ? "EndTxn 5" : "InitProducerId 5");
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(1), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    EXPECT_EQ(writes_.log(kWhere).back().header.producer_epoch, 1);
}

TEST_P(BatchWriterTransactionsTest, ACommitThatNobodyAnsweredIsNotTakenForTheNextOnes) {
    request_timeout_ = milliseconds{1'000};
    start();
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->flush(kPlenty)), "done");
    coordinators_.queue(ApiKey::kEndTxn, PlayedCoordinators::kSilence);
    EXPECT_EQ(text(writer_->commit(milliseconds{200})), "TIMED_OUT");
    EXPECT_EQ(send(1), "USAGE");
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
    EXPECT_EQ(asked().back(), is_second() ? "EndTxn 5" : "InitProducerId 5");
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(2), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "done");
    EXPECT_EQ(writes_.log(kWhere).back().header.producer_epoch, 1);
}

TEST_P(BatchWriterTransactionsTest, AnAbortThatTookTooLongIsNoCommit) {
    start({{"linger.ms", "0", 0}});
    writes_.judge([](const Written& one) {
        const bool is_silent = one.values.front() == "0";
        return Verdict{.is_silent = is_silent, .keeps = !is_silent};
    });
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    writes_.await_requests(1);
    EXPECT_EQ(text(writer_->abort(milliseconds{50})), "TIMED_OUT");
    EXPECT_TRUE(writer_->must_abort());
    EXPECT_EQ(text(writer_->commit(kPlenty)), "UNKNOWN_SERVER_ERROR");
}

/// Where partitions have to be enrolled.
class FirstProtocolTest : public BatchWriterTransactionsTest {};

TEST_P(FirstProtocolTest, RefusedEnrolmentBreaksIt) {
    start();
    coordinators_.refuse(kWhere, Errc::kTopicAuthorizationFailed);
    EXPECT_EQ(text(writer_->begin()), "done");
    EXPECT_EQ(send(0), "done");
    EXPECT_EQ(text(writer_->commit(kPlenty)), "UNKNOWN_SERVER_ERROR");
    EXPECT_EQ(told_, (Values{"0 TOPIC_AUTHORIZATION_FAILED"}));
    EXPECT_TRUE(writes_.values(kWhere).empty());
    EXPECT_EQ(text(writer_->abort(kPlenty)), "done");
}

INSTANTIATE_TEST_SUITE_P(Protocols, BatchWriterTransactionsTest, ::testing::Values(1, 2));
INSTANTIATE_TEST_SUITE_P(Protocols, FirstProtocolTest, ::testing::Values(1));

}  // namespace
}  // namespace leat::client
