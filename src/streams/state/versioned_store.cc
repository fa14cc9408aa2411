// SPDX-License-Identifier: Apache-2.0
//
// Rows: 0xFE ‖ key has the latest version (from ‖ value); segment ‖ key ‖ from has an older one
// (to ‖ deleted ‖ value), in the segment of its `to`, so that it goes when it leaves the history. A
// deletion that is the latest is kept like an older version, in the segment of its own time. One
// that a value replaced at the same time stays there with no duration: see insert().
#include "leat/streams/detail/versioned_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "streams/state/ordered_bytes.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_meter.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kSegmentBytes = 8;
constexpr std::size_t kStoredHead = 9;
/// Instead of the value of a deletion that ended because a newer value came.
constexpr std::string_view kOvertaken = "o";

std::string latest_row(std::string_view key) {
    std::string out(1, '\xFE');
    out.append(key);
    return out;
}

std::string history_row(std::int64_t segment, std::string_view key, std::int64_t from) {
    std::string out;
    out.reserve(kSegmentBytes + key.size() + 8);
    append_be(out, segment);
    out.append(key);
    append_be(out, from);
    return out;
}

}  // namespace

VersionedStore::VersionedStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : SegmentedStore(std::move(spec), std::move(bytes)) {}

Result<void> VersionedStore::restore(std::span<const ChangelogRecord> records) {
    std::int64_t seen = observed();
    const std::int64_t retention_ms = seen - oldest() + 1;
    for (const auto& record : records) observe(record.timestamp);
    for (const auto& record : records) {
        if (record.timestamp < 0)
            return Error{Errc::kMalformed,
                         "a record in the changelog of " + name() + " has a negative timestamp"};
        // As put() judged it then: what comes too late is logged, and not taken.
        seen = std::max(seen, record.timestamp);
        if (record.timestamp < seen - retention_ms) continue;
        LEAT_TRY([[maybe_unused]] const Put put,
                 insert(record.key, record.value, record.timestamp));
    }
    return {};
}

Result<bool> VersionedStore::read_latest(std::string_view key, Version& out) const {
    LEAT_TRY(const bool found, read(latest_row(key), out.value));
    if (!found) return false;
    if (out.value.size() < kTimestampBytes)
        return Error{Errc::kMalformed, "a version in store " + name() + " is cut off"};
    out.from = read_be<std::int64_t>(out.value);
    out.to = kNever;
    out.value.erase(0, kTimestampBytes);
    return true;
}

Result<bool> VersionedStore::get(std::string_view key, Version& out) const {
    const CallTimer timer{bytes().meter, StoreCall::kGet};
    return read_latest(key, out);
}

Result<bool> VersionedStore::get(std::string_view key, std::int64_t as_of, Version& out) const {
    const CallTimer timer{bytes().meter, StoreCall::kGet};
    LEAT_TRY(const bool known, read_latest(key, out));
    if (known && out.from <= as_of) return true;
    if (as_of < std::max<std::int64_t>(oldest() - 1, 0)) return false;
    Stored older;
    LEAT_TRY(const bool found, covering(key, as_of, segment_of(as_of), older));
    if (!found || older.deleted) return false;
    out = std::move(older.version);
    return true;
}

Result<bool> VersionedStore::covering(std::string_view key, std::int64_t time, std::int64_t first,
                                      Stored& out) const {
    for (auto segment = segments().lower_bound(first); segment != segments().end(); ++segment) {
        const std::string from = history_row(*segment, key, 0);
        std::string to = history_row(*segment, key, time);
        to.push_back('\0');
        bool found = false;
        bool sane = true;
        LEAT_TRY_VOID(
            scan(from, to, Direction::kBackward, [&](std::string_view row, std::string_view value) {
                if (row.size() != from.size()) return true;  // a longer key
                sane = value.size() >= kStoredHead;
                if (!sane) return false;
                out.version.from = read_be<std::int64_t>(row.substr(row.size() - 8));
                out.version.to = read_be<std::int64_t>(value);
                out.deleted = value[8] != 0;
                out.version.value.assign(value.substr(kStoredHead));
                found = out.version.to > time;
                return false;
            }));
        if (!sane) return Error{Errc::kMalformed, "a version in store " + name() + " is cut off"};
        if (found) return true;
    }
    return false;
}

Result<std::int64_t> VersionedStore::next_after(std::string_view key, std::int64_t time) const {
    Version newest;
    LEAT_TRY(const bool known, read_latest(key, newest));
    std::int64_t next = known && newest.from > time ? newest.from : kNever;
    for (auto segment = segments().lower_bound(segment_of(time)); segment != segments().end();
         ++segment) {
        const std::string from = history_row(*segment, key, time + 1);
        const std::string to = history_row(*segment, key, kNever);
        LEAT_TRY_VOID(
            scan(from, to, Direction::kForward, [&](std::string_view row, std::string_view) {
                if (row.size() != from.size()) return true;
                next = std::min(next, read_be<std::int64_t>(row.substr(row.size() - 8)));
                return false;
            }));
    }
    return next;
}

Result<VersionedStore::Put> VersionedStore::put(std::string_view key,
                                                std::optional<std::string_view> value,
                                                std::int64_t timestamp) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    note_age(timestamp);
    observe(timestamp);
    Put done{.stored = false, .to = timestamp};
    if (timestamp >= oldest() - 1) {
        LEAT_TRY(done, insert(key, value, timestamp));
    }
    LEAT_TRY_VOID(log(key, value, timestamp));
    return done;
}

