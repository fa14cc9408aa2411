// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/session_store.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "leat/streams/detail/task.h"
#include "streams/row_bytes.h"

namespace leat::streams::detail {

namespace {

/// In a time-ordered store: what stands before a row by key, and before one that only names a
/// session by its end.
constexpr char kByKey = 1;
constexpr char kByTime = 0;
constexpr std::size_t kBounds = 16;

std::string time_row(Window session, std::string_view key) {
    std::string out(1, kByTime);
    append_i64(out, session.end);
    append_i64(out, session.start);
    return out.append(key);
}

/// Of the 16 bytes end, start.
Window read_bounds(std::string_view bytes) {
    return {.start = read_i64(bytes.substr(8)), .end = read_i64(bytes)};
}

}  // namespace

SessionStore::SessionStore(const StoreSpec& spec, WindowStore::MakeSegment make_segment)
    : StateStore(spec.name),
      retention_ms_(spec.retention_ms),
      segment_ms_(segment_length(spec.retention_ms)),
      persistent_(spec.persistent),
      time_ordered_(spec.time_ordered),
      make_segment_(std::move(make_segment)) {
    if (spec.logging) changelog_ = spec.name + "-changelog";
}

Result<void> SessionStore::open(Task& task) {
    task_ = &task;
    return {};
}

std::string SessionStore::row(std::string_view key, Window session) const {
    std::string out;
    if (time_ordered_) out.push_back(kByKey);
    out.append(key);
    append_i64(out, session.end);
    append_i64(out, session.start);
    return out;
}

/// As Kafka Streams': a store on disk takes what falls into a segment that it still has, one in
/// memory counts to the millisecond.
bool SessionStore::expired(std::int64_t end) const noexcept {
    const std::int64_t last_dead = observed_ - retention_ms_;
    if (!persistent_) return end <= last_dead;
    return last_dead >= 0 && end / segment_ms_ < last_dead / segment_ms_;
}

Result<bool> SessionStore::get(std::string_view key, Window session, std::string& out) const {
    if (session.end < oldest()) return false;
    const auto segment = segments_.find(session.end / segment_ms_);
    if (segment == segments_.end()) return false;
    return segment->second->get(row(key, session), out);
}

Result<bool> SessionStore::put(std::string_view key, Window session,
                               std::optional<std::string_view> value, std::int64_t timestamp) {
    observed_ = std::max(observed_, session.end);
    if (expired(session.end)) return false;
    segments_.erase(
        segments_.begin(),
        segments_.lower_bound(std::max<std::int64_t>(observed_ - retention_ms_, 0) / segment_ms_));
    auto& segment = segments_[session.end / segment_ms_];
    if (!segment) {
        LEAT_TRY(segment, make_segment_(session.end / segment_ms_));
    }
    const std::string at = row(key, session);
    LEAT_TRY_VOID(value ? segment->put(at, *value) : segment->erase(at));
    if (time_ordered_) {
        const std::string by_time = time_row(session, key);
        LEAT_TRY_VOID(value ? segment->put(by_time, {}) : segment->erase(by_time));
    }
    if (changelog_) {
        LEAT_TRY_VOID(task_->log_change({.topic = *changelog_,
                                         .key = std::string_view{at}.substr(time_ordered_ ? 1 : 0),
                                         .value = value,
                                         .timestamp = timestamp}));
    }
    return true;
}

Result<void> SessionStore::find(std::string_view key, std::int64_t end_from, std::int64_t start_to,
                                const Visit& visit) const {
    const std::int64_t first = std::max({end_from, std::int64_t{0}, oldest()});
    const std::string from = row(key, {.start = 0, .end = first});
    const std::string to = row(key, {.start = std::max<std::int64_t>(start_to, 0),
                                     .end = std::numeric_limits<std::int64_t>::max()}) +
                           '\0';
    bool go_on = true;
    for (auto segment = segments_.lower_bound(first / segment_ms_);
         go_on && segment != segments_.end(); ++segment) {
        LEAT_TRY_VOID(segment->second->scan(
            from, to, false, [&](std::string_view at, std::string_view value) {
                // A longer key that begins with this one may lie in between.
                if (at.size() != from.size()) return true;
                const Window session = read_bounds(at.substr(at.size() - kBounds));
                if (session.start > start_to) return true;
                return go_on = visit(session, value);
            }));
    }
    return {};
}

Result<void> SessionStore::find_ended(std::int64_t from, std::int64_t to,
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
        LEAT_TRY_VOID(bytes.scan(
            time_row({.start = 0, .end = first}, {}), time_row({.start = 0, .end = to + 1}, {}),
            false, [&](std::string_view at, std::string_view) {
                const Window session = read_bounds(at.substr(1));
                const std::string_view key = at.substr(1 + kBounds);
                std::string value;
                auto found = get(key, session, value);
                if (!found) inner = std::move(found).error();
                return go_on = found && (!*found || visit(key, session, value));
            }));
        if (!inner) return inner;
    }
    return {};
}

}  // namespace leat::streams::detail
