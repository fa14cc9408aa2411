// SPDX-License-Identifier: Apache-2.0
//
// Where a broker listens. Layer: client (L3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::client {

struct Endpoint {
    std::string host;  ///< Name or address; an IPv6 address without its brackets.
    std::uint16_t port = 0;

    [[nodiscard]] std::string text() const;  ///< "host:9092", "[::1]:9092".
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// "host[:port][,...]"; an IPv6 address stands in brackets when a port follows. A listener's prefix
/// ("PLAINTEXT://") is skipped, as Kafka's clients do.
///
/// Errors: kUsage, naming the entry.
[[nodiscard]] Result<std::vector<Endpoint>> parse_endpoints(std::string_view list,
                                                            std::uint16_t default_port = 9092);

}  // namespace leat::client
