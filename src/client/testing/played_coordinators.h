// SPDX-License-Identifier: Apache-2.0
//
// Coordinators that a test plays: of transactions, and of groups for offsets in these.
// Layer: client (L3), tests only.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "client/testing/played_brokers.h"
#include "client/testing/played_producer.h"
#include "client/testing/played_script.h"
#include "wire/messages/add_offsets_to_txn_request.h"
#include "wire/messages/add_offsets_to_txn_response.h"
#include "wire/messages/add_partitions_to_txn_request.h"
#include "wire/messages/add_partitions_to_txn_response.h"
#include "wire/messages/end_txn_request.h"
#include "wire/messages/end_txn_response.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/txn_offset_commit_request.h"
#include "wire/messages/txn_offset_commit_response.h"

namespace leat::client::testing {

/// Threading: thread-safe.
/// Memory:    ends the brokers at its own end, which outlive it.
class PlayedCoordinators : public PlayedScript {
  public:
    explicit PlayedCoordinators(PlayedBrokers& brokers) : brokers_(brokers) {
        play_finding();
        play_transactions(5, 5);
        play_offsets(5);
    }
    PlayedCoordinators(const PlayedCoordinators&) = delete;
    PlayedCoordinators& operator=(const PlayedCoordinators&) = delete;
    ~PlayedCoordinators() { brokers_.stop(); }

    /// Protocol 2, if both are 5.
    void play_transactions(std::int16_t init_max, std::int16_t end_max) {
        brokers_.on<wire::InitProducerIdRequest>({0, init_max}, [this](int node, const auto& header,
                                                                       const auto& request) {
            const std::string name = request.transactional_id
                                         ? std::string{*request.transactional_id} + " " +
                                               std::to_string(request.transaction_timeout_ms)
                                         : "nobody";
            return answer(node, header, name + text({request.producer_id, request.producer_epoch}),
                          [&](Errc code) { return producer_.init(request, code); });
        });
        brokers_.on<wire::EndTxnRequest>(
            {0, end_max}, [this](int node, const auto& header, const auto& request) {
                const ProducerIdentity as{request.producer_id, request.producer_epoch};
                return answer(node, header, (request.committed ? "commit" : "abort") + text(as),
                              [&](Errc code) {
                                  return producer_.end(as, request.committed, header.version, code);
                              });
            });
        brokers_.on<wire::AddPartitionsToTxnRequest>(
            {0, 5}, [this](int node, const auto& header, const auto& request) {
                return enrol(node, header, request);
            });
        brokers_.on<wire::AddOffsetsToTxnRequest>(
            {0, 4}, [this](int node, const auto& header, const auto& request) {
                return answer(node, header,
                              std::string{request.group_id} +
                                  text({request.producer_id, request.producer_epoch}),
                              [](Errc code) {
                                  return wire::AddOffsetsToTxnResponse{.error_code = number(code)};
                              });
            });
        brokers_.on(wire::ApiKey::kProduce, {0, 13}, nullptr);
    }
    void play_offsets(std::int16_t max) {
        brokers_.on<wire::TxnOffsetCommitRequest>(
            {0, max}, [this](int node, const auto& header, const auto& request) {
                return commit_offsets(node, header, request);
            });
    }

    /// AddPartitionsToTxn and TxnOffsetCommit say so of this partition.
    void refuse(const TopicPartition& where, Errc code) {
        const std::lock_guard lock{mutex_};
        refused_[where] = code;
    }
    void move(bool of_groups, int to) {
        const std::lock_guard lock{mutex_};
        (of_groups ? groups_at_ : transactions_at_) = to;
    }
    /// As another one with the transactional id does.
    void fence() {
        const std::lock_guard lock{mutex_};
        producer_.fence();
    }
    void set_current(ProducerIdentity identity) {
        const std::lock_guard lock{mutex_};
        producer_.set_current(identity);
    }

  private:
    static std::string text(ProducerIdentity as) {
        return " " + std::to_string(as.id) + "/" + std::to_string(as.epoch);
    }

