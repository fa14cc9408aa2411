// SPDX-License-Identifier: Apache-2.0
//
// What a thread tells of itself: how its time goes, what it runs.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "streams/stream_thread.h"

namespace leat::streams {
namespace {

constexpr milliseconds kTellInterval{100};

}  // namespace

void StreamThread::note_time(SensorId sensor, Instant begin) {
    if (Sensor* at = metrics_.find(sensor))
        at->record(
            std::chrono::duration_cast<milliseconds>(environment_.clock->now() - begin).count());
}

void StreamThread::note_share(SensorId sensor, Instant begin, std::chrono::nanoseconds other) {
    if (Sensor* at = metrics_.find(sensor))
        at->record((environment_.clock->now() - begin - other).count());
}

void StreamThread::tick_metrics() {
    const std::int64_t now = environment_.clock->wall_now().value;
    metrics_.tick(now);
    reading_.tick(now);
}

void StreamThread::note_round() {
    if (Sensor* all = metrics_.find(SensorId::kThreadProcessRecords))
        all->count(static_cast<std::uint64_t>(records_));
    if (Sensor* round = metrics_.find(SensorId::kThreadRoundRecords)) round->record(records_);
    std::chrono::nanoseconds turns{0};
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) turns += task->meters().turn();
    for (const auto& [id, task] : tasks_)
        if (task->is_running()) task->meters().all_took(turns);
}

void StreamThread::publish(Instant now) {
    if (now < tell_at_) return;
    tell_at_ = now + kTellInterval;
    ThreadMetadata told{.name = name_, .is_stopping = stopping_};
    updater_->tell(told);
    std::vector<StorePlace> places = updater_->store_places();
    std::int64_t lag = -1;
    for (const auto& [id, task] : tasks_) {
        lag = std::max(lag, task->lag());
        // It may have come from there since.
        std::erase_if(told.active,
                      [&](const TaskMetadata& one) { return one.task_id == id.text(); });
        told.active.push_back(task->metadata());
        for (const auto& mark : task->changelogs().marks())
            places.push_back({.store = mark->store->name(),
                              .changelog = mark->where,
                              .next = mark->next,
                              .is_running = task->is_running()});
    }
    if (Sensor* most = reading_.find(SensorId::kConsumerLag); most != nullptr && lag >= 0)
        most->record(lag);
    const std::lock_guard lock{told_mutex_};
    told_ = std::move(told);
    told_places_ = std::move(places);
}

ThreadMetadata StreamThread::metadata() const {
    const std::lock_guard lock{told_mutex_};
    return told_;
}

std::vector<StorePlace> StreamThread::store_places() const {
    const std::lock_guard lock{told_mutex_};
    return told_places_;
}

}  // namespace leat::streams
