// SPDX-License-Identifier: Apache-2.0
#include "streams/state/record_cache.h"

#include <utility>

namespace leat::streams::detail {

namespace {

// As Kafka Streams counts, so that the same budget makes the same updates go early: an entry in its
// list, and of the record that made it time, offset and partition.
constexpr std::size_t kEntryBytes = 25;
constexpr std::size_t kRecordBytes = 20;

}  // namespace

RecordCache::RecordCache(std::shared_ptr<CacheBudget> budget, Write write)
    : budget_(std::move(budget)), write_(std::move(write)) {}

RecordCache::~RecordCache() {
    clear();
}

std::size_t RecordCache::size_of(const Update& update) noexcept {
    std::size_t out = kEntryBytes + update.row.size() + (update.value ? update.value->size() : 0);
    if (update.was_put) out += kRecordBytes + update.topic.size();
    if (update.headers)
        for (const Header& header : *update.headers)
            out += header.name.size() + (header.value ? header.value->size() : 0);
    return out;
}

const std::optional<std::string>* RecordCache::find(std::string_view row) {
    const auto at = rows_.find(row);
    if (at == rows_.end()) return nullptr;
    used_.splice(used_.begin(), used_, at->second.used);
    return &at->second.update.value;
}

RecordCache::Rows::iterator RecordCache::touch(std::string_view row) {
    const auto [at, fresh] = rows_.try_emplace(std::string{row});
    if (fresh) {
        at->second.update.row = at->first;
        used_.push_front(at->first);
        at->second.used = used_.begin();
    } else {
        budget_->give_back(size_of(at->second.update));
        used_.splice(used_.begin(), used_, at->second.used);
    }
    return at;
}

Result<void> RecordCache::put(const RowChange& change, const Origin& origin) {
    const auto at = touch(change.row);
    Held& held = at->second;
    held.update.value = change.value;
    held.update.timestamp = change.timestamp;
    held.update.headers.reset();
    if (change.headers != nullptr) held.update.headers = *change.headers;
    held.update.topic = origin.topic;
    held.update.partition = origin.partition;
    held.update.offset = origin.offset;
    held.update.was_put = true;
    if (held.dirty) dirty_.erase(held.order);
    held.dirty = true;
    held.order = dirty_.insert(dirty_.end(), at->first);
    budget_->take(size_of(held.update));
    return evict();
}

Result<void> RecordCache::remember(std::string_view row, std::string_view value) {
    const auto at = touch(row);
    at->second.update.value = value;
    budget_->take(size_of(at->second.update));
    return evict();
}

Result<void> RecordCache::evict() {
    while (budget_->exceeded() && !used_.empty()) {
        const auto at = rows_.find(used_.back());
        std::optional<Update> first;
        if (at->second.dirty) first = at->second.update;
        erase(at);
        if (first) LEAT_TRY_VOID(flush_with(std::move(first)));
    }
    return {};
}

void RecordCache::erase(Rows::iterator at) {
    budget_->give_back(size_of(at->second.update));
    if (at->second.dirty) dirty_.erase(at->second.order);
    used_.erase(at->second.used);
    rows_.erase(at);
}

Result<void> RecordCache::flush() {
    return flush_with(std::nullopt);
}

Result<void> RecordCache::flush_with(std::optional<Update> first) {
    std::vector<Update> updates;
    if (first) updates.push_back(*std::move(first));
    // Clean before the first is written: writing may come back here.
    for (const std::string_view row : std::exchange(dirty_, {})) {
        const auto at = rows_.find(row);
        updates.push_back(at->second.update);
        at->second.dirty = false;
        if (!at->second.update.value) erase(at);
    }
    for (const Update& update : updates) LEAT_TRY_VOID(write_(update));
    return {};
}

void RecordCache::clear() {
    while (!rows_.empty()) erase(rows_.begin());
}

void RecordCache::dirty(
    std::string_view from, std::optional<std::string_view> to,
    std::vector<std::pair<std::string, std::optional<std::string>>>& out) const {
    const auto last = to ? rows_.lower_bound(*to) : rows_.end();
    for (auto at = rows_.lower_bound(from); at != last; ++at)
        if (at->second.dirty) out.emplace_back(at->first, at->second.update.value);
}

}  // namespace leat::streams::detail
