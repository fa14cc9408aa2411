// SPDX-License-Identifier: Apache-2.0
//
// Rows: segment ‖ key ‖ start ‖ number, as in the changelog behind the segment. Of a time-ordered
// store: segment ‖ 0 ‖ start ‖ key ‖ number, found by segment ‖ 1 ‖ key ‖ start ‖ number, which has
// no value.
#include "leat/streams/detail/window_store.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "leat/streams/detail/task.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/recent_rows.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_meter.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kSegmentBytes = 8;
constexpr std::size_t kStartBytes = 8;
/// Behind the key: its start, and a number that is 0 unless duplicates are kept.
constexpr std::size_t kWindowSuffix = 12;

struct WindowKey {
    std::string_view key;
    std::int64_t start = 0;
    std::uint32_t seq = 0;
};

// What a damaged disk cut off is no window's key.
WindowKey split(std::string_view key_first) {
    if (key_first.size() < kWindowSuffix) return {};
    const auto at = key_first.size() - kWindowSuffix;
    return {key_first.substr(0, at), read_be<std::int64_t>(key_first.substr(at)),
            read_be<std::uint32_t>(key_first.substr(at + kStartBytes))};
}

/// start ‖ key ‖ number.
WindowKey split_time_first(std::string_view row) {
    if (row.size() < kWindowSuffix) return {};
    const auto size = row.size() - kWindowSuffix;
    return {row.substr(kStartBytes, size), read_be<std::int64_t>(row),
            read_be<std::uint32_t>(row.substr(kStartBytes + size))};
}

void append_key_first(std::string& out, const WindowKey& key) {
    out.append(key.key);
    append_be(out, key.start);
    append_be(out, key.seq);
}

std::string key_first_row(std::int64_t segment, bool time_ordered, const WindowKey& key) {
    std::string out;
    out.reserve(kSegmentBytes + 1 + key.key.size() + kWindowSuffix);
    append_be(out, segment);
    if (time_ordered) out.push_back('\1');
    append_key_first(out, key);
    return out;
}

}  // namespace

WindowStore::WindowStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : SegmentedStore(std::move(spec), std::move(bytes)),
      timestamped_(this->spec().kind == StoreSpec::Kind::kWindow) {}

WindowStore::~WindowStore() = default;

void WindowStore::keep_recent(std::shared_ptr<RowBudget> budget) {
    LEAT_CHECK(spec().retain_duplicates && !timestamped_);
    RecentRows::VisitRow on_leave;
    // What no changelog has must be in the database at each commit.
    recent_alone_ = spec().logging && !spec().source_topic;
    if (recent_alone_)
        on_leave = [this](const RecentRows::Seen& seen) {
            return put_row(row(seen.key, seen.start, seen.number), seen.value);
        };
    recent_ =
        std::make_unique<RecentRows>(std::move(budget), spec().retention_ms, std::move(on_leave));
}

Result<std::optional<std::int64_t>> WindowStore::note_commit(std::optional<std::int64_t> before,
                                                             std::int64_t next) {
    if (!recent_) return next;
    look_at_clock();
    return recent_->note_commit(
        {.before = before, .next = next, .relied_on_from = relied_on_from_});
}

void WindowStore::know_changelog(std::int64_t kept_ms) {
    changelog_ms_ = kept_ms;
    if (task() != nullptr) look_at_clock();
}

/// After half of the time that the changelog keeps a record: so a process that is killed may be
/// away as long as that again.
void WindowStore::look_at_clock() {
    using Limits = std::numeric_limits<std::int64_t>;
    looked_at_ = task()->wall_time();
    if (changelog_ms_ == Limits::max())
        relied_on_from_ = Limits::min();
    else
        relied_on_from_ = changelog_ms_ > 0 ? looked_at_ - changelog_ms_ / 2 : Limits::max();
}

bool WindowStore::is_overdue() {
    if (!recent_ || !recent_alone_) return false;
    look_at_clock();
    return recent_->has_alone_before(relied_on_from_);
}

