// SPDX-License-Identifier: Apache-2.0
//
// Tells caches that whoever reads is a query. Layer: streams (L6).
#pragma once

#include <utility>

namespace leat::streams::detail {

/// While it lives, caches remember nothing of what its thread reads: to make room they would write
/// out what a task holds back, on a thread that is none of the task's, perhaps in the middle of a
/// scan.
/// Threading: belongs to the thread that made it.
class QueryMark {
  public:
    QueryMark() : before_(std::exchange(is_here, true)) {}
    QueryMark(const QueryMark&) = delete;
    QueryMark& operator=(const QueryMark&) = delete;
    ~QueryMark() { is_here = before_; }
    /// This thread has one.
    [[nodiscard]] static bool is_set() noexcept { return is_here; }

  private:
    static thread_local inline bool is_here = false;
    bool before_;
};

}  // namespace leat::streams::detail
