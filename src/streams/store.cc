// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/store.h"

#include <algorithm>

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
      segment_ms_(std::max(spec.retention_ms / 2, kSegmentMin)),
      make_segment_(std::move(make_segment)),
      changelog_(changelog_of(spec)) {}

Result<void> WindowStore::open(Task& task) {
    task_ = &task;
    return {};
}

Result<bool> WindowStore::get(std::string_view key, std::int64_t start, Entry& out) const {
    if (start < oldest()) return false;
    const auto segment = segments_.find(start / segment_ms_);
    if (segment == segments_.end()) return false;
    LEAT_TRY(const bool found, segment->second->get(window_key(key, start), out.value));
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
    const std::string at = window_key(key, start);
    LEAT_TRY_VOID(value ? segment->put(at, with_timestamp(timestamp, *value)) : segment->erase(at));
    if (!changelog_) return {};
    return task_->log_change(
        {.topic = *changelog_, .key = at, .value = value, .timestamp = timestamp});
}

Result<void> WindowStore::fetch(std::string_view key, std::int64_t from, std::int64_t to,
                                const Visit& visit) const {
    const std::int64_t first = std::max({from, std::int64_t{0}, oldest()});
    if (to < first) return {};
    std::string last = window_key(key, to);
    last.push_back('\0');
    const std::string start = window_key(key, first);
    Entry entry;
    bool go_on = true;
    for (auto segment = segments_.lower_bound(first / segment_ms_);
         go_on && segment != segments_.end(); ++segment) {
        LEAT_TRY_VOID(segment->second->scan(
            start, last, false, [&](std::string_view at, std::string_view value) {
                // A longer key that begins with this one may lie in between.
                if (at.size() != key.size() + kWindowSuffix) return true;
                entry.timestamp = read_big_endian(value);
                entry.value.assign(value.substr(kTimestampBytes));
                return go_on = visit(read_big_endian(at.substr(key.size())), entry);
            }));
    }
    return {};
}

}  // namespace leat::streams::detail
