// SPDX-License-Identifier: Apache-2.0
//
// A record as the reader gives it, as nodes see it. Layer: streams (L6).
// Threading: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

#include "client/record.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// Views into `record` and `headers`, which are filled from it. `topic`: as nodes name it.
[[nodiscard]] detail::SourceBytes source_bytes(const client::ReceivedRecord& record,
                                               std::string_view topic, std::int64_t partition_time,
                                               Headers& headers);

}  // namespace leat::streams