Result<bool> WindowStore::settle() {
    if (!recent_) return false;
    return recent_->settle();
}

Result<void> WindowStore::open(Task& task) {
    if (recent_) recent_->forget();
    LEAT_TRY_VOID(SegmentedStore::open(task));
    if (recent_) look_at_clock();
    return {};
}

std::string WindowStore::row(std::string_view key, std::int64_t start, std::uint32_t seq) const {
    if (!spec().time_ordered) return key_first_row(segment_of(start), false, {key, start, seq});
    std::string out;
    out.reserve(kSegmentBytes + 1 + key.size() + kWindowSuffix);
    append_be(out, segment_of(start));
    out.push_back('\0');
    append_be(out, start);
    out.append(key);
    append_be(out, seq);
    return out;
}

Result<void> WindowStore::put_row(std::string_view row, std::optional<std::string_view> value) {
    LEAT_TRY_VOID(StateStore::put_row(row, value));
    if (!spec().time_ordered) return {};
    const std::string index = key_first_row(read_be<std::int64_t>(row), true,
                                            split_time_first(row.substr(kSegmentBytes + 1)));
    return value ? bytes().put(index, {}) : bytes().erase(index);
}

std::string_view WindowStore::changelog_key(std::string_view row, std::string& scratch) const {
    if (!spec().time_ordered) return row.substr(kSegmentBytes);
    scratch.clear();
    append_key_first(scratch, split_time_first(row.substr(kSegmentBytes + 1)));
    return scratch;
}

std::string_view WindowStore::changelog_value(std::string_view value) const {
    return timestamped_ ? value.substr(kTimestampBytes) : value;
}

void WindowStore::describe(std::string_view row, Flushed& out) const {
    const auto [key, start, seq] = split(row.substr(kSegmentBytes));
    out.key = key;
    out.start = start;
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    out.end = start > kForEver - spec().window_ms ? kForEver : start + spec().window_ms;
}

void WindowStore::decode(std::string_view value, Entry& out) const {
    out.timestamp = -1;
    if (timestamped_ && value.size() >= kTimestampBytes) {
        out.timestamp = read_be<std::int64_t>(value);
        value.remove_prefix(kTimestampBytes);
    }
    out.value.assign(value);
}

Result<void> WindowStore::restore(std::span<const ChangelogRecord> records) {
    if (recent_) LEAT_TRY_VOID(recent_->leave());
    for (const auto& record : records) {
        if (record.key.size() < kWindowSuffix)
            return Error{Errc::kMalformed,
                         "a key in the changelog of " + name() + " is no windowed key"};
        observe(split(record.key).start);
    }
    for (const auto& record : records) {
        const auto [key, start, seq] = split(record.key);
        if (!restores(start)) continue;
        LEAT_TRY(const bool live, admit(start));
        if (!live) continue;
        if (record.value && timestamped_) {
            LEAT_TRY_VOID(
                put_row(row(key, start, seq), with_timestamp(record.timestamp, *record.value)));
        } else {
            LEAT_TRY_VOID(put_row(row(key, start, seq), record.value));
        }
    }
    return {};
}

Result<bool> WindowStore::get(std::string_view key, std::int64_t start, Entry& out) const {
    const CallTimer timer{bytes().meter, StoreCall::kFetch};
    if (start < oldest_found_after(-1) || !segments().contains(segment_of(start))) return false;
    std::string value;
    LEAT_TRY(const bool found, peek(row(key, start, 0), value));
    if (found) decode(value, out);
    return found;
}

