// SPDX-License-Identifier: Apache-2.0
#include "rt/process.h"

#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "rt/os_error.h"

namespace leat::rt {
namespace {

std::int64_t count_of(rlim_t limit) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::min(limit, static_cast<rlim_t>(kMax)));
}

}  // namespace

Result<DescriptorLimit> raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return os_error("getrlimit", "RLIMIT_NOFILE");
    const std::int64_t before = count_of(limit.rlim_cur);
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return os_error("setrlimit", "RLIMIT_NOFILE");
    return DescriptorLimit{.before = before, .now = count_of(limit.rlim_cur)};
}

std::chrono::nanoseconds thread_cpu_time() {
    timespec used{};
    if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0) return {};
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

namespace {
thread_local bool is_metered = false;
}  // namespace

CpuMeter::CpuMeter(bool measures) : measures_(measures && !is_metered) {
    if (!measures_) return;
    is_metered = true;
    begun_ = thread_cpu_time();
}

std::chrono::nanoseconds CpuMeter::stop() {
    if (!measures_) return std::chrono::nanoseconds{0};
    measures_ = false;
    is_metered = false;
    return thread_cpu_time() - begun_;
}

}  // namespace leat::rt
