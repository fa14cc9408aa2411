// SPDX-License-Identifier: Apache-2.0
//
// Brokers that a test plays: they lead partitions, and answer ApiVersions, Metadata and Fetch.
// Layer: client (L3), tests only.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "client/testing/played_logs.h"
#include "rt/named_thread.h"
#include "wire/frame.h"
#include "wire/messages/api_versions_response.h"

namespace leat::client::testing {

/// Threading: thread-safe.
class PlayedBrokers {
  public:
    static constexpr std::int16_t kNewest = wire::FetchRequest::kVersions.max;

    explicit PlayedBrokers(int count, std::int16_t fetch_max = kNewest) : fetch_max_(fetch_max) {
        for (int node = 0; node < count; ++node) {
            Broker& broker = brokers_.emplace_back();
            broker.door = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            LEAT_CHECK(broker.door >= 0);
            sockaddr_in where{};
            where.sin_family = AF_INET;
            where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            socklen_t size = sizeof where;
            auto* address = reinterpret_cast<sockaddr*>(&where);
            LEAT_CHECK(::bind(broker.door, address, size) == 0 && ::listen(broker.door, 8) == 0);
            LEAT_CHECK(::getsockname(broker.door, address, &size) == 0);
            broker.port = ntohs(where.sin_port);
            broker.thread =
                rt::NamedThread{"door", [this, node, door = broker.door] { receive(node, door); }};
        }
    }
    PlayedBrokers(const PlayedBrokers&) = delete;
    PlayedBrokers& operator=(const PlayedBrokers&) = delete;
    ~PlayedBrokers() {
        stopped_ = true;
        logs_.stop();
        for (Broker& broker : brokers_) ::shutdown(broker.door, SHUT_RDWR);
        hang_up();
        for (Broker& broker : brokers_) {
            broker.thread = {};
            ::close(broker.door);
        }
        guests_.clear();
    }

    [[nodiscard]] std::string address(std::size_t node = 0) {
        return "127.0.0.1:" +
               std::to_string(std::next(brokers_.begin(), static_cast<int>(node))->port);
    }
    [[nodiscard]] PlayedLogs& logs() noexcept { return logs_; }
    /// Closes all connections; who was connected may come again.
    void hang_up() {
        const std::lock_guard lock{mutex_};
        for (const Guest& guest : guests_) ::shutdown(guest.socket, SHUT_RDWR);
    }
    /// Fetches that were answered by `node`.
    [[nodiscard]] int fetches(std::size_t node = 0) const { return fetches_[node]; }
    [[nodiscard]] std::int16_t fetch_version() const { return fetch_version_; }

  private:
    struct Broker {
        int door = -1;
        std::uint16_t port = 0;
        rt::NamedThread thread;
    };
    struct Guest {
        explicit Guest(int from) : socket(from) {}
        Guest(const Guest&) = delete;
        Guest& operator=(const Guest&) = delete;
        ~Guest() {
            thread = {};
            ::close(socket);
        }
        int socket;
        rt::NamedThread thread;
    };

    void receive(int node, int door) {
        for (int guest = 0; (guest = ::accept4(door, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            const std::lock_guard lock{mutex_};
            Guest& seated = guests_.emplace_back(guest);
            seated.thread = rt::NamedThread{"guest", [this, node, guest] { serve(node, guest); }};
            if (stopped_) ::shutdown(guest, SHUT_RDWR);
        }
    }
    static bool read_all(int from, MutableBytes to) {
        while (!to.empty()) {
            const ssize_t got = ::recv(from, to.data(), to.size(), 0);
            if (got <= 0) return false;
            to = to.subspan(static_cast<std::size_t>(got));
        }
        return true;
    }
    void serve(int node, int guest) {
        std::array<std::byte, 4> length{};
        while (read_all(guest, length)) {
            std::vector<std::byte> bytes(
                static_cast<std::size_t>(load_be<std::int32_t>(length.data())));
            if (!read_all(guest, bytes)) return;
            Arena arena;
            wire::Reader in{bytes, arena};
            const auto header = wire::decode_request_header(in);
            LEAT_CHECK(header.has_value());
            const wire::Frame answer = answer_to(node, *header, in);
            std::size_t sent = 0;
            while (sent < answer.size_bytes) {
                const Bytes rest = answer.bytes().subspan(sent);
                const ssize_t now = ::send(guest, rest.data(), rest.size(), MSG_NOSIGNAL);
                if (now <= 0) return;
                sent += static_cast<std::size_t>(now);
            }
        }
    }
    wire::Frame answer_to(int node, const wire::RequestHeader& header, wire::Reader& in) {
        if (header.api->key == wire::ApiKey::kFetch) return fetch(node, header, in);
        if (header.api->key == wire::ApiKey::kMetadata) return metadata(header, in);
        wire::ApiVersionsResponse::ApiVersion known[] = {
            {static_cast<std::int16_t>(wire::ApiKey::kFetch), 4, fetch_max_},
            {static_cast<std::int16_t>(wire::ApiKey::kMetadata), 0, 12},
            {static_cast<std::int16_t>(wire::ApiKey::kApiVersions), 0, 3}};
        const wire::ApiVersionsResponse out{.api_keys = known};
        return wire::response_frame(out, std::min<std::int16_t>(header.version, 3),
                                    header.correlation_id);
    }
    wire::Frame metadata(const wire::RequestHeader& header, wire::Reader& in) {
        wire::MetadataRequest request;
        LEAT_CHECK(decode(in, header.version, request) && in.finish());
        std::vector<wire::MetadataResponse::MetadataResponseBroker> brokers;
        for (const Broker& broker : brokers_)
            brokers.push_back({.node_id = static_cast<std::int32_t>(brokers.size()),
                               .host = "127.0.0.1",
                               .port = broker.port});
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
        const auto out = logs_.fetch(node, request, header.version >= 13, memory);
        fetch_version_ = header.version;
        ++fetches_[static_cast<std::size_t>(node)];
        return wire::response_frame(out, header.version, header.correlation_id);
    }

    const std::int16_t fetch_max_;
    std::atomic<bool> stopped_ = false;
    std::atomic<std::int16_t> fetch_version_ = -1;
    std::array<std::atomic<int>, 4> fetches_{};
    PlayedLogs logs_;
    std::mutex mutex_;  ///< Of the guests.
    std::list<Broker> brokers_;
    std::list<Guest> guests_;
};

}  // namespace leat::client::testing
