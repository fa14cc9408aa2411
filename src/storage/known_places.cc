// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "storage/log_state.h"

namespace leat::storage {

void KnownPlaces::appended(Offset base, FilePos at) {
    const Place place{.offset = base, .at = at};
    if (appended_.size() < kAppendedMax) {
        appended_.push_back(place);
        return;
    }
    appended_[oldest_] = place;
    oldest_ = (oldest_ + 1) % kAppendedMax;
}

std::optional<FilePos> KnownPlaces::find_appended(Offset offset) const {
    const std::size_t count = appended_.size();
    const std::size_t oldest = count < kAppendedMax ? 0 : oldest_;
    // The newest first: readers are mostly close behind.
    for (std::size_t i = count; i > 0; --i) {
        const Place& place = appended_[(oldest + i - 1) % count];
        if (place.offset <= offset) return place.at;
    }
    return std::nullopt;
}

void KnownPlaces::learned(Offset segment, Offset offset, FilePos at) {
    learned_.at(next_) = {.segment = segment, .place = {.offset = offset, .at = at}};
    next_ = (next_ + 1) % learned_.size();
}

std::optional<FilePos> KnownPlaces::find_learned(Offset segment, Offset offset) const {
    for (const Learned& known : learned_)
        if (known.segment == segment && known.place.offset == offset) return known.place.at;
    return std::nullopt;
}

void KnownPlaces::clear() {
    appended_.clear();
    oldest_ = 0;
    learned_ = {};
}

}  // namespace leat::storage
