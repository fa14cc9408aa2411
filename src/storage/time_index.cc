// SPDX-License-Identifier: Apache-2.0
#include "storage/time_index.h"

#include <limits>

#include "base/endian.h"

namespace leat::storage {

TimeEntry TimeEntry::get(const std::byte* in) noexcept {
    return {.timestamp = load_be<std::int64_t>(in), .relative = load_be<std::int32_t>(in + 8)};
}

void TimeEntry::put(std::byte* out) const noexcept {
    store_be(out, timestamp);
    store_be(out + 8, relative);
}

std::size_t TimeIndex::valid_entries(Bytes file) noexcept {
    TimeEntry last{.timestamp = -1, .relative = 0};
    std::size_t count = 0;
    for (; (count + 1) * TimeEntry::kBytes <= file.size(); ++count) {
        const TimeEntry entry = TimeEntry::get(file.data() + count * TimeEntry::kBytes);
        // A record of the year 1970 could look like this; its entry is then missed, no more.
        if (entry.timestamp == 0 && entry.relative == 0) break;
        if (entry.timestamp <= last.timestamp || entry.relative < last.relative) break;
        last = entry;
    }
    return count;
}

Result<void> TimeIndex::append(const MaxTimestamp& max) {
    if (max.timestamp.value < 0) return {};
    LEAT_TRY(const auto newest, last());
    if (newest && newest->timestamp >= max.timestamp) return {};
    const std::int64_t relative = max.offset.value - base_.value;
    LEAT_CHECK(relative >= 0 && relative <= std::numeric_limits<std::int32_t>::max());
    return entries_.push(
        {.timestamp = max.timestamp.value, .relative = static_cast<std::int32_t>(relative)});
}

Result<std::optional<MaxTimestamp>> TimeIndex::before(std::size_t index) {
    if (index == 0) return std::optional<MaxTimestamp>{};
    LEAT_TRY(const TimeEntry entry, entries_.at(index - 1));
    return std::optional{
        MaxTimestamp{.timestamp = {entry.timestamp}, .offset = {base_.value + entry.relative}}};
}

Result<std::optional<MaxTimestamp>> TimeIndex::lookup(WallMs timestamp) {
    LEAT_TRY(const std::size_t after, entries_.partition_point([timestamp](const TimeEntry& e) {
        return e.timestamp <= timestamp.value;
    }));
    return before(after);
}

Result<std::optional<MaxTimestamp>> TimeIndex::last() {
    LEAT_TRY(const std::size_t size, entries_.count());
    return before(size);
}

Result<std::size_t> TimeIndex::count_below(Offset offset) {
    const std::int64_t relative = offset.value - base_.value;
    return entries_.partition_point([=](const TimeEntry& e) { return e.relative < relative; });
}

Result<std::optional<MaxTimestamp>> TimeIndex::last_below(Offset offset) {
    LEAT_TRY(const std::size_t count, count_below(offset));
    return before(count);
}

Result<std::shared_ptr<rt::File>> TimeIndex::truncate(Offset offset) {
    LEAT_TRY(const std::size_t keep, count_below(offset));
    return entries_.truncate(keep);
}

}  // namespace leat::storage
