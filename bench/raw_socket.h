// SPDX-License-Identifier: Apache-2.0
//
// Sockets, time and thread placement for the load generator and the null broker.
//
// Layer: bench. A failure ends the program with a message: a benchmark with a hole in it is
// worthless.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::bench {

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

[[noreturn]] void die(const std::string& what);

/// Nanoseconds of CLOCK_MONOTONIC, the clock that the driver's Python reads too.
[[nodiscard]] std::int64_t now_ns();
[[nodiscard]] std::int64_t wall_ms();

[[nodiscard]] Address parse_address(std::string_view text);

/// A connected TCP socket with TCP_NODELAY; -1 when refused. `blocking` false sets O_NONBLOCK after
/// connecting.
[[nodiscard]] int try_connect(const Address& to, bool blocking);
[[nodiscard]] int connect_or_die(const Address& to, bool blocking);

/// Blocking transfer of exactly these bytes; false when the peer closed.
[[nodiscard]] bool send_all(int fd, std::string_view bytes);
[[nodiscard]] bool recv_all(int fd, char* to, std::size_t n);

/// Receives and drops `n` bytes without copying them out of the kernel.
[[nodiscard]] bool discard(int fd, std::size_t n);

/// One blocking request and answer; the answer comes without its length. Empty when the peer
/// closed.
[[nodiscard]] std::string round_trip(int fd, std::string_view frame);

/// Keeps the calling thread on one CPU (counted modulo those there are); no effect for cpu < 0.
void pin_thread(int cpu);

}  // namespace leat::bench
