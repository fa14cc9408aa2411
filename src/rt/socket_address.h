// SPDX-License-Identifier: Apache-2.0
//
// An IP address with a port. Layer: rt (L1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sockaddr;          // NOLINT(readability-identifier-naming)
struct sockaddr_storage;  // NOLINT(readability-identifier-naming): the system's name.

namespace leat::rt {

/// Threading: immutable.
class SocketAddress {
  public:
    /// 0.0.0.0:0.
    SocketAddress() = default;

    /// "127.0.0.1:4711" or "[::1]:4711", also with a zone: "[fe80::1%eth0]:4711".
    /// Errors: kMalformed.
    static Result<SocketAddress> parse(std::string_view text);

    /// The addresses of a host, named or written, each once, with port 0. Blocks.
    /// Errors: kNotFound.
    static Result<std::vector<SocketAddress>> look_up(const std::string& host);

    /// From the kernel. An IPv4 address inside IPv6 (::ffff:a.b.c.d) becomes an IPv4 address, so
    /// that limits by address see one peer. Precondition: AF_INET or AF_INET6.
    static SocketAddress from_native(const ::sockaddr& native);

    /// Fills `to`; returns the length for bind() and connect().
    [[nodiscard]] unsigned to_native(::sockaddr_storage& to) const;

    /// As parse() reads it.
    [[nodiscard]] std::string text() const;
    /// Without port and brackets: "127.0.0.1", "::1".
    [[nodiscard]] std::string host() const;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool is_v6() const noexcept { return is_v6_; }
    [[nodiscard]] bool is_loopback() const noexcept;

    [[nodiscard]] SocketAddress with_port(std::uint16_t port) const noexcept;

    friend bool operator==(const SocketAddress&, const SocketAddress&) = default;

  private:
    std::array<std::uint8_t, 16> ip_{};  ///< Network order; IPv4 has the first four.
    std::uint32_t scope_ = 0;            ///< Interface of a link-local IPv6 address.
    std::uint16_t port_ = 0;
    bool is_v6_ = false;
};

}  // namespace leat::rt
