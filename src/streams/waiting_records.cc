// SPDX-License-Identifier: Apache-2.0
#include "streams/waiting_records.h"

#include "base/check.h"
#include "streams/java_heap.h"

namespace leat::streams {

void WaitingRecords::add(const std::string& partition, Waiting waiting) {
    Queue& queue = queues_[partition];
    queue.push_back(std::move(waiting));
    if (queue.size() == 1) fresh_.push_back(&queue);
}

const WaitingRecords::Waiting* WaitingRecords::new_head() const {
    return fresh_.empty() ? nullptr : &fresh_.front()->front();
}

void WaitingRecords::place(std::int64_t time) {
    Queue* queue = fresh_.front();
    fresh_.pop_front();
    queue->front().time = time;
    detail::java_offer(heap_, queue, earlier);
}

void WaitingRecords::drop() {
    Queue& queue = *fresh_.front();
    queue.pop_front();
    if (queue.empty()) fresh_.pop_front();
}

WaitingRecords::Waiting WaitingRecords::take() {
    LEAT_CHECK(fresh_.empty());
    Queue* queue = detail::java_poll(heap_, earlier);
    Waiting out = std::move(queue->front());
    queue->pop_front();
    if (!queue->empty()) fresh_.push_back(queue);
    return out;
}

void WaitingRecords::clear() {
    fresh_.clear();
    heap_.clear();
    queues_.clear();
}

}  // namespace leat::streams
