// SPDX-License-Identifier: Apache-2.0
#include "rt/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace leat::rt {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
    const Error bad{Errc::kMalformed, "not an address with a port: " + std::string{text}};
    const auto malformed = [&] { return Error{Errc::kMalformed, bad.detail()}; };
    const bool has_brackets = text.starts_with('[');
    const std::size_t end = has_brackets ? text.find(']') : text.rfind(':');
    const std::size_t colon = has_brackets && end != std::string_view::npos ? end + 1 : end;
    if (end == std::string_view::npos || colon >= text.size() || text[colon] != ':')
        return malformed();
    SocketAddress address;
    address.is_v6_ = has_brackets;
    const char* last = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, last, address.port_);
    if (error != std::errc{} || stop != last) return malformed();
    std::string host{text.substr(has_brackets ? 1 : 0, has_brackets ? end - 1 : end)};
    if (const std::size_t zone = host.find('%'); has_brackets && zone != std::string::npos) {
        address.scope_ = ::if_nametoindex(host.c_str() + zone + 1);
        if (address.scope_ == 0) return malformed();
        host.resize(zone);
    }
    if (::inet_pton(has_brackets ? AF_INET6 : AF_INET, host.c_str(), address.ip_.data()) != 1)
        return malformed();
    return address;
}

Result<std::vector<SocketAddress>> SocketAddress::look_up(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (error != 0)
        return Error{Errc::kNotFound, "look up host " + host + ": " + ::gai_strerror(error)};
    std::vector<SocketAddress> addresses;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
        const SocketAddress address = SocketAddress::from_native(*at->ai_addr);
        if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
    }
    ::freeaddrinfo(found);
    return addresses;
}

SocketAddress SocketAddress::from_native(const ::sockaddr& native) {
    SocketAddress address;
    if (native.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &native, sizeof in);
        std::memcpy(address.ip_.data(), &in.sin_addr, sizeof in.sin_addr);
        address.port_ = ntohs(in.sin_port);
        return address;
    }
    LEAT_CHECK(native.sa_family == AF_INET6);
    sockaddr_in6 in{};
    std::memcpy(&in, &native, sizeof in);
    address.port_ = ntohs(in.sin6_port);
    const auto* ip = static_cast<const std::uint8_t*>(in.sin6_addr.s6_addr);
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip)) {
        std::copy_n(ip + kMappedPrefix.size(), 4, address.ip_.begin());
        return address;
    }
    std::copy_n(ip, address.ip_.size(), address.ip_.begin());
    address.scope_ = in.sin6_scope_id;
    address.is_v6_ = true;
    return address;
}

unsigned SocketAddress::to_native(::sockaddr_storage& to) const {
    to = {};
    if (is_v6_) {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(port_);
        in.sin6_scope_id = scope_;
        std::memcpy(&in.sin6_addr, ip_.data(), ip_.size());
        std::memcpy(&to, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, ip_.data(), sizeof in.sin_addr);
    std::memcpy(&to, &in, sizeof in);
    return sizeof in;
}

std::string SocketAddress::text() const {
    const std::string port = ":" + std::to_string(port_);
    return is_v6_ ? "[" + host() + "]" + port : host() + port;
}

std::string SocketAddress::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(is_v6_ ? AF_INET6 : AF_INET, ip_.data(), text.data(), text.size());
    std::string host{text.data()};
    if (scope_ != 0) {
        std::array<char, IF_NAMESIZE> name{};
        if (::if_indextoname(scope_, name.data()) != nullptr) host.append("%").append(name.data());
    }
    return host;
}

bool SocketAddress::is_loopback() const noexcept {
    if (!is_v6_) return ip_[0] == 127;
    return std::all_of(ip_.begin(), ip_.end() - 1, [](auto byte) { return byte == 0; }) &&
           ip_.back() == 1;
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const noexcept {
    SocketAddress address = *this;
    address.port_ = port;
    return address;
}

}  // namespace leat::rt
