// SPDX-License-Identifier: Apache-2.0
//
// What a writer's requests do to brokers that a test plays: batches are kept, and their sequences
// checked. Layer: client (L3), tests only.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/testing/played_brokers.h"
#include "client/testing/written.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace leat::client::testing {

/// What a broker does about a batch.
struct Verdict {
    Errc code = Errc::kNone;
    bool closes = false;      ///< Instead of an answer.
    bool is_silent = false;   ///< Instead of an answer.
    bool keeps = true;        ///< Where it would have been written, it is.
    Errc says = Errc::kNone;  ///< In place of what became of it.
};

/// Threading: thread-safe.
class PlayedWrites {
  public:
    using Judge = std::function<Verdict(const Written&)>;
    /// `gives_ids`: of producers; else somebody else plays that.
    explicit PlayedWrites(PlayedBrokers& brokers, wire::VersionRange versions = {3, 13},
                          bool gives_ids = true)
        : brokers_(brokers) {
        brokers.on<wire::ProduceRequest>(
            versions,
            [this](int node, const wire::RequestHeader& header, const wire::ProduceRequest& request)
                -> PlayedAnswer { return produce(node, header, request); });
        if (!gives_ids) return;
        brokers.on<wire::InitProducerIdRequest>(
            {0, 4},
            [this](int, const wire::RequestHeader& header,
                   const wire::InitProducerIdRequest&) -> PlayedAnswer {
                const std::lock_guard lock{mutex_};
                const wire::InitProducerIdResponse out{.producer_id = next_id_++,
                                                       .producer_epoch = 0};
                return wire::response_frame(out, header.version, header.correlation_id);
            });
    }
    /// A topic with partitions that `leader` leads.
    void make_topic(const std::string& name, int partitions, std::int32_t leader = 0) {
        for (std::int32_t i = 0; i < partitions; ++i)
            brokers_.logs().change({name, i}, [&](PlayedPartition& one) { one.leader = leader; });
        const std::lock_guard lock{mutex_};
        topics_.push_back(name);
    }
    /// Asked before anything is written.
    void judge(Judge judge) {
        const std::lock_guard lock{mutex_};
        judge_ = std::move(judge);
    }
    /// In their order; only what was written.
    [[nodiscard]] std::vector<Written> log(const TopicPartition& where) const {
        const std::lock_guard lock{mutex_};
        std::vector<Written> out;
        std::ranges::copy_if(written_, std::back_inserter(out),
                             [&](const Written& one) { return one.where == where; });
        return out;
    }
    [[nodiscard]] std::vector<std::string> values(const TopicPartition& where) const {
        std::vector<std::string> out;
        for (const Written& one : log(where))
            out.insert(out.end(), one.values.begin(), one.values.end());
        return out;
    }
    [[nodiscard]] int requests() const {
        const std::lock_guard lock{mutex_};
        return requests_;
    }
    /// Until `count` requests have come.
    void await_requests(int count) {
        std::unique_lock lock{mutex_};
        LEAT_CHECK(
            came_.wait_for(lock, std::chrono::seconds{10}, [&] { return requests_ >= count; }));
    }
    /// What answers say of it from now on.
    void throttle(std::chrono::milliseconds time) {
        const std::lock_guard lock{mutex_};
        throttle_ = time;
    }
    /// As if the broker had never heard of the producer.
    void forget_producers() {
        const std::lock_guard lock{mutex_};
        producers_.clear();
        is_forgetful_ = true;
    }

  private:
    Uuid id_of(const std::string& name) {
        Uuid out;
        brokers_.logs().look_up(name, [&](const auto& topic) { out = topic.topic_id; });
        return out;
    }
    std::string name_of(const wire::ProduceRequest::TopicProduceData& topic, bool by_id) {
        if (!by_id) return std::string{topic.name};
        for (const std::string& name : topics_)
            if (id_of(name) == topic.topic_id) return name;
        return {};
    }
    std::int32_t leader_of(const TopicPartition& where) {
        std::int32_t out = -1;
        brokers_.logs().look_up(where.topic, [&](const auto& topic) {
            for (const auto& one : topic.partitions)
                if (one.partition_index == where.partition) out = one.leader_id;
        });
        return out;
    }
    PlayedAnswer produce(int node, const wire::RequestHeader& header,
                         const wire::ProduceRequest& request) {
        const std::lock_guard lock{mutex_};
        const int number = ++requests_;
        came_.notify_all();
        std::list<std::vector<wire::ProduceResponse::PartitionProduceResponse>> kept;
        std::vector<wire::ProduceResponse::TopicProduceResponse> topics;
        for (const auto& topic : request.topic_data) {
            auto& parts = kept.emplace_back();
            const std::string name = name_of(topic, header.version >= 13);
            for (const auto& data : topic.partition_data) {
                Written one = read_written(data.records.bytes());
                one.node = node;
                one.version = header.version;
                one.request = number;
                one.where = {name, data.index};
                if (request.transactional_id)
                    one.transactional_id = std::string{*request.transactional_id};
                Verdict verdict = judge_ ? judge_(one) : Verdict{};
                if (leader_of(one.where) != node) verdict.code = Errc::kNotLeaderOrFollower;
                Counted& counted = producers_[{one.where, one.header.producer_id}];
                const bool is_for_it = verdict.code == Errc::kNone && verdict.keeps;
                if (is_for_it) verdict.code = counted.take(one.header, is_forgetful_);
                const std::int64_t offset = offsets_[one.where];
                if (is_for_it && verdict.code == Errc::kNone) {
                    offsets_[one.where] += one.header.record_count;
                    written_.push_back(std::move(one));
                }
                if (verdict.says != Errc::kNone) verdict.code = verdict.says;
                if (verdict.closes) return std::nullopt;
                if (verdict.is_silent) return wire::Frame{};
                parts.push_back({.index = data.index,
                                 .error_code = static_cast<std::int16_t>(verdict.code),
                                 .base_offset = verdict.code == Errc::kNone ? offset : -1});
            }
            topics.push_back(
                {.name = topic.name, .topic_id = topic.topic_id, .partition_responses = parts});
        }
        if (request.acks == 0) return wire::Frame{};
        wire::ProduceResponse out{.responses = topics,
                                  .throttle_time_ms = static_cast<std::int32_t>(throttle_.count())};
        std::vector<wire::ProduceResponse::NodeEndpoint> nodes;
        brokers_.name_leaders(out, topics, nodes);
        return wire::response_frame(out, header.version, header.correlation_id);
    }

    PlayedBrokers& brokers_;
    mutable std::mutex mutex_;
    std::condition_variable came_;
    Judge judge_;
    std::vector<std::string> topics_;
    std::vector<Written> written_;
    std::map<std::pair<TopicPartition, std::int64_t>, Counted> producers_;
    std::map<TopicPartition, std::int64_t> offsets_;
    std::int64_t next_id_ = 1'000;
    std::chrono::milliseconds throttle_{0};
    int requests_ = 0;
    bool is_forgetful_ = false;
};

}  // namespace leat::client::testing
