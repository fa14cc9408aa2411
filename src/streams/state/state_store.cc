// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/state_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "leat/streams/detail/task.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/record_cache.h"
#include "streams/state/rows_visit.h"
#include "streams/state/store_meter.h"

namespace leat::streams::detail {

namespace {

/// Rows of a range with those of it that are elsewhere. False: `visit` has stopped it.
Result<bool> scan_with(const OrderedBytes& bytes, RowsVisit& during, const RowRange& range,
                       std::vector<std::pair<std::string, std::optional<std::string>>> held,
                       const OrderedBytes::Visit& visit) {
    if (!during.is_forward()) std::ranges::reverse(held);
    auto next = held.begin();
    bool go_on = true;
    const auto visit_held = [&] {
        if (next->second) go_on = visit(next->first, *next->second);
        ++next;
    };
    LEAT_TRY_VOID(
        bytes.scan_during(during, range, [&](std::string_view row, std::string_view value) {
            while (go_on && next != held.end() && during.is_sooner(next->first, row)) visit_held();
            if (!go_on) return false;
            if (next != held.end() && next->first == row)
                visit_held();
            else
                go_on = visit(row, value);
            return go_on;
        }));
    while (go_on && next != held.end()) visit_held();
    return go_on;
}

}  // namespace

StateStore::StateStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : spec_(std::move(spec)), bytes_(std::move(bytes)) {
    if (spec_.logging && !spec_.source_topic) changelog_ = spec_.name + "-changelog";
}

StateStore::~StateStore() = default;

Result<void> StateStore::open(Task& task) {
    const CallTimer timer{bytes_ ? bytes_->meter : nullptr, StoreCall::kRestore};
    task_ = &task;
    if (cache_) cache_->clear();
    return bytes_ ? bytes_->open(task) : Result<void>{};
}

const BytesStore* StateStore::own_store() const {
    return bytes_ ? bytes_->own() : nullptr;
}

void StateStore::hold_back(std::shared_ptr<CacheBudget> budget) {
    cache_ =
        std::make_unique<RecordCache>(std::move(budget), [this](const RecordCache::Update& update) {
            Origin origin{
                .topic = update.topic, .partition = update.partition, .offset = update.offset};
            RowChange change{.row = update.row, .timestamp = update.timestamp};
            if (update.value) change.value = *update.value;
            if (update.headers) change.headers = &*update.headers;
            SourceBytes source{
                .topic = update.topic, .timestamp = update.timestamp, .headers = change.headers};
            if (update.source_key) source.key = *update.source_key;
            if (update.source_value) source.value = *update.source_value;
            if (update.has_source) origin.bytes = &source;
            return write_out(change, origin);
        });
}

bool StateStore::forward_on_flush(OnFlush listener, bool old_values) {
    listener_ = std::move(listener);
    old_values_ = old_values;
    return cache_ != nullptr;
}

Result<void> StateStore::flush() {
    const CallTimer timer{bytes_ ? bytes_->meter : nullptr, StoreCall::kFlush};
    if (!cache_) return {};
    return cache_->flush();
}

bool StateStore::holds_back() const noexcept {
    return cache_ && cache_->is_dirty();
}

Result<bool> StateStore::read(std::string_view row, std::string& out) const {
    if (!cache_) return bytes_->get(row, out);
    bool is_held = false;
    LEAT_TRY(const bool found, look_up(row, out, is_held));
    if (found && !is_held) LEAT_TRY_VOID(cache_->remember(row, out));
    return found;
}

Result<bool> StateStore::peek(std::string_view row, std::string& out) const {
    bool is_held = false;
    return cache_ ? look_up(row, out, is_held) : bytes_->get(row, out);
}

Result<bool> StateStore::look_up(std::string_view row, std::string& out, bool& is_held) const {
    const auto* held = cache_->find(row);
    is_held = held != nullptr;
    if (bytes_->meter != nullptr) bytes_->meter->looked_up(is_held);
    if (!is_held) return bytes_->get(row, out);
    if (*held) out = **held;
    return held->has_value();
}

void StateStore::note_age(std::int64_t timestamp) const {
    if (bytes_->meter == nullptr) return;
    if (Sensor* age = bytes_->meter->age()) age->record(task_->wall_time() - timestamp);
}

Result<void> StateStore::write(const RowChange& change) {
    note_age(change.timestamp);
    if (!cache_) return apply(change);
    Origin origin = task_->origin();
    if (!task_->keeps_source_bytes()) origin.bytes = nullptr;
    return cache_->put(change, origin);
}

Result<void> StateStore::apply(const RowChange& change) {
    if (keeps(change.row)) LEAT_TRY_VOID(put_row(change.row, change.value));
    if (!changelog_) return {};
    std::string scratch;
    std::optional<std::string_view> value;
    if (change.value) value = changelog_value(*change.value);
    return log(changelog_key(change.row, scratch), value, change.timestamp, nullptr,
               change.after_output);
}

Result<void> StateStore::write_out(const RowChange& change, const Origin& origin) {
    if (!listener_) return apply(change);
    std::string stored;
    bool known = false;
    if (!change.value || old_values_) {
        LEAT_TRY(known, bytes_->get(change.row, stored));
        // Came and went while it was held back: nobody has heard of it.
        if (!known && !change.value) return {};
    }
    LEAT_TRY_VOID(apply(change));
    Flushed update{.timestamp = change.timestamp, .headers = change.headers};
    describe(change.row, update);
    Entry now;
    Entry before;
    if (change.value) {
        read_entry(*change.value, now);
        update.now = &now;
        if (now.timestamp >= 0) update.timestamp = now.timestamp;
    }
    if (known && old_values_) {
        read_entry(stored, before);
        update.before = &before;
    }
    const OriginScope held_back{*task_, origin};
    return listener_(update);
}

Result<void> StateStore::put_row(std::string_view row, std::optional<std::string_view> value) {
    return value ? bytes_->put(row, *value) : bytes_->erase(row);
}

std::string_view StateStore::changelog_key(std::string_view row, std::string& /*scratch*/) const {
    return row;
}

Result<void> StateStore::scan(std::string_view from, std::optional<std::string_view> to,
                              Direction direction, const VisitRow& visit) const {
    const CallTimer timer{bytes_->meter, StoreCall::kIterator};
    // The bounds may be anybody's, and the wrong way round: nothing lies between them.
    if (to && *to <= from) return {};
    HeldRows held = held_back(from, to);
    const RowRange range{from, to};
    RowsVisit during{bytes_->place(), direction, range};
    if (held.empty()) return bytes_->scan_during(during, range, visit);
    LEAT_TRY([[maybe_unused]] const bool is_through,
             scan_with(*bytes_, during, range, std::move(held), visit));
    return {};
}

StateStore::HeldRows StateStore::held_back(std::string_view from,
                                           std::optional<std::string_view> to) const {
    HeldRows out;
    if (cache_) cache_->unwritten(from, to, out);
    return out;
}

Result<void> StateStore::scan_ranges(std::vector<Range> all, Direction way,
                                     const VisitRow& visit) const {
    if (all.empty()) return {};
    const CallTimer timer{bytes_->meter, StoreCall::kIterator};
    const bool is_forward = way == Direction::kForward;
    const Range& lowest = is_forward ? all.front() : all.back();
    const Range& highest = is_forward ? all.back() : all.front();
    RowsVisit during{bytes_->place(), way, {lowest.from, highest.to}};
    for (Range& range : all) {
        LEAT_TRY(const bool is_through,
                 scan_with(*bytes_, during, {range.from, range.to}, std::move(range.held), visit));
        if (!is_through) break;
    }
    return {};
}

Result<void> StateStore::log(std::string_view key, std::optional<std::string_view> value,
                             std::int64_t timestamp, const Headers* headers, bool after_output) {
    if (!changelog_) return {};
    return task_->log_change({.topic = *changelog_,
                              .key = key,
                              .value = value,
                              .timestamp = timestamp,
                              .headers = headers,
                              .after_output = after_output});
}

}  // namespace leat::streams::detail
