// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/store.h"

#include <algorithm>

#include "base/check.h"
#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

namespace {

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}

std::int64_t read_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes.substr(0, 8)) value = (value << 8U) | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
}

constexpr std::size_t kTimestampBytes = 8;
constexpr std::int64_t kSegmentMin = 60'000;
/// Behind the key of a window store: its start, and a number that is 0 unless duplicates are kept.
constexpr std::size_t kWindowSuffix = 12;

std::string with_timestamp(std::int64_t timestamp, std::string_view value) {
    std::string out;
    out.reserve(kTimestampBytes + value.size());
    append_big_endian(out, static_cast<std::uint64_t>(timestamp), 8);
    out.append(value);
    return out;
}

std::string window_key(std::string_view key, std::int64_t start) {
    std::string out{key};
    append_big_endian(out, static_cast<std::uint64_t>(start), 8);
    append_big_endian(out, 0, 4);
    return out;
}

/// In a time-ordered store: what stands before a row by key, and before one that only names a
/// window by its start.
constexpr char kByKey = 1;
constexpr char kByTime = 0;

std::string time_row(std::int64_t start, std::string_view key) {
    std::string out(1, kByTime);
    append_big_endian(out, static_cast<std::uint64_t>(start), 8);
    return out.append(key);
}

std::optional<std::string> changelog_of(const StoreSpec& spec) {
    if (!spec.logging || spec.source_topic) return std::nullopt;
    return spec.name + "-changelog";
}

}  // namespace

Result<bool> MemoryBytes::get(std::string_view key, std::string& out) const {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return false;
    out = found->second;
    return true;
}

Result<void> MemoryBytes::put(std::string_view key, std::string_view value) {
    const auto at = entries_.lower_bound(key);
    if (at != entries_.end() && at->first == key)
        at->second.assign(value);
    else
        entries_.emplace_hint(at, key, value);
    return {};
}

Result<void> MemoryBytes::erase(std::string_view key) {
    if (const auto found = entries_.find(key); found != entries_.end()) entries_.erase(found);
    return {};
}

Result<void> MemoryBytes::scan(std::string_view from, std::optional<std::string_view> to,
                               bool backwards, const Visit& visit) const {
    const auto first = entries_.lower_bound(from);
    const auto last = to ? entries_.lower_bound(*to) : entries_.end();
    if (to && *to <= from) return {};
    if (!backwards) {
        for (auto at = first; at != last; ++at)
            if (!visit(at->first, at->second)) break;
        return {};
    }
    for (auto at = last; at != first;) {
        --at;
        if (!visit(at->first, at->second)) break;
    }
    return {};
}

TimestampedStore::TimestampedStore(const StoreSpec& spec, std::unique_ptr<OrderedBytes> bytes)
    : StateStore(spec.name), bytes_(std::move(bytes)), changelog_(changelog_of(spec)) {}

Result<void> TimestampedStore::open(Task& task) {
    task_ = &task;
    return {};
}

Result<bool> TimestampedStore::get(std::string_view key, Entry& out) const {
    LEAT_TRY(const bool found, bytes_->get(key, out.value));
    if (!found) return false;
    out.timestamp = read_big_endian(out.value);
    out.value.erase(0, kTimestampBytes);
    return true;
}

Result<void> TimestampedStore::put(std::string_view key, std::optional<std::string_view> value,
                                   std::int64_t timestamp) {
    LEAT_TRY_VOID(value ? bytes_->put(key, with_timestamp(timestamp, *value)) : bytes_->erase(key));
    if (!changelog_) return {};
    return task_->log_change(
        {.topic = *changelog_, .key = key, .value = value, .timestamp = timestamp});
}

Result<void> TimestampedStore::all(const Visit& visit) const {
    Entry entry;
    return bytes_->scan({}, std::nullopt, false, [&](std::string_view key, std::string_view value) {
        entry.timestamp = read_big_endian(value);
        entry.value.assign(value.substr(kTimestampBytes));
        return visit(key, entry);
    });
}

WindowStore::WindowStore(const StoreSpec& spec, MakeSegment make_segment)
    : StateStore(spec.name),
      retention_ms_(spec.retention_ms),
      time_ordered_(spec.time_ordered),
      segment_ms_(std::max(spec.retention_ms / 2, kSegmentMin)),
      make_segment_(std::move(make_segment)),
      changelog_(changelog_of(spec)) {}

