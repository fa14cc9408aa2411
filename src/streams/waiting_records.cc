// SPDX-License-Identifier: Apache-2.0
#include "streams/waiting_records.h"

#include "base/check.h"

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
    offer(queue);
}

void WaitingRecords::drop() {
    Queue& queue = *fresh_.front();
    queue.pop_front();
    if (queue.empty()) fresh_.pop_front();
}

WaitingRecords::Waiting WaitingRecords::take() {
    LEAT_CHECK(fresh_.empty());
    Queue* queue = poll();
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

void WaitingRecords::offer(Queue* queue) {
    std::size_t at = heap_.size();
    heap_.push_back(queue);
    for (; at > 0; at = (at - 1) / 2) {
        Queue* parent = heap_[(at - 1) / 2];
        if (head(*queue) >= head(*parent)) break;
        heap_[at] = parent;
    }
    heap_[at] = queue;
}

WaitingRecords::Queue* WaitingRecords::poll() {
    Queue* out = heap_.front();
    Queue* last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    if (size == 0) return out;
    std::size_t at = 0;
    while (at < size / 2) {
        std::size_t child = 2 * at + 1;
        if (child + 1 < size && head(*heap_[child]) > head(*heap_[child + 1])) ++child;
        if (head(*last) <= head(*heap_[child])) break;
        heap_[at] = heap_[child];
        at = child;
    }
    heap_[at] = last;
    return out;
}

}  // namespace leat::streams
