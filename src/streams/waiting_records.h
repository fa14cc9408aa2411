// SPDX-License-Identifier: Apache-2.0
//
// Records that wait for a test driver, in the order in which Kafka Streams' takes them. Layer:
// streams.
// Spec:  PartitionGroup: the partition whose first record is oldest, by the extractor's time, is
// next; among equals the order is that of java.util.PriorityQueue, a binary heap.
// Threading: not synchronised.
#pragma once

#include <cstdint>
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
        std::int64_t time = -1;  ///< The extractor's, of a head that has its place.
    };

    /// `partition`: records of one wait for each other; a topic, or all that a pattern takes in.
    void add(const std::string& partition, Waiting waiting);
    /// The first record of a partition, which has no place among the others yet: to be told its
    /// time by place(), or to be dropped. In the order in which they became first; null: all have
    /// one.
    [[nodiscard]] const Waiting* new_head() const;
    void place(std::int64_t time);
    void drop();
    [[nodiscard]] bool is_empty() const noexcept { return heap_.empty(); }
    /// Precondition: there is no new_head().
    Waiting take();
    void clear();

  private:
    using Queue = std::deque<Waiting>;

    static bool earlier(const Queue* a, const Queue* b) {
        return a->front().time < b->front().time;
    }

    std::map<std::string, Queue> queues_;
    std::deque<Queue*> fresh_;  ///< Those whose first record has no place.
    std::vector<Queue*> heap_;  ///< The others that have records.
};

}  // namespace leat::streams
