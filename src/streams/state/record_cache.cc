// SPDX-License-Identifier: Apache-2.0
#include "streams/state/record_cache.h"

#include <utility>

#include "streams/state/query_mark.h"

namespace leat::streams::detail {

namespace {

// As Kafka Streams counts, so that the same budget makes the same updates go early: an entry in its
// list, and time, offset and partition of a record, also for what was read and no record made.
constexpr std::size_t kEntryBytes = 25;
constexpr std::size_t kRecordBytes = 20;
/// At first; a power of two.
constexpr std::size_t kBuckets = 16;

void keep_source(RecordCache::Update& update, const SourceBytes* bytes) {
    update.has_source = bytes != nullptr;
    update.source_key.reset();
    update.source_value.reset();
    if (bytes == nullptr) return;
    if (bytes->key) update.source_key.emplace(*bytes->key);
    if (bytes->value) update.source_value.emplace(*bytes->value);
}

}  // namespace

RecordCache::RecordCache(std::shared_ptr<CacheBudget> budget, Write write)
    : budget_(std::move(budget)),
      write_(std::move(write)),
      buckets_(kBuckets),
      rows_(Rows::bucket_traits{buckets_.data(), buckets_.size()}) {}

RecordCache::~RecordCache() {
    clear();
}

std::size_t RecordCache::size_of(const Update& update) noexcept {
    std::size_t out = kEntryBytes + kRecordBytes + update.row.size() + update.topic.size();
    if (update.value) out += update.value->size();
    if (update.headers)
        for (const Header& header : *update.headers)
            out += header.name.size() + (header.value ? header.value->size() : 0);
    return out;
}

RecordCache::Held* RecordCache::use(std::string_view row) {
    // Who reads a row mostly writes it next.
    if (!used_.empty() && used_.front().update.row == row) return &used_.front();
    const auto at = rows_.find(row);
    if (at == rows_.end()) return nullptr;
    used_.splice(used_.begin(), used_, used_.iterator_to(*at));
    return &*at;
}

const std::optional<std::string>* RecordCache::find(std::string_view row) {
    const Held* held = use(row);
    return held == nullptr ? nullptr : &held->update.value;
}

RecordCache::Held& RecordCache::touch(std::string_view row) {
    if (Held* held = use(row); held != nullptr) {
        budget_->give_back(size_of(held->update));
        return *held;
    }
    if (rows_.size() == buckets_.size()) grow();
    auto made = std::make_unique<Held>();
    made->update.row = row;
    Held& held = *made.release();
    rows_.insert(held);
    used_.push_front(held);
    return held;
}

void RecordCache::grow() {
    std::vector<Rows::bucket_type> more(buckets_.size() * 2);
    rows_.rehash(Rows::bucket_traits{more.data(), more.size()});
    buckets_.swap(more);
}

void RecordCache::mark(Held& held) {
    if (held.is_dirty())
        dirty_.splice(dirty_.end(), dirty_, dirty_.iterator_to(held));
    else
        dirty_.push_back(held);
    if (sorts_) sorted_.emplace(held.update.row, &held);
}

void RecordCache::unmark(Held& held) {
    dirty_.erase(dirty_.iterator_to(held));
    if (sorts_) sorted_.erase(held.update.row);
}

Result<void> RecordCache::put(const RowChange& change, const Origin& origin) {
    Held& held = touch(change.row);
    held.update.value = change.value;
    held.update.timestamp = change.timestamp;
    held.update.headers.reset();
    if (change.headers != nullptr) held.update.headers = *change.headers;
    held.update.topic = origin.topic;
    held.update.partition = origin.partition;
    held.update.offset = origin.offset;
    keep_source(held.update, origin.bytes);
    mark(held);
    budget_->take(size_of(held.update));
    return evict();
}

Result<void> RecordCache::remember(std::string_view row, std::string_view value) {
    if (QueryMark::is_set()) return {};
    Held& held = touch(row);
    held.update.value = value;
    budget_->take(size_of(held.update));
    return evict();
}

Result<void> RecordCache::evict() {
    while (budget_->exceeded() && !used_.empty()) {
        const bool is_dirty = used_.back().is_dirty();
        const std::unique_ptr<Held> last = take(used_.back());
        const std::size_t size = size_of(last->update);
        Result<void> written = is_dirty ? flush_with(std::move(last->update)) : Result<void>{};
        // Not before: what is put because of it may have to go as well, as in Kafka Streams.
        budget_->give_back(size);
        if (!written) return written;
    }
    return {};
}

void RecordCache::drop(Held& held) {
    budget_->give_back(size_of(held.update));
    take(held);
}

std::unique_ptr<RecordCache::Held> RecordCache::take(Held& held) {
    if (held.is_dirty()) unmark(held);
    used_.erase(used_.iterator_to(held));
    rows_.erase(rows_.iterator_to(held));
    return std::unique_ptr<Held>{&held};
}

Result<void> RecordCache::flush() {
    return flush_with(std::nullopt);
}

Result<void> RecordCache::flush_with(std::optional<Update> first) {
    std::vector<Update> updates;
    updates.reserve(dirty_.size() + (first ? 1 : 0));
    if (first) updates.push_back(*std::move(first));
    std::vector<std::string> deleted;
    // Clean before the first is written: writing may come back here.
    while (!dirty_.empty()) {
        Held& held = dirty_.front();
        unmark(held);
        updates.push_back(held.update);
        if (!held.update.value) deleted.push_back(held.update.row);
    }
    Result<void> written = write_all(updates);
    // Until now they hid rows that were still to be erased.
    for (const std::string& row : deleted)
        if (const auto at = rows_.find(std::string_view{row});
            at != rows_.end() && !at->is_dirty() && !at->update.value)
            drop(*at);
    return written;
}

const std::set<std::string_view>& RecordCache::Writing::rows_left() {
    if (!rows) {
        rows.emplace();
        for (const Update& update : updates.subspan(next)) rows->insert(update.row);
    }
    return *rows;
}

Result<void> RecordCache::write_all(std::span<const Update> updates) {
    Writing writing{.updates = updates};
    writing_.push_back(&writing);
    const auto end = [this](const Writing* /*done*/) { writing_.pop_back(); };
    const std::unique_ptr<Writing, decltype(end)> under_way{&writing, end};
    for (; writing.next < updates.size(); ++writing.next) {
        const Update& update = updates[writing.next];
        LEAT_TRY_VOID(write_(update));
        if (writing.rows) writing.rows->erase(update.row);
    }
    return {};
}

void RecordCache::clear() {
    while (!used_.empty()) drop(used_.front());
}

void RecordCache::unwritten(std::string_view from, std::optional<std::string_view> to,
                            std::vector<std::pair<std::string, std::optional<std::string>>>& out) {
    if (to && *to <= from) return;
    if (!std::exchange(sorts_, true))
        for (const Held& held : dirty_) sorted_.emplace(held.update.row, &held);
    const auto within = [&](const auto& rows, const auto& take) {
        const auto last = to ? rows.lower_bound(*to) : rows.end();
        for (auto at = rows.lower_bound(from); at != last; ++at) take(*at);
    };
    if (writing_.empty()) {
        within(sorted_,
               [&](const auto& one) { out.emplace_back(one.first, one.second->update.value); });
        return;
    }
    std::map<std::string_view, const Held*> all;
    within(sorted_, [&](const auto& one) { all.insert(one); });
    for (Writing* flush : writing_)
        within(flush->rows_left(), [&](std::string_view row) {
            // What was put since counts; what has left the cache nobody sees until it is written.
            if (const auto held = rows_.find(row); held != rows_.end()) all.emplace(row, &*held);
        });
    for (const auto& [row, held] : all) out.emplace_back(row, held->update.value);
}

}  // namespace leat::streams::detail
