// SPDX-License-Identifier: Apache-2.0
#include "apps/open_partitions.h"

namespace leat::apps {

using client::TopicPartition;

void OpenPartitions::note(const client::Consumer::Rebalance& change) {
    for (const TopicPartition& one : change.partitions) {
        if (change.assigned) {
            open_.insert(one);
        } else {
            open_.erase(one);
            unread_.erase(one);
        }
    }
    // Else a reader would be at its end while the group shares out what it has just taken away.
    if (change.assigned)
        is_assigned_ = true;
    else if (open_.empty())
        is_assigned_ = false;
}

void OpenPartitions::note_end(const TopicPartition& where) {
    open_.erase(where);
    unread_.erase(where);
}

void OpenPartitions::give_up(const TopicPartition& where) {
    open_.erase(where);
    unread_.insert(where);
}

void OpenPartitions::take_back(const TopicPartition& where) {
    if (unread_.erase(where) > 0) open_.insert(where);
}

}  // namespace leat::apps
