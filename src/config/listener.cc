// SPDX-License-Identifier: Apache-2.0
#include "config/listener.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "config/setting.h"

namespace leat::config {
namespace {

/// Of listeners that are given as "host:port".
constexpr std::string_view kBareName = "PLAINTEXT";

Error bad(std::string_view listener, std::string_view why) {
    return Error{Errc::kInvalidSetting, std::string{listener} + ": " + std::string{why}};
}

std::optional<Protocol> protocol_named(std::string_view name) {
    if (name == "PLAINTEXT") return Protocol::kPlaintext;
    if (name == "SSL") return Protocol::kSsl;
    if (name == "SASL_PLAINTEXT") return Protocol::kSaslPlaintext;
    if (name == "SASL_SSL") return Protocol::kSaslSsl;
    return std::nullopt;
}

std::string upper(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return out;
}

std::optional<Protocol> protocol_of(std::string_view name, std::string_view map) {
    for (const std::string& entry : split_list(map)) {
        const auto colon = entry.find(':');
        if (colon != std::string::npos && upper(entry.substr(0, colon)) == name)
            return protocol_named(upper(entry.substr(colon + 1)));
    }
    return protocol_named(name);
}

/// "" of "host:port".
std::string name_in(std::string_view text) {
    const auto scheme = text.find("://");
    return scheme == std::string_view::npos ? std::string{} : upper(text.substr(0, scheme));
}

/// PLAINTEXT, PLAINTEXT_2 and so on: the first that is not in `taken`, where it goes then.
std::string free_name(std::set<std::string>& taken) {
    std::string name{kBareName};
    for (int i = 2; !taken.insert(name).second; ++i)
        name = std::string{kBareName} + "_" + std::to_string(i);
    return name;
}

Result<Listener> parse_one(const std::string& text, std::string_view protocols,
                           std::set<std::string>& taken) {
    Listener listener;
    std::string_view address = text;
    listener.name = name_in(text);
    std::optional<Protocol> protocol;
    if (const auto scheme = address.find("://"); scheme != std::string_view::npos) {
        address.remove_prefix(scheme + 3);
        protocol = protocol_of(listener.name, protocols);
    } else {
        listener.name = free_name(taken);
        protocol = protocol_of(listener.name, protocols);
        // The map need not know the names that we give.
        if (!protocol) protocol = protocol_of(kBareName, protocols);
    }
    if (!protocol)
        return bad(text, "no security protocol is given for listener " + listener.name +
                             " (listener.security.protocol.map)");
    listener.protocol = *protocol;

    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos) return bad(text, "expected host:port or NAME://host:port");
    std::string_view host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.contains(':')) {
        return bad(text, "an IPv6 address needs brackets: [::1]:9092");
    }
    if (host.find_first_of(" /[]") != std::string_view::npos) return bad(text, "bad host");
    listener.host = host;

    const std::string_view port = address.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), listener.port);
    if (error != std::errc{} || end != port.data() + port.size())
        return bad(text, "the port must be a number from 0 to 65535");
    return listener;
}

}  // namespace

Result<std::vector<Listener>> parse_listeners(std::span<const std::string> listeners,
                                              std::string_view protocols) {
    std::vector<Listener> parsed;
    std::set<std::string> taken;
    for (const std::string& text : listeners) taken.insert(name_in(text));
    for (const std::string& text : listeners) {
        LEAT_TRY(Listener listener, parse_one(text, protocols, taken));
        for (const Listener& other : parsed) {
            if (other.name == listener.name)
                return bad(text,
                           "each listener needs a name of its own: NAME://host:port, with the "
                           "protocol of NAME in listener.security.protocol.map");
            if (other.port != 0 && other.port == listener.port && other.host == listener.host)
                return bad(text, "two listeners on one address");
        }
        parsed.push_back(std::move(listener));
    }
    return parsed;
}

std::string text_of(const Listener& listener) {
    const bool is_v6 = listener.host.contains(':');
    return listener.name + "://" + (is_v6 ? "[" : "") + listener.host + (is_v6 ? "]" : "") + ":" +
           std::to_string(listener.port);
}

bool is_loopback(std::string_view host) {
    if (host == "localhost") return true;
    // A name may begin as an address does: "127.example.org" is whatever its owner says.
    const std::string text{host};
    std::array<std::uint8_t, 4> v4{};
    if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return v4[0] == 127;
    std::array<std::uint8_t, 16> v6{};
    if (inet_pton(AF_INET6, text.c_str(), v6.data()) != 1) return false;
    constexpr std::array<std::uint8_t, 16> kOne{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return v6 == kOne || (std::ranges::equal(std::span{v6}.first<kMapped.size()>(), kMapped) &&
                          v6[kMapped.size()] == 127);
}

}  // namespace leat::config