Result<void> WindowStore::open(Task& task) {
    task_ = &task;
    return {};
}

std::string WindowStore::row(std::string_view key, std::int64_t start) const {
    std::string out;
    if (time_ordered_) out.push_back(kByKey);
    return out.append(window_key(key, start));
}

Result<bool> WindowStore::get(std::string_view key, std::int64_t start, Entry& out) const {
    if (start < oldest()) return false;
    const auto segment = segments_.find(start / segment_ms_);
    if (segment == segments_.end()) return false;
    LEAT_TRY(const bool found, segment->second->get(row(key, start), out.value));
    if (!found) return false;
    out.timestamp = read_big_endian(out.value);
    out.value.erase(0, kTimestampBytes);
    return true;
}

Result<void> WindowStore::put(std::string_view key, std::int64_t start,
                              std::optional<std::string_view> value, std::int64_t timestamp) {
    observed_ = std::max(observed_, start);
    if (start < oldest()) return {};
    segments_.erase(segments_.begin(),
                    segments_.lower_bound(std::max<std::int64_t>(oldest(), 0) / segment_ms_));
    auto& segment = segments_[start / segment_ms_];
    if (!segment) {
        LEAT_TRY(segment, make_segment_(start / segment_ms_));
    }
    const std::string at = row(key, start);
    LEAT_TRY_VOID(value ? segment->put(at, with_timestamp(timestamp, *value)) : segment->erase(at));
    if (time_ordered_) {
        const std::string by_time = time_row(start, key);
        LEAT_TRY_VOID(value ? segment->put(by_time, {}) : segment->erase(by_time));
    }
    if (!changelog_) return {};
    return task_->log_change({.topic = *changelog_,
                              .key = std::string_view{at}.substr(time_ordered_ ? 1 : 0),
                              .value = value,
                              .timestamp = timestamp});
}

Result<void> WindowStore::fetch(std::string_view key, std::int64_t from, std::int64_t to,
                                const Visit& visit, bool backwards) const {
    const std::int64_t first = std::max({from, std::int64_t{0}, oldest()});
    if (to < first) return {};
    const std::string start = row(key, first);
    std::string last = row(key, to);
    last.push_back('\0');
    bool go_on = true;
    Entry entry;
    const auto scan = [&](const OrderedBytes& segment) {
        return segment.scan(
            start, last, backwards, [&](std::string_view at, std::string_view value) {
                // A longer key that begins with this one may lie in between.
                if (at.size() != start.size()) return true;
                entry.timestamp = read_big_endian(value);
                entry.value.assign(value.substr(kTimestampBytes));
                return go_on = visit(read_big_endian(at.substr(at.size() - kWindowSuffix)), entry);
            });
    };
    const auto low = segments_.lower_bound(first / segment_ms_);
    const auto high = segments_.upper_bound(to / segment_ms_);
    if (backwards) {
        for (auto at = high; go_on && at != low;) LEAT_TRY_VOID(scan(*(--at)->second));
        return {};
    }
    for (auto at = low; go_on && at != high; ++at) LEAT_TRY_VOID(scan(*at->second));
    return {};
}

Result<void> WindowStore::fetch_all(std::int64_t from, std::int64_t to,
                                    const VisitAll& visit) const {
    LEAT_CHECK(time_ordered_);
    const std::int64_t first = std::max({from, std::int64_t{0}, oldest()});
    if (to < first) return {};
    bool go_on = true;
    const auto low = segments_.lower_bound(first / segment_ms_);
    const auto high = segments_.upper_bound(to / segment_ms_);
    for (auto segment = low; go_on && segment != high; ++segment) {
        const OrderedBytes& bytes = *segment->second;
        Result<void> inner;
        LEAT_TRY_VOID(bytes.scan(time_row(first, {}), time_row(to + 1, {}), false,
                                 [&](std::string_view at, std::string_view) {
                                     const std::int64_t start = read_big_endian(at.substr(1));
                                     const std::string_view key = at.substr(1 + sizeof start);
                                     Entry entry;
                                     auto found = get(key, start, entry);
                                     if (!found) inner = std::move(found).error();
                                     return go_on = found && (!*found || visit(key, start, entry));
                                 }));
        if (!inner) return inner;
    }
    return {};
}

}  // namespace leat::streams::detail
