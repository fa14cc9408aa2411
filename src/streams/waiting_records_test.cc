// SPDX-License-Identifier: Apache-2.0
#include "streams/waiting_records.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

struct Queues {
    WaitingRecords waiting;
    void add(const std::string& topic, const std::string& key, std::int64_t at) {
        waiting.add(topic, {topic, {.key = key, .timestamp = at}});
    }
    std::string take() {
        while (const auto* head = waiting.new_head()) {
            if (head->record.timestamp < 0)
                waiting.drop();
            else
                waiting.place(head->record.timestamp);
        }
        const auto next = waiting.take();
        return next.topic + *next.record.key;
    }
};

TEST(WaitingRecords, TheOldestHeadIsNext) {
    Queues q;
    q.add("a", "1", 9);
    q.add("a", "2", 1);
    q.add("b", "1", 5);
    EXPECT_EQ(q.take() + q.take() + q.take(), "b1a1a2");
    EXPECT_TRUE(q.waiting.is_empty());
}

TEST(WaitingRecords, WhatIsDroppedMakesRoomForTheNextOfItsPartition) {
    Queues q;
    q.add("a", "1", -1);
    q.add("b", "1", 5);
    q.add("a", "2", -1);
    q.add("a", "3", 4);
    EXPECT_EQ(q.take() + q.take(), "a3b1");
    q.add("a", "4", -1);
    q.waiting.drop();
    EXPECT_EQ(q.waiting.new_head(), nullptr);
    EXPECT_TRUE(q.waiting.is_empty());
}

TEST(WaitingRecords, AmongEqualsTheHeapDecides) {
    Queues q;
    for (const auto* key : {"1", "2", "3"})
        for (const auto* topic : {"l", "r"}) q.add(topic, key, 7);
    // What Kafka Streams took when two records went on to a third topic.
    EXPECT_EQ(q.take() + q.take(), "l1r1");
    q.add("n", "1", 7);
    EXPECT_EQ(q.take(), "l2");
    q.add("n", "2", 7);
    EXPECT_EQ(q.take() + q.take() + q.take() + q.take(), "n1l3n2r2");
}

}  // namespace
}  // namespace leat::streams
