// SPDX-License-Identifier: Apache-2.0
//
// Calls that processors asked for at points of time. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' PunctuationQueue: a missed call is made once, and the next keeps to the
// grid of the first; of those that are due at one time, its java.util.PriorityQueue has the order.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"

namespace leat::streams::detail {

class Node;

class PunctuationQueue {
  public:
    using Call = std::function<Result<void>(std::int64_t now)>;

    /// `first` and every `interval_ms` > 0 from then on, until *cancelled.
    void add(Node& node, std::int64_t first, std::int64_t interval_ms, Call call,
             std::shared_ptr<bool> cancelled);
    /// The first time after `now` on the grid that `time` is one of; none: it is beyond all times.
    /// Precondition: time <= now, interval_ms > 0.
    [[nodiscard]] static std::optional<std::int64_t> next(std::int64_t time,
                                                          std::int64_t interval_ms,
                                                          std::int64_t now) noexcept;
    /// Makes the calls that are due. Errors: what a call ends with, unless its node's handler goes
    /// on.
    Result<void> run(std::int64_t now);
    void clear() noexcept { entries_.clear(); }
    [[nodiscard]] bool is_empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] bool due(std::int64_t now) const noexcept {
        return !entries_.empty() && entries_.front().time <= now;
    }

  private:
    struct Entry {
        std::int64_t time = 0;
        std::int64_t interval_ms = 0;
        Node* node = nullptr;
        Call call;
        std::shared_ptr<bool> cancelled;
    };
    static bool earlier(const Entry& a, const Entry& b) noexcept { return a.time < b.time; }
    void push(Entry entry);

    std::vector<Entry> entries_;  ///< A heap, the earliest first.
};

}  // namespace leat::streams::detail
