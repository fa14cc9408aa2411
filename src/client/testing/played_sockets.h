// SPDX-License-Identifier: Apache-2.0
//
// The doors of brokers that a test plays: who connects, which request comes, what is sent back.
// Layer: client (L3), tests only.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "rt/named_thread.h"
#include "wire/frame.h"

namespace leat::client::testing {

/// What a broker does about a request. Nothing: it closes the connection; a frame of no bytes: it
/// never answers.
using PlayedAnswer = std::optional<wire::Frame>;
using PlayedHandler =
    std::function<PlayedAnswer(int node, const wire::RequestHeader& header, wire::Reader& in)>;

/// Threading: thread-safe. `handler` runs in a thread of each connection, several at a time.
class PlayedSockets {
  public:
    PlayedSockets(int count, PlayedHandler handler) : handler_(std::move(handler)) {
        for (int node = 0; node < count; ++node) {
            Door& door = doors_.emplace_back();
            door.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            LEAT_CHECK(door.socket >= 0);
            sockaddr_in where{};
            where.sin_family = AF_INET;
            where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            socklen_t size = sizeof where;
            auto* address = reinterpret_cast<sockaddr*>(&where);
            LEAT_CHECK(::bind(door.socket, address, size) == 0 && ::listen(door.socket, 8) == 0);
            LEAT_CHECK(::getsockname(door.socket, address, &size) == 0);
            ports_.push_back(ntohs(where.sin_port));
        }
        int node = 0;
        for (Door& door : doors_) {
            door.thread = rt::NamedThread{
                "door", [this, node, socket = door.socket] { receive(node, socket); }};
            ++node;
        }
    }
    PlayedSockets(const PlayedSockets&) = delete;
    PlayedSockets& operator=(const PlayedSockets&) = delete;
    ~PlayedSockets() {
        stop();
        for (Door& door : doors_) ::close(door.socket);
    }

    /// Nobody is answered any more, and no handler runs: for who made one and goes first.
    void stop() {
        stopped_ = true;
        for (Door& door : doors_) ::shutdown(door.socket, SHUT_RDWR);
        hang_up();
        for (Door& door : doors_) door.thread = {};
        guests_.clear();
    }

    /// Of each broker, by its number.
    [[nodiscard]] const std::vector<std::uint16_t>& ports() const noexcept { return ports_; }
    /// Closes all connections; who was connected may come again.
    void hang_up() {
        const std::lock_guard lock{mutex_};
        for (const Guest& guest : guests_) ::shutdown(guest.socket, SHUT_RDWR);
    }

  private:
    struct Door {
        int socket = -1;
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
            seated.thread = rt::NamedThread{"guest", [this, node, guest] {
                                                serve(node, guest);
                                                ::shutdown(guest, SHUT_RDWR);
                                            }};
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
    static bool write_all(int to, Bytes bytes) {
        while (!bytes.empty()) {
            const ssize_t now = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (now <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(now));
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
            const PlayedAnswer answer = handler_(node, *header, in);
            if (!answer || !write_all(guest, answer->bytes())) return;
        }
    }

    const PlayedHandler handler_;
    std::atomic<bool> stopped_ = false;
    std::mutex mutex_;  ///< Of the guests.
    std::list<Door> doors_;
    std::vector<std::uint16_t> ports_;
    std::list<Guest> guests_;
};

}  // namespace leat::client::testing
