// SPDX-License-Identifier: Apache-2.0
#include "streams/state/use_order.h"

#include <utility>

namespace leat::streams::detail {

void UseOrder::use(std::string_view key) {
    const auto known = places_.find(key);
    if (known != places_.end()) {
        keys_.splice(keys_.begin(), keys_, known->second);
        return;
    }
    keys_.emplace_front(key);
    places_.emplace(keys_.front(), keys_.begin());
}

void UseOrder::forget(std::string_view key) {
    const auto known = places_.find(key);
    if (known == places_.end()) return;
    const auto place = known->second;
    places_.erase(known);  // It looks at the text that goes next.
    keys_.erase(place);
}

void UseOrder::clear() {
    places_.clear();
    keys_.clear();
}

std::optional<std::string> UseOrder::take_excess() {
    if (keys_.size() <= keys_max_) return std::nullopt;
    std::string oldest = keys_.back();
    forget(oldest);
    return oldest;
}

}  // namespace leat::streams::detail
