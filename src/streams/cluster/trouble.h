// SPDX-License-Identifier: Apache-2.0
//
// Which errors of a cluster pass by themselves, which a restart of tasks cures, and how long either
// is borne. Layer: streams (L6). Pure. Spec:  Kafka Streams' task.timeout.ms (KIP-572).
#pragma once

#include <chrono>
#include <optional>

#include "base/errc.h"
#include "base/units.h"

namespace leat::streams {

/// A topic that was created just now, a leader that moves, a broker that is away.
[[nodiscard]] bool may_pass(Errc code);
/// The coordinator has moved on; the heartbeat will tell, and what is ours then.
[[nodiscard]] bool is_stale(Errc code);
/// Of a transaction: whoever starts again from the last commit may succeed. Others would meet the
/// same refusal again.
[[nodiscard]] bool is_cured_by_restart(Errc code);
/// Of output: another record may well be taken. A matter for the production exception handler.
[[nodiscard]] bool is_fault_of_record(Errc code);
/// Of the group, its members and its topics: what a right, a setting, a policy or the versions of
/// both sides forbid, so that trying again ends as it did now.
[[nodiscard]] bool is_permanent(Errc code);

/// Threading: not synchronised.
class Patience {
  public:
    /// True while `at_most` is not over since the first trouble in a row.
    bool lasts(Instant now, std::chrono::milliseconds at_most) {
        if (!since_) since_ = now;
        return now - *since_ < at_most;
    }
    /// It worked.
    void restore() { since_.reset(); }

  private:
    std::optional<Instant> since_;
};

}  // namespace leat::streams
