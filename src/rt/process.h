// SPDX-License-Identifier: Apache-2.0
//
// What the kernel grants this process. Layer: rt (L1).
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.h"

namespace leat::rt {

struct DescriptorLimit {
    std::int64_t before = 0;
    std::int64_t now = 0;
};

/// Raises the soft limit of open descriptors (RLIMIT_NOFILE) to the hard one.
/// Errors: kIoError; the limit is as before then.
Result<DescriptorLimit> raise_descriptor_limit();

/// Processor time that the calling thread has used.
[[nodiscard]] std::chrono::nanoseconds thread_cpu_time();

}  // namespace leat::rt
