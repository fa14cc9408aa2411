// SPDX-License-Identifier: Apache-2.0
#include "raw_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

namespace leat::bench {

void die(const std::string& what) {
    std::fprintf(stderr, "%s (last system error: %s)\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

std::int64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::int64_t wall_ms() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1'000 + t.tv_nsec / 1'000'000;
}

Address parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    Address to;
    if (colon == std::string_view::npos ||
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), to.port).ec !=
            std::errc{}) {
        die("not HOST:PORT: " + std::string(text));
    }
    to.host = std::string(text.substr(0, colon));
    return to;
}

int try_connect(const Address& to, bool blocking) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        die("socket");
    }
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(to.port);
    if (inet_pton(AF_INET, to.host.c_str(), &peer.sin_addr) != 1) {
        die("not an IPv4 address: " + to.host);
    }
    sockaddr any{};
    std::memcpy(&any, &peer, sizeof any);
    if (connect(fd, &any, sizeof any) != 0) {
        close(fd);
        return -1;
    }
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!blocking) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

int connect_or_die(const Address& to, bool blocking) {
    const int fd = try_connect(to, blocking);
    if (fd < 0) {
        die("cannot connect to " + to.host);
    }
    return fd;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool recv_all(int fd, char* to, std::size_t n) {
    while (n > 0) {
        const auto got = recv(fd, to, n, 0);
        if (got <= 0) {
            return false;
        }
        to += got;
        n -= static_cast<std::size_t>(got);
    }
    return true;
}

bool discard(int fd, std::size_t n) {
    while (n > 0) {
        const auto got = recv(fd, nullptr, std::min<std::size_t>(n, 4 << 20), MSG_TRUNC);
        if (got <= 0) {
            return false;
        }
        n -= static_cast<std::size_t>(got);
    }
    return true;
}

std::string round_trip(int fd, std::string_view frame) {
    unsigned char head[4];
    if (!send_all(fd, frame) || !recv_all(fd, reinterpret_cast<char*>(head), sizeof head)) {
        return {};
    }
    const auto n = static_cast<std::size_t>(head[0]) << 24 |
                   static_cast<std::size_t>(head[1]) << 16 |
                   static_cast<std::size_t>(head[2]) << 8 | head[3];
    std::string answer(n, '\0');
    return recv_all(fd, answer.data(), n) ? answer : std::string{};
}

void pin_thread(int cpu) {
    if (cpu < 0) {
        return;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu) % std::max(1U, std::thread::hardware_concurrency()), &set);
    sched_setaffinity(0, sizeof set, &set);
}

}  // namespace leat::bench