Result<VersionedStore::Put> VersionedStore::insert(std::string_view key,
                                                   std::optional<std::string_view> value,
                                                   std::int64_t timestamp) {
    Version newest;
    LEAT_TRY(const bool known, read_latest(key, newest));
    Stored older;
    if (known && timestamp == newest.from && !value) {
        // As in Kafka Streams nothing is left of the version and its deletion, unless something
        // else says that a version begins then: what comes late may become the latest.
        LEAT_TRY(const bool before, covering(key, timestamp - 1, segment_of(timestamp), older));
        const bool overtaken = older.deleted && older.version.value == kOvertaken;
        std::string replaced;
        LEAT_TRY(const bool was_deleted,
                 read(history_row(segment_of(timestamp), key, timestamp), replaced));
        if (!was_deleted && (!before || overtaken)) {
            LEAT_TRY_VOID(put_row(latest_row(key), std::nullopt));
            if (!before) return Put{};
            LEAT_TRY_VOID(forget(key, older));
            LEAT_TRY_VOID(keep(key, {.version = {.from = older.version.from}, .deleted = true}));
            return Put{};
        }
    }
    if (known && timestamp >= newest.from) {
        if (timestamp > newest.from) {
            newest.to = timestamp;
            LEAT_TRY_VOID(keep(key, {.version = newest}));
        }
        LEAT_TRY_VOID(put_latest(key, value, timestamp));
        return Put{};
    }
    const std::int64_t first = known ? segment_of(timestamp) : 0;
    LEAT_TRY(const bool covered, covering(key, timestamp, first, older));
    std::int64_t next = older.version.to;
    if (covered) {
        LEAT_TRY_VOID(forget(key, older));
        const bool overtakes = value && next == kNever;
        if (overtakes) older.version.value = kOvertaken;
        if (older.version.from < timestamp || overtakes) {
            older.version.to = timestamp;
            LEAT_TRY_VOID(keep(key, older));
        }
    } else {
        LEAT_TRY(next, next_after(key, timestamp));
    }
    if (next == kNever) {
        LEAT_TRY_VOID(put_latest(key, value, timestamp));
        return Put{};
    }
    Stored added{.version = {.from = timestamp, .to = next}, .deleted = !value};
    if (value) added.version.value.assign(*value);
    LEAT_TRY_VOID(keep(key, added));
    return Put{.to = next};
}

Result<void> VersionedStore::put_latest(std::string_view key, std::optional<std::string_view> value,
                                        std::int64_t timestamp) {
    if (value) return put_row(latest_row(key), with_timestamp(timestamp, *value));
    LEAT_TRY_VOID(put_row(latest_row(key), std::nullopt));
    return keep(key, {.version = {.from = timestamp, .to = kNever}, .deleted = true});
}

Result<void> VersionedStore::keep(std::string_view key, const Stored& stored) {
    const auto& version = stored.version;
    const std::int64_t home = version.to == kNever ? version.from : version.to;
    LEAT_TRY(const bool live, admit(home));
    if (!live) return {};
    std::string value;
    append_be(value, version.to);
    value.push_back(stored.deleted ? '\1' : '\0');
    value.append(version.value);
    return put_row(history_row(segment_of(home), key, version.from), value);
}

Result<void> VersionedStore::forget(std::string_view key, const Stored& stored) {
    const auto& version = stored.version;
    const std::int64_t home = version.to == kNever ? version.from : version.to;
    return put_row(history_row(segment_of(home), key, version.from), std::nullopt);
}

Result<void> VersionedStore::versions(std::string_view key, std::int64_t from, std::int64_t to,
                                      const Visit& visit, Direction direction) const {
    std::vector<Version> found;
    Version newest;
    LEAT_TRY(const bool known, read_latest(key, newest));
    if (known && newest.from <= to) found.push_back(std::move(newest));
    const std::int64_t known_from = std::max(std::int64_t{0}, oldest() - 1);
    const std::int64_t first = std::max(from, known_from);
    const auto segments = to < known_from ? std::vector<std::int64_t>{}
                                          : segments_of(first, kNever, Direction::kForward);
    for (const std::int64_t segment : segments) {
        const std::string begin = history_row(segment, key, 0);
        std::string end = history_row(segment, key, to);
        end.push_back('\0');
        LEAT_TRY_VOID(scan(
            begin, end, Direction::kForward, [&](std::string_view row, std::string_view value) {
                if (row.size() != begin.size() || value.size() < kStoredHead || value[8] != 0)
                    return true;
                if (read_be<std::int64_t>(value) > first)
                    found.push_back({.from = read_be<std::int64_t>(row.substr(row.size() - 8)),
                                     .to = read_be<std::int64_t>(value),
                                     .value = std::string{value.substr(kStoredHead)}});
                return true;
            }));
    }
    std::ranges::sort(found, {}, &Version::from);
    if (direction == Direction::kBackward) std::ranges::reverse(found);
    for (const auto& version : found)
        if (!visit(version)) break;
    return {};
}

Result<void> VersionedStore::all(const VisitLatest& visit) const {
    Version version;
    return scan("\xFE", "\xFF", Direction::kForward,
                [&](std::string_view row, std::string_view value) {
                    if (value.size() < kTimestampBytes) return true;
                    version.from = read_be<std::int64_t>(value);
                    version.value.assign(value.substr(kTimestampBytes));
                    return visit(row.substr(1), version);
                });
}

}  // namespace leat::streams::detail
