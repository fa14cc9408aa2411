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

/// Measures what the calling thread uses up to stop(). Of meters within each other on one thread
/// the outermost measures all, the others nothing: what they give may be added up.
///
/// Threading: one thread; not held over a suspension.
class CpuMeter {
  public:
    /// One that does not measure costs nothing.
    explicit CpuMeter(bool measures);
    ~CpuMeter() { stop(); }
    CpuMeter(const CpuMeter&) = delete;
    CpuMeter& operator=(const CpuMeter&) = delete;

    /// 0 from one that does not measure, or was stopped before.
    std::chrono::nanoseconds stop();

  private:
    bool measures_;
    std::chrono::nanoseconds begun_{0};
};

}  // namespace leat::rt
