// SPDX-License-Identifier: Apache-2.0
#include "storage/upkeep_share.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace leat::storage {
namespace {

/// Longer rests are cut: a rate that was set by mistake must not hold a compaction for days after
/// it was put right.
constexpr double kRestSecondsMax = 60;

}  // namespace

bool UpkeepShare::try_begin(std::int32_t threads) {
    const std::lock_guard lock{mutex_};
    if (running_ >= threads) return false;
    ++running_;
    return true;
}

void UpkeepShare::end() {
    const std::lock_guard lock{mutex_};
    LEAT_CHECK(running_ > 0);
    --running_;
}

Instant UpkeepShare::spend(std::int64_t bytes, double bytes_per_second, Instant now) {
    const std::lock_guard lock{mutex_};
    const double seconds =
        std::min(static_cast<double>(bytes) / std::max(bytes_per_second, 1.0), kRestSecondsMax);
    free_at_ = std::max(free_at_, now) + std::chrono::duration_cast<MonoClock::duration>(
                                             std::chrono::duration<double>{seconds});
    return free_at_;
}

}  // namespace leat::storage
