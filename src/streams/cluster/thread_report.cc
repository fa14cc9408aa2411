// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/thread_report.h"

#include <algorithm>
#include <array>
#include <utility>

namespace leat::streams {
namespace {

constexpr milliseconds kTellInterval{100};
constexpr std::array kThreadSensors{
    SensorId::kThreadCommit,         SensorId::kThreadPoll,           SensorId::kThreadProcess,
    SensorId::kThreadRoundRecords,   SensorId::kThreadProcessRecords, SensorId::kTaskCreated,
    SensorId::kTaskClosed,           SensorId::kThreadPunctuate,      SensorId::kThreadProcessShare,
    SensorId::kThreadPunctuateShare, SensorId::kThreadPollShare,      SensorId::kThreadCommitShare,
    SensorId::kThreadStart,          SensorId::kThreadBlocked,        SensorId::kThreadState};
constexpr std::array kReadingSensors{SensorId::kConsumerLag};

std::int64_t in_ms(std::chrono::nanoseconds took) {
    return std::chrono::duration_cast<milliseconds>(took).count();
}

}  // namespace

ThreadReport::ThreadReport(const std::string& thread, MetricRoom* room, const rt::Clock& clock)
    : clock_(clock),
      metrics_(room, {{"thread-id", thread}}, kThreadSensors),
      reading_(room, {{"client-id", thread + "-consumer"}}, kReadingSensors),
      told_{.name = thread} {
    tick();
    if (Sensor* start = metrics_.find(SensorId::kThreadStart)) start->set(clock.wall_now().value);
}

void ThreadReport::note(State state) {
    if (Sensor* at = metrics_.find(SensorId::kThreadState))
        at->set(static_cast<std::int64_t>(state));
}

void ThreadReport::end() {
    metrics_.withdraw();
    reading_.withdraw();
}

void ThreadReport::tick() {
    const std::int64_t now = clock_.wall_now().value;
    metrics_.tick(now);
    reading_.tick(now);
}

void ThreadReport::count(SensorId sensor) {
    if (Sensor* at = metrics_.find(sensor)) at->count();
}

void ThreadReport::note_time(SensorId sensor, Instant begin) {
    if (Sensor* at = metrics_.find(sensor)) at->record(in_ms(clock_.now() - begin));
}

void ThreadReport::note_share(SensorId sensor, Instant begin, std::chrono::nanoseconds other) {
    if (Sensor* at = metrics_.find(sensor)) at->record((clock_.now() - begin - other).count());
}

void ThreadReport::note_punctuation(std::chrono::nanoseconds took) {
    if (Sensor* share = metrics_.find(SensorId::kThreadPunctuateShare)) share->record(took.count());
    if (Sensor* call = metrics_.find(SensorId::kThreadPunctuate)) call->record(in_ms(took));
}

void ThreadReport::note_round(std::int64_t records, const ThreadTasks& tasks) {
    if (Sensor* all = metrics_.find(SensorId::kThreadProcessRecords))
        all->count(static_cast<std::uint64_t>(records));
    if (Sensor* round = metrics_.find(SensorId::kThreadRoundRecords)) round->record(records);
    std::chrono::nanoseconds turns{0};
    for (const auto& [id, task] : tasks)
        if (task->is_running()) turns += task->meters().turn();
    for (const auto& [id, task] : tasks)
        if (task->is_running()) task->meters().all_took(turns);
}

void ThreadReport::publish(ThreadMetadata told, std::vector<StorePlace> places,
                           const ThreadTasks& tasks) {
    tell_at_ = clock_.now() + kTellInterval;
    std::int64_t lag = -1;
    for (const auto& [id, task] : tasks) {
        lag = std::max(lag, task->lag());
        // It may have come from who restored it since.
        std::erase_if(told.active,
                      [own = id.text()](const TaskMetadata& one) { return one.task_id == own; });
        told.active.push_back(task->metadata());
        for (const auto& mark : task->changelogs().marks())
            places.push_back({.store = mark->store->name(),
                              .changelog = mark->where,
                              .next = mark->next,
                              .is_running = task->is_running()});
    }
    if (Sensor* most = reading_.find(SensorId::kConsumerLag); most != nullptr && lag >= 0)
        most->record(lag);
    const std::lock_guard lock{mutex_};
    told_ = std::move(told);
    told_places_ = std::move(places);
}

ThreadMetadata ThreadReport::metadata() const {
    const std::lock_guard lock{mutex_};
    return told_;
}

std::vector<StorePlace> ThreadReport::store_places() const {
    const std::lock_guard lock{mutex_};
    return told_places_;
}

}  // namespace leat::streams
