// SPDX-License-Identifier: Apache-2.0
// Method: a broker that the test plays, which counts sequences as Kafka does. What librdkafka makes
// of its answers is what is looked at.
#include "client/producer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "client/rdkafka.h"
#include "client/testing/played_brokers.h"
#include "client/testing/played_writes.h"

namespace leat::client {
namespace {

using std::chrono::seconds;
using testing::PlayedBrokers;
using testing::PlayedWrites;
using testing::Verdict;
using testing::Written;

class ProducerTest : public ::testing::Test {
  protected:
    void open(std::vector<Property> more) {
        more.push_back({"bootstrap.servers", brokers_.address(), 0});
        more.push_back({"linger.ms", "0", 0});
        auto opened = Producer::open(more, "topic", [this](const Delivery& one) {
            told_.push_back(std::to_string(one.tag) + " " + std::string{info(one.code).name});
        });
        ASSERT_TRUE(opened) << opened.error().detail();
        producer_ = *std::move(opened);
    }
    void send(int tag) {
        const std::string value = std::to_string(tag);
        const auto sent = producer_->send({.key = std::nullopt,
                                           .value = value,
                                           .partition = 0,
                                           .tag = static_cast<std::uint64_t>(tag)});
        ASSERT_TRUE(sent && *sent);
    }
    using Texts = std::vector<std::string>;

    PlayedBrokers brokers_{1};
    PlayedWrites writes_{brokers_, {3, 7}};
    Texts told_;
    std::unique_ptr<Producer> producer_;
};

/// The second record's request gets no answer, and a refusal for want of room when it comes again;
/// the third one's comes behind it, and is answered by `behind`.
class ProducerShortageTest : public ProducerTest {
  protected:
    ~ProducerShortageTest() override { brokers_.stop(); }
    void play(Errc behind) {
        writes_.make_topic("topic", 1);
        writes_.judge([this, behind](const Written& one) -> Verdict {
            if (one.values.front() == "2" && tries_ < 3) return {.code = behind};
            if (one.values.front() != "1") return {};
            const int nth = ++tries_;
            if (nth == 1) return {.closes = true, .keeps = false};
            return {.code = nth == 2 ? Errc::kKafkaStorageError : Errc::kNone};
        });
        open({{"enable.idempotence", "true", 0}});
        send(0);
        ASSERT_TRUE(producer_->flush(seconds{10}));
        send(1);
        writes_.await_requests(2);
        send(2);
        EXPECT_TRUE(producer_->flush(seconds{20}));
    }
    std::atomic<int> tries_ = 0;
};

TEST_F(ProducerShortageTest, OutlivesOneThatRefusesWhatIsBehindAsWell) {
    play(Errc::kKafkaStorageError);
    EXPECT_EQ(told_, (Texts{"0 NONE", "1 NONE", "2 NONE"})) << producer_->last_trouble();
    EXPECT_EQ(writes_.values({"topic", 0}), (Texts{"0", "1", "2"}));
    EXPECT_FALSE(producer_->is_fatal());
}

// Why brokers of ours do not say that: before 2.2.1 librdkafka took the batch without an answer for
// written.
TEST_F(ProducerShortageTest, EndsWithOlderLibrdkafkaWhereWhatIsBehindIsAGap) {
    play(Errc::kOutOfOrderSequenceNumber);
    const bool is_mended = rd_kafka_version() >= 0x02020100;
    EXPECT_EQ(producer_->is_fatal(), !is_mended) << rd_kafka_version_str();
    EXPECT_EQ(writes_.values({"topic", 0}), is_mended ? (Texts{"0", "1", "2"}) : (Texts{"0"}));
    EXPECT_EQ(std::ranges::find(told_, "2 OUT_OF_ORDER_SEQUENCE_NUMBER") != told_.end(),
              !is_mended);
}

}  // namespace
}  // namespace leat::client
