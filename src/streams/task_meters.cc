// SPDX-License-Identifier: Apache-2.0
#include "streams/task_meters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "streams/sensor_listing.h"
#include "streams/task_graph.h"

namespace leat::streams {
namespace {

constexpr std::int64_t kTickMs = 1000;

constexpr std::array kTaskSensors{
    SensorId::kTaskDropped,   SensorId::kTaskRestored, SensorId::kTaskRestoreRemaining,
    SensorId::kTaskUpdated,   SensorId::kTaskProcess,  SensorId::kTaskProcessShare,
    SensorId::kTaskEnforced,  SensorId::kTaskBuffered, SensorId::kTaskCacheBytes,
    SensorId::kTaskPunctuate, SensorId::kTaskLateness};
constexpr std::array kSourceSensors{SensorId::kNodeProcess, SensorId::kNodeAge};
constexpr std::array kLastSensors{SensorId::kNodeAge};
constexpr std::array kFinalSensors{SensorId::kNodeFinalEmit, SensorId::kNodeFinalEmitTime};
constexpr std::array kLagSensors{SensorId::kPartitionLag};
constexpr std::array kConsumedSensors{SensorId::kTopicConsumed, SensorId::kTopicConsumedBytes};
constexpr std::array kProducedSensors{SensorId::kTopicProduced, SensorId::kTopicProducedBytes};

template <class Which>
bool any_store(const detail::Node& node, const detail::Part& part, const Which& which) {
    return std::ranges::any_of(part.stores, [&](const std::string& name) {
        const detail::StateStore* store = node.find_store(name);
        return store != nullptr && which(store->spec());
    });
}

bool suppresses(const detail::Node& node, const detail::Part& part) {
    return any_store(node, part, [](const detail::StoreSpec& spec) {
        return spec.kind == detail::StoreSpec::Kind::kSuppress;
    });
}

/// Only aggregates that tell when windows close have such stores.
bool tells_finally(const detail::Node& node, const detail::Part& part) {
    return any_store(node, part, [](const detail::StoreSpec& spec) { return spec.time_ordered; });
}

}  // namespace

std::int64_t weight_of(std::string_view topic, const std::optional<std::string_view>& key,
                       const std::optional<std::string_view>& value, const Headers* headers,
                       std::int64_t absent) noexcept {
    constexpr std::int64_t kTimeOffsetAndPartition = 20;
    const auto size = [&](const std::optional<std::string_view>& part) {
        return part ? static_cast<std::int64_t>(part->size()) : absent;
    };
    std::int64_t out =
        size(key) + size(value) + static_cast<std::int64_t>(topic.size()) + kTimeOffsetAndPartition;
    if (headers != nullptr)
        for (const Header& header : *headers)
            out += static_cast<std::int64_t>(header.name.size() +
                                             (header.value ? header.value->size() : 0));
    return out;
}

TaskMeters::TaskMeters(MetricRoom* room, std::string thread, std::string task,
                       detail::TaskGraph& graph, const rt::Clock& clock)
    : room_(room),
      tags_{{"thread-id", std::move(thread)}, {"task-id", std::move(task)}},
      own_(room, tags_.at("thread-id")) {
    if (room_ == nullptr) return;
    const MetricSet& mine = add({}, kTaskSensors);
    dropped_ = mine.find(SensorId::kTaskDropped);
    late_ = mine.find(SensorId::kTaskLateness);
    processing_ = mine.find(SensorId::kTaskProcess);
    punctuating_ = mine.find(SensorId::kTaskPunctuate);
    restored_ = mine.find(SensorId::kTaskRestored);
    remaining_ = mine.find(SensorId::kTaskRestoreRemaining);
    updated_ = mine.find(SensorId::kTaskUpdated);
    enforced_ = mine.find(SensorId::kTaskEnforced);
    process_share_ = mine.find(SensorId::kTaskProcessShare);
    buffered_ = mine.find(SensorId::kTaskBuffered);
    cached_ = mine.find(SensorId::kTaskCacheBytes);
    for (const auto& [node, part] : graph.nodes()) meter(*node, *part, clock);
}

void TaskMeters::meter(detail::Node& node, const detail::Part& part, const rt::Clock& clock) {
    // As in Kafka Streams, nodes between are not counted.
    const bool is_source = part.kind == detail::Part::Kind::kSource;
    const bool is_last = !is_source && node.children().empty();
    std::vector<SensorId> sensors;
    if (is_source) sensors.assign(kSourceSensors.begin(), kSourceSensors.end());
    if (is_last) sensors.assign(kLastSensors.begin(), kLastSensors.end());
    if (suppresses(node, part)) sensors.push_back(SensorId::kNodeSuppressionEmit);
    if (tells_finally(node, part))
        sensors.insert(sensors.end(), kFinalSensors.begin(), kFinalSensors.end());
    if (sensors.empty()) return;
    const MetricSet& set = add({{"processor-node-id", node.name()}}, sensors);
    const detail::NodeSensors counted{.processed = set.find(SensorId::kNodeProcess),
                                      .age = set.find(SensorId::kNodeAge),
                                      .emitted = set.find(SensorId::kNodeSuppressionEmit),
                                      .closed = set.find(SensorId::kNodeFinalEmit),
                                      .closing_time = set.find(SensorId::kNodeFinalEmitTime)};
    if (!counted.any()) return;
    nodes_.push_back(std::make_unique<detail::NodeMeter>(counted, now_ms_, clock));
    node.set_meter(nodes_.back().get());
    if (part.kind == detail::Part::Kind::kSink)
        sinks_.try_emplace(part.topics.empty() ? "" : part.topics.front(), node.name());
}

void TaskMeters::all_took(std::chrono::nanoseconds turns) noexcept {
    const std::chrono::nanoseconds mine = std::exchange(turn_, {});
    if (process_share_ != nullptr && turns.count() > 0)
        process_share_->record_part(mine.count(), static_cast<std::uint64_t>(turns.count()));
}

MetricSet& TaskMeters::add(MetricSet::Tags tags, std::span<const SensorId> sensors) {
    tags.insert(tags_.begin(), tags_.end());
    return add_bare(std::move(tags), sensors);
}

MetricSet& TaskMeters::add_bare(MetricSet::Tags tags, std::span<const SensorId> sensors) {
    sets_.push_back(std::make_unique<MetricSet>(room_, std::move(tags), sensors));
    sets_.back()->tick(now_ms_);
    return *sets_.back();
}

bool TaskMeters::at(std::int64_t now_ms) {
    now_ms_ = now_ms;
    if (room_ == nullptr || (ticked_ms_ >= 0 && now_ms - ticked_ms_ < kTickMs)) return false;
    ticked_ms_ = now_ms;
    for (const auto& set : sets_) set->tick(now_ms);
    own_.tick(now_ms);
    return true;
}

Result<std::shared_ptr<detail::SensorListing>> TaskMeters::list(const detail::SensorOrder& order) {
    return own_.list(order, now_ms_);
}

TopicMeter TaskMeters::consumed(std::string_view node, std::string_view topic) {
    if (room_ == nullptr) return {};
    const MetricSet& set =
        add({{"processor-node-id", std::string{node}}, {"topic", std::string{topic}}},
            kConsumedSensors);
    return {set.find(SensorId::kTopicConsumed), set.find(SensorId::kTopicConsumedBytes)};
}

Sensor* TaskMeters::lag(const std::string& topic, std::int32_t partition) {
    if (room_ == nullptr) return nullptr;
    const MetricSet& set = add_bare({{"client-id", tags_.at("thread-id") + "-consumer"},
                                     {"topic", topic},
                                     {"partition", std::to_string(partition)}},
                                    kLagSensors);
    return set.find(SensorId::kPartitionLag);
}

void TaskMeters::produced(std::string_view topic, std::int64_t record_bytes) {
    if (room_ == nullptr) return;
    if (last_produced_ == nullptr || last_produced_->first != topic) {
        auto found = produced_.find(topic);
        if (found == produced_.end()) {
            auto sink = sinks_.find(topic);
            if (sink == sinks_.end()) sink = sinks_.find("");
            const MetricSet& set =
                add({{"processor-node-id", sink == sinks_.end() ? "" : sink->second},
                     {"topic", std::string{topic}}},
                    kProducedSensors);
            found = produced_
                        .emplace(topic, TopicMeter{set.find(SensorId::kTopicProduced),
                                                   set.find(SensorId::kTopicProducedBytes)})
                        .first;
        }
        last_produced_ = &*found;
    }
    last_produced_->second.note(record_bytes);
}

}  // namespace leat::streams
