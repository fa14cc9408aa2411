// SPDX-License-Identifier: Apache-2.0
//
// Whether what a measured application wrote is what must come of its input. Layer: bench.
// Threading: not synchronised.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace leat::bench {

/// What an application was given.
struct Given {
    std::int64_t records = 0;  ///< Of a join: of each side.
    std::int64_t keys = 1;
    std::int64_t base_ms = 0;  ///< When the first one happened.
};

/// Takes the output in its order, one partition's records in theirs.
class Checker {
  public:
    Checker() = default;
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;
    virtual ~Checker() = default;
    virtual void take(std::string_view key, std::string_view value) = 0;
    /// Results that are missing, more than once, or not right.
    [[nodiscard]] virtual std::int64_t wrong() const = 0;
    /// Results there must be: records, or keys with their last value.
    [[nodiscard]] virtual std::int64_t expected() const = 0;
};

/// `topology`: map-filter, count, tumbling, join; nothing for another name.
std::unique_ptr<Checker> make_checker(const std::string& topology, const Given& given);

}  // namespace leat::bench
