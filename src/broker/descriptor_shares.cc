// SPDX-License-Identifier: Apache-2.0
#include "broker/descriptor_shares.h"

#include <algorithm>

#include "rt/process.h"
#include "storage/file_cache.h"

namespace leat::broker {
namespace {

/// When the kernel does not say how many descriptors this process may have.
constexpr std::int64_t kAssumed = 1024;
/// As many as Linux has numbers for.
constexpr std::int64_t kLimitMax = std::int64_t{1} << 30;

/// Listeners and what they keep to refuse with, metadata store, durable marks, locks; compactions
/// with a small cache of their own; what the pool opens for a moment: snapshots, checkpoints, keys.
constexpr std::int64_t kReserve = 160;
/// Of its loop.
constexpr std::int64_t kReserveOfShard = 8;

constexpr std::int64_t kHttpMin = 4;
constexpr std::int64_t kHttpMax = 256;

}  // namespace

DescriptorShares share_descriptors(std::int64_t limit, std::int32_t open_files,
                                   std::size_t shards) noexcept {
    DescriptorShares out;
    out.limit = limit <= 0 ? kLimitMax : std::min(limit, kLimitMax);
    const std::int64_t wanted_reserve =
        kReserve + kReserveOfShard * static_cast<std::int64_t>(shards);
    // Of a small limit nobody may get all.
    out.reserve = std::min(wanted_reserve, out.limit / 4);
    const std::int64_t http = std::clamp(out.limit / 16, kHttpMin, kHttpMax);
    const std::int64_t left = std::max<std::int64_t>(out.limit - out.reserve - http, 4);
    const auto wanted = static_cast<std::int64_t>(storage::open_files_max(open_files, out.limit));
    const std::int64_t files = std::min(wanted, left / 4 * 3);
    out.log_files = static_cast<std::size_t>(files);
    out.http_connections = static_cast<std::size_t>(http);
    out.connections = left - files;
    out.is_cut = files < wanted;
    return out;
}

std::int64_t descriptor_limit() {
    const auto limit = rt::raise_descriptor_limit();
    return limit.has_value() ? limit->now : kAssumed;
}

}  // namespace leat::broker
