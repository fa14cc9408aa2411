// SPDX-License-Identifier: Apache-2.0
//
// What stands behind '?' of an address. Layer: stream_endpoint (L7). Pure.
// Threading: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "leat/streams/detail/raw_query.h"

namespace leat::stream_endpoint {

class Parameters {
  public:
    /// Errors: kInvalidRequest (a name twice).
    static Result<Parameters> parse(std::string_view query);
    /// Absent: it was not given; that is not the same as empty.
    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    /// Errors: kInvalidRequest (no number from `least` on).
    [[nodiscard]] Result<std::optional<std::int64_t>> number(std::string_view name,
                                                             std::int64_t least) const;
    /// Whether it is "true"; `absent` when it was not given. Errors: kInvalidRequest.
    [[nodiscard]] Result<bool> truth(std::string_view name, bool absent) const;
    /// Errors: kInvalidRequest: a name that is not among these, separated by blanks.
    [[nodiscard]] Result<void> allow(std::string_view names) const;

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

/// "orders:0:17,orders:1:4": topic, partition and offset, as answers tell and bounds are given.
[[nodiscard]] std::string position_text(const streams::Position& position);
/// Errors: kInvalidRequest.
Result<streams::Position> parse_position(std::string_view text);

}  // namespace leat::stream_endpoint
