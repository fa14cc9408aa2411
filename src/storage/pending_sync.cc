// SPDX-License-Identifier: Apache-2.0
#include "storage/pending_sync.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace leat::storage {

std::optional<Log::Unsynced> PendingSync::take(Log* log, bool is_in_use, rt::Executor& executor) {
    if (!is_in_use)
        collect(log, executor);
    else if (!collected_)
        is_wanted = was_missed_ = true;
    return std::exchange(collected_, std::nullopt);
}

void PendingSync::turn_ended(Log* log, rt::Executor& executor) {
    // What waits is taken together with what came since: who asked meanwhile was told that a sync
    // is on its way.
    if (std::exchange(was_missed_, false) || collected_) collect(log, executor);
}

void PendingSync::collect(Log* log, rt::Executor& executor) {
    if (log == nullptr) return;
    records = 0;
    if (timer.value != 0) executor.cancel(std::exchange(timer, {}));
    Log::Unsynced newer = log->take_unsynced();
    if (!collected_) {
        collected_ = std::move(newer);
        return;
    }
    collected_->end = newer.end;
    collected_->names |= newer.names;
    std::ranges::move(newer.files, std::back_inserter(collected_->files));
}

}  // namespace leat::storage
