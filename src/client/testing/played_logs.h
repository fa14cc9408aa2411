// SPDX-License-Identifier: Apache-2.0
//
// The partitions of brokers that a test plays, and what is answered about them. Layer: client (L3),
// tests only.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "client/consumer.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"
#include "wire/record_batch.h"

namespace leat::client::testing {

struct PlayedPartition {
    std::int32_t leader = 0;
    std::int32_t epoch = 1;
    std::int32_t replica = -1;  ///< Whom readers with a rack are sent to.
    Errc refusal = Errc::kNone;
    std::int64_t begin = 0;
    std::int64_t stable = INT64_MAX;  ///< What is committed ends here, at the latest.
    std::vector<std::vector<std::byte>> batches;
    std::vector<wire::FetchResponse::AbortedTransaction> aborted;

    [[nodiscard]] std::int64_t end() const {
        if (batches.empty()) return begin;
        const auto header = wire::parse_batch_header(batches.back());
        return header ? header->last_offset().value + 1 : begin + 1;
    }
};

/// Threading: thread-safe.
class PlayedLogs {
  public:
    using FetchRequest = wire::FetchRequest;
    using FetchResponse = wire::FetchResponse;
    using MetadataResponse = wire::MetadataResponse;
    /// Changes a partition, which is there from the first time on.
    void change(const TopicPartition& where, const std::function<void(PlayedPartition&)>& how) {
        const std::lock_guard lock{mutex_};
        how(partitions_[where]);
        changed_.notify_all();
    }
    void append(const TopicPartition& where, std::vector<std::byte> batch) {
        change(where, [&](PlayedPartition& one) { one.batches.push_back(std::move(batch)); });
    }
    void erase(const TopicPartition& where) {
        const std::lock_guard lock{mutex_};
        partitions_.erase(where);
    }
    /// What Metadata says of a topic instead.
    void refuse_topic(const std::string& topic, Errc code) {
        const std::lock_guard lock{mutex_};
        refused_[topic] = code;
    }
    /// Another topic under the same name from now on.
    void set_topic_number(std::uint8_t number) { topic_number_ = number; }
    void stop() {
        const std::lock_guard lock{mutex_};
        is_stopped_ = true;
        changed_.notify_all();
    }

    /// Memory of an answer.
    struct Memory {
        std::list<std::vector<std::byte>> records;
        std::list<std::vector<FetchResponse::AbortedTransaction>> aborted;
        std::list<std::vector<FetchResponse::PartitionData>> partitions;
        std::vector<FetchResponse::FetchableTopicResponse> topics;
    };
    FetchResponse fetch(int node, const FetchRequest& request, bool by_id, Memory& memory) {
        std::unique_lock lock{mutex_};
        const auto deadline =
            std::chrono::steady_clock::now() + std::chrono::milliseconds{request.max_wait_ms};
        while (!answer(node, request, by_id, memory) && !is_stopped_) {
            if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) break;
            memory = {};
        }
        return {.responses = memory.topics};
    }
    /// `tell` is given each topic that is asked for, as long as it lasts.
    void look_up(std::string_view name,
                 const std::function<void(MetadataResponse::MetadataResponseTopic)>& tell) {
        const std::lock_guard lock{mutex_};
        std::vector<MetadataResponse::MetadataResponsePartition> found;
        for (const auto& [where, one] : partitions_)
            if (where.topic == name)
                found.push_back({.partition_index = where.partition,
                                 .leader_id = one.leader,
                                 .leader_epoch = one.epoch});
        const auto refused = refused_.find(std::string{name});
        Errc code = found.empty() ? Errc::kUnknownTopicOrPartition : Errc::kNone;
        if (refused != refused_.end()) code = refused->second;
        if (code != Errc::kNone) found.clear();
        tell({.error_code = static_cast<std::int16_t>(code),
              .name = name,
              .topic_id = topic_id(name),
              .partitions = found});
    }

