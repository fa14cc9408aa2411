// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/punctuation.h"

#include <limits>
#include <utility>

#include "leat/streams/detail/node.h"
#include "streams/java_heap.h"

namespace leat::streams::detail {

void PunctuationQueue::add(Node& node, std::int64_t first, std::int64_t interval_ms, Call call,
                           std::shared_ptr<bool> cancelled) {
    push({first, interval_ms, &node, std::move(call), std::move(cancelled)});
}

void PunctuationQueue::push(Entry entry) {
    java_offer(entries_, std::move(entry), earlier);
}

std::optional<std::int64_t> PunctuationQueue::next(std::int64_t time, std::int64_t interval_ms,
                                                   std::int64_t now) noexcept {
    constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto interval = static_cast<std::uint64_t>(interval_ms);
    const auto at = static_cast<std::uint64_t>(now);  // Distances of two times may need 64 bits.
    const std::uint64_t left = interval - (at - static_cast<std::uint64_t>(time)) % interval;
    if (left > kLast - at) return std::nullopt;
    return static_cast<std::int64_t>(at + left);
}

Result<void> PunctuationQueue::run(std::int64_t now) {
    while (due(now)) {
        Entry entry = java_poll(entries_, earlier);
        if (*entry.cancelled) continue;
        auto done = entry.node->run([&] { return entry.call(now); }, now);
        const auto following = next(entry.time, entry.interval_ms, now);
        // The call may have cancelled itself.
        if (following && !*entry.cancelled) {
            entry.time = *following;
            push(std::move(entry));
        }
        if (!done) return done;
    }
    return {};
}

}  // namespace leat::streams::detail
