// SPDX-License-Identifier: Apache-2.0
//
// Changes of stores that may not be in a changelog before what was sent earlier is acknowledged:
// that a result waits no longer, when it was just handed on. Of a process that is killed in between
// there would be neither. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace leat::streams::detail {

struct Outgoing;
class Task;

class PutOffChanges {
  public:
    /// Copies it, without headers.
    void add(const Outgoing& change);
    [[nodiscard]] bool is_empty() const noexcept { return changes_.empty(); }
    /// A later change of the same row is logged: one that waits must not come behind it.
    void replace_by(const Outgoing& later);
    /// Logs them all. False: there was none. Errors: those of Task::log_change(); none of them
    /// waits any more.
    Result<bool> log(Task& task);
    void clear() noexcept { changes_.clear(); }

  private:
    struct Change {
        std::optional<std::string> value;
        std::int64_t timestamp = -1;
    };
    std::map<std::pair<std::string, std::string>, Change> changes_;  ///< By topic and key.
};

}  // namespace leat::streams::detail
