// SPDX-License-Identifier: Apache-2.0
//
// Brokers that a test plays: they lead partitions, and answer ApiVersions, Metadata and Fetch; what
// else, the test says. Layer: client (L3), tests only.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "client/leader_board.h"
#include "client/testing/played_logs.h"
#include "client/testing/played_sockets.h"
#include "wire/frame.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/produce_response.h"

namespace leat::client::testing {

/// Threading: thread-safe.
class PlayedBrokers {
  public:
    static constexpr std::int16_t kNewest = wire::FetchRequest::kVersions.max;

    explicit PlayedBrokers(int count, std::int16_t fetch_max = kNewest)
        : fetch_max_(fetch_max),
          sockets_(count, [this](int node, const wire::RequestHeader& header, wire::Reader& in) {
              return answer_to(node, header, in);
          }) {}
    PlayedBrokers(const PlayedBrokers&) = delete;
    PlayedBrokers& operator=(const PlayedBrokers&) = delete;
    ~PlayedBrokers() { stop(); }
    void stop() {  ///< For who made handlers and goes first: none runs any more.
        logs_.stop();
        sockets_.stop();
    }

    [[nodiscard]] std::string address(std::size_t node = 0) const {
        return "127.0.0.1:" + std::to_string(port(node));
    }
    [[nodiscard]] std::uint16_t port(std::size_t node) const { return sockets_.ports().at(node); }
    [[nodiscard]] PlayedLogs& logs() noexcept { return logs_; }
    /// Closes all connections; who was connected may come again.
    void hang_up() { sockets_.hang_up(); }
    /// Who connects to `node` hears nothing from now on; -1: all answer again.
    void silence(int node) { silent_ = node; }

    /// From now on all brokers have `api` in these versions, and `handler` answers it: in the
    /// threads of connections, several at a time, and even during the last of these calls. It goes
    /// before what is answered here. Who is connected already knows of the versions when he comes
    /// again.
    void on(wire::ApiKey api, wire::VersionRange versions, PlayedHandler handler) {
        const std::lock_guard lock{mutex_};
        played_.insert_or_assign(api, Played{versions, std::move(handler)});
    }
    /// With a handler that is told of the message.
    template <class Request, class Handler>
    void on(wire::VersionRange versions, Handler handler) {
        on(Request::kKey, versions,
           [handler = std::move(handler)](int node, const wire::RequestHeader& header,
                                          wire::Reader& in) -> PlayedAnswer {
               Request request;
               LEAT_CHECK(decode(in, header.version, request) && in.finish());
               return handler(node, header, request);
           });
    }
    /// No broker has it any more.
    void forget(wire::ApiKey api) {
        const std::lock_guard lock{mutex_};
        played_.erase(api);
    }
    /// What ApiVersions says of it from now on, such as transaction.version.
    void finalize(const std::string& feature, std::int16_t level) {
        const std::lock_guard lock{mutex_};
        features_[feature] = level;
    }

    /// Refused partitions are said to be led by this one from now on.
    void name_leader(NamedLeader leader) {
        const std::lock_guard lock{mutex_};
        named_ = leader;
    }
    /// Says so in an answer, and where all brokers are.
    template <class Response, class Topics, class Nodes>
    void name_leaders(Response& out, Topics& topics, Nodes& nodes) {
        const std::lock_guard lock{mutex_};
        if (named_.node < 0) return;
        for (auto& topic : topics)
            for (auto& one : partitions_of(topic))
                if (one.error_code != 0) one.current_leader = {named_.node, named_.epoch};
        for (const std::uint16_t port : sockets_.ports())
            nodes.push_back({.node_id = static_cast<std::int32_t>(nodes.size()),
                             .host = "127.0.0.1",
                             .port = port});
        out.node_endpoints = nodes;
    }

    [[nodiscard]] int lookups() const { return lookups_; }  ///< About topics, of all brokers.
    /// Fetches that were answered by `node`.
    [[nodiscard]] int fetches(std::size_t node = 0) const { return fetches_[node]; }
    [[nodiscard]] std::int16_t fetch_version() const { return fetch_version_; }

  private:
    struct Played {
        wire::VersionRange versions;
        PlayedHandler handler;
    };

