// SPDX-License-Identifier: Apache-2.0
//
// Which leader epoch begins at which offset. Layer: storage (L3). Pure.
// Spec:  KIP-101, KIP-320; Kafka's LeaderEpochFileCache and its file "leader-epoch-checkpoint":
//        lines of text: "0", the number of entries, then "<epoch> <start offset>" each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace leat::storage {

struct EpochStart {
    std::int32_t epoch = -1;
    Offset start;
    friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

/// Invariant: epochs grow strictly, starts never fall.
/// Threading: not synchronised.
class LeaderEpochs {
  public:
    /// Errors: kMalformed (not the format, or not in order).
    static Result<LeaderEpochs> decode(std::string_view file);
    [[nodiscard]] std::string encode() const;

    /// A batch of `epoch` lies at `start`. True when that was news: the file is to be written.
    /// An epoch below the newest is no news.
    bool assign(std::int32_t epoch, Offset start);
    /// Forgets epochs that begin at `end` or later. True when something changed; so below.
    bool truncate_end(Offset end);
    /// Forgets what lies below `start`; the epoch there begins at `start` from now on.
    bool truncate_start(Offset start);
    void clear() { entries_.clear(); }

    [[nodiscard]] std::int32_t latest() const noexcept {
        return entries_.empty() ? -1 : entries_.back().epoch;
    }
    /// The largest known epoch at or below `epoch` and where it ends: the start of the next, or
    /// `log_end`. {-1, -1} for an epoch above all known. As Kafka, an epoch below all known is
    /// answered as itself, ending where the first known begins.
    [[nodiscard]] std::pair<std::int32_t, Offset> end_of(std::int32_t epoch, Offset log_end) const;
    [[nodiscard]] const std::vector<EpochStart>& entries() const noexcept { return entries_; }

  private:
    std::vector<EpochStart> entries_;
};

}  // namespace leat::storage
