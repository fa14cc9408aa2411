// SPDX-License-Identifier: Apache-2.0
#include "apps/hanging_transactions.h"

#include <algorithm>
#include <array>

namespace leat::apps {

Result<bool> is_known_in(const client::TransactionDetails& details,
                         const client::TopicPartition& where) {
    if (details.code == Errc::kTransactionalIdNotFound) return false;
    if (details.code != Errc::kNone) return Error{details.code};
    return std::ranges::find(details.partitions, where) != details.partitions.end();
}

bool has_open_transaction(std::string_view state) {
    constexpr std::array<std::string_view, 4> kWithout{"Empty", "CompleteCommit", "CompleteAbort",
                                                       "Dead"};
    return std::ranges::find(kWithout, state) == kWithout.end();
}

}  // namespace leat::apps
