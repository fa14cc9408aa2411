// SPDX-License-Identifier: Apache-2.0
//
// Addresses to listen on and to tell clients: "PLAINTEXT://127.0.0.1:9092". Layer: config (L1).
// Pure. Spec:  Kafka's listeners, advertised.listeners and listener.security.protocol.map.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::config {

enum class Protocol : std::uint8_t { kPlaintext, kSsl, kSaslPlaintext, kSaslSsl };

[[nodiscard]] constexpr bool has_tls(Protocol protocol) noexcept {
    return protocol == Protocol::kSsl || protocol == Protocol::kSaslSsl;
}
[[nodiscard]] constexpr bool has_sasl(Protocol protocol) noexcept {
    return protocol == Protocol::kSaslPlaintext || protocol == Protocol::kSaslSsl;
}

struct Listener {
    std::string name;  ///< "PLAINTEXT", "EXTERNAL"...
    Protocol protocol = Protocol::kPlaintext;
    std::string host;        ///< Without the brackets of IPv6; "" is every address.
    std::uint16_t port = 0;  ///< 0 picks a free one.

    friend bool operator==(const Listener&, const Listener&) = default;
};

/// Parses `listeners`, each "NAME://host:port" or "host:port": those are named PLAINTEXT,
/// PLAINTEXT_2 and so on, as far as nobody else is. `protocols` maps names to protocols
/// ("EXTERNAL:SSL,PLAINTEXT:PLAINTEXT"). Errors: kInvalidSetting: no port, port above 65535, a name
/// twice, a name without protocol.
Result<std::vector<Listener>> parse_listeners(std::span<const std::string> listeners,
                                              std::string_view protocols);

/// "NAME://host:port", IPv6 in brackets.
std::string text_of(const Listener& listener);

/// True for 127.0.0.0/8, also inside IPv6, ::1 and localhost: reachable from this machine only.
/// Other names are not looked up: false.
bool is_loopback(std::string_view host);

/// What "listener.name.<name>." may stand before beside security_settings(), while running too.
struct ListenerLimits {
    std::int32_t max_connections = 2'147'483'647;
    std::int32_t max_connection_creation_rate = 2'147'483'647;  ///< Per second.

    friend bool operator==(const ListenerLimits&, const ListenerLimits&) = default;
};

}  // namespace leat::config