    void play_finding() {
        brokers_.on<wire::FindCoordinatorRequest>(
            {0, 6}, [this](int node, const auto& header, const auto& request) {
                const bool of_group = request.key_type == 0;
                return answer(node, header, of_group ? "group" : "transaction", [&](Errc code) {
                    const int at = of_group ? groups_at_ : transactions_at_;
                    found_ = {.key = request.coordinator_keys[0],
                              .node_id = at,
                              .host = "127.0.0.1",
                              .port = brokers_.port(static_cast<std::size_t>(at)),
                              .error_code = number(code)};
                    return wire::FindCoordinatorResponse{.coordinators = {&found_, 1}};
                });
            });
    }
    PlayedAnswer enrol(int node, const wire::RequestHeader& header,
                       const wire::AddPartitionsToTxnRequest& request);
    PlayedAnswer commit_offsets(int node, const wire::RequestHeader& header,
                                const wire::TxnOffsetCommitRequest& request);
    Errc code_of(std::string_view topic, std::int32_t partition, Errc otherwise) const {
        const auto found = refused_.find({std::string{topic}, partition});
        return found == refused_.end() ? otherwise : found->second;
    }

    PlayedBrokers& brokers_;
    std::map<TopicPartition, Errc> refused_;
    int transactions_at_ = 0;
    int groups_at_ = 1;
    PlayedProducer producer_;
    wire::FindCoordinatorResponse::Coordinator found_;
};

inline PlayedAnswer PlayedCoordinators::enrol(int node, const wire::RequestHeader& header,
                                              const wire::AddPartitionsToTxnRequest& request) {
    using Response = wire::AddPartitionsToTxnResponse;
    std::string what =
        std::string{request.v3_and_below_transactional_id} +
        text({request.v3_and_below_producer_id, request.v3_and_below_producer_epoch});
    for (const auto& topic : request.v3_and_below_topics)
        for (const std::int32_t partition : topic.partitions)
            what += " " + std::string{topic.name} + "-" + std::to_string(partition);
    std::list<std::vector<Response::AddPartitionsToTxnPartitionResult>> kept;
    std::vector<Response::AddPartitionsToTxnTopicResult> topics;
    return answer(node, header, what, [&](Errc code) {
        for (const auto& topic : request.v3_and_below_topics) {
            auto& told = kept.emplace_back();
            for (const std::int32_t partition : topic.partitions)
                told.push_back({partition, number(code_of(topic.name, partition, code))});
            topics.push_back({topic.name, told});
        }
        return Response{.results_by_topic_v3_and_below = topics};
    });
}

inline PlayedAnswer PlayedCoordinators::commit_offsets(
    int node, const wire::RequestHeader& header, const wire::TxnOffsetCommitRequest& request) {
    using Response = wire::TxnOffsetCommitResponse;
    std::string what = std::string{request.transactional_id} +
                       text({request.producer_id, request.producer_epoch}) + " " +
                       std::string{request.group_id} + " " + std::to_string(request.generation_id) +
                       " " + std::string{request.member_id} + " " +
                       std::string{request.group_instance_id.value_or("null")};
    for (const auto& topic : request.topics)
        for (const auto& one : topic.partitions)
            what += " " + std::string{topic.name} + "-" + std::to_string(one.partition_index) +
                    "=" + std::to_string(one.committed_offset) + "," +
                    std::to_string(one.committed_leader_epoch) + "," +
                    std::string{one.committed_metadata.value_or("null")};
    std::list<std::vector<Response::TxnOffsetCommitResponsePartition>> kept;
    std::vector<Response::TxnOffsetCommitResponseTopic> topics;
    return answer(node, header, what, [&](Errc code) {
        for (const auto& topic : request.topics) {
            auto& told = kept.emplace_back();
            for (const auto& one : topic.partitions)
                told.push_back(
                    {one.partition_index, number(code_of(topic.name, one.partition_index, code))});
            topics.push_back({topic.name, told});
        }
        return Response{.topics = topics};
    });
}

}  // namespace leat::client::testing
