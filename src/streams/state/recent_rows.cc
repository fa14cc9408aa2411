// SPDX-License-Identifier: Apache-2.0
#include "streams/state/recent_rows.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace leat::streams::detail {

namespace {

/// What a row and a key cost beyond their bytes, roughly.
constexpr std::size_t kRowOverhead = 48;
constexpr std::size_t kKeyOverhead = 128;
/// The budget is shared by threads: it is asked for so much at once.
constexpr std::size_t kTakenAtOnce = std::size_t{64} << 10U;
constexpr std::int64_t kParts = 8;

constexpr auto kByStart = [](std::int64_t start, const auto& row) { return start < row.start; };

}  // namespace

RecentRows::RecentRows(std::shared_ptr<RowBudget> budget, std::int64_t span_ms)
    : budget_(std::move(budget)), part_ms_(std::max<std::int64_t>(span_ms / kParts, 1)) {}

RecentRows::~RecentRows() {
    forget();
}

void RecentRows::begin(std::int64_t from) {
    LEAT_CHECK(!has_begun_ && rows_.empty());
    budget_->join();
    has_begun_ = true;
    from_ = from;
}

void RecentRows::forget() {
    if (!std::exchange(has_begun_, false)) return;
    parts_.clear();
    rows_.clear();
    bytes_ = 0;
    budget_->give_back(std::exchange(taken_, 0));
    budget_->leave();
}

void RecentRows::put(std::string_view key, std::int64_t start, std::string_view value) {
    if (!has_begun_ || start < from_) return;
    auto at = rows_.find(key);
    std::size_t cost = kRowOverhead;
    if (at == rows_.end()) {
        cost += kKeyOverhead + key.size();
        at = rows_.emplace(key, Rows{}).first;
    }
    const std::int64_t number = start / part_ms_;
    Part& part = parts_[number];
    Rows& rows = at->second;
    if (std::exchange(rows.noted_in, number) != number) part.keys.push_back(&*at);
    const std::size_t held = part.values.capacity_bytes();
    // Nearly always at the end.
    auto& by_start = rows.by_start;
    by_start.insert(std::upper_bound(by_start.begin(), by_start.end(), start, kByStart),
                    {start, part.values.copy(value)});
    take(cost + part.values.capacity_bytes() - held);
}

void RecentRows::take(std::size_t bytes) {
    bytes_ += bytes;
    while (bytes_ > taken_) {
        if (budget_->take(taken_, kTakenAtOnce))
            taken_ += kTakenAtOnce;
        else
            drop_first();
    }
}

void RecentRows::drop_first() {
    const auto first = parts_.begin();
    const std::int64_t end = (first->first + 1) * part_ms_;
    auto& keys = first->second.keys;
    std::ranges::sort(keys);
    const auto same = std::ranges::unique(keys);
    keys.erase(same.begin(), same.end());
    for (ByKey::pointer key : keys) {
        auto& rows = key->second.by_start;
        const auto last = std::upper_bound(rows.begin(), rows.end(), end - 1, kByStart);
        bytes_ -= kRowOverhead * static_cast<std::size_t>(last - rows.begin());
        rows.erase(rows.begin(), last);
        if (!rows.empty()) continue;
        bytes_ -= kKeyOverhead + key->first.size();
        rows_.erase(rows_.find(key->first));
    }
    bytes_ -= first->second.values.capacity_bytes();
    from_ = std::max(from_, end);
    parts_.erase(first);
}

void RecentRows::expire(std::int64_t oldest) {
    while (!parts_.empty() && (parts_.begin()->first + 1) * part_ms_ <= oldest) drop_first();
    if (taken_ < bytes_ + 2 * kTakenAtOnce) return;
    const std::size_t kept = bytes_ + kTakenAtOnce;
    budget_->give_back(taken_ - kept);
    taken_ = kept;
}

void RecentRows::fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
                       Direction direction) const {
    LEAT_CHECK(has_begun_ && from_ <= from);
    const auto found = rows_.find(key);
    if (found == rows_.end() || to < from) return;
    const auto& rows = found->second.by_start;
    const auto first = std::upper_bound(rows.begin(), rows.end(), from - 1, kByStart);
    const auto last = std::upper_bound(first, rows.end(), to, kByStart);
    Entry entry;
    const auto tell = [&](const Row& row) {
        entry.value.assign(row.value);
        return visit(row.start, entry);
    };
    if (direction == Direction::kForward) {
        for (auto row = first; row != last; ++row)
            if (!tell(*row)) return;
    } else {
        for (auto row = last; row != first;)
            if (!tell(*--row)) return;
    }
}

}  // namespace leat::streams::detail
