// SPDX-License-Identifier: Apache-2.0
//
// Method: requests of few bytes that ask for much, through the table of APIs, to a broker without
// sockets; looked at are the answer and the memory that the request took.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/testing/broker_rig.h"
#include "wire/batch_builder.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace leat::broker {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::string_view kTooLarge = "answer_too_large";

class AnswerBounds : public ::testing::Test, protected testing::BrokerRig {
  protected:
    AnswerBounds() { start({{"leat.response.max.bytes", std::to_string(kMiB)}}); }

    void create(std::string_view name) {
        wire::CreateTopicsRequest message;
        wire::CreateTopicsRequest::CreatableTopic topic;
        topic.name = name;
        topic.num_partitions = 1;
        topic.replication_factor = 1;
        message.topics = {&topic, 1};
        ASSERT_EQ(tell<wire::CreateTopicsResponse>(message, 7).message.topics[0].error_code, 0);
    }

    void produce_by(std::int64_t producer_id) {
        wire::BatchBuilder builder{wire::BatchOptions{
            .producer_id = producer_id, .producer_epoch = 0, .base_sequence = 0}};
        builder.add({.timestamp = world_.wall_now(), .key = {}, .value = {}, .headers = {}});
        const std::vector<std::byte> batch = *builder.finish();
        wire::ProduceRequest::PartitionProduceData data{.index = 0, .records = {}};
        data.records = wire::Records{Bytes{batch}};
        wire::ProduceRequest::TopicProduceData topic;
        topic.name = "t";
        topic.partition_data = {&data, 1};
        wire::ProduceRequest message;
        message.acks = -1;
        message.topic_data = {&topic, 1};
        const auto out = tell<wire::ProduceResponse>(message, 9);
        ASSERT_EQ(out.message.responses[0].partition_responses[0].error_code, 0);
    }

    auto describe_this_broker(std::size_t times) {
        wire::DescribeConfigsRequest::DescribeConfigsResource resource;
        resource.resource_type = 4;
        resource.resource_name = "1";
        resource.configuration_keys.reset();
        std::vector<wire::DescribeConfigsRequest::DescribeConfigsResource> all(times, resource);
        wire::DescribeConfigsRequest message;
        message.resources = all;
        message.include_synonyms = true;
        message.include_documentation = true;
        return tell<wire::DescribeConfigsResponse>(message, 3);
    }

    auto describe_producers(std::size_t times) {
        std::vector<std::int32_t> partitions(times, 0);
        wire::DescribeProducersRequest::TopicRequest topic;
        topic.name = "t";
        topic.partition_indexes = partitions;
        wire::DescribeProducersRequest message;
        message.topics = {&topic, 1};
        return tell<wire::DescribeProducersResponse>(message, 0);
    }

    /// Of the last request.
    [[nodiscard]] std::size_t arena_bytes() const {
        return requests_.back().arena.capacity_bytes();
    }
};

TEST_F(AnswerBounds, ConfigsThatAreTooMuchAreCollectedNoFurther) {
    EXPECT_EQ(describe_this_broker(3).message.results.size(), 3U);
    const auto refused = describe_this_broker(5'000);
    EXPECT_EQ(refused.kind, Answer::Kind::kClose);
    EXPECT_EQ(refused.close_reason, kTooLarge);
    EXPECT_LT(arena_bytes(), 4 * kMiB);
}

TEST_F(AnswerBounds, ProducersOfAPartitionNamedOftenAreKeptOnce) {
    create("t");
    constexpr std::size_t kProducers = 100;
    for (std::size_t i = 0; i < kProducers; ++i) produce_by(static_cast<std::int64_t>(i));
    const auto thrice = describe_producers(3);
    ASSERT_EQ(thrice.message.topics[0].partitions.size(), 3U);
    for (const auto& partition : thrice.message.topics[0].partitions)
        EXPECT_EQ(partition.active_producers.size(), kProducers);
    // The rows fit, what they say of the producers does not: the size is known before the memory.
    const auto refused = describe_producers(5'000);
    EXPECT_EQ(refused.kind, Answer::Kind::kClose);
    EXPECT_EQ(refused.close_reason, kTooLarge);
    EXPECT_LT(arena_bytes(), 2 * kMiB);
}

TEST_F(AnswerBounds, LongNameToldWithEachOfItsPartitionsIsToldNoFurther) {
    const std::string name(30'000, 'x');
    std::vector<std::int32_t> partitions(20'000, 0);
    wire::ElectLeadersRequest::TopicPartitions topic;
    topic.topic = name;
    topic.partitions = partitions;
    wire::ElectLeadersRequest message;
    message.topic_partitions = {&topic, 1};
    const auto refused = tell<wire::ElectLeadersResponse>(message, 2);
    EXPECT_EQ(refused.kind, Answer::Kind::kClose);
    EXPECT_EQ(refused.close_reason, kTooLarge);
    EXPECT_LT(arena_bytes(), 8 * kMiB);
}

}  // namespace
}  // namespace leat::broker
