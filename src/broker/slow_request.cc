// SPDX-License-Identifier: Apache-2.0
#include "broker/slow_request.h"

#include "obs/log.h"

namespace leat::broker {

bool log_if_slow(const RequestRecord& request, std::chrono::nanoseconds threshold) {
    constexpr obs::Logger kLog{"requests"};
    const auto own = request.total - request.asked_wait;
    if (threshold.count() <= 0 || own < threshold) return false;
    kLog.warn("slow request", {{"api", request.api},
                               {"version", request.version},
                               {"client_id", request.client_id},
                               {"peer", request.peer},
                               {"total_ms", request.total},
                               {"asked_wait_ms", request.asked_wait},
                               {"request_bytes", request.request_bytes},
                               {"response_bytes", request.response_bytes}});
    return true;
}

}  // namespace leat::broker
