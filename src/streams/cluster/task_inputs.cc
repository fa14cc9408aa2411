// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/task_inputs.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "streams/cluster/commit_metadata.h"

namespace leat::streams {
namespace {

OffsetReset general_reset(const Settings& settings) {
    if (settings.offset_reset == "none") return OffsetReset::none();
    if (settings.offset_reset == "latest") return OffsetReset::latest();
    if (settings.offset_reset == "by_duration")
        return OffsetReset::by_duration(settings.offset_reset_duration);
    return OffsetReset::earliest();
}

}  // namespace

Result<TaskInputs::Remembered> TaskInputs::open(
    std::span<const client::TopicPartition> partitions,
    std::span<const client::CommittedOffset> committed) {
    inputs_.clear();
    Remembered out;
    for (const auto& where : partitions) {
        TaskInput input{.where = where, .topic = node_topic(where.topic)};
        const auto found = std::ranges::find(committed, where, &client::CommittedOffset::where);
        if (found != committed.end() && found->offset >= 0) {
            input.position = found->offset;
            input.committed = found->offset;
            const CommitMetadata known = decode_commit_metadata(found->metadata);
            input.partition_time = known.partition_time;
            for (const auto& [name, value] : known.remembered) {
                auto& largest = out.emplace(name, value).first->second;
                largest = std::max(largest, value);
            }
        } else {
            LEAT_TRY(input.position, start_of(where));
        }
        inputs_.push_back(std::move(input));
    }
    return out;
}

Result<void> TaskInputs::start() {
    std::vector<client::StartAt> starts;
    starts.reserve(inputs_.size());
    for (const TaskInput& input : inputs_) starts.push_back({input.where, Offset{input.position}});
    LEAT_TRY_VOID(environment_.reader->add(starts));
    for (TaskInput& input : inputs_) input.lane = environment_.reader->lane(input.where);
    return {};
}

void TaskInputs::stop() {
    std::vector<client::TopicPartition> where(inputs_.size());
    std::ranges::transform(inputs_, where.begin(), &TaskInput::where);
    inputs_.clear();
    if (!where.empty())
        ignore(environment_.reader->remove(where), "what is not read any more is of no interest");
}

Result<std::int64_t> TaskInputs::start_of(const client::TopicPartition& where) const {
    using Kind = OffsetReset::Kind;
    OffsetReset reset = environment_.layout->reset_of(where.topic);
    if (reset.kind == Kind::kDefault) reset = general_reset(*environment_.settings);
    if (reset.kind == Kind::kNone)
        return Error{Errc::kOffsetOutOfRange,
                     where.topic + "-" + std::to_string(where.partition) +
                         ": no committed position, and its offset reset is none"};
    if (reset.kind == Kind::kByDuration) {
        const std::int64_t now = environment_.clock->wall_now().value;
        return environment_.offset_at(where,
                                      std::max<std::int64_t>(now - reset.before_now.count(), 0));
    }
    return environment_.offset_at(
        where, reset.kind == Kind::kLatest ? client::kLatest : client::kEarliest);
}

Result<void> TaskInputs::go_on_after_gap(TaskInput& input) {
    const client::TopicPartition where[] = {input.where};
    LEAT_TRY(const std::int64_t begin, environment_.offset_at(input.where, client::kEarliest));
    LEAT_TRY(const std::int64_t end, environment_.offset_at(input.where, client::kLatest));
    // It may be news of an earlier assignment; to begin anew would then repeat what is committed.
    if (input.position < begin || input.position > end) {
        LEAT_TRY(input.position, start_of(input.where));
    }
    input.lane = nullptr;
    LEAT_TRY_VOID(environment_.reader->remove(where));
    const client::StartAt start[] = {{input.where, Offset{input.position}}};
    LEAT_TRY_VOID(environment_.reader->add(start));
    input.lane = environment_.reader->lane(input.where);
    return {};
}

Result<bool> TaskInputs::fetch(TaskInput& input) {
    for (;;) {
        if (input.lane == nullptr) return Error{Errc::kNotFound, input.where.topic};
        if (environment_.reader->take(*input.lane, input.head)) break;
        LEAT_TRY(client::PartitionEvent event, environment_.reader->next(*input.lane));
        if (auto* held = std::get_if<client::HeldRecord>(&event)) {  // It came in between.
            input.head = std::move(*held);
            break;
        }
        if (const auto* end = std::get_if<client::ReachedEnd>(&event)) {
            input.at_end = true;
            input.seen_end = end->offset.value;
            // Steps over markers of transactions behind the last record.
            input.position = std::max(input.position, end->offset.value);
        } else if (const auto* trouble = std::get_if<client::Trouble>(&event)) {
            if (trouble->code == Errc::kOffsetOutOfRange) LEAT_TRY_VOID(go_on_after_gap(input));
        } else {
            return false;
        }
    }
    input.at_end = false;
    return true;
}

std::vector<client::CommittedOffset> TaskInputs::positions(const Remembered& with,
                                                           bool at_least_one) const {
    std::vector<client::CommittedOffset> out;
    const auto add = [&](const TaskInput& input) {
        out.push_back({.where = input.where,
                       .offset = input.position,
                       .metadata = encode_commit_metadata(
                           {.partition_time = input.partition_time, .remembered = with})});
    };
    for (const TaskInput& input : inputs_)
        if (input.position != input.committed) add(input);
    if (out.empty() && at_least_one && !inputs_.empty()) add(inputs_.front());
    return out;
}

void TaskInputs::note_committed() {
    for (TaskInput& input : inputs_) input.committed = input.position;
}

std::vector<client::PartitionOffset> TaskInputs::purgeable() const {
    std::vector<client::PartitionOffset> out;
    for (const TaskInput& input : inputs_)
        if (environment_.layout->is_repartition(input.where.topic) && input.committed > 0)
            out.push_back({.where = input.where, .offset = input.committed});
    return out;
}

void TaskInputs::note_lags(TaskMeters& meters) {
    for (TaskInput& input : inputs_) {
        const std::int64_t end = environment_.reader->end(input.where);
        if (end < 0) continue;
        input.lag = std::max<std::int64_t>(end - input.position, 0);
        if (input.lags == nullptr)
            input.lags = meters.lag(input.where.topic, input.where.partition);
        if (input.lags == nullptr) continue;
        input.lags->set(input.lag);
        input.lags->record(input.lag);
    }
}

std::int64_t TaskInputs::lag() const {
    std::int64_t out = -1;
    for (const TaskInput& input : inputs_) out = std::max(out, input.lag);
    return out;
}

std::size_t TaskInputs::buffered() const {
    std::size_t out = 0;
    for (const TaskInput& input : inputs_)
        out += (input.has_head ? 1U : 0U) + environment_.reader->waiting(input.where);
    return out;
}

const TaskInput* TaskInputs::find(const client::TopicPartition& where) const {
    const auto found = std::ranges::find(inputs_, where, &TaskInput::where);
    return found == inputs_.end() ? nullptr : &*found;
}

std::string TaskInputs::node_topic(const std::string& cluster_topic) const {
    return environment_.layout->is_repartition(cluster_topic)
               ? cluster_topic.substr(environment_.settings->application_id.size() + 1)
               : cluster_topic;
}

}  // namespace leat::streams
