// SPDX-License-Identifier: Apache-2.0
//
// Rows: segment ‖ key ‖ end ‖ start, as in the changelog behind the segment. Of a time-ordered
// store: segment ‖ 0 ‖ end ‖ start ‖ key, found by segment ‖ 1 ‖ key ‖ end ‖ start, which has no
// value.
#include "leat/streams/detail/session_store.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "streams/state/ordered_bytes.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_meter.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kSegmentBytes = 8;
constexpr std::size_t kTimes = 16;
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

struct SessionKey {
    std::string_view key;
    Window window;
};

// What a damaged disk cut off is no session's key.
SessionKey split(std::string_view key_first) {
    if (key_first.size() < kTimes) return {};
    const auto at = key_first.size() - kTimes;
    return {key_first.substr(0, at),
            {read_be<std::int64_t>(key_first.substr(at + 8)),
             read_be<std::int64_t>(key_first.substr(at))}};
}

SessionKey split_time_first(std::string_view row) {
    if (row.size() < kTimes) return {};
    return {row.substr(kTimes), {read_be<std::int64_t>(row.substr(8)), read_be<std::int64_t>(row)}};
}

void append_key_first(std::string& out, const SessionKey& key) {
    out.append(key.key);
    append_be(out, key.window.end);
    append_be(out, key.window.start);
}

std::string key_first_row(std::int64_t segment, bool time_ordered, const SessionKey& key) {
    std::string out;
    out.reserve(kSegmentBytes + 1 + key.key.size() + kTimes);
    append_be(out, segment);
    if (time_ordered) out.push_back('\1');
    append_key_first(out, key);
    return out;
}

}  // namespace

SessionStore::SessionStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : SegmentedStore(std::move(spec), std::move(bytes)) {}

std::string SessionStore::row(std::string_view key, Window session) const {
    if (!spec().time_ordered) return key_first_row(segment_of(session.end), false, {key, session});
    std::string out;
    out.reserve(kSegmentBytes + 1 + key.size() + kTimes);
    append_be(out, segment_of(session.end));
    out.push_back('\0');
    append_be(out, session.end);
    append_be(out, session.start);
    out.append(key);
    return out;
}

Result<void> SessionStore::put_row(std::string_view row, std::optional<std::string_view> value) {
    LEAT_TRY_VOID(StateStore::put_row(row, value));
    if (!spec().time_ordered) return {};
    const std::string index = key_first_row(read_be<std::int64_t>(row), true,
                                            split_time_first(row.substr(kSegmentBytes + 1)));
    return value ? bytes().put(index, {}) : bytes().erase(index);
}

std::string_view SessionStore::changelog_key(std::string_view row, std::string& scratch) const {
    if (!spec().time_ordered) return row.substr(kSegmentBytes);
    scratch.clear();
    append_key_first(scratch, split_time_first(row.substr(kSegmentBytes + 1)));
    return scratch;
}

void SessionStore::describe(std::string_view row, Flushed& out) const {
    const auto [key, window] = split(row.substr(kSegmentBytes));
    out.key = key;
    out.start = window.start;
    out.end = window.end;
}

Result<void> SessionStore::restore(std::span<const ChangelogRecord> records) {
    for (const auto& record : records) {
        if (record.key.size() < kTimes)
            return Error{Errc::kMalformed,
                         "a key in the changelog of " + name() + " is no session's"};
        observe(split(record.key).window.end);
    }
    for (const auto& record : records) {
        const auto [key, window] = split(record.key);
        if (!restores(window.end)) continue;
        LEAT_TRY(const bool live, admit(window.end));
        if (live) LEAT_TRY_VOID(put_row(row(key, window), record.value));
    }
    return {};
}

Result<bool> SessionStore::get(std::string_view key, Window session, std::string& out) const {
    const CallTimer timer{bytes().meter, StoreCall::kFetch};
    if (session.end < oldest() || !segments().contains(segment_of(session.end))) return false;
    return peek(row(key, session), out);
}

Result<bool> SessionStore::put(std::string_view key, Window session,
                               std::optional<std::string_view> value, std::int64_t timestamp,
                               const Headers* headers) {
    const CallTimer timer{bytes().meter, value ? StoreCall::kPut : StoreCall::kRemove};
    LEAT_TRY(const bool live, admit(session.end));
    if (live) {
        const std::string at = row(key, session);
        LEAT_TRY_VOID(
            write({.row = at, .value = value, .timestamp = timestamp, .headers = headers}));
    } else {
        std::string at;
        append_key_first(at, {key, session});
        LEAT_TRY_VOID(log(at, value, timestamp));
    }
    return live;
}

Result<void> SessionStore::find(std::string_view key, std::int64_t earliest_end,
                                std::int64_t latest_start, const Visit& visit,
                                Direction direction) const {
    const CallTimer timer{bytes().meter, StoreCall::kFetch};
    const std::int64_t first = std::max({earliest_end, std::int64_t{0}, oldest()});
    const bool time_ordered = spec().time_ordered;
    const std::size_t prefix = kSegmentBytes + (time_ordered ? 1 : 0);
    auto ranges = ranges_of(first, kForever, direction, [&](std::int64_t segment) {
        Range out{.from = key_first_row(segment, time_ordered, {key, {0, first}}),
                  .to = key_first_row(segment, time_ordered, {key, {kForever, kForever}})};
        out.to.push_back('\0');
        out.held = held_back(out.from, out.to);
        return out;
    });
    std::string value;
    Result<bool> found = true;
    const auto see = [&](std::string_view at, std::string_view inside) {
        // A longer key that begins with this one.
        if (at.size() != prefix + key.size() + kTimes) return true;
        const auto session = split(at.substr(prefix));
        if (session.window.start > latest_start) return true;
        if (time_ordered) {
            found = peek(row(session.key, session.window), value);
            if (!found || !*found) return found.has_value();
            inside = value;
        }
        return visit(session.window, inside);
    };
    LEAT_TRY_VOID(scan_ranges(std::move(ranges), direction, see));
    if (!found) return std::move(found).error();
    return {};
}

Result<void> SessionStore::find_ended(std::int64_t earliest_end, std::int64_t latest_end,
                                      const VisitAll& visit, Direction direction) const {
    const CallTimer timer{bytes().meter, StoreCall::kFetch};
    const bool time_ordered = spec().time_ordered;
    const std::int64_t first = std::max({earliest_end, std::int64_t{0}, oldest_ended_after(-1)});
    using Found = std::tuple<std::int64_t, std::string, std::int64_t, std::string>;
    std::vector<Found> kept;
    const auto see = [&](std::string_view at, std::string_view value) {
        const auto session = time_ordered ? split_time_first(at.substr(kSegmentBytes + 1))
                                          : split(at.substr(kSegmentBytes));
        if (session.window.end < first || session.window.end > latest_end) return true;
        if (time_ordered) return visit(session.key, session.window, value);
        kept.emplace_back(session.window.end, session.key, session.window.start, value);
        return true;
    };
    auto ranges = ranges_of(first, latest_end, direction,
                            [&](std::int64_t segment) { return range_of(segment); });
    LEAT_TRY_VOID(scan_ranges(std::move(ranges), direction, see));
    std::ranges::sort(kept);
    if (direction == Direction::kBackward) std::ranges::reverse(kept);
    for (const auto& [end, key, start, value] : kept)
        if (!visit(key, {start, end}, value)) break;
    return {};
}

}  // namespace leat::streams::detail
