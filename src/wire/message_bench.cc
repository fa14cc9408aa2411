// SPDX-License-Identifier: Apache-2.0
//
// What the codec costs a request: decoding, and measuring plus encoding the answer.
#include <benchmark/benchmark.h>

#include <array>

#include "base/check.h"
#include "wire/frame.h"
#include "wire/messages/metadata_response.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"
#include "wire/reader.h"

namespace leat::wire {
namespace {

constexpr std::int16_t kProduceVersion = 9;
constexpr std::int16_t kMetadataVersion = 12;

void decode_produce_of_one_batch(benchmark::State& state) {
    const std::array<std::byte, 1100> batch{};
    std::array<ProduceRequest::PartitionProduceData, 1> partitions{};
    partitions[0].records = Bytes{batch};
    std::array<ProduceRequest::TopicProduceData, 1> topics{};
    topics[0] = {.name = "orders", .topic_id = {}, .partition_data = partitions};
    ProduceRequest request;
    request.topic_data = topics;
    const Frame frame = request_frame(request, {.version = kProduceVersion, .client_id = "bench"});
    Arena arena;
    for (auto _ : state) {
        arena.reset();
        Reader in{frame.bytes().subspan(4), arena};
        const auto header = decode_request_header(in);
        ProduceRequest got;
        LEAT_CHECK(header && decode(in, header->version, got).has_value());
        benchmark::DoNotOptimize(got);
    }
}
BENCHMARK(decode_produce_of_one_batch);

void frame_produce_response(benchmark::State& state) {
    std::array<ProduceResponse::PartitionProduceResponse, 1> partitions{};
    std::array<ProduceResponse::TopicProduceResponse, 1> topics{};
    topics[0] = {.name = "orders", .topic_id = {}, .partition_responses = partitions};
    ProduceResponse response;
    response.responses = topics;
    for (auto _ : state) {
        benchmark::DoNotOptimize(response_frame(response, kProduceVersion, 1));
    }
}
BENCHMARK(frame_produce_response);

void frame_metadata_of_partitions(benchmark::State& state) {
    std::array<std::int32_t, 1> replicas{1};
    std::vector<MetadataResponse::MetadataResponsePartition> partitions(
        static_cast<std::size_t>(state.range(0)));
    for (auto& partition : partitions) partition.replica_nodes = partition.isr_nodes = replicas;
    std::array<MetadataResponse::MetadataResponseTopic, 1> topics{};
    topics[0].name = "orders";
    topics[0].partitions = partitions;
    MetadataResponse response;
    response.topics = topics;
    for (auto _ : state) {
        benchmark::DoNotOptimize(response_frame(response, kMetadataVersion, 1));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(frame_metadata_of_partitions)->Arg(1)->Arg(1000);

}  // namespace
}  // namespace leat::wire
