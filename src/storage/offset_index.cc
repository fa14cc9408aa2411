// SPDX-License-Identifier: Apache-2.0
#include "storage/offset_index.h"

#include <limits>

#include "base/endian.h"

namespace leat::storage {

OffsetEntry OffsetEntry::get(const std::byte* in) noexcept {
    return {.relative = load_be<std::int32_t>(in), .position = load_be<std::int32_t>(in + 4)};
}

void OffsetEntry::put(std::byte* out) const noexcept {
    store_be(out, relative);
    store_be(out + 4, position);
}

std::size_t OffsetIndex::valid_entries(Bytes file) noexcept {
    OffsetEntry last{.relative = -1, .position = -1};
    std::size_t count = 0;
    for (; (count + 1) * OffsetEntry::kBytes <= file.size(); ++count) {
        const OffsetEntry entry = OffsetEntry::get(file.data() + count * OffsetEntry::kBytes);
        // No entry is all zeros: the first batch of a segment is found without one.
        if (entry == OffsetEntry{}) break;
        if (entry.relative <= last.relative || entry.position <= last.position) break;
        last = entry;
    }
    return count;
}

Result<void> OffsetIndex::append(Offset last_offset, FilePos at) {
    const std::int64_t relative = last_offset.value - base_.value;
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    LEAT_CHECK(relative >= 0 && relative <= kMax && at.value >= 0 && at.value <= kMax);
    return entries_.push({.relative = static_cast<std::int32_t>(relative),
                          .position = static_cast<std::int32_t>(at.value)});
}

Result<std::optional<IndexedBatch>> OffsetIndex::before(std::size_t index) {
    if (index == 0) return std::optional<IndexedBatch>{};
    LEAT_TRY(const OffsetEntry entry, entries_.at(index - 1));
    return std::optional{batch(entry)};
}

Result<std::optional<IndexedBatch>> OffsetIndex::lookup(Offset target) {
    const std::int64_t relative = target.value - base_.value;
    LEAT_TRY(const std::size_t after, entries_.partition_point([relative](const OffsetEntry& e) {
        return e.relative <= relative;
    }));
    return before(after);
}

Result<std::optional<IndexedBatch>> OffsetIndex::lookup_at(FilePos at) {
    LEAT_TRY(const std::size_t after, entries_.partition_point([at](const OffsetEntry& e) {
        return e.position <= at.value;
    }));
    return before(after);
}

Result<std::optional<IndexedBatch>> OffsetIndex::last() {
    LEAT_TRY(const std::size_t size, entries_.count());
    return before(size);
}

Result<IndexedBatch> OffsetIndex::at(std::size_t index) {
    LEAT_TRY(const OffsetEntry entry, entries_.at(index));
    return batch(entry);
}

Result<std::shared_ptr<rt::File>> OffsetIndex::truncate(Offset offset, FilePos size) {
    const std::int64_t relative = offset.value - base_.value;
    LEAT_TRY(const std::size_t keep, entries_.partition_point([=](const OffsetEntry& e) {
        return e.relative < relative && e.position < size.value;
    }));
    return entries_.truncate(keep);
}

}  // namespace leat::storage
