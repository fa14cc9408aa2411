// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/punctuation.h"

#include <algorithm>
#include <utility>

#include "leat/streams/detail/node.h"

namespace leat::streams::detail {

void PunctuationQueue::add(Node& node, std::int64_t first, std::int64_t interval_ms, Call call,
                           std::shared_ptr<bool> cancelled) {
    push({first, interval_ms, &node, std::move(call), std::move(cancelled)});
}

void PunctuationQueue::push(Entry entry) {
    entries_.push_back(std::move(entry));
    std::ranges::push_heap(entries_, later);
}

Result<void> PunctuationQueue::run(std::int64_t now) {
    while (due(now)) {
        std::ranges::pop_heap(entries_, later);
        Entry entry = std::move(entries_.back());
        entries_.pop_back();
        if (*entry.cancelled) continue;
        auto done = entry.node->run([&] { return entry.call(now); }, now);
        // The call may have cancelled itself.
        if (!*entry.cancelled) {
            const std::int64_t missed = (now - entry.time) / entry.interval_ms;
            entry.time += (missed + 1) * entry.interval_ms;
            push(std::move(entry));
        }
        if (!done) return done;
    }
    return {};
}

}  // namespace leat::streams::detail
