// SPDX-License-Identifier: Apache-2.0
#include "streams/state/rows_visit.h"

#include <algorithm>
#include <iterator>

namespace leat::streams::detail {

bool RowsVisit::keeps(const void* place, void* row) noexcept {
    // The outermost of those that look at it ends last.
    RowsVisit* keeper = nullptr;
    for (RowsVisit* visit = innermost; visit != nullptr; visit = visit->outer_)
        if (visit->place_ == place && visit->row_ == row) keeper = visit;
    if (keeper == nullptr) return false;
    keeper->gone_.reset(row);
    return true;
}

void RowsVisit::let_go(void* row) noexcept {
    row_ = row;
    gone_.reset();
    passed_.clear();
}

void RowsVisit::pass(std::string_view key, void* row) noexcept {
    at_ = key;
    let_go(row);
}

void RowsVisit::pass(std::string_view key) {
    key_.assign(key);
    at_ = key_;
    let_go(nullptr);
}

const RowsVisit::Noted::value_type* RowsVisit::next_noted(const RowRange& range) const {
    if (noted_.empty()) return nullptr;
    if (is_forward()) {
        const bool is_inside = at_ && *at_ >= range.from;
        const auto next = is_inside ? noted_.upper_bound(*at_) : noted_.lower_bound(range.from);
        return next != noted_.end() && (!range.to || next->first < *range.to) ? &*next : nullptr;
    }
    const bool is_inside = at_ && (!range.to || *at_ < *range.to);
    const auto behind = is_inside  ? noted_.lower_bound(*at_)
                        : range.to ? noted_.lower_bound(*range.to)
                                   : noted_.end();
    if (behind == noted_.begin()) return nullptr;
    const auto next = std::prev(behind);
    return next->first >= range.from ? &*next : nullptr;
}

const RowsVisit::Noted::value_type& RowsVisit::pass(const Noted::value_type& noted) {
    Noted passed;
    passed.insert(noted_.extract(noted_.find(noted.first)));
    at_ = passed.begin()->first;
    let_go(nullptr);
    passed_.swap(passed);
    return *passed_.begin();
}

}  // namespace leat::streams::detail