Result<bool> WindowStore::put(std::string_view key, std::int64_t start,
                              std::optional<std::string_view> value, std::int64_t timestamp,
                              const Headers* headers) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    if (spec().retain_duplicates) {
        seq_ = (seq_ + 1) & 0x7FFF'FFFFU;
    }
    const bool nothing = spec().retain_duplicates && !value;
    // What was put before starts no later than that.
    if (recent_ && !recent_->has_begun() && observed() < std::numeric_limits<std::int64_t>::max())
        recent_->begin(observed() + 1);
    bool live = true;
    // What takes nothing away moves the time of stores in memory, not of those on disk: as in
    // Kafka Streams.
    if (!nothing || !spec().persistent) {
        LEAT_TRY(live, admit(start));
    }
    if (nothing || !live) {
        LEAT_TRY_VOID(log_row(key, start, value, timestamp));
        return live;
    }
    const bool is_recent = recent_ && recent_->takes(start);
    const bool is_alone = is_recent && recent_alone_ && timestamp >= relied_on_from_;
    // The broker may be told to stamp records itself: not earlier than we last looked at the clock.
    std::optional<std::int64_t> logged_at;
    if (is_alone) logged_at = std::min(timestamp, looked_at_);
    if (is_recent) LEAT_TRY_VOID(recent_->put({key, start, seq_, *value}, logged_at));
    if (recent_) recent_->expire(oldest());
    if (is_alone) {
        note_age(timestamp);
        LEAT_TRY_VOID(log_row(key, start, value, timestamp));
        return true;
    }
    const std::string at = row(key, start, seq_);
    RowChange change{.row = at, .value = value, .timestamp = timestamp, .headers = headers};
    std::string stamped;
    if (value && timestamped_) change.value = stamped = with_timestamp(timestamp, *value);
    LEAT_TRY_VOID(write(change));
    return true;
}

Result<void> WindowStore::log_row(std::string_view key, std::int64_t start,
                                  std::optional<std::string_view> value, std::int64_t timestamp) {
    logged_key_.clear();
    append_key_first(logged_key_, {key, start, seq_});
    return log(logged_key_, value, timestamp);
}

StateStore::HeldRows WindowStore::held_index(std::int64_t segment, std::string_view key,
                                             std::int64_t from, std::int64_t to) const {
    std::string begin;
    append_be(begin, segment);
    std::string end = begin + '\1';
    begin.push_back('\0');
    if (to < std::numeric_limits<std::int64_t>::max()) {
        end = begin;
        append_be(end, to + 1);
    }
    append_be(begin, from);
    HeldRows out;
    for (const auto& [row, value] : held_back(begin, end)) {
        const WindowKey at = split_time_first(std::string_view{row}.substr(kSegmentBytes + 1));
        if (at.key == key)
            out.emplace_back(key_first_row(segment, true, at),
                             value ? std::optional<std::string>{""} : std::nullopt);
    }
    return out;
}

