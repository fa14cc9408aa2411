// SPDX-License-Identifier: Apache-2.0
//
// Which segments that take no more batches have aborted transactions, and what their ".txnindex"
// files hold: so that a start sees one that is gone or changed, and reads no batches for the rest.
// Layer: storage (L3). Pure.
// Spec:  docs/reference/formats/log.md, "aborted-segments"
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace leat::storage {

inline constexpr std::string_view kAbortedListName = "aborted-segments";

/// Threading: not synchronised.
/// Memory:    about 60 bytes for each segment with aborted transactions.
class AbortedList {
  public:
    /// Errors: kMalformed (its checksum does not fit).
    static Result<AbortedList> decode(std::string_view file);
    [[nodiscard]] std::string encode() const;

    /// `index` is the content of the file; empty: it has none. True: that is news.
    bool note(Offset base, Bytes index);
    [[nodiscard]] bool has(Offset base) const { return sums_.contains(base); }
    [[nodiscard]] bool fits(Offset base, Bytes index) const;
    /// True: there was one.
    bool forget(Offset base) { return sums_.erase(base) > 0; }
    void forget_below(Offset base) { sums_.erase(sums_.begin(), sums_.lower_bound(base)); }
    [[nodiscard]] bool empty() const noexcept { return sums_.empty(); }
    friend bool operator==(const AbortedList&, const AbortedList&) = default;

  private:
    struct Sum {
        std::int64_t bytes = 0;
        std::uint32_t crc = 0;
        friend bool operator==(const Sum&, const Sum&) = default;
    };
    static Sum sum_of(Bytes index);

    std::map<Offset, Sum> sums_;  ///< By base offset.
};

}  // namespace leat::storage
