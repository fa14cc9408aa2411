// SPDX-License-Identifier: Apache-2.0
//
// A regular expression that topic names match as a whole. Layer: groups (L5).
// Spec:  KIP-848: the syntax of RE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace leat::groups {

/// Threading: immutable.
class TopicPattern {
  public:
    /// Errors: kInvalidRegularExpression, with what is wrong with it; also for one that takes more
    /// memory than RE2's own bound.
    [[nodiscard]] static Result<TopicPattern> compile(std::string_view text);
    TopicPattern(TopicPattern&&) noexcept;
    TopicPattern& operator=(TopicPattern&&) noexcept;
    TopicPattern(const TopicPattern&) = delete;
    TopicPattern& operator=(const TopicPattern&) = delete;
    ~TopicPattern();

    /// Linear in the length of `topic`.
    [[nodiscard]] bool matches(std::string_view topic) const;

  private:
    explicit TopicPattern(std::unique_ptr<re2::RE2> compiled);
    std::unique_ptr<re2::RE2> compiled_;
};

/// Why a member may not subscribe to `text`, as a client is told; empty when it may.
[[nodiscard]] std::string pattern_fault(std::string_view text);

}  // namespace leat::groups