StateStore::Range WindowStore::range_of_key(std::int64_t segment, std::string_view key,
                                            std::int64_t from, std::int64_t to) const {
    const bool time_ordered = spec().time_ordered;
    Range out{.from = key_first_row(segment, time_ordered, {key, from, 0}),
              .to = key_first_row(segment, time_ordered, {key, to, 0xFFFF'FFFFU})};
    out.to.push_back('\0');
    out.held = time_ordered ? held_index(segment, key, from, to) : held_back(out.from, out.to);
    return out;
}

Result<void> WindowStore::fetch(std::string_view key, std::int64_t from, std::int64_t to,
                                const Visit& visit, Direction direction) const {
    const CallTimer timer{bytes().meter, StoreCall::kFetch};
    const std::int64_t first = std::max({from, std::int64_t{0}, oldest_found_after(-1)});
    if (!recent_ || !recent_->has_begun() || to < recent_->from())
        return fetch_rows(key, first, to, visit, direction);
    const std::int64_t from_memory = std::max(first, recent_->from());
    if (from_memory == first) {
        recent_->fetch(key, first, to, visit, direction);
        return {};
    }
    // Before anything is shown: what a visitor puts may move them from memory to the database.
    std::vector<std::pair<std::int64_t, Entry>> newest;
    recent_->fetch(
        key, from_memory, to,
        [&](std::int64_t start, const Entry& entry) {
            newest.emplace_back(start, entry);
            return true;
        },
        direction);
    bool goes_on = true;
    const auto show = [&](std::int64_t start, const Entry& entry) {
        return goes_on = visit(start, entry);
    };
    const auto show_newest = [&] {
        for (const auto& [start, entry] : newest)
            if (goes_on) show(start, entry);
    };
    if (direction == Direction::kBackward) show_newest();
    if (goes_on) LEAT_TRY_VOID(fetch_rows(key, first, from_memory - 1, show, direction));
    if (direction == Direction::kForward) show_newest();
    return {};
}

Result<void> WindowStore::fetch_rows(std::string_view key, std::int64_t from, std::int64_t to,
                                     const Visit& visit, Direction direction) const {
    const bool time_ordered = spec().time_ordered;
    const std::size_t prefix = kSegmentBytes + (time_ordered ? 1 : 0);
    Entry entry;
    std::string value;
    Result<bool> found = true;
    const auto see = [&](std::string_view at, std::string_view inside) {
        // A longer key that begins with this one may lie in between.
        if (at.size() != prefix + key.size() + kWindowSuffix) return true;
        const auto found_key = split(at.substr(prefix));
        if (time_ordered) {
            found = peek(row(found_key.key, found_key.start, found_key.seq), value);
            if (!found || !*found) return found.has_value();
            inside = value;
        }
        decode(inside, entry);
        return visit(found_key.start, entry);
    };
    auto ranges = ranges_of(from, to, direction, [&](std::int64_t segment) {
        return range_of_key(segment, key, from, to);
    });
    LEAT_TRY_VOID(scan_ranges(std::move(ranges), direction, see));
    if (!found) return std::move(found).error();
    return {};
}

StateStore::HeldRows WindowStore::held_rows(std::int64_t segment, std::int64_t from,
                                            std::int64_t to) const {
    HeldRows out;
    if (!recent_ || !recent_alone_ || !recent_->has_begun()) return out;
    const Result<void> seen =
        recent_->each(from, to, [&](const RecentRows::Seen& one) -> Result<void> {
            if (segment_of(one.start) == segment)
                out.emplace_back(row(one.key, one.start, one.number), one.value);
            return {};
        });
    LEAT_CHECK(seen);
    std::ranges::sort(out);
    return out;
}

Result<void> WindowStore::fetch_all(std::int64_t from, std::int64_t to, const VisitAll& visit,
                                    Direction direction) const {
    const CallTimer timer{bytes().meter, StoreCall::kFetch};
    const bool time_ordered = spec().time_ordered;
    const bool sorted = !spec().persistent && !time_ordered;
    const std::int64_t first = std::max({from, std::int64_t{0}, oldest_found_after(-1)});
    using Found = std::tuple<std::int64_t, std::string, std::uint32_t, Entry>;
    std::vector<Found> kept;
    Entry entry;
    const auto see = [&](std::string_view at, std::string_view value) {
        const auto found = time_ordered ? split_time_first(at.substr(kSegmentBytes + 1))
                                        : split(at.substr(kSegmentBytes));
        if (found.start < first || found.start > to) return true;
        decode(value, entry);
        if (!sorted) return visit(found.key, found.start, entry);
        kept.emplace_back(found.start, found.key, found.seq, entry);
        return true;
    };
    auto ranges = ranges_of(first, to, direction, [&](std::int64_t segment) {
        Range out = range_of(segment);
        // What is held back and what is in memory alone: a store has one of them.
        if (HeldRows alone = held_rows(segment, first, to); !alone.empty())
            out.held = std::move(alone);
        return out;
    });
    LEAT_TRY_VOID(scan_ranges(std::move(ranges), direction, see));
    const auto before = [](const Found& a, const Found& b) {
        return std::tie(get<0>(a), get<1>(a), get<2>(a)) <
               std::tie(get<0>(b), get<1>(b), get<2>(b));
    };
    std::ranges::sort(kept, before);
    if (direction == Direction::kBackward) std::ranges::reverse(kept);
    for (const auto& [start, key, seq, value] : kept)
        if (!visit(key, start, value)) break;
    return {};
}

}  // namespace leat::streams::detail