  private:
    /// Whether it has something to say, and so need not wait.
    bool answer(int node, const FetchRequest& request, bool by_id, Memory& memory) {
        bool has_news = false;
        for (const auto& topic : request.topics) {
            auto& told = memory.partitions.emplace_back();
            for (const auto& asked : topic.partitions) {
                FetchResponse::PartitionData& out = told.emplace_back(FetchResponse::PartitionData{
                    .partition_index = asked.partition, .aborted_transactions = {}});
                const auto found = find(topic, asked.partition, by_id);
                if (found == partitions_.end())
                    out.error_code = static_cast<std::int16_t>(
                        by_id ? Errc::kUnknownTopicId : Errc::kUnknownTopicOrPartition);
                else
                    read(node, found->second, request, asked, out, memory);
                has_news = has_news || out.error_code != 0 || !out.records.bytes().empty() ||
                           out.preferred_read_replica >= 0;
            }
            memory.topics.push_back(
                {.topic = topic.topic, .topic_id = topic.topic_id, .partitions = told});
        }
        return has_news;
    }
    std::map<TopicPartition, PlayedPartition>::iterator find(const FetchRequest::FetchTopic& topic,
                                                             std::int32_t partition, bool by_id) {
        return std::ranges::find_if(partitions_, [&](const auto& one) {
            const bool is_topic = by_id ? topic_id(one.first.topic) == topic.topic_id
                                        : one.first.topic == topic.topic;
            return is_topic && one.first.partition == partition;
        });
    }
    static Errc refusal_of(int node, const PlayedPartition& from,
                           const FetchRequest::FetchPartition& asked) {
        if (from.refusal != Errc::kNone) return from.refusal;
        if (node != from.leader && node != from.replica) return Errc::kNotLeaderOrFollower;
        if (asked.current_leader_epoch >= 0 && asked.current_leader_epoch < from.epoch)
            return Errc::kFencedLeaderEpoch;
        if (asked.fetch_offset < from.begin || asked.fetch_offset > from.end())
            return Errc::kOffsetOutOfRange;
        return Errc::kNone;
    }
    static void read(int node, const PlayedPartition& from, const FetchRequest& request,
                     const FetchRequest::FetchPartition& asked, FetchResponse::PartitionData& out,
                     Memory& memory) {
        out.error_code = static_cast<std::int16_t>(refusal_of(node, from, asked));
        out.high_watermark = from.end();
        out.last_stable_offset = std::min(from.end(), from.stable);
        out.log_start_offset = from.begin;
        if (out.error_code != 0) return;
        if (!request.rack_id.empty() && node == from.leader && from.replica >= 0) {
            out.preferred_read_replica = from.replica;
            return;
        }
        if (request.isolation_level == 1)
            out.aborted_transactions = memory.aborted.emplace_back(from.aborted);
        auto& bytes = memory.records.emplace_back();
        const bool is_first = &asked == &request.topics.front().partitions.front();
        for (const auto& batch : from.batches) {
            const auto header = wire::parse_batch_header(batch);
            if (header && header->last_offset().value < asked.fetch_offset) continue;
            if (header && request.isolation_level == 1 && header->base_offset.value >= from.stable)
                break;
            bytes.insert(bytes.end(), batch.begin(), batch.end());
            const auto max = static_cast<std::size_t>(asked.partition_max_bytes);
            if (bytes.size() < max) continue;
            // As a broker does, which sends pieces of a file: only the first batch of all is whole.
            if (!is_first || bytes.size() > batch.size()) bytes.resize(max);
            break;
        }
        out.records = Bytes{bytes};
    }
    [[nodiscard]] Uuid topic_id(std::string_view topic) const {
        Uuid out;
        out.bytes[0] = topic_number_;
        std::ranges::copy(topic.substr(0, 15), out.bytes.begin() + 1);
        return out;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_stopped_ = false;
    std::atomic<std::uint8_t> topic_number_ = 1;
    std::map<TopicPartition, PlayedPartition> partitions_;
    std::map<std::string, Errc> refused_;
};

}  // namespace leat::client::testing
