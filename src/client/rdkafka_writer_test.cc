// SPDX-License-Identifier: Apache-2.0
// Method: a cluster that librdkafka plays; what is written there is read again.
#include "client/rdkafka_writer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "client/rdkafka.h"
#include "client/rdkafka_reader.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Reports = RecordWriter::Reports;

/// More than a reader takes at once, and not a multiple of it.
constexpr int kRecords = 600;

class PlayedCluster {
  public:
    PlayedCluster() {
        char why[512];
        handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why));
        LEAT_CHECK(handle_ != nullptr);
        cluster_ = rd_kafka_mock_cluster_new(handle_.get(), 1);
        LEAT_CHECK(cluster_ != nullptr);
        rd_kafka_mock_topic_create(cluster_, "topic", 1, 1);
    }
    PlayedCluster(const PlayedCluster&) = delete;
    PlayedCluster& operator=(const PlayedCluster&) = delete;
    ~PlayedCluster() { rd_kafka_mock_cluster_destroy(cluster_); }

    [[nodiscard]] std::vector<Property> properties() const {
        return {{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_), 0}};
    }
    /// What became of kRecords records, as far as it was told.
    [[nodiscard]] std::vector<Delivery> write(Reports reports) const {
        std::vector<Delivery> out;
        auto writer = open_rdkafka_writer(
            properties(), [&](const Delivery& one) { out.push_back(one); }, reports);
        LEAT_CHECK(writer.has_value());
        for (int i = 0; i < kRecords; ++i) {
            const std::string value = std::to_string(i);
            const auto sent =
                (*writer)->send("topic", {.key = std::nullopt, .value = value, .partition = 0});
            EXPECT_TRUE(sent && *sent);
        }
        EXPECT_TRUE((*writer)->flush(seconds{20}));
        EXPECT_EQ((*writer)->in_flight(), 0U);
        return out;
    }

  private:
    RdPtr<rd_kafka_t> handle_;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

TEST(RdkafkaWriter, TellsOfWhatWasAcknowledgedOnlyIfAsked) {
    const PlayedCluster cluster;
    const auto all = cluster.write(Reports::kAll);
    ASSERT_EQ(all.size(), static_cast<std::size_t>(kRecords));
    EXPECT_EQ(all.back().code, Errc::kNone);
    EXPECT_EQ(all.back().offset.value, kRecords - 1);
    EXPECT_TRUE(cluster.write(Reports::kFailures).empty());
}

TEST(RdkafkaWriter, TellsOfFailuresInAnyCase) {
    std::vector<Delivery> told;
    auto writer = open_rdkafka_writer(
        {{"bootstrap.servers", "127.0.0.1:1", 0}, {"message.timeout.ms", "100", 0}},
        [&](const Delivery& one) { told.push_back(one); }, Reports::kFailures);
    ASSERT_TRUE(writer) << writer.error().detail();
    ASSERT_TRUE((*writer)->send("topic", {.key = std::nullopt, .value = "v", .tag = 7}));
    EXPECT_TRUE((*writer)->flush(seconds{20}));
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().tag, 7U);
    EXPECT_EQ(told.front().topic, "topic");
    EXPECT_EQ(told.front().code, Errc::kTimedOut);
}

TEST(RdkafkaReader, GivesRecordsInOrderAndThenTheEnd) {
    const PlayedCluster cluster;
    static_cast<void>(cluster.write(Reports::kFailures));
    auto reader = open_rdkafka_reader(cluster.properties());
    ASSERT_TRUE(reader) << reader.error().detail();
    const std::vector<StartAt> starts{{{"topic", 0}, Offset{0}}};
    const std::vector<TopicPartition> where{starts.front().where};
    ASSERT_TRUE((*reader)->add(starts));
    PartitionReader::Lane* lane = (*reader)->lane(where.front());
    ASSERT_NE(lane, nullptr);
    HeldRecord held;
    int next = 0;
    bool at_end = false;
    while (!at_end) {
        while ((*reader)->take(*lane, held)) {
            ASSERT_EQ(held.record.offset.value, next);
            ASSERT_EQ(held.record.value, std::to_string(next));
            ++next;
            // Those that left the queue together wait still.
            if (next == 1) EXPECT_GT((*reader)->waiting(where.front()), 0U);
        }
        const auto event = (*reader)->next(*lane);
        ASSERT_TRUE(event) << event.error().detail();
        at_end = std::holds_alternative<ReachedEnd>(*event);
        if (const auto* late = std::get_if<HeldRecord>(&*event))
            ASSERT_EQ(late->record.offset.value, next++);
        if (!at_end) ASSERT_TRUE((*reader)->wait(milliseconds{100}));
    }
    EXPECT_EQ(next, kRecords);
    ASSERT_TRUE((*reader)->remove(where));
    EXPECT_EQ((*reader)->lane(where.front()), nullptr);
    EXPECT_FALSE((*reader)->next(where.front()));
}

}  // namespace
}  // namespace leat::client
