// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/timestamps.h"

#include <chrono>

namespace leat::streams {

std::int64_t WallclockTimestampExtractor::system_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now()  // tidy: right here, what a user asks for by name
                   .time_since_epoch())
        .count();
}

}  // namespace leat::streams
