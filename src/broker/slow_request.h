// SPDX-License-Identifier: Apache-2.0
//
// The slow-request log. Layer: broker (L6).
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace leat::broker {

/// What is known of a request when its answer is written.
struct RequestRecord {
    std::string_view api = {};
    std::int16_t version = 0;
    std::string_view client_id = {};
    std::string_view peer = {};              ///< "127.0.0.1:40312".
    std::chrono::nanoseconds total{0};       ///< From the last byte in to the answer in the socket.
    std::chrono::nanoseconds asked_wait{0};  ///< Part of it that the client asked for (long poll).
    std::int64_t request_bytes = 0;
    std::int64_t response_bytes = 0;
};

/// Logs one warn line, rate-limited, when total - asked_wait is at least `threshold`; a zero or
/// negative threshold logs nothing. Returns whether it was slow, for a counter.
bool log_if_slow(const RequestRecord& request, std::chrono::nanoseconds threshold);

}  // namespace leat::broker
