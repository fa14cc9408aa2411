// SPDX-License-Identifier: Apache-2.0
#include "storage/txn_index.h"

#include "base/endian.h"

namespace leat::storage {

TxnEntry TxnEntry::get(const std::byte* in) noexcept {
    return {.version = load_be<std::int16_t>(in),
            .producer_id = load_be<std::int64_t>(in + 2),
            .first = {load_be<std::int64_t>(in + 10)},
            .last = {load_be<std::int64_t>(in + 18)},
            .last_stable = {load_be<std::int64_t>(in + 26)}};
}

void TxnEntry::put(std::byte* out) const noexcept {
    store_be(out, version);
    store_be(out + 2, producer_id);
    store_be(out + 10, first.value);
    store_be(out + 18, last.value);
    store_be(out + 26, last_stable.value);
}

std::size_t TxnIndex::valid_entries(Bytes file, Offset base) noexcept {
    Offset last{base.value - 1};
    std::size_t count = 0;
    for (; (count + 1) * TxnEntry::kBytes <= file.size(); ++count) {
        const TxnEntry entry = TxnEntry::get(file.data() + count * TxnEntry::kBytes);
        if (entry.version != 0 || entry.producer_id < 0 || entry.first.value < 0) break;
        if (entry.last <= last || entry.last < entry.first || entry == TxnEntry{}) break;
        last = entry.last;
    }
    return count;
}

Result<std::shared_ptr<rt::File>> TxnIndex::append(const TxnEntry& entry) {
    LEAT_TRY(const std::size_t count, entries_.count());
    if (count > 0) {
        LEAT_TRY(const TxnEntry newest, entries_.at(count - 1));
        if (newest.last >= entry.last) return std::shared_ptr<rt::File>{};
    }
    LEAT_TRY_VOID(entries_.push(entry));
    return entries_.write_out();
}

Result<bool> TxnIndex::collect(Offset from, Offset below, std::vector<TxnEntry>& out) {
    LEAT_TRY(const std::size_t count, entries_.count());
    LEAT_TRY(std::size_t at,
             entries_.partition_point([from](const TxnEntry& e) { return e.last < from; }));
    for (; at < count; ++at) {
        LEAT_TRY(const TxnEntry entry, entries_.at(at));
        if (entry.first < below) out.push_back(entry);
        if (entry.last_stable >= below) return false;
    }
    return true;
}

Result<std::shared_ptr<rt::File>> TxnIndex::truncate(Offset offset) {
    LEAT_TRY(const std::size_t keep,
             entries_.partition_point([offset](const TxnEntry& e) { return e.last < offset; }));
    return entries_.truncate(keep);
}

Result<std::shared_ptr<rt::File>> TxnIndex::rewrite(Offset from) {
    LEAT_TRY(const std::size_t first,
             entries_.partition_point([from](const TxnEntry& e) { return e.last < from; }));
    return entries_.rewrite(first);
}

Result<void> TxnIndex::replace(const std::vector<TxnEntry>& entries) {
    std::vector<std::byte> raw(entries.size() * TxnEntry::kBytes);
    for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i].put(raw.data() + i * TxnEntry::kBytes);
    CachedFile& file = entries_.file();
    auto replaced = rt::replace_file(file.cache().disk(), file.path(), raw);
    entries_.reload(replaced.has_value() || entries_.exists());
    return replaced;
}

Result<void> TxnIndex::spoil() {
    entries_.reload(entries_.exists());
    LEAT_TRY(const std::size_t count, entries_.count());
    if (count == 0) return {};
    LEAT_TRY(const auto file, entries_.file().open());
    LEAT_TRY_VOID(file->truncate(FilePos{1}));
    entries_.reload(true);
    return file->sync();
}

}  // namespace leat::storage
