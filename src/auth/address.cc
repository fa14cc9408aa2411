// SPDX-License-Identifier: Apache-2.0
#include "auth/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace leat::auth {

std::optional<std::string> canonical_address(std::string_view text) {
    if (text.contains('\0')) return std::nullopt;  // The system's functions would stop there.
    const std::size_t zone = text.contains(':') ? text.find('%') : std::string_view::npos;
    std::string host{text.substr(0, zone)};
    std::array<char, INET6_ADDRSTRLEN> out{};
    in_addr v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return host;
    in6_addr v6{};
    if (::inet_pton(AF_INET6, host.c_str(), &v6) != 1) return std::nullopt;
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        ::inet_ntop(AF_INET, &v6.s6_addr[12], out.data(), out.size());
    else
        ::inet_ntop(AF_INET6, &v6, out.data(), out.size());
    std::string canonical{out.data()};
    if (zone != std::string_view::npos) canonical.append(text.substr(zone));
    return canonical;
}

}  // namespace leat::auth
