// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <utility>

#include "leat/streams/detail/window_store.h"
#include "obs/log.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/row_bytes.h"

namespace leat::streams::detail {

namespace {

constexpr obs::Logger kLog{"streams"};
constexpr std::int64_t kSegmentMin = 60'000;
/// No time is in it, and there is none after it.
constexpr std::int64_t kSegmentEnd = std::numeric_limits<std::int64_t>::max();
/// Rows of segments begin with a number that is not negative, hence never with this byte.
constexpr std::string_view kObservedRow = "\xFFobserved";

/// Kafka Streams' choice for versioned stores: finer for longer histories.
std::int64_t versioned_segment(std::int64_t history) {
    if (history <= 60'000) return std::max<std::int64_t>(history / 3, 2'000);
    if (history <= 300'000) return std::max<std::int64_t>(history / 5, 20'000);
    if (history <= 3'600'000) return std::max<std::int64_t>(history / 12, 60'000);
    return std::max<std::int64_t>(history / 24, 300'000);
}

std::string segment_prefix(std::int64_t segment) {
    std::string out;
    append_be(out, segment);
    return out;
}

}  // namespace

std::int64_t SegmentedStore::width_of(const StoreSpec& spec) {
    if (spec.segment_ms > 0) return spec.segment_ms;
    if (spec.kind == StoreSpec::Kind::kVersioned) return versioned_segment(spec.retention_ms);
    return std::max(spec.retention_ms / 2, kSegmentMin);
}

SegmentedStore::SegmentedStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : StateStore(std::move(spec), std::move(bytes)),
      retention_ms_(this->spec().retention_ms),
      segment_ms_(width_of(this->spec())) {}

Result<void> SegmentedStore::open(Task& task) {
    LEAT_TRY_VOID(StateStore::open(task));
    segments_.clear();
    observed_ = stored_observed_ = -1;
    std::string value;
    LEAT_TRY(const bool known, bytes().get(kObservedRow, value));
    if (known) {
        if (value.size() != sizeof(std::int64_t))
            return Error{Errc::kMalformed, "the time of store " + name() + " cannot be read"};
        observed_ = stored_observed_ = read_be<std::int64_t>(value);
    }
    // From segment to segment, without reading what is in them.
    std::string from = segment_prefix(0);
    const std::string end(1, '\x80');
    for (bool found = true; found;) {
        found = false;
        std::int64_t segment = 0;
        bool sane = true;
        LEAT_TRY_VOID(bytes().scan(from, end, Direction::kForward,
                                   [&](std::string_view row, std::string_view) {
                                       if (row.size() >= sizeof segment)
                                           segment = read_be<std::int64_t>(row);
                                       sane = row.size() >= sizeof segment && segment < kSegmentEnd;
                                       found = sane;
                                       return false;
                                   }));
        if (!sane) return Error{Errc::kMalformed, "a row of store " + name() + " cannot be read"};
        if (!found) break;
        segments_.insert(segment);
        from = segment_prefix(segment + 1);
    }
    return {};
}

Result<void> SegmentedStore::save() {
    if (observed_ == stored_observed_) return {};
    LEAT_TRY_VOID(bytes().put(kObservedRow, segment_prefix(observed_)));
    stored_observed_ = observed_;
    return {};
}

bool SegmentedStore::alive(std::int64_t segment) const noexcept {
    return segment >= segment_of(observed_ - retention_ms_);
}

bool SegmentedStore::keeps(std::string_view row) const {
    // Rows outside of segments (the latest versions) begin with a byte above all numbers.
    return static_cast<unsigned char>(row.front()) >= 0x80U || alive(read_be<std::int64_t>(row));
}

bool SegmentedStore::restores(std::int64_t time) const {
    if (time >= 0) return true;
    kLog.warn("a row of a negative time is not restored", {{"store", name()}, {"time", time}});
    return false;
}

Result<bool> SegmentedStore::admit(std::int64_t time) {
    observe(time);
    const std::int64_t segment = segment_of(time);
    // In memory Kafka Streams expires to the millisecond, on disk by segment.
    if (!alive(segment) || (!spec().persistent && time < oldest())) return false;
    LEAT_TRY_VOID(drop_before(segment_of(observed_ - retention_ms_)));
    segments_.insert(segment);
    return true;
}

Result<void> SegmentedStore::drop_before(std::int64_t segment) {
    while (!segments_.empty() && *segments_.begin() < segment) {
        const std::int64_t first = *segments_.begin();
        LEAT_TRY_VOID(bytes().drop(segment_prefix(first), segment_prefix(first + 1)));
        segments_.erase(segments_.begin());
    }
    return {};
}

std::vector<std::int64_t> SegmentedStore::segments_of(std::int64_t from, std::int64_t to,
                                                      Direction direction) const {
    if (to < from) return {};
    std::vector<std::int64_t> out(
        segments_.lower_bound(segment_of(std::max<std::int64_t>(from, 0))),
        segments_.upper_bound(segment_of(to)));
    if (direction == Direction::kBackward) std::ranges::reverse(out);
    return out;
}

StateStore::Range SegmentedStore::range_of(std::int64_t segment) const {
    Range out{.from = segment_prefix(segment), .to = segment_prefix(segment + 1)};
    if (spec().time_ordered) {
        out.to = out.from + '\1';
        out.from.push_back('\0');
    }
    out.held = held_back(out.from, out.to);
    return out;
}

}  // namespace leat::streams::detail
