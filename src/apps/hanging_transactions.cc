// SPDX-License-Identifier: Apache-2.0
#include "apps/hanging_transactions.h"

#include <algorithm>

namespace leat::apps {

Result<bool> is_known_in(const client::TransactionDetails& details,
                         const client::TopicPartition& where) {
    if (details.code == Errc::kTransactionalIdNotFound) return false;
    if (details.code != Errc::kNone) return Error{details.code};
    return std::ranges::find(details.partitions, where) != details.partitions.end();
}

}  // namespace leat::apps
