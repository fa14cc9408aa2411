// SPDX-License-Identifier: Apache-2.0
//
// Which open transactions a coordinator will end. Layer: apps (L7). Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "client/consumer.h"
#include "client/transaction_info.h"

namespace leat::apps {

/// Whether the transaction that `details` tell of is one in `where`. An id that its coordinator
/// does not know has none. Errors: what else kept the coordinator from telling; then nobody can say
/// that one hangs.
[[nodiscard]] Result<bool> is_known_in(const client::TransactionDetails& details,
                                       const client::TopicPartition& where);

/// Whether an id in this state, by Kafka's name, has a transaction that has not ended. When it
/// began is told of one that has ended, too.
[[nodiscard]] bool has_open_transaction(std::string_view state);

}  // namespace leat::apps
