// SPDX-License-Identifier: Apache-2.0
//
// What a task tells of itself: where it is, what its stores are up to.
#include "streams/live_task.h"

namespace leat::streams {

TaskMetadata LiveTask::metadata() const {
    TaskMetadata out{.task_id = id_.text()};
    for (const auto& where : partitions_) out.inputs.emplace(where.topic, where.partition);
    for (const Input& input : inputs_) {
        const TopicAndPartition where{input.where.topic, input.where.partition};
        if (input.committed >= 0) out.committed[where] = input.committed;
        if (input.seen_end >= 0) out.ends[where] = input.seen_end;
    }
    out.is_running = is_running_;
    return out;
}

Position LiveTask::position_of(std::string_view store) const {
    Position out;
    if (graph_ == nullptr) return out;
    if (is_running_) {
        for (const Input& input : inputs_)
            if (input.position > 0 && graph_->feeds(*input.source, store))
                out[input.where.topic][input.where.partition] = input.position - 1;
        return out;
    }
    const Position* reached = changelogs_.reached(store);
    if (reached == nullptr) return out;
    for (const auto& [topic, partitions] : *reached) {
        const detail::SourceNode* source = graph_->source_of(node_topic(topic));
        if (source != nullptr && graph_->feeds(*source, store)) out.emplace(topic, partitions);
    }
    return out;
}

detail::TaskView LiveTask::view() const {
    return {.id = id_,
            .is_serving = is_active_ && is_running_,
            .stores = graph_ == nullptr ? nullptr : &graph_->stores(),
            .position_of = [this](std::string_view store) { return position_of(store); }};
}

void LiveTask::drop(const detail::Node& node, std::string_view reason) {
    // The caller steps over the record; nothing else of it is kept.
    detail::log_dropped(*this, node, reason);
    count_dropped();
}

void LiveTask::count_dropped() {
    if (meters_ != nullptr) meters_->dropped();
}

}  // namespace leat::streams
