// SPDX-License-Identifier: Apache-2.0
//
// Which partitions a reader has yet to read to their end. Layer: apps (L7). Pure.
#pragma once

#include <set>

#include "client/consumer.h"

namespace leat::apps {

/// Threading: not synchronised.
class OpenPartitions {
  public:
    /// `in_group`: a coordinator says which partitions there are, and takes them away again.
    explicit OpenPartitions(bool in_group) : in_group_(in_group) {}

    /// False when it is open already.
    bool add(const client::TopicPartition& where) { return open_.insert(where).second; }
    void note(const client::Consumer::Rebalance& change);
    /// Read to its end.
    void note_end(const client::TopicPartition& where);
    /// Open, but not read: nobody leads it.
    void give_up(const client::TopicPartition& where);
    /// One that was given up is open again.
    void take_back(const client::TopicPartition& where);

    /// All were read to their end, or given up. Between a group's taking away and its next
    /// assignment there is no telling.
    [[nodiscard]] bool is_at_end() const { return open_.empty() && (!in_group_ || is_assigned_); }
    [[nodiscard]] const std::set<client::TopicPartition>& open() const { return open_; }
    /// Those given up.
    [[nodiscard]] const std::set<client::TopicPartition>& unread() const { return unread_; }

  private:
    std::set<client::TopicPartition> open_;
    std::set<client::TopicPartition> unread_;
    bool in_group_;
    bool is_assigned_ = false;  ///< What the group gave last is what `open_` is about.
};

}  // namespace leat::apps