    static auto partitions_of(wire::ProduceResponse::TopicProduceResponse& topic) {
        return topic.partition_responses;
    }
    static auto partitions_of(wire::FetchResponse::FetchableTopicResponse& topic) {
        return topic.partitions;
    }

    PlayedAnswer answer_to(int node, const wire::RequestHeader& header, wire::Reader& in) {
        if (node == silent_) return wire::Frame{};
        PlayedHandler handler;
        {
            const std::lock_guard lock{mutex_};
            const auto played = played_.find(header.api->key);
            if (played != played_.end()) handler = played->second.handler;
        }
        if (handler) return handler(node, header, in);
        if (header.api->key == wire::ApiKey::kFetch) return fetch(node, header, in);
        if (header.api->key == wire::ApiKey::kMetadata) return metadata(header, in);
        return api_versions(header);
    }
    wire::Frame api_versions(const wire::RequestHeader& header) {
        const std::lock_guard lock{mutex_};
        std::map<wire::ApiKey, wire::VersionRange> known{{wire::ApiKey::kFetch, {4, fetch_max_}},
                                                         {wire::ApiKey::kMetadata, {0, 12}},
                                                         {wire::ApiKey::kApiVersions, {0, 3}}};
        for (const auto& [key, played] : played_) known.insert_or_assign(key, played.versions);
        std::vector<wire::ApiVersionsResponse::ApiVersion> told;
        told.reserve(known.size());
        for (const auto& [key, range] : known)
            told.push_back({static_cast<std::int16_t>(key), range.min, range.max});
        std::vector<wire::ApiVersionsResponse::FinalizedFeatureKey> finalized;
        finalized.reserve(features_.size());
        for (const auto& [name, level] : features_) finalized.push_back({name, level, level});
        const wire::ApiVersionsResponse out{
            .api_keys = told, .finalized_features_epoch = 1, .finalized_features = finalized};
        return wire::response_frame(out, std::min<std::int16_t>(header.version, 3),
                                    header.correlation_id);
    }
    wire::Frame metadata(const wire::RequestHeader& header, wire::Reader& in) {
        ++lookups_;
        wire::MetadataRequest request;
        LEAT_CHECK(decode(in, header.version, request) && in.finish());
        std::vector<wire::MetadataResponse::MetadataResponseBroker> brokers;
        for (const std::uint16_t port : sockets_.ports())
            brokers.push_back({.node_id = static_cast<std::int32_t>(brokers.size()),
                               .host = "127.0.0.1",
                               .port = port});
        std::vector<wire::MetadataResponse::MetadataResponseTopic> topics;
        std::list<std::vector<wire::MetadataResponse::MetadataResponsePartition>> kept;
        for (const auto& asked : *request.topics)
            logs_.look_up(*asked.name, [&](auto found) {
                found.partitions =
                    kept.emplace_back(found.partitions.begin(), found.partitions.end());
                topics.push_back(found);
            });
        const wire::MetadataResponse out{.brokers = brokers, .topics = topics};
        return wire::response_frame(out, header.version, header.correlation_id);
    }
    wire::Frame fetch(int node, const wire::RequestHeader& header, wire::Reader& in) {
        wire::FetchRequest request;
        LEAT_CHECK(decode(in, header.version, request) && in.finish());
        PlayedLogs::Memory memory;
        auto out = logs_.fetch(node, request, header.version >= 13, memory);
        std::vector<wire::FetchResponse::NodeEndpoint> nodes;
        name_leaders(out, memory.topics, nodes);
        fetch_version_ = header.version;
        ++fetches_[static_cast<std::size_t>(node)];
        return wire::response_frame(out, header.version, header.correlation_id);
    }

    const std::int16_t fetch_max_;
    std::atomic<int> lookups_ = 0;
    std::atomic<int> silent_ = -1;
    std::atomic<std::int16_t> fetch_version_ = -1;
    std::array<std::atomic<int>, 4> fetches_{};
    PlayedLogs logs_;
    std::mutex mutex_;  ///< Of what the test says.
    std::map<wire::ApiKey, Played> played_;
    std::map<std::string, std::int16_t> features_;
    NamedLeader named_;
    PlayedSockets sockets_;  ///< The last one: its threads use all the others.
};

}  // namespace leat::client::testing
