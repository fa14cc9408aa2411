// SPDX-License-Identifier: Apache-2.0
//
// Records that wait for a test driver, in the order in which Kafka Streams' takes them. Layer:
// streams.
// Spec:  PartitionGroup: the partition whose first record is oldest is next; among equals the order
// is that of java.util.PriorityQueue, a binary heap.
// Threading: not synchronised.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/test_driver.h"

namespace leat::streams {

class WaitingRecords {
  public:
    struct Waiting {
        std::string topic;
        RawRecord record;
    };

    /// `partition`: records of one wait for each other; a topic, or all that a pattern takes in.
    void add(const std::string& partition, Waiting waiting);
    [[nodiscard]] bool is_empty() const noexcept { return heap_.empty(); }
    Waiting take();
    void clear();

  private:
    using Queue = std::deque<Waiting>;

    static std::int64_t head(const Queue& queue) { return queue.front().record.timestamp; }
    void offer(Queue* queue);
    Queue* poll();

    std::map<std::string, Queue> queues_;
    std::vector<Queue*> heap_;  ///< Those that have records.
};

}  // namespace leat::streams
