// SPDX-License-Identifier: Apache-2.0
#include "client/endpoint.h"

#include <algorithm>
#include <charconv>

namespace leat::client {
namespace {

Error bad(std::string_view entry, std::string_view why) {
    return Error{Errc::kUsage, "'" + std::string{entry} + "' is no HOST:PORT: " + std::string{why}};
}

Result<Endpoint> parse_one(std::string_view entry, std::uint16_t default_port) {
    std::string_view rest = entry;
    if (const std::size_t scheme = rest.find("://"); scheme != std::string_view::npos)
        rest.remove_prefix(scheme + 3);
    Endpoint out{.host = {}, .port = default_port};
    std::string_view port;
    if (rest.starts_with('[')) {
        const std::size_t close = rest.find(']');
        if (close == std::string_view::npos) return bad(entry, "']' is missing");
        out.host = std::string{rest.substr(1, close - 1)};
        rest.remove_prefix(close + 1);
        if (!rest.empty() && rest.front() != ':') return bad(entry, "':' must follow ']'");
        port = rest.empty() ? rest : rest.substr(1);
        if (!rest.empty() && port.empty()) return bad(entry, "the port is missing");
    } else if (std::ranges::count(rest, ':') > 1) {
        out.host = std::string{rest};  // A bare IPv6 address.
    } else {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        out.host = std::string{rest.substr(0, colon)};
        if (colon + 1 == rest.size()) return bad(entry, "the port is missing");
        port = colon < rest.size() ? rest.substr(colon + 1) : std::string_view{};
    }
    if (out.host.empty()) return bad(entry, "the host is missing");
    if (port.empty()) return out;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
    if (error != std::errc{} || end != port.data() + port.size() || value == 0 || value > 65535)
        return bad(entry, "the port is not from 1 to 65535");
    out.port = static_cast<std::uint16_t>(value);
    return out;
}

}  // namespace

std::string Endpoint::text() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view list, std::uint16_t default_port) {
    std::vector<Endpoint> out;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view entry = list.substr(0, comma);
        while (entry.starts_with(' ')) entry.remove_prefix(1);
        while (entry.ends_with(' ')) entry.remove_suffix(1);
        if (!entry.empty()) {
            LEAT_TRY(Endpoint one, parse_one(entry, default_port));
            out.push_back(std::move(one));
        }
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    if (out.empty()) return Error{Errc::kUsage, "no broker address given"};
    return out;
}

}  // namespace leat::client
